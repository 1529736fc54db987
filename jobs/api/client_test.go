package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/config"
	"concord/jobs/control"

	"github.com/google/go-cmp/cmp"
)

// same checks that the client is told what the desk says.
func same[T any](t *testing.T, what string, ask func(control.Operations) (T, error), w *world, c *api.Client) {
	t.Helper()
	want, err := ask(w.desk)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	got, err := ask(c)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

func TestAClientIsToldWhatTheDeskSays(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.client(t, config.Admin)
	same(t, "runs", func(o control.Operations) ([]control.Run, error) {
		return o.Runs(ctx, jobs.RunFilter{Carrier: "fabrikam", From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)})
	}, w, c)
	same(t, "run", func(o control.Operations) (control.RunDetail, error) { return o.Run(ctx, w.report.Run) }, w, c)
	same(t, "files", func(o control.Operations) ([]control.File, error) { return o.Files(ctx, jobs.FileFilter{Name: "FAB"}) }, w, c)
	same(t, "file", func(o control.Operations) (control.FileDetail, error) { return o.File(ctx, w.file.ID) }, w, c)
	same(t, "reports", func(o control.Operations) ([]control.Report, error) {
		return o.Reports(ctx, jobs.ReportFilter{Newest: true})
	}, w, c)
	same(t, "report", func(o control.Operations) (control.ReportDetail, error) { return o.Report(ctx, w.report.ID) }, w, c)
	same(t, "changes", func(o control.Operations) ([]control.Change, error) { return o.Changes(ctx, w.report.ID, "", 0) }, w, c)
	same(t, "alerts", func(o control.Operations) ([]control.Alert, error) {
		return o.Alerts(ctx, jobs.AlertFilter{Open: true})
	}, w, c)
	same(t, "carriers", func(o control.Operations) ([]control.Carrier, error) { return o.Carriers(ctx) }, w, c)
	same(t, "audit", func(o control.Operations) ([]control.AuditRow, error) { return o.Audit(ctx, jobs.AuditFilter{}) }, w, c)
	same(t, "jobs", func(o control.Operations) ([]control.Job, error) { return o.Jobs(ctx) }, w, c)
}

func TestAClientChangesThingsAsItsToken(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.client(t, config.Ops)
	s := control.Start{Job: "daily", Carriers: []string{"litware"}, Period: "2026-10-01", Key: "k", By: "somebody else"}
	first, err := c.Start(ctx, s)
	if err != nil || first[0].Outcome != control.Enqueued {
		t.Fatalf("got %v, %v", first, err)
	}
	if again, err := c.Start(ctx, s); err != nil || again[0].Outcome != control.Repeated || again[0].Run != first[0].Run {
		t.Errorf("the same key led to %v, %v", again, err)
	}
	s.Key = ""
	if active, err := c.Start(ctx, s); err != nil || active[0].Outcome != control.Active || active[0].Run != first[0].Run {
		t.Errorf("another request led to %v, %v", active, err)
	}
	r, err := c.Run(ctx, first[0].Run)
	if err != nil || r.By != "the-ops" {
		t.Errorf("the run is by %q, %v", r.By, err)
	}
	if p, err := c.Rerun(ctx, w.report.Run, ""); err != nil || p.Outcome != control.Enqueued {
		t.Errorf("got %v, %v", p, err)
	}
	if x, err := c.Cancel(ctx, first[0].Run, ""); err != nil || x.State != "cancelled" {
		t.Errorf("got %v, %v", x, err)
	}
	if j, err := c.Pause(ctx, "daily", "ticket 7", ""); err != nil || j.Paused.By != "the-ops" {
		t.Errorf("got %v, %v", j, err)
	}
	_, err = c.Start(ctx, s)
	refusal(t, err, control.Paused, "ticket 7")
	if _, err := c.Resume(ctx, "daily", ""); err != nil {
		t.Error(err)
	}
	list, err := c.Backfill(ctx, control.Backfill{Job: "daily", From: "2026-10-01", To: "2026-10-02", Carriers: []string{"litware"}})
	if err != nil || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
	_, err = c.Reload(ctx, "")
	refusal(t, err, control.Forbidden, "admin")
	if lines, err := w.client(t, config.Admin).Reload(ctx, ""); err != nil || len(lines) != 1 {
		t.Errorf("got %v, %v", lines, err)
	}
	_, err = w.client(t, "").Jobs(ctx)
	refusal(t, err, control.Unauthenticated, "token")
}

func refusal(t *testing.T, err error, kind control.Kind, says string) {
	t.Helper()
	r, ok := errors.AsType[*control.Refusal](err)
	if !ok || r.Kind != kind || !strings.Contains(r.Text, says) {
		t.Errorf("got %v, want a refusal of kind %s that says %q", err, kind, says)
	}
}

func TestALongListIsGotPageByPage(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.opts.Operations = manyRuns{w.desk, 2500}
	w.server.Config.Handler = api.Handler(w.opts)
	c := w.client(t, config.Finance)
	for _, limit := range []int{0, 1, 999, 1000, 1001, 2500, 9000} {
		list, err := c.Runs(ctx, jobs.RunFilter{Limit: limit})
		want := limit
		if limit == 0 || limit > 2500 {
			want = 2500
		}
		if err != nil || len(list) != want || list[0].Attempt != 2500 || list[want-1].Attempt != 2501-want {
			t.Errorf("limit %d: %d runs, %v", limit, len(list), err)
		}
	}
}

// manyRuns has runs with the ids 00001 to n.
type manyRuns struct {
	control.Operations
	n int
}

func (m manyRuns) Runs(_ context.Context, f jobs.RunFilter) (list []control.Run, err error) {
	first := m.n
	if f.Before != "" {
		for first = 0; id(first+1) != f.Before; first++ {
		}
	}
	for ; first > 0 && len(list) < f.Limit; first-- {
		list = append(list, control.Run{ID: id(first), Attempt: first})
	}
	return list, nil
}

func id(n int) string {
	return "run-" + strings.Repeat("i", n%7) + time.Unix(int64(n), 0).UTC().Format("150405")
}

func TestEvidenceIsForThoseWhoMaySeeNumbers(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	f, size, err := w.client(t, config.Finance).OpenReportFile(ctx, w.report.ID, "discrepancies.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || int64(len(b)) != size || !strings.Contains(string(b), canary) {
		t.Errorf("got %q of %d bytes, %v", b, size, err)
	}
	_, _, err = w.client(t, config.Ops).OpenReportFile(ctx, w.report.ID, "discrepancies.csv", "")
	refusal(t, err, control.Forbidden, "phone numbers")
	rows, err := w.desk.Audit(ctx, jobs.AuditFilter{Limit: 2})
	if err != nil || rows[0].What != "api.denied" || rows[0].Who != "the-ops" || rows[1].What != "report.evidence" || rows[1].Who != "the-finance" {
		t.Errorf("the audit trail says %+v, %v", rows, err)
	}
}

func TestADownloadThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	w := newWorld(t)
	w.opts.Operations = shortFile{w.desk}
	w.server.Config.Handler = api.Handler(w.opts)
	f, _, err := w.client(t, config.Finance).OpenReportFile(t.Context(), w.report.ID, "summary.json", "")
	if err != nil {
		return // it broke off before it began
	}
	defer func() { _ = f.Close() }()
	if b, err := io.ReadAll(f); err == nil {
		t.Errorf("%q passes for the whole file", b)
	}
}

// shortFile has files that are shorter than it says.
type shortFile struct{ control.Operations }

func (shortFile) OpenReportFile(context.Context, string, string, control.By) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader("half")), 8, nil
}

func TestADefectEndsOneRequestOnly(t *testing.T) {
	w := newWorld(t)
	w.opts.Operations = broken{w.desk}
	w.server.Config.Handler = api.Handler(w.opts)
	c := w.client(t, config.Finance)
	_, err := c.Jobs(t.Context())
	if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "defect") {
		t.Errorf("got %v", err)
	}
	_, err = c.Carriers(t.Context())
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("what failed inside is told outside: %v", err)
	}
	if strings.Contains(w.log.String(), canary) || !strings.Contains(w.log.String(), "secret path") {
		t.Errorf("the log says %s", w.log)
	}
}

type broken struct{ control.Operations }

func (broken) Jobs(context.Context) ([]control.Job, error) { panic("a number " + canary) }

func (broken) Carriers(context.Context) ([]control.Carrier, error) {
	return nil, errors.New("read /secret path")
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"an unknown path":          {"GET", "/v2/jobs", "", 404, "openapi.yaml"},
		"a path that goes up":      {"GET", "/v1/../v1/jobs", "", 404, ""},
		"another method":           {"DELETE", "/v1/jobs", "", 405, "GET"},
		"an unknown parameter":     {"GET", "/v1/runs?jbo=daily", "", 400, "jbo"},
		"a parameter of none":      {"GET", "/v1/jobs?limit=1", "", 400, "has none"},
		"a parameter twice":        {"GET", "/v1/runs?job=a&job=b", "", 400, "twice"},
		"a limit beyond all":       {"GET", "/v1/runs?limit=1001", "", 400, "1000"},
		"several faults":           {"GET", "/v1/runs?limit=0&from=then&state=odd", "", 400, "state"},
		"an unknown field":         {"POST", "/v1/jobs/daily/runs", `{"perod":"2026-10-01"}`, 400, "perod"},
		"a field of another kind":  {"POST", "/v1/jobs/daily/runs", `{"period":7}`, 400, "period must be a string"},
		"a body that is no object": {"POST", "/v1/jobs/daily/runs", `[1]`, 400, "object"},
		"a body that is no JSON":   {"POST", "/v1/jobs/daily/runs", `period=1`, 400, "no JSON"},
		"half a body":              {"POST", "/v1/jobs/daily/runs", `{"period":`, 400, "in the middle"},
		"two bodies":               {"POST", "/v1/jobs/daily/runs", `{} {}`, 400, "after its end"},
		"a body that never ends":   {"POST", "/v1/jobs/daily/runs", `{"period":"` + strings.Repeat("x", 1<<20) + `"}`, 400, "longer"},
		"a pause without a reason": {"POST", "/v1/jobs/daily/pause", `{}`, 400, "why"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
			path, query, _ := strings.Cut(c.path, "?")
			r.URL.Path, r.URL.RawQuery = path, query
			r.Header.Set("Authorization", "Bearer token-admin")
			rec := httptest.NewRecorder()
			api.Handler(w.opts).ServeHTTP(rec, r)
			if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.says) || rec.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
			if c.status == http.StatusMethodNotAllowed && rec.Header().Get("Allow") == "" {
				t.Error("it does not say which methods there are")
			}
		})
	}
}

func TestTokensThatLetNobodyIn(t *testing.T) {
	w := newWorld(t)
	for _, h := range []string{"", "Bearer", "Bearer ", "Bearer token-adminx", "Basic token-admin", "token-admin", "Bearer " + strings.Repeat("x", 10_000)} {
		r := httptest.NewRequest("GET", "/v1/jobs", nil)
		r.Header.Set("Authorization", h)
		rec := httptest.NewRecorder()
		api.Handler(w.opts).ServeHTTP(rec, r)
		if rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: %d", h, rec.Code)
		}
	}
}

func TestAServiceThatCannotWorkIsNotReady(t *testing.T) {
	w := newWorld(t)
	w.opts.Ready = func(context.Context) error { return errors.New("the database at /secret is gone") }
	rec := httptest.NewRecorder()
	api.Handler(w.opts).ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
	if rec.Code != http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "secret") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, a := range []string{"", "concord.example.com", "ftp://x", "https://user:secret@x", "https://x?a=b", "http://concord.example.com"} {
		if _, err := api.NewClient(a, "t", nil); err == nil {
			t.Errorf("%q was taken", a)
		}
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	c, err := api.NewClient(nobody.URL, "t", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Jobs(t.Context())
	refusal(t, err, control.Unavailable, "no answer of concord")
	nobody.Close()
	_, err = c.Jobs(t.Context())
	refusal(t, err, control.Unavailable, "does not answer")
}
