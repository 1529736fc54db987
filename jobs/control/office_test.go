package control_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/state"
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
		Queue: store, Pauses: store, Noting: func(r jobs.AuditRow) control.Changes { return store.Noted(r) }, Archive: store, Ledger: store, Alarms: store, Trail: store, Coverage: store, Chain: store, Book: store, SignedOff: store,
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
