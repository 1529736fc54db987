package calls

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/jobstest"
)

// forgetful has no files of any period any more.
type forgetful struct{ State }

func (forgetful) Covering(context.Context, string, time.Time, time.Time) ([]jobs.Entry, error) {
	return nil, nil
}

// faultyState fails what a run does with the state.
type faultyState struct {
	State
	*jobstest.Fault
}

func (s faultyState) RecordMicrosoft(ctx context.Context, f jobs.MicrosoftFile) (out jobs.MicrosoftFile, err error) {
	err = s.Do(func() error { out, err = s.State.RecordMicrosoft(ctx, f); return err })
	return out, err
}

func (s faultyState) BeginCalls(ctx context.Context, l jobs.Lease, d jobs.CallsDelivery, now time.Time) (out jobs.CallsDelivery, err error) {
	err = s.Do(func() error { out, err = s.State.BeginCalls(ctx, l, d, now); return err })
	return out, err
}

func (s faultyState) EndCalls(ctx context.Context, l jobs.Lease, d jobs.CallsDelivery, now time.Time) error {
	return s.Do(func() error { return s.State.EndCalls(ctx, l, d, now) })
}

func (s faultyState) CallsDeliveries(ctx context.Context, f jobs.CallsFilter) (out []jobs.CallsDelivery, err error) {
	err = s.Do(func() error { out, err = s.State.CallsDeliveries(ctx, f); return err })
	return out, err
}

func (s faultyState) DealRest(ctx context.Context, f jobs.MicrosoftFile) error {
	return s.Do(func() error { return s.State.DealRest(ctx, f) })
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

// spoiled makes a world in which the nth operation of runs fails.
func spoiled(t *testing.T, f *jobstest.Fault) *world {
	w := newWorld(t)
	w.clerk.State = faultyState{w.store, f}
	good := w.clerk.Carrier
	w.clerk.Carrier = func(job, name string) (Carrier, error) {
		c, err := good(job, name)
		c.Outbox = faultyOutbox{c.Outbox, f}
		return c, err
	}
	w.clerk.Make = func(ctx context.Context, o jobs.DeliverOptions) (out *jobs.Delivered, err error) {
		err = f.Do(func() error { out, err = jobs.DeliverCalls(ctx, o); return err })
		return out, err
	}
	return w
}

// Whatever fails, and whether it had its effect or not: after a further run the
// carrier has each delivery once, of the same bytes as without any fault.
func TestEveryDeliveryIsMadeOnceWhateverFails(t *testing.T) {
	t.Parallel()
	script := func(w *world, run func()) {
		w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1)+callRow("b", "", 1))
		w.put("microsoft/fabrikam/quality/a.csv", qualityHead+qualityRow("c-a", "", 1))
		w.taken()
		run()
		w.put("microsoft/fabrikam/b.csv", callHead+callRow("a", "litware", 2)+callRow("d", "", 1))
		w.taken()
		run()
	}
	calm := newWorld(t)
	script(calm, func() { calm.succeed("fabrikam") })
	want := calm.boxes["fabrikam"]
	calm.delivered("fabrikam", 2)
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			f := &jobstest.Fault{At: at, After: after}
			w := spoiled(t, f)
			script(w, func() {
				if _, err := w.run("fabrikam", jobs.TriggerSchedule); err != nil {
					if !errors.Is(err, jobstest.ErrFault) {
						t.Fatal(err)
					}
					w.whole(at)
					w.succeed("fabrikam")
				}
			})
			if !maps.Equal(want, w.boxes["fabrikam"]) {
				t.Fatalf("operation %d failed, after its effect: %v: %q, want %q", at, after, slices.Sorted(maps.Keys(w.boxes["fabrikam"])), slices.Sorted(maps.Keys(want)))
			}
			last, err := w.store.CallsDeliveries(t.Context(), jobs.CallsFilter{Carrier: "fabrikam"})
			if err != nil || len(last) != 2 || last[0].Ended.IsZero() || last[1].Ended.IsZero() {
				t.Fatalf("%+v, %v", last, err)
			}
			if f.N < at { // nothing was left to fail
				break
			}
		}
	}
}

// whole checks that a carrier who sees a manifest sees all that it lists.
func (w *world) whole(at int) {
	w.Helper()
	for name, text := range w.boxes["fabrikam"] {
		if !strings.HasSuffix(name, "_manifest.json") {
			continue
		}
		var m manifest
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			w.Fatal(err)
		}
		for _, f := range m.Files {
			if _, is := w.boxes["fabrikam"][f.Name]; !is {
				w.Errorf("operation %d failed, and %s is there without %s", at, name, f.Name)
			}
		}
	}
}

// A delivery that was begun is ended as it was, even when there is newer news.
func TestADeliveryThatWasBrokenOffComesFirst(t *testing.T) {
	t.Parallel()
	f := &jobstest.Fault{At: 7} // the first file into the outbox
	w := spoiled(t, f)
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1))
	w.taken()
	if _, err := w.run("fabrikam", jobs.TriggerSchedule); !errors.Is(err, jobstest.ErrFault) {
		t.Fatal(err)
	}
	if begun, err := w.store.CallsDeliveries(t.Context(), jobs.CallsFilter{}); err != nil || len(begun) != 1 || !begun[0].Ended.IsZero() {
		t.Fatalf("%+v, %v", begun, err)
	}
	w.put("microsoft/fabrikam/b.csv", callHead+callRow("b", "", 1))
	w.taken()
	w.succeed("fabrikam")
	_, one := w.delivered("fabrikam", 1)
	_, two := w.delivered("fabrikam", 2)
	if one.Calls.Rows != 1 || two.Calls.Rows != 2 || two.Calls.Added != 1 {
		t.Errorf("%+v, %+v", one, two)
	}
}

// parts are the paths of the files that carriers were dealt.
func (w *world) parts() (found []string) {
	w.Helper()
	for _, pattern := range []string{"microsoft/*/shared/*", "microsoft/*/quality/shared/*"} {
		list, err := filepath.Glob(filepath.Join(w.dir, pattern))
		if err != nil {
			w.Fatal(err)
		}
		for _, path := range list {
			rel, _ := filepath.Rel(w.dir, path)
			found = append(found, rel)
		}
	}
	return found
}

// dealScript has files dealt out, of which one row waits for its call.
func dealScript(w *world, do func(func() error)) {
	w.put("shared/a.csv", callHead+callRow("a", "fabrikam", 1)+callRow("l", "op-l", 1)+callRow("x", "nobody", 1))
	w.put("shared/q.csv", qualityHead+qualityRow("c-a", "", 1)+qualityRow("c-late", "", 1)+qualityRow("c-l", "litware", 1))
	do(w.scan)
	w.put("shared/b.csv", callHead+callRow("late", "litware", 1))
	do(w.scan)
	do(func() error { return w.dealer.Again(w.Context()) })
	do(w.scan)
}

// content is what every carrier is delivered.
func (w *world) content() map[string]string {
	all := map[string]string{}
	for carrier := range w.boxes {
		w.clerk.Make = jobs.DeliverCalls
		w.succeed(carrier)
		files, _ := w.delivered(carrier, 1)
		for end, text := range files {
			all[carrier+end] = text
		}
	}
	return all
}

// Whatever fails while files of several carriers are dealt out, each carrier is
// delivered the same in the end. A part may come in more pieces or fewer, as
// more or less was known when it was dealt.
func TestEveryPartIsDealtOnceWhateverFails(t *testing.T) {
	t.Parallel()
	must := func(do func() error) {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	calm := newWorld(t)
	dealScript(calm, must)
	want := calm.content()
	if len(calm.parts()) != 6 || strings.Count(want["litware_quality.csv"], "\n") != 3 || strings.Count(want["fabrikam_quality.csv"], "\n") != 2 {
		t.Fatalf("%q, %q", calm.parts(), want["litware_quality.csv"])
	}
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			f := &jobstest.Fault{At: at, After: after}
			w := newWorld(t)
			w.dealer.State, w.dealer.Spool = faultyState{w.clerk.State, f}, faultySpool{w.spool, f}
			w.quality.Read = jobs.Deal
			w.dealer.Deal = func(ctx context.Context, o jobs.DealOptions) (out *jobs.Dealt, err error) {
				err = f.Do(func() error { out, err = jobs.Deal(ctx, o); return err })
				return out, err
			}
			dealScript(w, func(do func() error) {
				if err := do(); err != nil {
					if !errors.Is(err, jobstest.ErrFault) {
						t.Fatal(err)
					}
					must(do)
				}
			})
			if got := w.content(); !maps.Equal(want, got) {
				t.Fatalf("operation %d failed, after its effect: %v: %q", at, after, w.parts())
			}
			if left, err := os.ReadDir(w.dealer.Scratch); err != nil || len(left) > 0 {
				t.Errorf("%v, %v", left, err)
			}
			if f.N < at {
				break
			}
		}
	}
}
