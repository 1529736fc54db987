package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/config"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// document reads the contract as the service serves it.
func document(t *testing.T, w *world) libopenapi.Document {
	t.Helper()
	resp, err := http.Get(w.server.URL + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheContractHasEveryRouteAndNoOther(t *testing.T) {
	model, err := document(t, newWorld(t)).BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			got[strings.ToUpper(method)+" "+path] = queryOf(op)
		}
	}
	want := map[string][]string{}
	for _, r := range api.Routes() {
		params := slices.Clone(r.Params)
		slices.Sort(params)
		want[r.Method+" "+r.Path] = params
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// queryOf are the parameters of a query, by name.
func queryOf(op *v3.Operation) (names []string) {
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// step is one request of a walk and what comes of it.
type step struct {
	method, path, body string
	role               config.Role
	status             int
}

// steps go through all routes, well and badly. RUN, FILE and REPORT stand for
// ids.
func steps() []step {
	return []step{
		{"GET", "/healthz", "", "", 200},
		{"GET", "/readyz", "", "", 200},
		{"GET", "/openapi.yaml", "", "", 200},
		{"GET", "/metrics", "", config.Finance, 200},
		{"GET", "/metrics", "", "", 401},
		{"GET", "/v1/jobs", "", config.Finance, 200},
		{"GET", "/v1/jobs/daily", "", config.Finance, 200},
		{"GET", "/v1/jobs/dialy", "", config.Finance, 404},
		{"POST", "/v1/jobs/daily/runs", `{"period":"2026-10-02","carriers":["fabrikam"],"dry_run":true}`, config.Ops, 200},
		{"POST", "/v1/jobs/daily/runs", `{"period":"2026-10-02","carriers":["fabrikam"]}`, config.Ops, 202},
		{"POST", "/v1/jobs/daily/runs", `{"period":"2026-10-02","carriers":["fabrikam"]}`, config.Ops, 409},
		{"POST", "/v1/jobs/daily/runs", `{"period":"2026-10-02","carriers":["nobody"]}`, config.Ops, 404},
		{"POST", "/v1/jobs/daily/runs", "", config.Finance, 403},
		{"POST", "/v1/jobs/collect/runs", "", config.Ops, 202},
		{"POST", "/v1/jobs/daily/backfill", `{"from":"2026-10-01","to":"2026-10-03"}`, config.Ops, 202},
		{"POST", "/v1/jobs/daily/backfill", `{"from":"2026-10-01","to":"2026-10-03","only":"failed"}`, config.Ops, 200},
		{"POST", "/v1/jobs/daily/backfill", `{"from":"2026-10-03","to":"2026-10-01"}`, config.Ops, 400},
		{"POST", "/v1/jobs/daily/pause", `{"why":"call ` + canary + ` first"}`, config.Ops, 200},
		{"POST", "/v1/jobs/daily/runs", "", config.Ops, 409},
		{"GET", "/v1/jobs", "", config.Finance, 200},
		{"POST", "/v1/jobs/daily/resume", "", config.Ops, 200},
		{"POST", "/v1/jobs/daily/resume", "", config.Ops, 409},
		{"GET", "/v1/runs?limit=2", "", config.Finance, 200},
		{"GET", "/v1/runs?state=queued&from=2026-10-01&to=2026-10-04T00:00:00Z", "", config.Finance, 200},
		{"GET", "/v1/runs?file=FILE", "", config.Finance, 200},
		{"GET", "/v1/runs/RUN", "", config.Finance, 200},
		{"GET", "/v1/runs/nonsense", "", config.Finance, 404},
		{"POST", "/v1/runs/RUN/rerun", "", config.Ops, 202},
		{"POST", "/v1/runs/RUN/rerun", "", config.Ops, 409},
		{"GET", "/v1/runs/RUN", "", config.Finance, 200},
		{"POST", "/v1/runs/RUN/cancel", "", config.Ops, 409},
		{"POST", "/v1/runs/QUEUED/cancel", "", config.Ops, 200},
		{"GET", "/v1/files?side=carrier&status=accepted%20with%20rejected%20rows", "", config.Finance, 200},
		{"GET", "/v1/files?before=nonsense", "", config.Finance, 404},
		{"GET", "/v1/files/FILE", "", config.Finance, 200},
		{"GET", "/v1/files/FILE?unmask=true", "", config.Ops, 403},
		{"GET", "/v1/files/FILE?unmask=perhaps", "", config.Finance, 400},
		{"GET", "/v1/reports?newest=true&verdict=dispute", "", config.Finance, 200},
		{"GET", "/v1/reports?file=FILE&limit=1", "", config.Finance, 200},
		{"GET", "/v1/reports/REPORT", "", config.Finance, 200},
		{"GET", "/v1/reports/REPORT/files/summary.json", "", config.Ops, 200},
		{"GET", "/v1/reports/REPORT/files/discrepancies.csv", "", config.Ops, 403},
		{"GET", "/v1/reports/REPORT/files/discrepancies.csv", "", config.Finance, 200},
		{"GET", "/v1/reports/REPORT/files/..%2Fv1%2Fsummary.json", "", config.Finance, 404},
		{"GET", "/v1/reports/REPORT/changes?limit=1", "", config.Finance, 200},
		{"GET", "/v1/reports/REPORT/changes?after=c1", "", config.Finance, 200},
		{"GET", "/v1/cases?carrier=fabrikam&state=open,disputed&limit=1", "", config.Ops, 200},
		{"GET", "/v1/cases?state=gone", "", config.Ops, 400},
		{"GET", "/v1/cases?after=nonsense", "", config.Finance, 404},
		{"POST", "/v1/cases", `{"of":{"carrier":"fabrikam"},"state":"disputed","dry_run":true}`, config.Finance, 200},
		{"POST", "/v1/cases", `{"of":{"cases":["c1"]},"state":"disputed","comment":"call ` + canary + ` first","revision":1}`, config.Finance, 200},
		{"POST", "/v1/cases", `{"of":{"cases":["c1"]},"owner":"ann","revision":1}`, config.Finance, 409},
		{"POST", "/v1/cases", `{"of":{"cases":["c1"]},"state":"disputed","revision":2}`, config.Finance, 409},
		{"POST", "/v1/cases", `{"of":{"cases":["nonsense"]},"state":"disputed","revision":2}`, config.Finance, 404},
		{"POST", "/v1/cases", `{"of":{},"state":"disputed"}`, config.Finance, 400},
		{"POST", "/v1/cases", `{"of":{"carrier":"fabrikam"},"state":"disputed"}`, config.Ops, 403},
		{"GET", "/v1/cases/c1", "", config.Ops, 200},
		{"GET", "/v1/cases/nonsense", "", config.Ops, 404},
		{"GET", "/v1/case-ages?state=open", "", config.Ops, 200},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"approve"}`, config.Finance, 409},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"submit"}`, config.Ops, 403},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"submit"}`, config.Finance, 200},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"approve"}`, config.Finance, 403},
		{"GET", "/v1/reports/REPORT/since-signoff", "", config.Finance, 404},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"approve"}`, config.Admin, 200},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"reopen","why":"late"}`, config.Finance, 403},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"reopen"}`, config.Admin, 400},
		{"POST", "/v1/reports/REPORT/signoff", `{"step":"reopen","why":"call ` + canary + `"}`, config.Admin, 200},
		{"POST", "/v1/reports/nonsense/signoff", `{"step":"submit"}`, config.Finance, 404},
		{"GET", "/v1/reports/REPORT/signoff", "", config.Ops, 200},
		{"GET", "/v1/signoffs?state=reopened&limit=1", "", config.Ops, 200},
		{"GET", "/v1/reports/REPORT/since-signoff?limit=1", "", config.Finance, 200},
		{"GET", "/v1/alerts?open=true", "", config.Finance, 200},
		{"GET", "/v1/audit", "", config.Admin, 200},
		{"GET", "/v1/audit", "", config.Ops, 403},
		{"GET", "/v1/carriers", "", config.Ops, 200},
		{"GET", "/v1/purge?carrier=fabrikam", "", config.Ops, 200},
		{"GET", "/v1/purge?carrier=fabrikan", "", config.Ops, 404},
		{"POST", "/v1/holds", `{"carrier":"fabrikam","period":"2026-10","why":"they call from ` + canary + `"}`, config.Finance, 201},
		{"POST", "/v1/holds", `{"carrier":"fabrikam","period":"2026-10"}`, config.Finance, 400},
		{"POST", "/v1/holds", `{"carrier":"fabrikam","period":"October","why":"x"}`, config.Finance, 400},
		{"POST", "/v1/holds", `{"carrier":"fabrikan","period":"2026-10","why":"x"}`, config.Finance, 404},
		{"POST", "/v1/holds", "", config.Ops, 403},
		{"GET", "/v1/holds?standing=true", "", config.Ops, 200},
		{"POST", "/v1/holds/HOLD/release", `{"why":"settled"}`, config.Admin, 200},
		{"POST", "/v1/holds/HOLD/release", `{"why":"settled"}`, config.Admin, 409},
		{"POST", "/v1/holds/nonsense/release", `{"why":"settled"}`, config.Admin, 404},
		{"GET", "/v1/holds?carrier=fabrikam", "", config.Ops, 200},
		{"GET", "/v1/proofs?carrier=fabrikam&limit=1", "", config.Ops, 200},
		{"GET", "/v1/proofs?after=1&act=release", "", config.Ops, 200},
		{"GET", "/v1/proofs?act=look", "", config.Ops, 400},
		{"GET", "/v1/proofs/check", "", config.Ops, 200},
		{"POST", "/v1/reload", "", config.Admin, 200},
		{"POST", "/v1/reload", "", config.Ops, 403},
	}
}

// TestAWalkThroughAllRoutesKeepsTheContract holds every request and answer to
// the document, and finds a phone number in none but evidence.
func TestAWalkThroughAllRoutesKeepsTheContract(t *testing.T) {
	w := newWorld(t)
	v, errs := validator.NewValidator(document(t, w))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, faults := v.ValidateDocument(); !ok {
		t.Fatalf("the document itself: %v", faults)
	}
	queued := ""
	for _, s := range steps() {
		if strings.Contains(s.path, "QUEUED") {
			queued = w.queued(t)
		}
		if strings.Contains(s.path, "HOLD") {
			holds, err := w.desk.Holds(t.Context(), "fabrikam", false)
			if err != nil || len(holds) != 1 {
				t.Fatal(holds, err)
			}
			s.path = strings.Replace(s.path, "HOLD", holds[0].ID, 1)
		}
		path := strings.NewReplacer("RUN", w.report.Run, "FILE", w.file.ID, "REPORT", w.report.ID, "QUEUED", queued).Replace(s.path)
		t.Run(s.method+" "+s.path, func(t *testing.T) { w.walk(t, v, s, path) })
	}
	if strings.Contains(w.log.String(), canary[4:]) {
		t.Error("the log has a phone number")
	}
}

func (w *world) walk(t *testing.T, v validator.Validator, s step, path string) {
	r, err := http.NewRequest(s.method, w.server.URL+path, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	if s.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.role != "" {
		r.Header.Set("Authorization", "Bearer token-"+string(s.role))
	}
	resp, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != s.status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, s.status, b)
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	r.URL, _ = url.Parse(path)
	r.Body = io.NopCloser(strings.NewReader(s.body))
	if ok, faults := v.ValidateHttpResponse(r, resp); !ok {
		for _, f := range faults {
			t.Errorf("%s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
	}
	if !strings.HasSuffix(path, "discrepancies.csv") && bytes.Contains(b, []byte(canary[4:])) {
		t.Errorf("the answer has a phone number: %s", b)
	}
}

// queued is the id of a run that waits.
func (w *world) queued(t *testing.T) string {
	t.Helper()
	list, err := w.desk.Runs(t.Context(), jobs.RunFilter{State: jobs.RunQueued, Limit: 1})
	if err != nil || len(list) == 0 {
		t.Fatalf("no run waits: %v", err)
	}
	return list[0].ID
}
