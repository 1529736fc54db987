package control_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

const yaml = `data: data
zone: Europe/Berlin
carriers: {fabrikam: {}, litware: {}}
jobs:
  collect: {kind: collect, schedule: "*/15 * * * *"}
  daily: {kind: reconcile, schedule: "30 6 * * *", period: previous_day}
  monthly: {kind: reconcile, schedule: "0 9 4 * *", period: previous_month, carriers: [fabrikam]}
`

// office is a desk on a database of its own.
type office struct {
	*control.Desk
	store *state.Store
	now   time.Time
	woken int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "concord.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	o := &office{store: store, now: time.Date(2026, 10, 6, 10, 0, 0, 0, time.UTC)}
	o.Desk = &control.Desk{
		Queue: store, Pauses: store, Archive: store, Ledger: store, Alarms: store, Trail: store, Coverage: store,
		Config: func() *config.Config { return cfg }, Folder: filepath.Join(dir, "reports"),
		Wake: func() { o.woken++ },
		Now: func() time.Time { // no two instants are the same
			o.now = o.now.Add(time.Millisecond)
			return o.now
		},
	}
	return o
}

// claim takes the next run.
func (o *office) claim(t *testing.T) jobs.Run {
	t.Helper()
	r, err := o.store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: o.Now(), Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (o *office) end(t *testing.T, r jobs.Run, state jobs.RunState) {
	t.Helper()
	if _, err := o.store.Finish(t.Context(), r.Lease(), jobs.Ending{State: state}, o.Now()); err != nil {
		t.Fatal(err)
	}
}

// publish ends a run with a report of one evidence file and one other.
func (o *office) publish(t *testing.T, r jobs.Run, version int) jobs.Report {
	t.Helper()
	files := map[string]string{"discrepancies.csv": "case_id,caller\nc1,+4930123456\n", "summary.json": "{}\n"}
	rep := jobs.Report{
		ID: r.ID[:35] + "f", Carrier: r.Carrier, Period: r.Period, Version: version, Job: r.Job,
		Folder: r.Carrier + "/" + r.Period.Text + "/v" + string(rune('0'+version)), Basis: "b", AsOf: o.now,
		Figures: jobs.Figures{Verdict: "dispute", Discrepancies: 1},
	}
	dir := filepath.Join(o.Folder, filepath.FromSlash(rep.Folder))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	var list []control.ReportFile
	for _, name := range []string{"discrepancies.csv", "summary.json"} {
		sum := sha256.Sum256([]byte(files[name]))
		list = append(list, control.ReportFile{Name: name, Bytes: int64(len(files[name])), SHA256: hex.EncodeToString(sum[:])})
		write(t, filepath.Join(dir, name), files[name])
	}
	b, err := json.Marshal(map[string]any{"files": list})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "manifest.json"), string(b))
	sum := sha256.Sum256(b)
	rep.Manifest = hex.EncodeToString(sum[:])
	events := []jobs.CaseEvent{{CaseID: "c1", Event: "opened", Class: "duration_over", DiffMS: 6000}}
	if version == 1 {
		events = nil
	}
	rep, err = o.store.Publish(t.Context(), r.Lease(), rep, events, o.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file records a file of a carrier with rows of one day.
func (o *office) file(t *testing.T, carrier, name, day string) jobs.Entry {
	t.Helper()
	sum := sha256.Sum256([]byte(carrier + name))
	a := jobs.Arrival{Carrier: carrier, Name: name, SHA256: hex.EncodeToString(sum[:]), Received: o.Now()}
	e, err := o.store.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{
			ID: "0198b1f0-0000-7000-8000-" + a.SHA256[:12], Carrier: carrier, Name: name, SHA256: a.SHA256, Received: a.Received, Decided: a.Received,
			Status: landing.StatusAccepted, Rows: 1, Accepted: 1, DurationMS: 60_000, Days: []jobs.Day{{Date: day, Rows: 1, DurationMS: 60_000}},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// refused checks that something was refused for a reason.
func refused(t *testing.T, err error, kind control.Kind, parts ...string) {
	t.Helper()
	r, ok := errors.AsType[*control.Refusal](err)
	if !ok || r.Kind != kind {
		t.Fatalf("got %v, want a refusal of kind %s", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(r.Text, p) {
			t.Errorf("%q does not say %q", r.Text, p)
		}
	}
}

// asked are the periods and outcomes of a plan.
func asked(list []control.Planned) (all []string) {
	for _, p := range list {
		all = append(all, strings.TrimSpace(p.Carrier+" "+p.Period.String())+" "+string(p.Outcome))
	}
	return all
}

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

func TestADryRunSaysWhatItWouldReadAndChangesNothing(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "FAB_000001.csv", "2026-10-05")
	o.file(t, "fabrikam", "FAB_000002.csv", "2026-09-05")
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}, DryRun: true, By: "ann"})
	if err != nil || len(list) != 1 || list[0].Outcome != control.Dry || len(list[0].Files) != 1 || list[0].Files[0].File != e.ID {
		t.Fatalf("got %+v, %v", list, err)
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

func TestARunLeadsToItsFilesItsReportAndItsOtherAttempts(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "FAB_000001.csv", "2026-10-05")
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}})
	if err != nil {
		t.Fatal(err)
	}
	r := o.claim(t)
	if err := o.store.Snapshot(t.Context(), r.Lease(), json.RawMessage(`{"program":"test"}`), []jobs.RunInput{{Role: "carrier", File: e.ID, SHA256: e.SHA256}}); err != nil {
		t.Fatal(err)
	}
	v1 := o.publish(t, r, 1)
	p, err := o.Rerun(t.Context(), list[0].Run, "ann")
	if err != nil || p.Outcome != control.Enqueued {
		t.Fatalf("got %+v, %v", p, err)
	}
	v2 := o.publish(t, o.claim(t), 2)
	first, err := o.Run(t.Context(), list[0].Run)
	if err != nil || first.Inputs[0].Name != e.Name || first.Published.ID != v1.ID || len(first.Before) != 0 || len(first.After) != 1 || first.After[0].ID != p.Run {
		t.Errorf("the first run is %+v, %v", first, err)
	}
	second, err := o.Run(t.Context(), p.Run)
	if err != nil || len(second.Before) != 1 || second.Before[0].ID != list[0].Run || second.Trigger != "rerun" || second.By != "ann" {
		t.Errorf("the second run is %+v, %v", second, err)
	}
	f, err := o.File(t.Context(), e.ID)
	if err != nil || len(f.Runs) != 1 || f.Runs[0].ID != r.ID || len(f.Reports) != 1 || f.Reports[0].ID != v1.ID {
		t.Errorf("the file is %+v, %v", f, err)
	}
	rep, err := o.Report(t.Context(), v2.ID)
	if err != nil || len(rep.Versions) != 2 || rep.Versions[0].ID != v1.ID || rep.Versions[0].SupersededBy != v2.ID || len(rep.Files) != 3 {
		t.Errorf("the report is %+v, %v", rep, err)
	}
	changes, err := o.Changes(t.Context(), v2.ID, "", 10)
	if err != nil || len(changes) != 1 || changes[0].Case != "c1" || changes[0].DiffMS != 6000 {
		t.Errorf("the changes are %+v, %v", changes, err)
	}
	c, err := o.Carriers(t.Context())
	if err != nil || len(c) != 2 || c[0].LastFile.ID != e.ID || c[0].NewestReport.ID != v2.ID || c[1].LastFile != nil {
		t.Errorf("the carriers are %+v, %v", c, err)
	}
}

func TestFilesOfAReportAreThoseOfItsManifest(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}}); err != nil {
		t.Fatal(err)
	}
	rep := o.publish(t, o.claim(t), 1)
	dir := filepath.Join(o.Folder, filepath.FromSlash(rep.Folder))
	write(t, filepath.Join(dir, "stray.csv"), "x")
	for _, name := range []string{"stray.csv", "../v1/summary.json", "/etc/passwd", "", "."} {
		_, _, err := o.OpenReportFile(t.Context(), rep.ID, name, "ann")
		refused(t, err, control.NotFound)
	}
	for _, name := range []string{"summary.json", "manifest.json", "discrepancies.csv"} {
		f, size, err := o.OpenReportFile(t.Context(), rep.ID, name, "ann")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil || int64(len(b)) != size {
			t.Errorf("%s: %d bytes of %d, %v", name, len(b), size, err)
		}
	}
	rows, err := o.Audit(t.Context(), jobs.AuditFilter{What: "report.evidence"})
	if err != nil || len(rows) != 1 || rows[0].Detail != "discrepancies.csv" || rows[0].Object != rep.ID {
		t.Errorf("of evidence the audit trail says %v, %v", rows, err)
	}
	write(t, filepath.Join(dir, "summary.json"), "{ }  \n")
	if _, _, err := o.OpenReportFile(t.Context(), rep.ID, "summary.json", "ann"); err == nil {
		t.Error("a file of another length than the manifest says was given out")
	}
	write(t, filepath.Join(dir, "manifest.json"), `{"files":[]}`)
	if _, err := o.Report(t.Context(), rep.ID); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a manifest that was changed: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, _, err = o.OpenReportFile(t.Context(), rep.ID, "summary.json", "ann")
	refused(t, err, control.Unavailable, "in its place")
}

func TestWhatIsOverCannotBeCancelled(t *testing.T) {
	o := newOffice(t)
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Cancel(t.Context(), list[0].Run, "ann")
	if err != nil || r.State != "cancelled" || !strings.Contains(r.Error, "ann") {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err = o.Cancel(t.Context(), list[0].Run, "ann")
	refused(t, err, control.Conflict, "over")
	_, err = o.Cancel(t.Context(), "nonsense", "ann")
	refused(t, err, control.NotFound, "nonsense")
}

func TestAJobSaysWhenItIsDue(t *testing.T) {
	o := newOffice(t)
	list, err := o.Jobs(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatalf("got %v, %v", list, err)
	}
	daily := list[1]
	if daily.Name != "daily" || daily.Zone != "Europe/Berlin" || len(daily.Next) != 5 || daily.Next[0] != time.Date(2026, 10, 7, 4, 30, 0, 0, time.UTC) || !slices.IsSortedFunc(daily.Next, time.Time.Compare) {
		t.Errorf("daily is %+v", daily)
	}
}

func TestEveryUnknownFileOfAReportIsEvidence(t *testing.T) {
	for _, name := range []string{"discrepancies.csv", "discrepancies.parquet", "verdicts.csv", "changes.csv", "usage_users.csv", "report.xlsx", "new.csv", "Summary.json"} {
		if !control.Evidence(name) {
			t.Errorf("%s may be had without a right to numbers", name)
		}
	}
}
