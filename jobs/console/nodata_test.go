package console_test

import (
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// published asks for a run of litware's period and publishes figures for it.
func (w *world) published(t *testing.T, period string, f jobs.Figures) {
	t.Helper()
	if _, err := w.desk.Start(t.Context(), control.Start{Job: "monthly", Carriers: []string{"litware"}, Period: period, By: "ops"}); err != nil {
		t.Fatal(err)
	}
	for {
		r, err := w.store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		rep := jobs.Report{ID: r.ID[:35] + "d", Kind: jobs.ReportReconcile, Carrier: r.Carrier, Period: r.Period, Version: 1, Job: r.Job, AsOf: w.now, Basis: "b", Folder: r.ID, Figures: f}
		if _, err := w.store.Publish(t.Context(), r.Lease(), rep, nil, w.now); err != nil {
			t.Fatal(err)
		}
		if r.Period.Text == period {
			return
		}
	}
}

// A period of which nobody has sent a call is not in order: a feed may be down.
func TestAPeriodWithoutDataIsGreyEverywhere(t *testing.T) {
	w := newWorld(t)
	w.published(t, "2026-09", jobs.Figures{Verdict: "ok"})
	w.published(t, "2099-01", jobs.Figures{Verdict: "ok"})
	b := w.as(t, "finance")
	for _, path := range []string{"/console/", "/console/reports?carrier=litware", "/console/carriers", "/console/carriers/litware"} {
		_, page := b.get(path)
		if !strings.Contains(page, "no_data") || !strings.Contains(page, "no data") {
			t.Errorf("%s does not say that there is no data", path)
		}
	}
	_, page := b.get("/console/")
	if strings.Contains(page, "litware 2026-09 in order") || strings.Contains(page, "2099-01") {
		t.Errorf("the overview shows %s", page)
	}
}

func TestAPlanWarns(t *testing.T) {
	w := newWorld(t)
	_, page := w.as(t, "ops").post("/console/jobs/monthly/run", "period", "2099-01", "carrier", "litware")
	for _, want := range []string{"no file of either side holds any of the period", "the period has not begun"} {
		if !strings.Contains(page, want) {
			t.Errorf("the plan does not say %q", want)
		}
	}
}
