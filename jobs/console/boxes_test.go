package console_test

import (
	"net/http"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// Who takes every carrier out of a form means none, and not all of them.
func TestNoCarrierCheckedIsNotAll(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	before, err := w.desk.Runs(t.Context(), jobs.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if _, page := b.get("/console/jobs/monthly"); strings.Count(page, `<input type="hidden" name="carrier" value="">`) != 2 {
		t.Error("the forms do not tell that they have boxes")
	}
	for path, form := range map[string][]string{
		"run":      {"carrier", "", "period", "2026-08", "sure", "1"},
		"backfill": {"carrier", "", "from", "2026-08", "to", "2026-08", "only", string(control.OnlyAll), "sure", "1"},
	} {
		status, page := b.post("/console/jobs/monthly/"+path, form...)
		if status != http.StatusBadRequest || !strings.Contains(page, "No carrier is checked") || strings.Contains(page, `value="litware" checked`) {
			t.Errorf("%s answers %d", path, status)
		}
	}
	if after, err := w.desk.Runs(t.Context(), jobs.RunFilter{}); err != nil || len(after) != len(before) {
		t.Errorf("%d runs, %d before, %v", len(after), len(before), err)
	}
	if status, page := b.post("/console/jobs/monthly/run", "carrier", "", "carrier", "fabrikam", "period", "2026-08"); status != http.StatusOK || !strings.Contains(page, "Start 1 run") {
		t.Errorf("one carrier answers %d", status)
	}
}
