package console_test

import (
	"strings"
	"testing"

	"concord/jobs"
)

// A late file of an approved month is in none of its versions, and the pages must
// not look as if it were.
func TestWhatIsHeldBackIsSeen(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct{ step, by string }{{"submit", "finance"}, {"approve", "root"}} {
		if _, err := w.store.TakeStep(t.Context(), w.report.ID, jobs.SignOffStep(step.step), step.by, "", w.now); err != nil {
			t.Fatal(err)
		}
	}
	b := w.as(t, "finance")
	const waits = "Something new waits"
	if _, page := b.get("/console/reports/" + w.report.ID); strings.Contains(page, waits) {
		t.Error("nothing waits yet")
	}
	r := w.start(t, "2026-10")
	w.end(t, r, jobs.Ending{State: jobs.RunSucceeded, Report: w.report.ID})
	if _, _, err := w.store.Raise(t.Context(), jobs.Alert{Key: jobs.LockedKey("fabrikam", w.report.Period), Kind: jobs.AlertLocked, Carrier: "fabrikam"}, w.now); err != nil {
		t.Fatal(err)
	}
	if _, page := b.get("/console/reports/" + w.report.ID); !strings.Contains(page, waits) {
		t.Error("the report does not say that something waits")
	}
	if _, page := b.get("/console/runs/" + r.ID); !strings.Contains(page, "This run published nothing") || !strings.Contains(page, "/console/runs/"+w.report.Run+`">another run`) {
		t.Error("the run looks as if what it read were in the report")
	}
	if _, page := b.get("/console/runs/" + w.report.Run); strings.Contains(page, "published nothing") {
		t.Error("the run that made the report has published it")
	}
}
