package numbering

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/jobstest"

	"github.com/google/go-cmp/cmp"
)

type faultyState struct {
	State
	*jobstest.Fault
}

func (s faultyState) RecordListing(ctx context.Context, l jobs.Lease, x jobs.Listing, how jobs.Taking, rows func() jobs.ListedRows, now time.Time) (out jobs.Listing, err error) {
	err = s.Do(func() error { out, err = s.State.RecordListing(ctx, l, x, how, rows, now); return err })
	return out, err
}

func (s faultyState) BeginDelivery(ctx context.Context, l jobs.Lease, d jobs.NumbersDelivery, now time.Time) (out jobs.NumbersDelivery, err error) {
	err = s.Do(func() error { out, err = s.State.BeginDelivery(ctx, l, d, now); return err })
	return out, err
}

func (s faultyState) EndDelivery(ctx context.Context, l jobs.Lease, d jobs.NumbersDelivery, now time.Time) error {
	return s.Do(func() error { return s.State.EndDelivery(ctx, l, d, now) })
}

func (s faultyState) LastDelivery(ctx context.Context, carrier string) (out jobs.NumbersDelivery, err error) {
	err = s.Do(func() error { out, err = s.State.LastDelivery(ctx, carrier); return err })
	return out, err
}

func (s faultyState) Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error {
	return s.Do(func() error { return s.State.Snapshot(ctx, l, settings, inputs) })
}

type faultySpool struct {
	Spool
	*jobstest.Fault
}

func (s faultySpool) Add(ctx context.Context, r io.Reader) (out landing.Content, err error) {
	err = s.Do(func() error { out, err = s.Spool.Add(ctx, r); return err })
	return out, err
}

type faultyOutbox struct {
	Outbox
	*jobstest.Fault
}

func (o faultyOutbox) Deliver(ctx context.Context, name string, src io.Reader) error {
	return o.Do(func() error { return o.Outbox.Deliver(ctx, name, src) })
}

// Whatever fails, and whether it had its effect or not: after a further run the
// carrier has each delivery once, of the same bytes as without any fault.
func TestEveryDeliveryIsMadeOnceWhateverFails(t *testing.T) {
	script := func(w *world, run func()) {
		w.put("own/fabrikam/a.csv", canonical("+491,u1,a@example.com", "+492,u2,"))
		run()
		w.put("own/fabrikam/b.csv", canonical("+491,u9,", "+493,u3,"))
		run()
	}
	calm := newWorld(t)
	script(calm, func() { calm.succeed("fabrikam"); calm.now = calm.now.Add(2 * time.Second) })
	want := calm.boxes["fabrikam"]
	calm.delivery("fabrikam", 2)
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			w := newWorld(t)
			f := &jobstest.Fault{At: at, After: after}
			good := *w.clerk
			w.clerk.State, w.clerk.Spool = faultyState{w.store, f}, faultySpool{w.spool, f}
			w.clerk.Carrier = func(job, name string) (Carrier, error) {
				c, err := good.Carrier(job, name)
				c.Outbox = faultyOutbox{c.Outbox, f}
				return c, err
			}
			script(w, func() {
				until := w.now.Add(3 * time.Second)
				if err := w.run("fabrikam"); err != nil {
					if !errors.Is(err, jobstest.ErrFault) {
						t.Fatal(err)
					}
					w.begun(at)
					w.succeed("fabrikam")
				}
				w.now = until
			})
			if d := cmp.Diff(want, w.boxes["fabrikam"]); d != "" {
				t.Fatalf("operation %d failed, after its effect: %v: %s", at, after, d)
			}
			last, err := w.store.LastDelivery(t.Context(), "fabrikam")
			if err != nil || last.Sequence != 2 || last.Ended.IsZero() {
				t.Fatalf("%+v, %v", last, err)
			}
			if f.N < at { // nothing was left to fail
				break
			}
		}
	}
}

// begun checks that a carrier who sees a manifest sees the whole delivery.
func (w *world) begun(at int) {
	w.Helper()
	for _, name := range w.boxes["fabrikam"].Names() {
		if all, is := strings.CutSuffix(name, "manifest.json"); is {
			for _, end := range []string{"full.csv", "full.parquet", "changes.csv"} {
				if _, is := w.boxes["fabrikam"][all+end]; !is {
					w.Errorf("operation %d failed, and %s is there without %s", at, name, end)
				}
			}
		}
	}
}

// A delivery that was begun is ended as it was, even when there is newer
// news.
func TestADeliveryThatWasBrokenOffComesFirst(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/a.csv", canonical("+491,u1,"))
	good := *w.clerk
	f := &jobstest.Fault{At: 3}
	w.clerk.Carrier = func(job, name string) (Carrier, error) {
		c, err := good.Carrier(job, name)
		c.Outbox = faultyOutbox{c.Outbox, f}
		return c, err
	}
	if err := w.run("fabrikam"); !errors.Is(err, jobstest.ErrFault) {
		t.Fatal(err)
	}
	before := maps.Clone(w.boxes["fabrikam"])
	w.put("own/fabrikam/b.csv", canonical("+491,u1,", "+492,u2,"))
	w.succeed("fabrikam")
	one, _, _ := w.delivery("fabrikam", 1)
	two, changes, m := w.delivery("fabrikam", 2)
	if len(one) != 1 || len(two) != 2 || len(changes) != 1 || m.Added != 1 {
		t.Errorf("%q %q %q", one, two, changes)
	}
	for name, text := range before {
		if w.boxes["fabrikam"][name] != text {
			t.Errorf("%s has changed", name)
		}
	}
}
