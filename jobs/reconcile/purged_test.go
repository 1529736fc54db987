package reconcile

import (
	"os"
	"strings"
	"testing"
	"time"

	"concord/jobs"
)

// TestAReportThatWouldLackWhatWasPurgedIsRefused has records, and then the report
// itself, purged.
func TestAReportThatWouldLackWhatWasPurgedIsRefused(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	refused := func(parts ...string) {
		t.Helper()
		_, err := w.do(daily())
		if err == nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("%q does not say %q", err, p)
			}
		}
	}
	w.a.entries[0].RecordsPurged = 7
	refused("cannot be reported any more", "the records of 1 of its 2 files were purged (proof 7)", "version 1 stays as it is")
	w.a.entries[0].RecordsPurged = 0
	w.a.reports[0].Purged = 9
	refused("cannot be reported any more", "version 1 was purged (proof 9)")
}

// TestAPurgedReportIsNotMissing removes the folders of two versions.
func TestAPurgedReportIsNotMissing(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	if err := os.RemoveAll(w.r.shelf().Place(w.a.reports[0])); err != nil {
		t.Fatal(err)
	}
	for purged, want := range []int{1, 0} {
		w.a.reports[0].Purged = int64(purged)
		if list, err := w.r.Missing(t.Context()); len(list) != want || err != nil {
			t.Errorf("%d: %v, %v", purged, list, err)
		}
	}
}

// TestAFinalReportIsNotMadeAnew has a late file, and pending calls, of a period of
// which records were purged.
func TestAFinalReportIsNotMadeAnew(t *testing.T) {
	w, f := follower(t)
	var told []string
	f.Covering, f.Reach = w.a.Covering, func(string) time.Duration { return time.Hour }
	f.Final = func(e jobs.Entry, rep jobs.Report) { told = append(told, e.ID+" "+rep.Period.Text) }
	w.a.touched = []jobs.Followup{{Entry: jobs.Entry{ID: "new", Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}}}
	w.a.entries[0].RecordsPurged = 7
	w.a.reports[0].Figures.Pending = 1
	w.now = w.a.reports[0].Period.To.Add(80 * time.Hour)
	for range 2 {
		if err := f.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := f.Ripen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.a.queued) > 0 || !w.a.followed["new"] || len(told) == 0 || told[0] != "new 2026-10-01" {
		t.Errorf("%+v %v", w.a.queued, told)
	}
	w.a.entries[0].RecordsPurged = 0
	if err := f.Ripen(t.Context()); err != nil || len(w.a.queued) != 1 {
		t.Errorf("%+v, %v", w.a.queued, err)
	}
}
