package landing

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestALookCanBeAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{Hold: time.Millisecond}, newNotary(), nil)
		later(time.Second)
		d.dropFile(t, "done.csv", whole)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		time.Sleep(time.Second)
		if err := d.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := d.notary.statuses(); !slices.Equal(got, []string{"a.csv accepted"}) {
			t.Errorf("decided %v", got)
		}
		d.stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Look(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody looks: %v", err)
		}
	})
}

// Who asks for a look must not be told that all was taken when it was not.
func TestALookThatIsBrokenOffWasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{Policy: OnMarker}, newNotary(), nil)
		later(time.Second)
		d.dropFile(t, "a.csv", whole)
		d.dropFile(t, "a.csv.done", "")
		var offered atomic.Bool
		d.notary.mu.Lock()
		d.notary.fail = func(int) bool { // the service is told to end in the middle of it
			offered.Store(true)
			go d.stop()
			time.Sleep(time.Second)
			return true
		}
		d.notary.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := d.Look(ctx); !errors.Is(err, context.DeadlineExceeded) || !offered.Load() {
			t.Errorf("looked: %v, offered: %v", err, offered.Load())
		}
	})
}

// stuck is a ledger that does not answer any more when it is to settle.
type stuck struct{ *notary }

// Settle implements Taker.
func (stuck) Settle(ctx context.Context, _, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// A database that hangs must not keep the service from ending.
func TestTendEndsWhateverTheLedgerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newDir(t)
		spool, err := OpenSpool(filepath.Join(filepath.Dir(dir), "spool"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = spool.Close() }()
		h := home(t, dir, Terms{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.Tend(ctx, spool, stuck{newNotary()}, Watch{})
		}()
		s := h.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		s.End()
		later(10 * time.Minute)
		cancel()
		begun := time.Now()
		<-done
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v to end", took)
		}
	})
}
