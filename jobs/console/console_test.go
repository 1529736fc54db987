package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/accounts"

	"golang.org/x/net/html"
)

// pages returns the address of every page, by what it must show.
func (w *world) pages(t *testing.T) map[string]string {
	t.Helper()
	runs, err := w.store.Runs(t.Context(), jobs.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	rep := "/console/reports/" + w.report.ID
	return map[string]string{
		"/console/": "Why fabrikam differs in 2026-10", "/console/reports": "2026-10", rep: "Where the difference comes from", rep + "/cases": "1 to 50 of 60",
		rep + "/cases?order=effect&class=duration_over": "1 to 50 of 60", rep + "/cases?offset=50": "51 to 60 of 60", rep + "/cases?text=nowhere": "No discrepancy is like that",
		rep + "/cases?text=3456": "1 to 50 of 60", rep + "/cases/" + caseID(0): "Evidence of both sides", rep + "/changes": "closed",
		"/console/cases": "By state and days open", "/console/cases?carrier=fabrikam&state=open": "Open since", "/console/cases?owner=nowhere": "No case is like that",
		"/console/cases/" + caseID(0) + "?carrier=fabrikam&period=2026-10": "Evidence of both sides",
		"/console/files": "accepted with rejected rows", "/console/files/" + w.file.ID: "Receipt", "/console/jobs": "compares", "/console/jobs/monthly": "Latest runs",
		"/console/runs": "litware", "/console/runs/" + runs[0].ID: "Asked for", "/console/runs/" + w.report.Run: "What it read", "/console/carriers": "fabrikam", "/console/carriers/fabrikam": "How a file is read", "/console/alerts?carrier=fabrikam": "gap",
		"/console/signoffs": "Where it stands", "/console/signoffs?state=draft&carrier=fabrikam": "2026-10", "/console/signoffs?state=approved": "No period is like that",
		"/console/holds": "it stands|Release", "/console/holds?all=1": "2026-08", "/console/holds?carrier=litware": "Nothing is held", "/console/proofs": "dispute hold",
		"/console/proofs?verify=1": "The chain is right", "/console/proofs?act=purge&carrier=nobody": "No proof is like that",
	}
}

// every calls a func for each element of a page.
func every(t *testing.T, page string, see func(n *html.Node)) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			see(n)
		}
	}
}

// inert reports what a browser would do with a page that is not ours.
func inert(t *testing.T, name, page string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		switch n.Data {
		case "img", "iframe", "object", "embed", "base", "style", "foreignobject":
			t.Errorf("%s: there is an element %s", name, n.Data)
		}
		for _, a := range n.Attr {
			v := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc":
				t.Errorf("%s: %s has an attribute %s", name, n.Data, a.Key)
			case a.Key == "href" && !strings.HasPrefix(v, "/console/") && v != "#main",
				a.Key == "src" && !strings.HasPrefix(v, "/console/assets/"),
				(a.Key == "action" || a.Key == "hx-get") && !strings.HasPrefix(v, "/console/"):
				t.Errorf("%s: %s leads to %s", name, n.Data, a.Val)
			}
		}
		if n.Data == "script" && n.FirstChild != nil {
			t.Errorf("%s: there is a script inside the page", name)
		}
	})
}

func TestEveryPageShowsWhatItIsForAndNothingThatRuns(t *testing.T) {
	w := newWorld(t)
	for _, role := range []string{"finance", "ops", "admin"} {
		b := w.as(t, role)
		for path, want := range w.pages(t) {
			status, page := b.get(path)
			one, other, _ := strings.Cut(want, "|")
			if status != http.StatusOK || !strings.Contains(page, one) && (other == "" || !strings.Contains(page, other)) {
				t.Errorf("%s: %s answers %d without %q", role, path, status, want)
			}
			inert(t, path, page)
			if strings.Contains(page, canary[1:]) {
				t.Errorf("%s: %s shows a phone number", role, path)
			}
		}
	}
	for path, want := range map[string]string{
		"/console/audit": "session.login", "/console/erasures": w.erasure, "/console/erasures/" + w.erasure: "What people must still do",
	} {
		status, page := w.as(t, "admin").get(path)
		if status != http.StatusOK || !strings.Contains(page, want) || strings.Contains(page, canary[1:]) {
			t.Errorf("%s answers %d", path, status)
		}
		inert(t, path, page)
	}
}

func TestPagesForbidWhatIsNotTheirs(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/console/login", "/console/", "/console/assets/console.css", "/console/nothing"} {
		res, err := w.as(t, "ops").Get(w.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		policy := res.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy has no %s", path, part)
			}
		}
		if strings.Contains(policy, "unsafe") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers are %v", path, res.Header)
		}
	}
}

func TestWhoIsNotLoggedInSeesTheLoginOnly(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for path := range w.pages(t) {
		status, page := b.get(path)
		if status != http.StatusSeeOther || strings.Contains(page, "<main") {
			t.Errorf("%s answers %d", path, status)
		}
	}
	if status, _ := b.post("/console/jobs/monthly/pause", "why", "x"); status != http.StatusSeeOther {
		t.Errorf("a pause by nobody answers %d", status)
	}
	if p, err := w.store.Paused(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("nobody has paused %v, %v", p, err)
	}
}

func TestALoginLeadsBackAndNowhereElse(t *testing.T) {
	w := newWorld(t)
	for to, want := range map[string]string{
		"/console/runs?state=failed": "/console/runs?state=failed", "": "/console/", "https://evil.example/console/": "/console/", "//evil.example/console/": "/console/",
		"/\\evil.example": "/console/", "/v1/jobs": "/console/", "javascript:alert(1)": "/console/", "/console/logout": "/console/", "/console/\r\nSet-Cookie: x": "/console/",
	} {
		b := w.browser(t)
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		f := url.Values{"name": {"ops"}, "password": {password}, "to": {to}}
		res, err := b.PostForm(w.server.URL+"/console/login", f)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.Header.Get("Location") != want {
			t.Errorf("%q leads to %q, %v", to, res.Header.Get("Location"), err)
		}
	}
}

func TestAWrongPasswordIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for i := range 7 {
		status, page := b.post("/console/login", "name", payloads[1], "password", "wrong")
		if want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusTooManyRequests}[i < 5]; status != want {
			t.Errorf("attempt %d answers %d, want %d", i+1, status, want)
		}
		inert(t, "login", page)
	}
}

func TestSessionsEnd(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.now = w.now.Add(accounts.Idle)
	if status, _ := b.get("/console/"); status != http.StatusSeeOther {
		t.Errorf("after half an hour the overview answers %d", status)
	}
	b = w.as(t, "ops")
	if status, _ := b.get("/console/jobs"); status != http.StatusOK {
		t.Errorf("after a new login jobs answer %d", status)
	}
	b.post("/console/logout")
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if status, _ := b.get("/console/jobs"); status != http.StatusSeeOther {
		t.Errorf("after the logout jobs answer %d", status)
	}
}

func TestAPageThatRefreshesItselfKeepsNoSession(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	for range 7 {
		w.now = w.now.Add(5 * time.Minute)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/console/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Concord-Refresh", "1")
		r.Header.Set("Hx-Request", "true")
		status, _ := b.do(r)
		over := w.now.Sub(time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC)) >= accounts.Idle
		if want := map[bool]int{false: http.StatusOK, true: http.StatusUnauthorized}[over]; status != want {
			t.Errorf("at %s a refresh answers %d", w.now.Format(time.TimeOnly), status)
		}
	}
}

func TestRunsAreStartedAfterALookAtThem(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	before, err := w.store.Runs(t.Context(), jobs.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	count := func(want int) {
		t.Helper()
		if runs, err := w.store.Runs(t.Context(), jobs.RunFilter{}); err != nil || len(runs) != len(before)+want {
			t.Fatalf("%d more runs, want %d, %v", len(runs)-len(before), want, err)
		}
	}
	_, page := b.post("/console/jobs/monthly/backfill", "from", "2026-07", "to", "2026-09", "only", "missing", "carrier", "fabrikam")
	count(0)
	if !strings.Contains(page, "Start 3 runs") {
		t.Fatal("the plan has no button")
	}
	form := hiddenFields(t, page, "/console/jobs/monthly/backfill")
	b.post("/console/jobs/monthly/backfill", form...)
	count(3)
	_, page = b.post("/console/jobs/monthly/run", "period", "2026-10", "carrier", "fabrikam")
	form = hiddenFields(t, page, "/console/jobs/monthly/run")
	status, page := b.post("/console/jobs/monthly/run", form...)
	count(4)
	if status != http.StatusOK || !strings.Contains(page, "Cancel it") {
		t.Errorf("the run answers %d", status)
	}
	b.post("/console/jobs/monthly/run", form...)
	count(4) // the same form again is the same request
	for what, f := range map[string][]string{
		"is neither a day": {"from", payloads[0], "to", "2026-09"}, "is before": {"from", "2026-09", "to", "2026-08"},
	} {
		status, page := b.post("/console/jobs/monthly/backfill", f...)
		if status != http.StatusBadRequest || !strings.Contains(page, what) {
			t.Errorf("%v answers %d without %q", f, status, what)
		}
		inert(t, what, page)
	}
	if status, page := b.post("/console/jobs/monthly/pause", "why", " "); status != http.StatusBadRequest || !strings.Contains(page, "say why") {
		t.Errorf("a pause without a reason answers %d", status)
	}
	b.post("/console/jobs/monthly/pause", "why", payloads[1])
	status, page = b.post("/console/jobs/monthly/run", "period", "2026-10")
	if status != http.StatusConflict || !strings.Contains(page, "resume it first") {
		t.Errorf("a run of a paused job answers %d", status)
	}
	inert(t, "paused", page)
}

// hiddenFields returns those of the form that leads somewhere and asks nothing more.
func hiddenFields(t *testing.T, page, action string) (pairs []string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if n.Data != "form" || attr(n, "action") != action {
			return
		}
		var here []string
		for x := range n.Descendants() {
			if x.Data == "input" && attr(x, "type") == "hidden" {
				here = append(here, attr(x, "name"), attr(x, "value"))
			}
		}
		if slices.Contains(here, "sure") {
			pairs = here
		}
	})
	if pairs == nil {
		t.Fatalf("no form for %s", action)
	}
	return pairs
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func TestARunIsCancelledAndWatched(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	runs, err := w.store.Runs(t.Context(), jobs.RunFilter{State: jobs.RunQueued})
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	path := "/console/runs/" + runs[0].ID
	if _, page := b.get(path); !strings.Contains(page, `hx-trigger="every 2s"`) {
		t.Error("a run that is under way does not refresh")
	}
	if status, page := b.post(path + "/cancel"); status != http.StatusOK || !strings.Contains(page, "cancelled") || strings.Contains(page, "hx-trigger") {
		t.Errorf("the cancelled run answers %d", status)
	}
	if status, page := b.post(path + "/cancel"); status != http.StatusConflict || !strings.Contains(page, "nothing to cancel") {
		t.Errorf("cancelled again it answers %d", status)
	}
}

func TestAddressesThatLeadNowhere(t *testing.T) {
	w := newWorld(t)
	b, rep := w.as(t, "admin"), "/console/reports/"+w.report.ID
	for path, want := range map[string]int{
		"/console/reports/nothing": 404, "/console/carriers/nothing": 404, "/console/runs/nothing": 404, "/console/files/nothing": 404, "/console/jobs/nothing": 404, rep + "/cases/nothing": 404,
		rep + "/files/stray.csv": 404, rep + "/files/..%2f..%2fsecret": 404, rep + "/cases?offset=-1": 400, rep + "/cases?order=effect&offset=999999": 400, rep + "/cases?order=longest": 400,
		"/console/audit?before=x": 400, "/console/proofs?before=x": 400, "/console/proofs?before=-1": 400, "/console/erasures/nothing": 404, "/console/erasures?offset=-1": 400, "/console/erasures?offset=99999": 400, "/console/nothing": 404, "/console/assets/nothing": 404,
	} {
		if status, page := b.get(path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		} else {
			inert(t, path, page)
		}
	}
}

func TestFilesOfAReportAreKeptAndNotShown(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	res, err := b.Get(b.base + "/console/reports/" + w.report.ID + "/files/discrepancies.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if h := res.Header; h.Get("Content-Disposition") != `attachment; filename="discrepancies.csv"` || h.Get("Content-Security-Policy") != "sandbox" {
		t.Errorf("headers are %v", h)
	}
	if rows := w.audit(t, "report.evidence"); len(rows) != 1 || !strings.HasPrefix(rows[0], "finance ") {
		t.Errorf("noted: %v", rows)
	}
}
