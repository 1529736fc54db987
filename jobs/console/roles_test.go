package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"concord/jobs/console"
	"concord/jobs/control"
)

// actions are everything that changes something or shows what is hidden, by who may.
func (w *world) actions() []action {
	rep := "/console/reports/" + w.report.ID
	return []action{
		{"POST", "/console/jobs/monthly/pause", []string{"why", "the carrier sends again"}, "ops admin"},
		{"POST", "/console/jobs/monthly/resume", nil, "ops admin"},
		{"POST", "/console/jobs/monthly/run", []string{"period", "2026-10", "carrier", "fabrikam"}, "ops admin"},
		{"POST", "/console/jobs/monthly/backfill", []string{"from", "2026-09", "to", "2026-09"}, "ops admin"},
		{"POST", "/console/runs/" + w.report.Run + "/rerun", nil, "ops admin"},
		{"POST", "/console/runs/" + w.queued + "/cancel", nil, "ops admin"},
		{"POST", "/console/carriers/fabrikam/preview", nil, "ops admin"},
		{"POST", "/console/holds", []string{"carrier", "fabrikam", "period", "2026-09", "why", "invoice 4711"}, "finance admin"},
		{"POST", "/console/holds/" + w.hold + "/release", []string{"why", "settled"}, "finance admin"},
		{"GET", "/console/erasures", nil, "admin"},
		{"GET", "/console/erasures/" + w.erasure, nil, "admin"},
		{"POST", "/console/reload", nil, "admin"},
		{"GET", "/console/audit", nil, "admin"},
		{"POST", rep + "/cases?class=duration_over", nil, "finance admin"},
		{"POST", rep + "/cases/" + caseID(0), nil, "finance admin"},
		{"POST", rep + "/cases/" + caseID(0) + "/work", []string{"revision", "0", "state", "disputed"}, "finance admin"},
		{"POST", "/console/cases/work", []string{"carrier", "fabrikam", "to_state", "disputed"}, "finance admin"},
		{"POST", "/console/cases/work", []string{"carrier", "fabrikam", "to_state", "accepted", "expect", "60", "key", "k", "sure", "1"}, "finance admin"},
		{"POST", rep + "/signoff", []string{"step", "submit"}, "finance admin"},
		{"POST", "/console/files/" + w.file.ID, nil, "finance admin"},
		{"GET", rep + "/files/discrepancies.csv", nil, "finance admin"},
		{"GET", rep + "/files/summary.json", nil, "finance admin"}, // it names an input with a number
	}
}

type action struct {
	method, path string
	form         []string
	who          string
}

func (b *browser) act(a action) (int, string) {
	b.t.Helper()
	if a.method == http.MethodGet {
		return b.get(a.path)
	}
	if strings.HasSuffix(a.path, "/preview") { // its form has a file
		return b.try(german, "a.csv", columns+rowOne)
	}
	return b.post(a.path, a.form...)
}

func TestEachRoleDoesWhatItMayAndIsNotedWhenItTriesMore(t *testing.T) {
	for _, role := range []string{"finance", "ops", "admin"} {
		w := newWorld(t)
		w.reads(t)
		b := w.as(t, role)
		denied := 0
		for _, a := range w.actions() {
			status, page := b.act(a)
			may := slices.Contains(strings.Fields(a.who), role)
			if may && status != http.StatusOK || !may && status != http.StatusForbidden {
				t.Errorf("%s: %s %s answers %d", role, a.method, a.path, status)
			}
			if !may {
				denied++
				if strings.Contains(page, canary[1:]) {
					t.Errorf("%s: %s %s shows a number", role, a.method, a.path)
				}
			}
			if rows := w.audit(t, "console.denied"); len(rows) != denied {
				t.Errorf("%s: after %s %s the audit trail has %d refusals, want %d", role, a.method, a.path, len(rows), denied)
			}
		}
		if paused, err := w.store.Paused(t.Context()); err != nil || len(paused) != 0 {
			t.Errorf("%s: paused is %v, %v", role, paused, err)
		}
	}
}

// TestEveryActionIsTriedByEachRole finds routes that were added without a line in
// the list of actions.
func TestEveryActionIsTriedByEachRole(t *testing.T) {
	w, mux, tried := newWorld(t), http.NewServeMux(), map[string]bool{}
	for _, r := range console.Routes() {
		mux.Handle(r.Pattern, http.NotFoundHandler())
	}
	for _, a := range w.actions() {
		_, pattern := mux.Handler(httptest.NewRequest(a.method, a.path, nil))
		tried[pattern] = true
	}
	for _, r := range console.Routes() {
		acts := strings.HasPrefix(r.Pattern, "POST ")
		if (acts || r.Right != control.Look) && !tried[r.Pattern] {
			t.Errorf("no action of the list leads to %s: add one, with the roles that may do it", r.Pattern)
		}
		if acts && r.Right == control.Look {
			t.Errorf("%s is an action that everybody may do", r.Pattern)
		}
	}
}

func TestNumbersAreShownToWhoAsksAndNoted(t *testing.T) {
	w := newWorld(t)
	b, rep := w.as(t, "finance"), "/console/reports/"+w.report.ID
	status, page := b.post(rep + "/cases/" + caseID(3))
	if status != http.StatusOK || !strings.Contains(page, canary[1:]) {
		t.Errorf("a case answers %d without its number", status)
	}
	inert(t, "case", page)
	if got := w.audit(t, "number.unmask"); len(got) != 1 || got[0] != "finance "+w.report.ID+" "+caseID(3) {
		t.Errorf("noted: %v", got)
	}
	if _, page := b.get(rep + "/cases/" + caseID(3)); strings.Contains(page, canary[1:]) {
		t.Error("the number is shown again without asking")
	}
	status, page = b.post(rep + "/cases?offset=50")
	if status != http.StatusOK || strings.Count(page, canary[1:]) != 10 {
		t.Errorf("a page answers %d with %d numbers", status, strings.Count(page, canary[1:]))
	}
	inert(t, "cases", page)
	if got := w.audit(t, "number.unmask"); len(got) != 2 || len(strings.Fields(got[0])) != 12 {
		t.Errorf("noted: %v", got)
	}
	if _, page := b.get("/console/files/" + w.file.ID); strings.Contains(page, canary[1:]) || !strings.Contains(page, "Show the name") {
		t.Error("the name of a file is not masked, or cannot be shown")
	}
	status, page = b.post("/console/files/" + w.file.ID)
	if got := w.audit(t, "file.unmask"); status != http.StatusOK || !strings.Contains(page, canary[1:]) || len(got) != 1 {
		t.Errorf("a file answers %d, noted: %v", status, got)
	}
	inert(t, "file", page)
	if _, page := b.get(rep + "/cases?text=" + url.QueryEscape(canary[1:])); !strings.Contains(page, "No discrepancy is like that") {
		t.Error("numbers can be found by more than what is shown of them")
	}
}

func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "admin")
	for name, set := range map[string]func(http.Header){
		"another site":       func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"a neighbour":        func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"an older browser":   func(h http.Header) { h.Set("Origin", "https://evil.example") },
		"a page without one": func(h http.Header) { h.Set("Origin", "null") },
	} {
		for _, a := range w.actions() {
			if a.method == http.MethodGet {
				continue
			}
			r, err := http.NewRequestWithContext(t.Context(), a.method, b.base+a.path, strings.NewReader(url.Values{"why": {"x"}, "sure": {"1"}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			set(r.Header)
			if status, _ := b.do(r); status != http.StatusForbidden {
				t.Errorf("%s: %s answers %d", name, a.path, status)
			}
		}
	}
	if paused, err := w.store.Paused(t.Context()); err != nil || len(paused) != 0 {
		t.Errorf("paused is %v, %v", paused, err)
	}
	if rows := w.audit(t, "number.unmask"); len(rows) != 0 {
		t.Errorf("numbers went out: %v", rows)
	}
}

// Two people at one browser: who was here before is out, and cannot be taken for
// the other by a cookie that was copied.
func TestWhoLogsInAgainEndsTheSessionBefore(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "admin")
	at, err := url.Parse(b.base)
	if err != nil {
		t.Fatal(err)
	}
	before := b.Jar.Cookies(at)
	if status, _ := b.post("/console/login", "name", "finance", "password", password); status != http.StatusOK {
		t.Fatal(status)
	}
	thief := w.browser(t)
	thief.Jar.SetCookies(at, before)
	if _, page := thief.get("/console/"); !strings.Contains(page, `name="password"`) {
		t.Error("the session of before lasts")
	}
	if rows := w.audit(t, "session.logout"); len(rows) != 1 {
		t.Errorf("noted: %v", rows)
	}
}
