package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/exchange/landing"
	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/accounts"
	"concord/jobs/config"
	"concord/jobs/console"
	"concord/jobs/control"
	"concord/jobs/state"

	"golang.org/x/crypto/bcrypt"
)

const (
	password = "correct horse battery staple"
	canary   = "+4930555123456" // a phone number
)

// payloads are texts that a browser must not take for anything else.
var payloads = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'-alert(1)-'`, `javascript:alert(1)`, `</title><svg onload=alert(1)>`,
	`{{.Data}}`, `${7*7}`, "\u202e<b>", `" autofocus onfocus=alert(1) x="`, `<a href="//evil.example">`,
}

// world is a console with a report of two versions, a hostile file, an alert and runs.
type world struct {
	desk   *control.Desk
	store  *state.Store
	server *httptest.Server
	cfg    *config.Config
	report jobs.Report
	file   jobs.Entry
	now    time.Time

	queued, hold, erasure string // ids
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOf(t, hostileMatch())
}

// worldOf is a world whose reports say what a match does.
func worldOf(t testing.TB, m report.Result) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	w.configure(t, filepath.Join(dir, "concord.yaml"))
	var err error
	if w.store, err = state.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	w.desk = &control.Desk{
		Queue: w.store, Pauses: w.store, Noting: func(r jobs.AuditRow) control.Changes { return w.store.Noted(r) }, Archive: w.store, Ledger: w.store, Alarms: w.store, Trail: w.store, Coverage: w.store, Book: w.store, SignedOff: w.store, Chain: w.store, Requests: w.store,
		Config: func() *config.Config { return w.cfg }, Folder: filepath.Join(dir, "reports"), Now: w.clock,
		Reloading: func(context.Context) ([]string, error) { return []string{"jobs.daily: changed"}, nil },
		Log:       func(string) []control.Moment { return []control.Moment{{Time: w.now, Stage: payloads[0]}} },
		Progress:  func(string) (control.Progress, bool) { return control.Progress{Stage: "match", CarrierRows: 7}, true },
	}
	acc := accounts.New(accounts.Options{Config: func() *config.Config { return w.cfg }, Note: w.store.Note, Now: w.clock})
	w.server = httptest.NewServer(console.Handler(console.Options{Desk: w.desk, Accounts: acc, Note: w.store.Note, Now: w.clock}))
	t.Cleanup(func() {
		w.server.Close()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.fill(t, m)
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) configure(t testing.TB, file string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := "data: data\nzone: UTC\ncarriers: {fabrikam: {}, litware: {}}\njobs:\n  collect: {kind: collect, schedule: \"*/15 * * * *\"}\n  monthly: {kind: reconcile, schedule: \"0 9 4 * *\", period: previous_month}\nusers:\n"
	for _, role := range []string{"finance", "ops", "admin"} {
		text += fmt.Sprintf("  %s: {role: %s, password_hash: %q}\n", role, role, hash)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if w.cfg, err = config.Load(file); err != nil {
		t.Fatal(err)
	}
}

// fill records what the pages show.
func (w *world) fill(t testing.TB, m report.Result) {
	t.Helper()
	ctx := t.Context()
	a := jobs.Arrival{Carrier: "fabrikam", Name: payloads[1] + "_" + canary[1:] + ".csv", SHA256: strings.Repeat("ab", 32), Received: w.now}
	entry, err := w.store.Record(ctx, a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{
			ID: "0198b1f0-0000-7000-8000-000000000001", Carrier: "fabrikam", Name: a.Name, SHA256: a.SHA256, Received: w.now, Decided: w.now,
			Status: landing.StatusPartly, Rows: 2, Accepted: 1, Rejected: 1, DurationMS: 60_500, Format: payloads[0],
			Reasons: []landing.Reason{{Line: 3, Field: payloads[0], Reason: payloads[2]}}, Notes: payloads, Days: []jobs.Day{{Date: "2026-10-01", Rows: 1, DurationMS: 60_500}},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.file = entry
	for version := range 2 {
		if _, err := w.desk.Start(ctx, control.Start{Job: "monthly", Carriers: []string{"fabrikam"}, Period: "2026-10", By: "ops"}); err != nil {
			t.Fatal(err)
		}
		r, err := w.store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Snapshot(ctx, r.Lease(), json.RawMessage(`{}`), []jobs.RunInput{{Role: "carrier", File: w.file.ID, SHA256: w.file.SHA256}}); err != nil {
			t.Fatal(err)
		}
		w.report = w.publish(t, r, version+1, m)
	}
	if _, _, err := w.store.Raise(ctx, jobs.Alert{Key: "k", Kind: jobs.AlertGap, Carrier: "fabrikam", Text: strings.Join(payloads, " ")}, w.now); err != nil {
		t.Fatal(err)
	}
	planned, err := w.desk.Start(ctx, control.Start{Job: "monthly", Carriers: []string{"litware"}, Period: "2026-10", By: control.By(payloads[0])})
	if err != nil {
		t.Fatal(err)
	}
	w.queued = planned[0].Run
	w.fillPrivacy(t)
}

// publish ends a run with the report of a match in which every field that a
// carrier writes is hostile.
func (w *world) publish(t testing.TB, r jobs.Run, version int, m report.Result) jobs.Report {
	t.Helper()
	rep := jobs.Report{
		ID: r.ID[:35] + "f", Kind: jobs.ReportReconcile, Carrier: r.Carrier, Period: r.Period, Version: version, Job: r.Job, AsOf: w.now, Basis: "b",
		Folder:  fmt.Sprintf("%s/%s/v%d", r.Carrier, r.Period.Text, version),
		Figures: jobs.Figures{Verdict: "dispute", Discrepancies: 60, Microsoft: jobs.Tally{Records: 60, DurationMS: 6_000_000}, Carrier: jobs.Tally{Records: 60, DurationMS: 6_078_000}, DifferencePPM: 13_000},
	}
	dir := filepath.Join(w.desk.Folder, filepath.FromSlash(rep.Folder))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	n := m.Summary().Files[engine.Carrier][0].Rows
	written, err := report.Write(t.Context(), func(name string) (report.File, error) { return os.Create(filepath.Join(dir, name)) }, m, report.Options{
		Inputs: [2][]report.Input{{{Name: "calls.csv", SHA256: strings.Repeat("cd", 32), Rows: n}}, {{Name: payloads[1] + "_" + canary[1:] + ".csv", SHA256: strings.Repeat("ab", 32), Rows: n, Notes: payloads}}},
		Rules:  engine.DefaultRules(), Profile: payloads[0],
	})
	if err != nil {
		t.Fatal(err)
	}
	rep.Manifest = written.Manifest
	var events []jobs.CaseEvent
	if version > 1 {
		rep.Changes = jobs.Changes{Opened: 1, Closed: 1}
		events = []jobs.CaseEvent{{CaseID: caseID(0), Event: "opened", Class: "duration_over", DiffMS: 1300}, {CaseID: caseID(99), Event: "closed", Before: "duration_over", BeforeMS: 6000}}
	}
	rep, err = w.store.Publish(t.Context(), r.Lease(), rep, events, w.now)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func caseID(i int) string { return fmt.Sprintf("%024x", 0xabc0+i) }

// match is a result made by hand.
type match struct {
	sum   engine.Summary
	cases []engine.Case
}

const october = 1790856000_000000 // 2026-10-01T12:00:00Z

// hostileMatch has 60 calls of 100 s, of which the carrier counts 1.3 s more.
func hostileMatch() *match {
	m := &match{}
	for i := range 60 {
		p := payloads[i%len(payloads)]
		micro := engine.Leg{Call: engine.Call{
			RecordID: p, CorrelationID: p, TenantID: p, Direction: engine.Out, Caller: engine.ParseNumber(canary), Callee: engine.OtherNumber(p),
			Start: october + int64(i)*1_000_000, DurationMS: 100_000, Row: int64(i + 1),
		}}
		carrier := micro
		carrier.DurationMS += 1300 + int64(i%2*2-1)*int64(i)
		m.cases = append(m.cases, engine.Case{ID: caseID(i), Class: engine.DurationOver, Microsoft: &micro, Carrier: []engine.Leg{carrier}})
	}
	s := &m.sum
	s.Carrier = "fabrikam"
	s.Files = [2][]engine.FileTally{{{Rows: 60, Accepted: 60, MS: 6_000_000}}, {{Rows: 60, Accepted: 60, MS: 6_078_030}}}
	s.Classes[engine.Microsoft][engine.DurationOver] = engine.Tally{Records: 60, MS: 6_000_000}
	s.Classes[engine.Carrier][engine.DurationOver] = engine.Tally{Records: 60, MS: 6_078_030}
	s.Discrepancies[engine.DurationOver] = 60
	s.Totals = engine.Balance{Microsoft: engine.Tally{Records: 60, MS: 6_000_000}, Carrier: engine.Tally{Records: 60, MS: 6_078_030}, Verdict: engine.TotalsDispute}
	s.Findings = []engine.Finding{{Code: "x", Text: strings.Join(payloads, " ")}}
	s.Days = []engine.Named{{Name: "2026-10-01", Balance: s.Totals}, {Name: "2026-10-02"}}
	s.Countries = []engine.Named{{Name: payloads[1], Balance: s.Totals}}
	return m
}

func (m *match) Summary() *engine.Summary { return &m.sum }
func (m *match) Cases(context.Context) iter.Seq2[*engine.Case, error] {
	return func(yield func(*engine.Case, error) bool) {
		for i := range m.cases {
			if !yield(&m.cases[i], nil) {
				return
			}
		}
	}
}
func (m *match) Usage() iter.Seq[*engine.UsageRow]     { return func(func(*engine.UsageRow) bool) {} }
func (m *match) UserUsage() iter.Seq[*engine.UsageRow] { return func(func(*engine.UsageRow) bool) {} }
func (m *match) Rejects(context.Context) iter.Seq2[engine.Reject, error] {
	return func(func(engine.Reject, error) bool) {}
}
func (m *match) Verdicts(context.Context) iter.Seq2[*engine.Verdict, error] {
	return func(func(*engine.Verdict, error) bool) {}
}

// browser is a person at a browser without JavaScript.
type browser struct {
	*http.Client
	t    testing.TB
	base string
}

func (w *world) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar, Transport: w.server.Client().Transport}, t, w.server.URL}
}

// as is a browser that somebody has logged in with.
func (w *world) as(t testing.TB, name string) *browser {
	t.Helper()
	b := w.browser(t)
	if status, _ := b.post("/console/login", "name", name, "password", password); status != http.StatusOK {
		t.Fatalf("the login of %s answers %d", name, status)
	}
	return b
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, pairs ...string) (int, string) {
	b.t.Helper()
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(f.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func (b *browser) do(r *http.Request) (int, string) {
	b.t.Helper()
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if cerr := res.Body.Close(); err != nil || cerr != nil {
		b.t.Fatal(err, cerr)
	}
	return res.StatusCode, string(body)
}

// audit returns the audit trail, a line a row, the newest first.
func (w *world) audit(t *testing.T, what string) (all []string) {
	t.Helper()
	rows, err := w.store.Audit(t.Context(), jobs.AuditFilter{What: what})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		all = append(all, r.Who+" "+r.Object+" "+r.Detail)
	}
	return all
}
