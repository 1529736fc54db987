package numbering

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

	"github.com/google/go-cmp/cmp"
)

func TestACarrierIsSentWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.succeed("fabrikam")
	if len(w.boxes["fabrikam"]) != 0 {
		t.Fatal("without a listing there is nothing to deliver")
	}
	w.put("own/fabrikam/a.csv", canonical("+491,u1,a@example.com", "+492,u2,", "+494,u4,"))
	w.succeed("fabrikam")
	full, changes, m := w.delivery("fabrikam", 1)
	want := []string{
		"+491,fabrikam,,,,,,,u1,,sip:a@example.com,,,,,2026-10-01T06:59:01Z,", "+492,fabrikam,,,,,,,u2,,,,,,,2026-10-01T06:59:01Z,", "+494,fabrikam,,,,,,,u4,,,,,,,2026-10-01T06:59:01Z,",
	}
	if d := cmp.Diff(want, full); d != "" || m.Added != 3 || len(changes) != 3 || !strings.HasPrefix(changes[0], "added,,+491,fabrikam,") {
		t.Errorf("%s %q %+v", d, changes, m)
	}
	w.succeed("fabrikam")
	w.put("own/fabrikam/b.csv", canonical("+491,u1,b@example.com", "+493,u3,", "+494,u4,"))
	w.succeed("fabrikam")
	full, changes, m = w.delivery("fabrikam", 2)
	want = []string{
		"changed,sip_uri,+491,fabrikam,,,,,,,u1,,sip:b@example.com,,,,,2026-10-01T07:59:03Z,",
		"removed,,+492,fabrikam,,,,,,,u2,,,,,,,2026-10-01T06:59:01Z,2026-10-01T07:59:03Z",
		"added,,+493,fabrikam,,,,,,,u3,,,,,,,2026-10-01T07:59:03Z,",
	}
	if d := cmp.Diff(want, changes); d != "" || len(full) != 3 || m.Added != 1 || m.Removed != 1 || m.Changed != 1 {
		t.Errorf("%s %q %+v", d, full, m)
	}
	// There and back again between two runs.
	w.put("own/fabrikam/c.csv", canonical())
	w.put("own/fabrikam/d.csv", canonical("+491,u1,b@example.com", "+493,u3,", "+494,u4,"))
	w.succeed("fabrikam")
	if n := len(w.boxes["fabrikam"]); n != 8 {
		t.Errorf("%d files in the outbox, of two deliveries", n)
	}
	w.put("own/fabrikam/e.csv", canonical())
	w.succeed("fabrikam")
	if full, _, m := w.delivery("fabrikam", 3); len(full) != 0 || m.Removed != 3 {
		t.Errorf("%q %+v", full, m)
	}
}

// A carrier sees its own numbers only, whatever lies beside them.
func TestNobodySeesTheNumbersOfAnother(t *testing.T) {
	w := newWorld(t)
	text := `{"value":[
{"telephoneNumber":"+491110001","operatorId":"op-f","assignmentTargetId":"a"},{"telephoneNumber":"+491120001","operatorId":"op-l"},
{"telephoneNumber":"+491110002","operatorId":"OP-F"},{"telephoneNumber":"+491120002","operatorId":"Op-L"},{"telephoneNumber":"+491130001","operatorId":"op-x"},{"telephoneNumber":"+491130002"}]}`
	w.put("all/listing.json", text)
	w.put("own/litware/more.csv", "TelephoneNumber,PstnPartnerName\n+491120003,Litware\n+491110003,Fabrikam\n")
	for range 2 {
		w.succeed("fabrikam")
		w.succeed("litware")
		w.put("all/listing.json", strings.Replace(text, `"a"`, `"b"`, 1))
	}
	for carrier, want := range map[string]struct {
		others string
		rows   int
	}{"fabrikam": {"+49112", 2}, "litware": {"+49111", 3}} {
		if full, _, _ := w.delivery(carrier, 1); len(full) != want.rows {
			t.Errorf("%s: %q", carrier, full)
		}
		for name, content := range w.boxes[carrier] {
			if strings.Contains(content, want.others) || strings.Contains(content, "+49113") {
				t.Errorf("%s of %s holds a number of another", name, carrier)
			}
		}
	}
	if len(w.boxes["litware"]) != 4 {
		t.Errorf("what changed for another was delivered: %v", w.boxes["litware"].names())
	}
}

// Every tenant has listings of its own, and a time.
func TestSourcesTimesAndTenants(t *testing.T) {
	w := newWorld(t)
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/numbers-20261001T050000Z.csv", canonical("+491,u1,"))
	w.put("own/fabrikam/other/x.csv", canonical("+492,u1,"))
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/numbers-2026-10-01T04-00-00Z.csv", canonical("+493,u1,"))
	w.put("own/fabrikam/to-come-20261001T230000Z.csv", canonical("+494,u1,"))
	w.put("own/fabrikam/half.csv.tmp", canonical("+495,u1,"))
	w.succeed("fabrikam")
	full, _, _ := w.delivery("fabrikam", 1)
	want := []string{"+491,fabrikam,,,," + tenant + ",,,u1,,,,,,,2026-10-01T05:00:00Z,", "+492,fabrikam,,,,,,,u1,,,,,,,2026-10-01T07:59:00Z,"}
	if d := cmp.Diff(want, full); d != "" {
		t.Error(d)
	}
	w.put("own/fabrikam/other/y.csv", canonical())
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/late-20261001T043000Z.csv", canonical("+496,u1,"))
	w.succeed("fabrikam")
	if full, _, m := w.delivery("fabrikam", 2); len(full) != 1 || m.Removed != 1 {
		t.Errorf("%q %+v", full, m)
	}
	if last := w.told[len(w.told)-1]; !slices.Contains(w.told, "late-20261001T043000Z.csv late 0") {
		t.Errorf("%q, the last %s", w.told, last)
	}
}

func TestAListingThatCannotBeUsedTakesNothingAway(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/a.csv", canonical("+491,u1,", "+492,u2,"))
	w.succeed("fabrikam")
	w.put("own/fabrikam/b+4930123456789.csv", strings.TrimSuffix(canonical("+491,u1,"), "\n"))
	w.put("own/fabrikam/sub/c.csv", canonical("+493,u3,"))
	err := w.run("fabrikam")
	if err == nil || !strings.Contains(err.Error(), "cannot be used: its last line does not end") || strings.Contains(err.Error(), "12345") {
		t.Errorf("%v", err)
	}
	if full, _, _ := w.delivery("fabrikam", 2); len(full) != 3 {
		t.Errorf("%q", full)
	}
	if err := w.run("fabrikam"); err == nil {
		t.Error("it is still there, and nobody has sent a better one")
	}
	w.put("own/fabrikam/d.csv", canonical("+491,u9,", "+492,u2,nonsense", "030,u4,", "+491,u8,"))
	w.succeed("fabrikam")
	full, changes, _ := w.delivery("fabrikam", 3)
	if len(full) != 3 || len(changes) != 1 || !strings.HasPrefix(changes[0], "changed,target_id,+491,fabrikam,,,,,,,u9,") {
		t.Errorf("%q %q", full, changes)
	}
	list, err := w.store.Listings(t.Context(), "fabrikam")
	if x := list[len(list)-1]; err != nil || x.Rows != 4 || x.Accepted != 1 || x.Rejected != 3 {
		t.Errorf("%+v, %v", x, err)
	}
}

// Microsoft's listings name users by their ids: a list of users beside them has
// their SIP URIs, and a later one corrects what is known.
func TestSIPURIsComeFromTheListOfUsersBesideTheListing(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/old.csv", canonical("+491,u1,", "+492,u2,"))
	w.put("own/fabrikam/new.csv", canonical("+491,u1,", "+492,u2,"))
	w.put("own/fabrikam/users-1.csv", "Identity,SipAddress\nu1,sip:a@example.com\n")
	w.succeed("fabrikam")
	full, _, _ := w.delivery("fabrikam", 1)
	if len(full) != 2 || !strings.Contains(full[0], "u1,,sip:a@example.com,") || strings.Contains(full[1], "sip:") {
		t.Errorf("%q", full)
	}
	w.put("own/fabrikam/Users-2.csv", "Identity,SipAddress\nu1,sip:a@example.com\nu2,b@example.com\n")
	w.told = nil
	w.succeed("fabrikam")
	_, changes, m := w.delivery("fabrikam", 2)
	if m.Changed != 1 || len(changes) != 1 || !strings.HasPrefix(changes[0], "changed,sip_uri,+492,") || !slices.Equal(w.told, []string{"new.csv taken 1"}) {
		t.Errorf("%q %q", changes, w.told)
	}
	w.put("own/fabrikam/users-3.csv", "Identity,SipAddress\nu1,sip:a@example.com")
	if err := w.run("fabrikam"); err == nil { // the newest listing stays as it was read with the list before
		t.Error("a list of users that is cut short")
	}
	w.put("own/fabrikam/newer.csv", canonical("+491,u1,"))
	if err := w.run("fabrikam"); err == nil || !strings.Contains(err.Error(), "its list of users, users-3.csv, cannot be used: its last line does not end") {
		t.Errorf("%v", err)
	}
	if n := len(w.boxes["fabrikam"]); n != 8 {
		t.Errorf("%d files", n)
	}
}

// errFault is injected.
var errFault = errors.New("injected")

// fault fails the nth operation: before it has any effect, or after it.
type fault struct {
	n, at int
	after bool
}

func (f *fault) do(op func() error) error {
	f.n++
	if f.n != f.at {
		return op()
	}
	if f.after {
		return errors.Join(op(), errFault)
	}
	return errFault
}

type faultyState struct {
	State
	*fault
}

func (s faultyState) RecordListing(ctx context.Context, l jobs.Lease, x jobs.Listing, blind bool, rows func() jobs.ListedRows, now time.Time) (out jobs.Listing, err error) {
	err = s.do(func() error { out, err = s.State.RecordListing(ctx, l, x, blind, rows, now); return err })
	return out, err
}

func (s faultyState) BeginDelivery(ctx context.Context, l jobs.Lease, d jobs.Delivery, now time.Time) (out jobs.Delivery, err error) {
	err = s.do(func() error { out, err = s.State.BeginDelivery(ctx, l, d, now); return err })
	return out, err
}

func (s faultyState) EndDelivery(ctx context.Context, l jobs.Lease, d jobs.Delivery, now time.Time) error {
	return s.do(func() error { return s.State.EndDelivery(ctx, l, d, now) })
}

func (s faultyState) LastDelivery(ctx context.Context, carrier string) (out jobs.Delivery, err error) {
	err = s.do(func() error { out, err = s.State.LastDelivery(ctx, carrier); return err })
	return out, err
}

func (s faultyState) Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error {
	return s.do(func() error { return s.State.Snapshot(ctx, l, settings, inputs) })
}

type faultySpool struct {
	Spool
	*fault
}

func (s faultySpool) Add(ctx context.Context, r io.Reader) (out landing.Content, err error) {
	err = s.do(func() error { out, err = s.Spool.Add(ctx, r); return err })
	return out, err
}

type faultyOutbox struct {
	Outbox
	*fault
}

func (o faultyOutbox) Deliver(ctx context.Context, name string, src io.Reader) error {
	return o.do(func() error { return o.Outbox.Deliver(ctx, name, src) })
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
			f := &fault{at: at, after: after}
			good := *w.clerk
			w.clerk.State, w.clerk.Spool = faultyState{w.store, f}, faultySpool{w.spool, f}
			w.clerk.Carrier = func(name string) (Carrier, error) {
				c, err := good.Carrier(name)
				c.Outbox = faultyOutbox{c.Outbox, f}
				return c, err
			}
			script(w, func() {
				until := w.now.Add(3 * time.Second)
				if err := w.run("fabrikam"); err != nil {
					if !errors.Is(err, errFault) {
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
			if f.n < at { // nothing was left to fail
				break
			}
		}
	}
}

// begun checks that a carrier who sees a manifest sees the whole delivery.
func (w *world) begun(at int) {
	w.Helper()
	for _, name := range w.boxes["fabrikam"].names() {
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
	f := &fault{at: 3}
	w.clerk.Carrier = func(name string) (Carrier, error) {
		c, err := good.Carrier(name)
		c.Outbox = faultyOutbox{c.Outbox, f}
		return c, err
	}
	if err := w.run("fabrikam"); !errors.Is(err, errFault) {
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

func TestFilesThatAreBeingWrittenAreWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.clerk.Quiet = 50 * time.Millisecond
	start := time.Now()
	w.clerk.Now = func() time.Time { return w.now.Add(time.Since(start)) }
	w.put("own/fabrikam/a.csv", canonical("+491,u1,"))
	now := w.clerk.Now()
	if err := os.Chtimes(filepath.Join(w.dir, "own/fabrikam/a.csv"), now, now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(-time.Second) // begin adds it
	w.succeed("fabrikam")
	w.delivery("fabrikam", 1)
}

func TestTheRunNamesItsInputs(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/a.csv", canonical("+491,u1,"))
	r := w.begin("fabrikam")
	if _, err := w.clerk.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.Run(t.Context(), r.ID)
	if err != nil || len(got.Inputs) != 1 || got.Inputs[0].File != "own/a.csv" || len(got.Inputs[0].SHA256) != 64 {
		t.Errorf("%+v, %v", got.Inputs, err)
	}
	if held, err := w.store.Holds(t.Context(), got.Inputs[0].SHA256); err != nil || !held {
		t.Errorf("the listing is not held: %v", err)
	}
	if _, err := os.Stat(w.spool.Path(got.Inputs[0].SHA256)); err != nil {
		t.Error(err)
	}
	w.end(r, jobs.RunSucceeded)
	if err := w.run("nobody"); err == nil {
		t.Error("a carrier that is not there")
	}
}
