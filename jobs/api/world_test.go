package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/state"
)

const yaml = `data: data
zone: UTC
carriers: {fabrikam: {}, litware: {}}
jobs:
  collect: {kind: collect, schedule: "*/15 * * * *"}
  daily: {kind: reconcile, schedule: "30 6 * * *", period: previous_day}
`

// canary is a phone number that only evidence may show.
const canary = "+4930555123456"

// world is a service with a report, as others see it.
type world struct {
	desk   *control.Desk
	store  *state.Store
	server *httptest.Server
	report jobs.Report
	file   jobs.Entry
	log    *log
	opts   api.Options
}

// log is what the service logs.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "concord.yaml"), yaml)
	cfg, err := config.Load(filepath.Join(dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []config.Role{config.Finance, config.Ops, config.Admin} {
		cfg.HTTP.Tokens = append(cfg.HTTP.Tokens, config.Token{Name: "the-" + string(role), Role: role, SHA256: sha256.Sum256([]byte("token-" + role))})
	}
	w := &world{log: &log{}}
	w.store, err = state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	w.desk = &control.Desk{
		Queue: w.store, Pauses: w.store, Noting: func(r jobs.AuditRow) control.Changes { return w.store.Noted(r) }, Archive: w.store, Ledger: w.store, Alarms: w.store, Trail: w.store, Coverage: w.store, Chain: w.store, Book: w.store, SignedOff: w.store,
		Config: func() *config.Config { return cfg }, Folder: filepath.Join(dir, "reports"),
		Reloading: func(context.Context) ([]string, error) { return []string{"jobs.daily: changed"}, nil },
		Foresee: func(_ context.Context, carriers []string) ([]jobs.PurgeLine, error) {
			return []jobs.PurgeLine{{Class: jobs.ClassRaw, Carrier: carriers[0], Country: "DE", Rule: "retention.raw: 90d", Fate: jobs.FateHold, Hold: "h", Count: 3, Oldest: time.Now(), Newest: time.Now()}}, nil
		},
		Progress: func(string) (control.Progress, bool) { return control.Progress{Stage: "read", CarrierRows: 7}, true },
	}
	w.opts = api.Options{
		Operations: w.desk, Tokens: func() []config.Token { return cfg.HTTP.Tokens }, Note: w.store.Note, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Metrics: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(rw, "up 1\n")
		}),
	}
	w.server = httptest.NewServer(api.Handler(w.opts))
	t.Cleanup(func() {
		w.server.Close()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.fill(t)
	return w
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fill makes two versions of a report of one file, an alert, and runs of all
// kinds.
func (w *world) fill(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	sum := sha256.Sum256([]byte("FAB_000001.csv"))
	a := jobs.Arrival{Carrier: "fabrikam", Name: "FAB_000001.csv", SHA256: hex.EncodeToString(sum[:]), Received: now}
	entry, err := w.store.Record(ctx, a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{
			ID: "0198b1f0-0000-7000-8000-000000000001", Carrier: "fabrikam", Name: a.Name, SHA256: a.SHA256, Received: now, Decided: now,
			Status: landing.StatusPartly, Rows: 2, Accepted: 1, Rejected: 1, DurationMS: 60_500, Format: "csv",
			Reasons: []landing.Reason{{Line: 3, Field: "start", Reason: "is no time"}},
			Days:    []jobs.Day{{Date: "2026-10-01", Rows: 1, DurationMS: 60_500}},
		}
	})
	w.file = must(t, entry, err)
	for version := range 2 {
		p, err := w.desk.Start(ctx, control.Start{Job: "daily", Carriers: []string{"fabrikam"}, Period: "2026-10-01", By: "ann"})
		must(t, p, err)
		r, err := w.store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: time.Now(), Lease: time.Hour})
		must(t, r, err)
		if p[0].Run != r.ID {
			t.Fatalf("claimed %s instead of %s", r.ID, p[0].Run)
		}
		if err := w.store.Snapshot(ctx, r.Lease(), json.RawMessage(`{"program":"test"}`), []jobs.RunInput{{Role: "carrier", File: w.file.ID, SHA256: w.file.SHA256}}); err != nil {
			t.Fatal(err)
		}
		w.report = w.publish(t, r, version+1)
	}
	if _, _, err := w.store.Raise(ctx, jobs.Alert{Key: "k", Kind: jobs.AlertGap, Carrier: "fabrikam", Text: "files are missing"}, now); err != nil {
		t.Fatal(err)
	}
}

// cases is the header of a report's discrepancies, as far as anybody reads it.
const cases = "case_id,class,caller,microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,difference_seconds,microsoft_row,carrier_row\n"

// publish ends a run with a report.
func (w *world) publish(t *testing.T, r jobs.Run, version int) jobs.Report {
	t.Helper()
	rep := jobs.Report{
		ID: r.ID[:35] + "f", Carrier: r.Carrier, Period: r.Period, Version: version, Job: r.Job,
		Folder: fmt.Sprintf("%s/%s/v%d", r.Carrier, r.Period.Text, version), Basis: "b", AsOf: time.Now(),
		Figures: jobs.Figures{Verdict: "dispute", Discrepancies: 1},
	}
	dir := filepath.Join(w.desk.Folder, filepath.FromSlash(rep.Folder))
	var list []control.ReportFile
	for name, text := range map[string]string{"discrepancies.csv": cases + "c1,duration_over," + canary + ",,,60,66,6,1,1\n", "summary.json": "{}\n"} {
		sum := sha256.Sum256([]byte(text))
		list = append(list, control.ReportFile{Name: name, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
		put(t, filepath.Join(dir, name), text)
	}
	b, err := json.Marshal(map[string]any{"files": list})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "manifest.json"), string(b))
	sum := sha256.Sum256(b)
	rep.Manifest = hex.EncodeToString(sum[:])
	var events []jobs.CaseEvent
	if version > 1 {
		events = []jobs.CaseEvent{
			{CaseID: "c1", Event: "opened", Class: "duration_over", DiffMS: 6000},
			{CaseID: "c2", Event: "closed", Before: "duration_over", BeforeMS: 6000},
		}
	}
	rep, err = w.store.Publish(t.Context(), r.Lease(), rep, events, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// client is a client with the token of a role; none: without a token.
func (w *world) client(t *testing.T, role config.Role) *api.Client {
	t.Helper()
	token := ""
	if role != "" {
		token = "token-" + string(role)
	}
	c, err := api.NewClient(w.server.URL, token, w.server.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
