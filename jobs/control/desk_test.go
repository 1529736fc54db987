package control_test

import (
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"

	"github.com/google/go-cmp/cmp"
)

func TestAJobIsStartedForEachCarrierAndNeverTwiceAtOnce(t *testing.T) {
	o := newOffice(t)
	s := control.Start{Job: "daily", Key: "k1", By: "ann"}
	first, err := o.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"fabrikam 2026-10-05 enqueued", "litware 2026-10-05 enqueued"}, asked(first)); d != "" {
		t.Error(d)
	}
	again, err := o.Start(t.Context(), s)
	if err != nil || again[0].Outcome != control.Repeated || again[0].Run != first[0].Run {
		t.Errorf("the same request led to %v, %v", again, err)
	}
	s.Key, s.Carriers = "", []string{"fabrikam", "fabrikam"}
	other, err := o.Start(t.Context(), s)
	if err != nil || len(other) != 1 || other[0].Outcome != control.Active || other[0].Run != first[0].Run {
		t.Errorf("another request led to %v, %v", other, err)
	}
	s.Key, s.Period = "k1", "2026-10-01"
	_, err = o.Start(t.Context(), s)
	refused(t, err, control.Conflict, "key")
	if o.woken != 1 {
		t.Errorf("workers were woken %d times for one request with new runs", o.woken)
	}
	rows, err := o.Audit(t.Context(), jobs.AuditFilter{})
	if err != nil || len(rows) != 1 || rows[0].Who != "ann" || rows[0].What != "run.start" || !strings.Contains(rows[0].Detail, first[1].Run) {
		t.Errorf("the audit trail says %v, %v", rows, err)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		start control.Start
		kind  control.Kind
		says  string
	}{
		"a job that is not there":         {control.Start{Job: "dialy"}, control.NotFound, "did you mean daily?"},
		"a carrier that is not the job's": {control.Start{Job: "monthly", Carriers: []string{"litware"}}, control.NotFound, "fabrikam"},
		"a period that is none":           {control.Start{Job: "daily", Period: "yesterday"}, control.Invalid, "2026-10-01"},
		"a period for collect":            {control.Start{Job: "collect", Period: "2026-10-01"}, control.Invalid, "no period"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := o.Start(t.Context(), c.start)
			refused(t, err, c.kind, c.says)
		})
	}
}

func TestCollectHasNoPeriodAndAMonthIsTheOneBefore(t *testing.T) {
	o := newOffice(t)
	c, err := o.Start(t.Context(), control.Start{Job: "collect", Carriers: []string{"litware"}})
	if err != nil || c[0].Period != nil {
		t.Errorf("got %v, %v", c, err)
	}
	m, err := o.Start(t.Context(), control.Start{Job: "monthly"})
	if err != nil || m[0].Period.Text != "2026-09" || !m[0].Period.From.Equal(time.Date(2026, 8, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestAPausedJobSaysWhoPausedItAndWhy(t *testing.T) {
	o := newOffice(t)
	_, err := o.Pause(t.Context(), "daily", " ", "ann")
	refused(t, err, control.Invalid, "why")
	j, err := o.Pause(t.Context(), "daily", "call +49 30 1234567 first, ticket 20261001", "ann")
	if err != nil || j.Paused == nil || j.Paused.Why != "call …4567 first, ticket 20261001" {
		t.Fatalf("got %+v, %v", j.Paused, err)
	}
	_, err = o.Start(t.Context(), control.Start{Job: "daily"})
	refused(t, err, control.Paused, "ann", "ticket 20261001", "resume")
	_, err = o.Backfill(t.Context(), control.Backfill{Job: "daily", From: "2026-10-01", To: "2026-10-02"})
	refused(t, err, control.Paused)
	if j, err = o.Resume(t.Context(), "daily", "bob"); err != nil || j.Paused != nil {
		t.Fatalf("got %+v, %v", j.Paused, err)
	}
	_, err = o.Resume(t.Context(), "daily", "bob")
	refused(t, err, control.Conflict, "not paused")
	rows, err := o.Audit(t.Context(), jobs.AuditFilter{})
	if err != nil || len(rows) != 2 || rows[0].What != "job.resume" || rows[1].What != "job.pause" {
		t.Errorf("the audit trail says %v, %v", rows, err)
	}
}

// A job that is taken out while it is paused must not be paused for ever when
// it comes back.
func TestAJobThatIsGoneCanBeResumed(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Pause(t.Context(), "daily", "ticket 7", "ann"); err != nil {
		t.Fatal(err)
	}
	cfg := *o.Config()
	cfg.Jobs = nil
	o.Config = func() *config.Config { return &cfg }
	if j, err := o.Resume(t.Context(), "daily", "bob"); err != nil || j.Name != "daily" {
		t.Errorf("%+v, %v", j, err)
	}
	_, err := o.Resume(t.Context(), "daily", "bob")
	refused(t, err, control.NotFound, "daily")
}

func TestADryRunSaysWhatItWouldReadAndChangesNothing(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "FAB_000001.csv", "2026-10-05")
	o.file(t, "fabrikam", "FAB_000002.csv", "2026-09-05")
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}, DryRun: true, By: "ann"})
	if err != nil || len(list) != 1 || list[0].Outcome != control.Dry || len(list[0].Files) != 1 || list[0].Files[0].File != e.ID {
		t.Fatalf("got %+v, %v", list, err)
	}
	if w := strings.Join(list[0].Warnings, "; "); w != "no file of Microsoft's holds any of the period: see that they have come" {
		t.Errorf("warnings: %s", w)
	}
	runs, _ := o.Runs(t.Context(), jobs.RunFilter{})
	rows, _ := o.Audit(t.Context(), jobs.AuditFilter{})
	if len(runs)+len(rows)+o.woken != 0 {
		t.Errorf("a dry run left %v and %v", runs, rows)
	}
}

func TestABackfillTakesWhatIsMissingOrFailed(t *testing.T) {
	o := newOffice(t)
	span := control.Backfill{Job: "daily", From: "2026-10-01", To: "2026-10-03", Carriers: []string{"fabrikam"}, Only: control.OnlyAll, By: "ann"}
	all, err := o.Backfill(t.Context(), span)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"fabrikam 2026-10-01 enqueued", "fabrikam 2026-10-02 enqueued", "fabrikam 2026-10-03 enqueued"}, asked(all)); d != "" {
		t.Error(d)
	}
	o.publish(t, o.claim(t), 1)
	o.end(t, o.claim(t), jobs.RunFailed)
	for only, want := range map[control.Only][]string{
		control.OnlyMissing: {"fabrikam 2026-10-02 dry", "fabrikam 2026-10-03 active"},
		control.OnlyFailed:  {"fabrikam 2026-10-02 dry"},
		control.OnlyAll:     {"fabrikam 2026-10-01 dry", "fabrikam 2026-10-02 dry", "fabrikam 2026-10-03 active"},
	} {
		span.Only, span.DryRun = only, true
		list, err := o.Backfill(t.Context(), span)
		if d := cmp.Diff(want, asked(list)); err != nil || d != "" {
			t.Errorf("%s: %v %s", only, err, d)
		}
	}
	if r := o.claim(t); r.Priority != jobs.PriorityBackfill || r.Trigger != jobs.TriggerBackfill || r.By != "ann" {
		t.Errorf("a run of a backfill is %+v", r)
	}
}

func TestABackfillOfMonthsTakesMonths(t *testing.T) {
	o := newOffice(t)
	list, err := o.Backfill(t.Context(), control.Backfill{Job: "monthly", From: "2026-07-15", To: "2026-09", DryRun: true})
	if d := cmp.Diff([]string{"fabrikam 2026-07 dry", "fabrikam 2026-08 dry", "fabrikam 2026-09 dry"}, asked(list)); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

func TestSpansThatAreRefused(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct{ from, to, says string }{
		"the wrong way round":   {"2026-10-02", "2026-10-01", "earlier one first"},
		"not over":              {"2026-10-05", "2026-10-06", "2026-10-06 is not over"},
		"no day":                {"tomorrow", "2026-10-06", "from"},
		"more than is sensible": {"1950-01", "2026-09", "at most 3660"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := o.Backfill(t.Context(), control.Backfill{Job: "daily", From: c.from, To: c.to})
			refused(t, err, control.Invalid, c.says)
		})
	}
}
