package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	"concord/formats/report"
	"concord/jobs"
)

// archive is a state in memory. jobs/state has the real one.
type archive struct {
	entries  []jobs.Entry
	reports  []jobs.Report
	runs     map[string]jobs.Run
	queued   []jobs.Run
	followed map[string]bool
	touched  []jobs.Followup
	erasures []jobs.Erasure
	refuse   error // what Publish fails with
	locked   *jobs.SignOff
	lost     bool // Publish records, and its answer is lost
	// asked is called once, when a run or a report has been asked for and
	// before anybody asks again.
	asked func()
}

func (a *archive) moment() {
	if do := a.asked; do != nil {
		a.asked = nil
		do()
	}
}

func (a *archive) Covering(_ context.Context, carrier string, from, to time.Time) (list []jobs.Entry, err error) {
	for _, e := range a.entries {
		if e.Carrier == carrier {
			list = append(list, e)
		}
	}
	return list, nil
}

func (a *archive) File(_ context.Context, id string) (jobs.Entry, error) {
	for _, e := range a.entries {
		if e.ID == id {
			return e, nil
		}
	}
	return jobs.Entry{}, jobs.ErrNoFile
}

func (a *archive) ReportErasures(context.Context, string) ([]jobs.Erasure, error) {
	return a.erasures, nil
}

func (a *archive) Snapshot(_ context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error {
	r := a.runs[l.Run]
	r.Settings, r.Inputs = settings, inputs
	a.runs[l.Run] = r
	return nil
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
	a.ends(l.Run)
	if a.lost {
		return r, errors.New("the connection broke")
	}
	return r, nil
}

// ends records that a run has succeeded.
func (a *archive) ends(run string) {
	r := a.runs[run]
	r.State = jobs.RunSucceeded
	a.runs[run] = r
}

func (a *archive) Report(_ context.Context, id string) (jobs.Report, error) {
	defer a.moment()
	i := slices.IndexFunc(a.reports, func(r jobs.Report) bool { return r.ID == id })
	if i < 0 {
		return jobs.Report{}, jobs.ErrNoReport
	}
	return a.reports[i], nil
}

func (a *archive) Reports(_ context.Context, f jobs.ReportFilter) (list []jobs.Report, err error) {
	for _, r := range a.reports {
		if (f.Period == nil || r.Period.From.Equal(f.Period.From) && r.Period.To.Equal(f.Period.To)) &&
			(!f.Newest || r.SupersededBy == "") && (!f.Pending || r.Figures.Pending > 0) &&
			(f.From.IsZero() || r.Period.To.After(f.From)) && (f.To.IsZero() || r.Period.From.Before(f.To)) &&
			(f.Carrier == "" || f.Carrier == r.Carrier) && (f.Kind == "" || f.Kind == r.Kind) {
			list = append(list, r)
		}
	}
	return list, nil
}

func (a *archive) Lock(context.Context, string, jobs.Period) (*jobs.SignOff, error) {
	return a.locked, nil
}

func (a *archive) Run(_ context.Context, id string) (jobs.Run, error) {
	defer a.moment()
	r, ok := a.runs[id]
	if !ok {
		return r, jobs.ErrNoRun
	}
	return r, nil
}

func (a *archive) Runs(_ context.Context, f jobs.RunFilter) (list []jobs.Run, err error) {
	for _, r := range a.runs {
		if (f.State == "" || f.State == r.State) && (f.Carrier == "" || f.Carrier == r.Carrier) && (f.Job == "" || f.Job == r.Job) &&
			(f.From.IsZero() || !r.Period.From.Before(f.From)) && (f.To.IsZero() || !r.Period.To.After(f.To)) {
			r.Inputs = nil
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b jobs.Run) int { return strings.Compare(b.ID, a.ID) })
	return list, nil
}

func (a *archive) Unfollowed(_ context.Context, after string, limit int) (list []jobs.Followup, err error) {
	beyond := after == ""
	for _, x := range a.touched {
		if beyond && !a.followed[x.ID] && len(list) < limit {
			list = append(list, x)
		}
		beyond = beyond || x.ID == after
	}
	return list, nil
}

func (a *archive) Follow(_ context.Context, id string) error {
	a.followed[id] = true
	return nil
}

func (a *archive) Enqueue(_ context.Context, r jobs.Run, _ time.Time) (jobs.Run, error) {
	for _, q := range a.queued {
		if q.Job == r.Job && q.Carrier == r.Carrier && q.Period.From.Equal(r.Period.From) && q.Period.To.Equal(r.Period.To) {
			return q, jobs.ErrActive
		}
	}
	r.State = jobs.RunQueued
	a.queued = append(a.queued, r)
	return r, nil
}

// world is a reconciler whose matches are made up: the bytes of a report are a
// function of what the real ones are one of.
type world struct {
	t       *testing.T
	a       *archive
	r       *Reconciler
	now     time.Time
	pending int64
	count   [2]int64 // records that match, by side
	noise   string   // a defect: bytes that depend on nothing
	n       int
}

var october = jobs.Period{From: at("2026-10-01T00:00:00Z"), To: at("2026-10-02T00:00:00Z"), Text: "2026-10-01"}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, a: &archive{runs: map[string]jobs.Run{}, followed: map[string]bool{}}, now: at("2026-11-02T06:00:00.5Z")}
	w.r = &Reconciler{
		State: w.a, Folder: t.TempDir(), Program: "v1", Now: func() time.Time { return w.now },
		Records: func(_ context.Context, e jobs.Entry) (string, error) { return "/records/" + e.ID, nil },
		Profile: func(string) (Profile, error) {
			return Profile{Path: "/p.yaml", Name: "fabrikam.yaml", SHA256: "p1", Rules: engine.DefaultRules()}, nil
		},
		Job:   func(string) Job { return Job{} },
		Match: w.match,
	}
	w.file("a.csv", "s1", false)
	w.file("m.csv", "s2", true)
	return w
}

func (w *world) file(name, sum string, microsoft bool) {
	w.a.entries = append(w.a.entries, jobs.Entry{ID: "id of " + sum, Carrier: "fabrikam", Name: name, SHA256: sum, Microsoft: microsoft})
}

func (w *world) match(_ context.Context, o jobs.MatchOptions, _ engine.Observer) (*jobs.Outcome, error) {
	text := fmt.Sprint(o.Records, o.AsOf, o.Release, w.noise)
	sum := sha256.Sum256([]byte(text))
	if err := os.Mkdir(o.Staging, 0o750); err != nil {
		return nil, err
	}
	for name, content := range map[string]string{"manifest.json": text, "changes.csv": "none\n"} {
		if err := os.WriteFile(filepath.Join(o.Staging, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	out := &jobs.Outcome{Out: o.Out, Staging: o.Staging, Manifest: hex.EncodeToString(sum[:]), Changes: &report.Changes{}}
	out.Summary.Classes[engine.Microsoft][engine.PendingLate].Records = w.pending
	for side, n := range w.count {
		out.Summary.Classes[side][engine.Matched].Records = n
	}
	out.Summary.Totals.Microsoft.Records, out.Summary.Totals.Carrier.Records = w.count[engine.Microsoft], w.count[engine.Carrier]
	return out, nil
}

// do does a run and returns its ending.
func (w *world) do(r jobs.Run) (jobs.Ending, error) {
	w.t.Helper()
	w.n++
	r.ID, r.Job, r.Carrier, r.Attempt, r.State = fmt.Sprint("run", w.n), "daily", "fabrikam", 1, jobs.RunRunning
	r.LeaseUntil = w.now.Add(time.Minute)
	if r.Period.Text == "" {
		r.Period = october
	}
	w.a.runs[r.ID] = r
	e, err := w.r.Do(w.t.Context(), r)
	if err == nil {
		w.a.ends(r.ID)
	}
	return e, err
}

func (w *world) must(r jobs.Run) jobs.Ending {
	w.t.Helper()
	e, err := w.do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// versions lists what is published and in its place.
func (w *world) versions() (list []string) {
	w.t.Helper()
	for _, r := range w.a.reports {
		b, err := os.ReadFile(filepath.Join(w.r.Folder, r.Folder, "manifest.json"))
		sum := sha256.Sum256(b)
		if err != nil || hex.EncodeToString(sum[:]) != r.Manifest {
			w.t.Errorf("%s is not in its place: %v", r.Folder, err)
		}
		list = append(list, r.Folder+" "+stamp(r.AsOf))
	}
	left, err := os.ReadDir(filepath.Join(w.r.Folder, stagingDir))
	if err == nil && len(left) > 0 {
		w.t.Errorf("%d folders are left in staging", len(left))
	}
	return list
}

func (w *world) want(want ...string) {
	w.t.Helper()
	if got := w.versions(); !slices.Equal(got, want) {
		w.t.Errorf("versions %q, want %q", got, want)
	}
}
