//go:build peers

package peers

import (
	"context"
	"testing"
	"time"

	"concord/exchange/landing"
)

// TestTimeRunsOut has curl give up by a clock of its own: then it closes the
// file as if all were well.
func TestTimeRunsOut(t *testing.T) {
	b := brokenOff{client: client{name: "curl"}, cargo: cargoes(t)[0]}
	p := open(t, landing.Terms{Hold: 100 * time.Millisecond, Grace: 200 * time.Millisecond}, b.String())
	r := p.account(t, b.String(), p.Addr).start(t, b.client, "put_for", "3", b.path, "inbox/"+b.cargo.name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.wait(ctx); err == nil {
		t.Error("it had time enough")
	}
	await(t, "the end of the sessions", func() bool { now, ever := p.present(b.String()); return now == 0 && ever > 0 })
	if p.wholeAccepted(t, b) {
		t.Fatal("it had time enough")
	}
	p.sendAgain(t, b)
	p.acceptedOnce(t, b)
}
