package calls

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/feed"
)

// purge purges everything of a class and carrier, as a run of kind purge does.
func (w *world) purge(class jobs.Class, carrier string) (n int64) {
	w.Helper()
	ctx := w.Context()
	if _, err := w.store.Enqueue(ctx, jobs.Run{Job: "purge", Kind: "purge", Carrier: "fabrikam"}, w.now); err != nil {
		w.Fatal(err)
	}
	r, err := w.store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour, Kinds: []string{"purge"}})
	if err != nil {
		w.Fatal(err)
	}
	things, err := w.store.Purgeable(ctx, class, carrier, jobs.PurgeBounds{}, w.now)
	if err != nil {
		w.Fatal(err)
	}
	proof, left, err := w.store.Purge(ctx, jobs.PurgeOrder{Lease: r.Lease(), Class: class, Carrier: carrier, Rule: "1d", Things: things}, w.now)
	for _, x := range left {
		if x.SHA256 != "" {
			_, derr := w.spool.Discard(ctx, x.SHA256, w.store.Holds)
			err = errors.Join(err, derr)
		}
		err = errors.Join(err, w.store.EndRemains(ctx, x.Seq))
	}
	if _, ferr := w.store.Finish(ctx, r.Lease(), jobs.Ending{State: jobs.RunSucceeded}, w.now); err != nil || ferr != nil {
		w.Fatal(err, ferr)
	}
	return proof.Count
}

// settled has no file wait for a receipt, or to be followed.
func (w *world) settled(carrier string) {
	w.Helper()
	entries, err := w.store.Files(w.Context(), carrier)
	for _, e := range entries {
		err = errors.Join(err, w.store.Settle(w.Context(), carrier, e.ID), w.store.Follow(w.Context(), e.ID))
	}
	if err != nil {
		w.Fatal(err)
	}
}

// A carrier is never told that calls were removed which are only not kept any
// more, nor is a delivery made by half.
func TestWhatWasPurgedIsNotDeliveredAsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1)+callRow("b", "", 1))
	w.put("microsoft/fabrikam/quality/q.csv", qualityHead+qualityRow("c-a", "", 1))
	w.taken()
	w.succeed("fabrikam")
	w.settled("fabrikam")
	sent := maps.Clone(w.boxes["fabrikam"])
	if n := w.purge(jobs.ClassRaw, "fabrikam"); n != 2 {
		t.Errorf("%d files were purged", n)
	}
	for _, why := range []jobs.Trigger{jobs.TriggerSchedule, jobs.TriggerManual} {
		e, err := w.run("fabrikam", why)
		if err != nil || !strings.Contains(e.Error, "what it was made of was purged (proof 1)") {
			t.Errorf("%q, %v", e.Error, err)
		}
	}
	w.put("microsoft/fabrikam/late.csv", callHead+callRow("b", "", 2))
	w.put("microsoft/fabrikam/quality/late.csv", qualityHead+qualityRow("c-b", "", 1))
	w.taken()
	refused := func(parts ...string) {
		t.Helper()
		_, err := w.run("fabrikam", jobs.TriggerUpload)
		for _, p := range parts {
			if err == nil || !strings.Contains(err.Error(), p) {
				t.Errorf("%v does not say %q", err, p)
			}
		}
	}
	refused("cannot be delivered any more", "2 of its 4 files were purged (proof 1)", "delivery 1 stays as it is")
	if err := w.clerk.Follow(t.Context(), "fabrikam"); err != nil {
		t.Fatal(err)
	}
	if list, err := w.store.Runs(t.Context(), jobs.RunFilter{State: jobs.RunQueued}); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if n := w.purge(jobs.ClassDeliveries, "fabrikam"); n != 1 {
		t.Errorf("%d deliveries were purged", n)
	}
	refused("what was kept of delivery 1 was purged (proof 2)", "delivery 1 stays as it is")
	if !maps.Equal(sent, w.boxes["fabrikam"]) {
		t.Errorf("%q", slices.Collect(maps.Keys(w.boxes["fabrikam"])))
	}
}

// A first delivery of which some files are purged would lack their calls.
func TestAFirstDeliveryLacksNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1))
	w.taken()
	w.settled("fabrikam")
	w.purge(jobs.ClassRaw, "fabrikam")
	if _, err := w.run("fabrikam", jobs.TriggerSchedule); err == nil || !strings.Contains(err.Error(), "1 of its 1 files were purged") || strings.Contains(err.Error(), "stays") {
		t.Error(err)
	}
	if len(w.boxes["fabrikam"]) > 0 {
		t.Errorf("%q", w.boxes["fabrikam"])
	}
}

// A file about several carriers that was purged is not dealt again, and calls
// whose records were purged keep no later file from being dealt.
func TestAPurgedSharedFileIsNotDealtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const name = "shared/calls_4930123456789.csv"
	w.put(name, callHead+callRow("a", "fabrikam", 1)+callRow("b", "litware", 1))
	w.taken()
	w.taken() // what was dealt
	w.settled("fabrikam")
	if n := w.purge(jobs.ClassRaw, ""); n != 1 {
		t.Fatalf("%d files were purged", n)
	}
	w.purge(jobs.ClassRecords, "fabrikam")
	files, err := w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{})
	if err != nil || len(files) != 1 || files[0].RawPurged != 1 || strings.Contains(files[0].Name, "012345") || len(files[0].Shares) != 2 {
		t.Fatalf("%+v, %v", files, err)
	}
	w.shared = &feed.Feed{Folder: w.shared.Folder, Carrier: "all", Spool: w.spool, Taker: w.dealer, Known: w.dealer, Now: w.dealer.Now} // as after a start
	w.told = nil
	w.taken()
	w.put("shared/quality.csv", qualityHead+qualityRow("c-a", "", 1))
	if err := w.scan(); err != nil {
		t.Error(err)
	}
	if len(w.told) != 1 || w.told[0].Name != "quality.csv" || w.told[0].Status != landing.StatusAccepted {
		t.Errorf("%+v", w.told)
	}
}
