package alert_test

import (
	"testing"

	"concord/jobs"
)

// Whoever removes a report by mistake hears of it before finance does.
func TestLostReports(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	see := func(list ...jobs.Report) {
		t.Helper()
		if err := w.desk.Lost(t.Context(), list); err != nil {
			t.Error(err)
		}
	}
	a := jobs.Report{Carrier: "fabrikam", Period: jobs.Period{Text: "2026-10-01"}, Version: 2, Folder: "fabrikam/2026-10-01/v2", Run: "r7"}
	b := a
	b.Folder = "fabrikam/2026-10-02/v1"
	see()
	w.told()
	see(a, b)
	see(a, b)
	w.told("raised report_lost/fabrikam/fabrikam/2026-10-01/v2", "raised report_lost/fabrikam/fabrikam/2026-10-02/v1")
	w.says(w.text("report_lost/fabrikam/fabrikam/2026-10-01/v2"), "version 2", "concord rerun r7")
	w.restart()
	see(b)
	w.told("resolved report_lost/fabrikam/fabrikam/2026-10-01/v2")
	w.config.Carriers = nil // it was taken out
	w.tick()
	w.told("resolved report_lost/fabrikam/fabrikam/2026-10-02/v1")
	see(b)
	w.tick()
	w.told()
}
