package usage

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/jobs"
)

// archive is a state in memory, of one carrier. jobs/state has the real one.
type archive struct {
	reports []jobs.Report // in the order of publishing
	signed  []jobs.SignOff
	runs    map[string]jobs.Run
	queued  []jobs.Run
	refuse  error // what Publish fails with
	lost    bool  // Publish records, and its answer is lost
}

func (a *archive) Snapshot(_ context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error {
	r := a.runs[l.Run]
	r.Settings, r.Inputs = settings, inputs
	a.runs[l.Run] = r
	return nil
}

func (a *archive) Covering(context.Context, string, time.Time, time.Time) ([]jobs.Entry, error) {
	return nil, nil
}

func (a *archive) Publish(_ context.Context, l jobs.Lease, r jobs.Report, _ []jobs.CaseEvent, now time.Time) (jobs.Report, error) {
	if a.refuse != nil {
		return r, a.refuse
	}
	for i := range a.reports {
		if a.reports[i].ID == r.Supersedes {
			a.reports[i].SupersededBy = r.ID
		}
	}
	r.Published = now
	a.reports = append(a.reports, r)
	if run, ok := a.runs[l.Run]; ok {
		run.State = jobs.RunSucceeded
		a.runs[l.Run] = run
	}
	if a.lost {
		return r, errors.New("the connection broke")
	}
	return r, nil
}

func (a *archive) Report(_ context.Context, id string) (jobs.Report, error) {
	i := slices.IndexFunc(a.reports, func(r jobs.Report) bool { return r.ID == id })
	if i < 0 {
		return jobs.Report{}, jobs.ErrNoReport
	}
	return a.reports[i], nil
}

func (a *archive) Reports(_ context.Context, f jobs.ReportFilter) (list []jobs.Report, err error) {
	for _, r := range slices.Backward(a.reports) {
		if (f.Kind == "" || f.Kind == r.Kind) && (!f.Newest || r.SupersededBy == "") &&
			(f.Period == nil || r.Period.From.Equal(f.Period.From) && r.Period.To.Equal(f.Period.To)) &&
			(f.From.IsZero() || r.Period.To.After(f.From)) && (f.To.IsZero() || r.Period.From.Before(f.To)) {
			list = append(list, r)
		}
	}
	return list, nil
}

func (a *archive) SignOffs(_ context.Context, f jobs.SignOffFilter) (list []jobs.SignOff, err error) {
	for _, s := range a.signed {
		if s.State == f.State {
			list = append(list, s)
		}
	}
	return list, nil
}

func (a *archive) Lock(context.Context, string, jobs.Period) (*jobs.SignOff, error) {
	return nil, nil
}

func (a *archive) Run(_ context.Context, id string) (jobs.Run, error) {
	r, ok := a.runs[id]
	if !ok {
		return r, jobs.ErrNoRun
	}
	return r, nil
}

func (a *archive) Runs(context.Context, jobs.RunFilter) (list []jobs.Run, err error) {
	for _, r := range a.runs {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b jobs.Run) int { return strings.Compare(b.ID, a.ID) })
	return list, nil
}

func (a *archive) Enqueue(_ context.Context, r jobs.Run, _ time.Time) (jobs.Run, error) {
	r.State = jobs.RunQueued
	if len(a.queued) > 0 {
		return a.queued[0], jobs.ErrActive
	}
	a.queued = append(a.queued, r)
	return r, nil
}

// world is a carrier with calls of the first days of October, whose reports are
// real ones.
type world struct {
	t     testing.TB
	a     *archive
	b     *Bookkeeper
	job   Job
	now   time.Time
	n     int
	calls [2][]string // lines of files, by side
	told  Summed
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// period is some days of October.
func period(from, to int) jobs.Period {
	p := jobs.Period{From: time.Date(2026, 10, from, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, to+1, 0, 0, 0, 0, time.UTC)}
	p.Text = fmt.Sprintf("2026-10-%02d", from)
	if to != from {
		p.Text += fmt.Sprintf("_2026-10-%02d", to)
	}
	return p
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, a: &archive{runs: map[string]jobs.Run{}}, now: at("2026-11-02T06:00:00Z"), job: Job{Zone: time.UTC}}
	w.b = &Bookkeeper{
		State: w.a, Folder: t.TempDir(), Program: "v1", Now: func() time.Time { return w.now },
		Job:       func(string) (Job, error) { return w.job, nil },
		Published: func(_ jobs.Report, s Summed) { w.told = s },
	}
	return w
}

// call adds a call: what Microsoft measured, and what the carrier did, if it
// has it.
func (w *world) call(start string, tenant string, seconds, carriers int) {
	n := len(w.calls[0])
	w.calls[engine.Microsoft] = append(w.calls[engine.Microsoft],
		fmt.Sprintf("m%d,%s,+49301%04d,+33145678901,%s,%d000,%s,out,user_out,u%d", n, "", n, start, seconds, tenant, n%2))
	if carriers >= 0 {
		w.calls[engine.Carrier] = append(w.calls[engine.Carrier],
			fmt.Sprintf("c%d,%s,+49301%04d,+33145678901,%s,%d000,,,,", n, "", n, start, carriers))
	}
}

// report publishes a report of some days, as they are known now.
func (w *world) report(p jobs.Period) jobs.Report {
	w.t.Helper()
	w.n++
	w.now = w.now.Add(time.Minute)
	const head = "record_id,correlation_id,caller,callee,start,duration_ms,tenant_id,direction,call_type,user_id\n"
	files := [2]string{}
	dir := w.t.TempDir()
	for side, lines := range w.calls {
		files[side] = filepath.Join(dir, engine.Side(side).String()+".csv")
		if err := os.WriteFile(files[side], []byte(head+strings.Join(append(slices.Clone(lines), ""), "\n")), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	r := jobs.Report{ID: fmt.Sprintf("report%03d", w.n), Kind: jobs.ReportReconcile, Carrier: "fabrikam", Period: p, Version: 1, AsOf: w.now}
	for _, o := range w.a.reports {
		if o.Kind == r.Kind && o.Period == p {
			r.Version, r.Supersedes = o.Version+1, o.ID
		}
	}
	r.Folder = fmt.Sprintf("fabrikam/%s/v%d", p.Text, r.Version)
	out := filepath.Join(w.b.Folder, filepath.FromSlash(r.Folder))
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		w.t.Fatal(err)
	}
	o, err := jobs.Match(w.t.Context(), jobs.MatchOptions{
		Microsoft: []string{files[0]}, Carrier: []string{files[1]}, CarrierName: "fabrikam", From: p.From, To: p.To, Users: true, Out: out, Workers: 1,
	}, engine.Observer{})
	if err != nil {
		w.t.Fatal(err)
	}
	r.Manifest = o.Manifest
	r, err = w.a.Publish(w.t.Context(), jobs.Lease{}, r, nil, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// do does a run about some days.
func (w *world) do(p jobs.Period, why jobs.Trigger) (jobs.Ending, error) {
	w.t.Helper()
	w.n++
	w.now = w.now.Add(time.Minute)
	r := jobs.Run{ID: fmt.Sprintf("run%03d", w.n), Job: "usage", Kind: "usage", Carrier: "fabrikam", Period: p, Trigger: why, Attempt: 1, State: jobs.RunRunning, Started: w.now}
	w.a.runs[r.ID] = r
	e, err := w.b.Do(w.t.Context(), r)
	if r := w.a.runs[r.ID]; err == nil {
		r.State = jobs.RunSucceeded
		w.a.runs[r.ID] = r
	}
	return e, err
}

func (w *world) must(p jobs.Period, why jobs.Trigger) jobs.Ending {
	w.t.Helper()
	e, err := w.do(p, why)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// usages are the versions that are published, which must be in their places.
func (w *world) usages() (list []jobs.Report) {
	w.t.Helper()
	for _, r := range w.a.reports {
		if r.Kind != jobs.ReportUsage {
			continue
		}
		if !w.b.shelf().InPlace(r) {
			w.t.Errorf("%s is not in its place", r.Folder)
		}
		list = append(list, r)
	}
	return list
}

// rows reads a file of a version, without its header.
func (w *world) rows(r jobs.Report, name string) [][]string {
	w.t.Helper()
	f, err := os.Open(filepath.Join(w.b.shelf().Place(r), name))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		w.t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows[1:]
}

func (w *world) summary(r jobs.Report) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.b.shelf().Place(r), "summary.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (a *archive) File(context.Context, string) (jobs.Entry, error) {
	return jobs.Entry{}, jobs.ErrNoFile
}

func (a *archive) ReportErasures(context.Context, string) ([]jobs.Erasure, error) { return nil, nil }
