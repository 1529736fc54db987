package console_test

import (
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/net/html"
)

// claim takes the next run of fabrikam; those of others before it end.
func (w *world) claim(t *testing.T) jobs.Run {
	t.Helper()
	for {
		r, err := w.store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if r.Carrier == "fabrikam" {
			return r
		}
		w.end(t, r, jobs.Ending{State: jobs.RunSucceeded})
	}
}

func (w *world) end(t *testing.T, r jobs.Run, e jobs.Ending) {
	t.Helper()
	if _, err := w.store.Finish(t.Context(), r.Lease(), e, w.now); err != nil {
		t.Fatal(err)
	}
}

// start asks for a run of fabrikam and takes it.
func (w *world) start(t *testing.T, period string) jobs.Run {
	t.Helper()
	w.now = w.now.Add(time.Minute)
	if _, err := w.desk.Start(t.Context(), control.Start{Job: "monthly", Carriers: []string{"fabrikam"}, Period: period, By: "ops"}); err != nil {
		t.Fatal(err)
	}
	return w.claim(t)
}

// cellOf returns the state that the overview shows of fabrikam's first period.
func (w *world) cellOf(t *testing.T) (state string) {
	t.Helper()
	_, page := w.as(t, "ops").get("/console/")
	every(t, page, func(n *html.Node) {
		if rest, is := strings.CutPrefix(attr(n, "class"), "cell "); is && state == "" {
			state = rest
		}
	})
	return state
}

func TestAPeriodHasFailedUntilALaterRunIsDone(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		name   string
		ending jobs.Ending
		want   string
	}{
		{"it failed", jobs.Ending{State: jobs.RunFailed, Error: "no such file"}, "failed"},
		{"there was nothing new", jobs.Ending{State: jobs.RunSucceeded, Report: w.report.ID}, "dispute"},
		{"it failed again", jobs.Ending{State: jobs.RunFailed, Error: "no such file"}, "failed"},
		{"the period was locked", jobs.Ending{State: jobs.RunSucceeded}, "dispute"},
	} {
		w.end(t, w.start(t, "2026-10"), step.ending)
		if state := w.cellOf(t); state != step.want {
			t.Errorf("%s: the overview says %s, want %s", step.name, state, step.want)
		}
		plan, err := w.desk.Backfill(t.Context(), control.Backfill{Job: "monthly", From: "2026-10", To: "2026-10", Only: control.OnlyFailed, Carriers: []string{"fabrikam"}, DryRun: true})
		if err != nil || len(plan) > 0 != (step.want == "failed") {
			t.Errorf("%s: a backfill of what failed would start %d runs, %v", step.name, len(plan), err)
		}
	}
	w.end(t, w.start(t, "2026-10-01"), jobs.Ending{State: jobs.RunFailed, Error: "no such file"})
	w.end(t, w.start(t, "2026-10-02"), jobs.Ending{State: jobs.RunSucceeded})
	if _, page := w.as(t, "ops").get("/console/"); !strings.Contains(page, "fabrikam 2026-10-01 failed") {
		t.Error("the run of another day has made the failed one good")
	}
}
