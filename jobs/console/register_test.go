package console_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concord/engine"
	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/net/html"
)

// sureFields returns what the form with a button named sure would send.
func sureFields(t *testing.T, page string) (pairs []string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if n.Data != "form" {
			return
		}
		var list []string
		for c := range n.Descendants() {
			at := map[string]string{}
			for _, a := range c.Attr {
				at[a.Key] = a.Val
			}
			if c.Data == "input" && at["type"] == "hidden" {
				list = append(list, at["name"], at["value"])
			}
		}
		if slices.Contains(list, "sure") {
			pairs = list
		}
	})
	if pairs == nil {
		t.Fatal("there is no form to be sure with")
	}
	return pairs
}

// A version whose file is damaged must not keep finance from all other cases.
func TestAVersionThatCannotBeReadIsNamedAboveTheOtherCases(t *testing.T) {
	w := newWorld(t)
	w.truncate(t, "discrepancies.csv")
	status, page := w.as(t, "finance").get("/console/cases")
	if status != http.StatusOK || !strings.Contains(page, "cannot be read: version 2 of ") {
		t.Errorf("%d %s", status, page)
	}
}

// truncate leaves nothing of a file of the report.
func (w *world) truncate(t *testing.T, name string) {
	t.Helper()
	if err := os.Truncate(filepath.Join(w.desk.Folder, filepath.FromSlash(w.report.Folder), name), 0); err != nil {
		t.Fatal(err)
	}
}

func TestManyCasesAreWorkedOnAfterALookAndOnce(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	status, page := b.post("/console/cases/work", "carrier", "fabrikam", "state", "open", "days", "", "to_state", "disputed", "to_owner", payloads[1], "comment", payloads[0])
	if status != http.StatusOK || !strings.Contains(page, "60 of 60 cases would be changed") || !strings.Contains(page, "100.0 min at Microsoft") {
		t.Fatalf("a look answers %d", status)
	}
	inert(t, "look", page)
	if rows := w.audit(t, "cases.work"); len(rows) != 0 {
		t.Errorf("a look has done %v", rows)
	}
	sure := sureFields(t, page)
	for range 2 { // the form is sent twice
		status, page = b.post("/console/cases/work", sure...)
		if status != http.StatusOK || !strings.Contains(page, "60 cases were changed.") {
			t.Errorf("the work answers %d", status)
		}
	}
	if rows := w.audit(t, "cases.work"); len(rows) != 1 || !strings.HasPrefix(rows[0], "finance ") {
		t.Errorf("noted: %v", rows)
	}
	_, page = b.get("/console/cases?state=disputed&owner=" + url.QueryEscape(payloads[1]))
	if !strings.Contains(page, "disputed") || !strings.Contains(page, "Work on all 60 at once") {
		t.Error("the cases are not disputed, or cannot be found by their owner")
	}
	inert(t, "register", page)
	_, page = b.get("/console/cases/" + caseID(7) + "?carrier=fabrikam&period=2026-10")
	if !strings.Contains(page, "Case work: disputed") {
		t.Error("the evidence does not say that the case is disputed")
	}
	inert(t, "case", page)
}

func TestWorkOnOtherCasesThanWereSeenIsNotDone(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	_, page := b.post("/console/cases/work", "carrier", "fabrikam", "state", "open", "to_state", "accepted")
	sure := sureFields(t, page)
	if status, _ := b.post("/console/reports/"+w.report.ID+"/cases/"+caseID(0)+"/work", "revision", "0", "state", "resolved"); status != http.StatusOK {
		t.Fatalf("work on one answers %d", status)
	}
	status, page := b.post("/console/cases/work", sure...)
	if status != http.StatusConflict || !strings.Contains(page, `role="alert"`) || !strings.Contains(page, "Work on all 59 at once") {
		t.Errorf("work on 60 of which 59 are left answers %d", status)
	}
	list, err := w.desk.Cases(t.Context(), jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseAccepted}})
	if err != nil || len(list.Cases) != 0 {
		t.Errorf("accepted are %v, %v", list.Cases, err)
	}
	for name, form := range map[string][]string{
		"everything":         {"to_state", "accepted"},
		"nothing to do":      {"carrier", "fabrikam"},
		"no state":           {"carrier", "fabrikam", "to_state", payloads[1]},
		"a filter of none":   {"carrier", "fabrikam", "state", payloads[1], "to_state", "accepted"},
		"days of none":       {"days", payloads[0], "to_state", "accepted"},
		"no time":            {"days", "7", "before", payloads[0], "to_state", "accepted"},
		"an owner and none":  {"carrier", "fabrikam", "to_owner", "ann", "to_nobody", "1"},
		"without a look":     {"carrier", "fabrikam", "to_state", "accepted", "sure", "1"},
		"without a key":      {"carrier", "fabrikam", "to_state", "accepted", "sure", "1", "expect", "60"},
		"too long a comment": {"carrier", "fabrikam", "comment", strings.Repeat("x", 2001)},
	} {
		status, page := b.post("/console/cases/work", form...)
		if status != http.StatusBadRequest {
			t.Errorf("%s: it answers %d", name, status)
		}
		inert(t, name, page)
	}
}

func TestTheRegisterIsPagedAndCounted(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	_, page := b.get("/console/cases?carrier=fabrikam")
	if strings.Contains(page, "at once") {
		t.Error("a role that may not is offered work on cases")
	}
	next := ""
	every(t, page, func(n *html.Node) {
		for _, a := range n.Attr {
			if a.Key == "rel" && a.Val == "next" {
				next = n.Attr[0].Val
			}
		}
	})
	if strings.Count(page, `class="id"`) != 50 || next == "" {
		t.Fatalf("the first page has %d cases and leads to %q", strings.Count(page, `class="id"`), next)
	}
	if _, page := b.get(next); strings.Count(page, `class="id"`) != 10 || !strings.Contains(page, "First page") {
		t.Error("the second page has not the other ten cases")
	}
	if status, page := b.get("/console/cases?after=" + url.QueryEscape(payloads[0])); status >= 500 {
		t.Errorf("a place of no list answers %d", status)
	} else {
		inert(t, "no place", page)
	}
	for path, want := range map[string]int{
		"/console/cases?days=30": http.StatusOK, "/console/cases?days=31": http.StatusBadRequest, "/console/cases?state=lost": http.StatusBadRequest,
		"/console/cases/nothing": http.StatusNotFound, "/console/cases/" + caseID(0): http.StatusOK,
	} {
		if status, _ := b.get(path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
	w.now = w.now.AddDate(0, 0, 31)
	if _, page := w.as(t, "ops").get("/console/cases?days=30"); !strings.Contains(page, "60") || strings.Contains(page, "No case is like that") {
		t.Error("cases are not open for 30 days after 31")
	}
}

func TestANumberInAnOwnerOrACommentIsMasked(t *testing.T) {
	w := newWorld(t)
	owner := "ann " + canary
	if _, err := w.desk.WorkOnCases(t.Context(), control.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, Owner: &owner, Comment: "call " + canary, By: "finance"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/console/cases", "/console/cases/" + caseID(0) + "?carrier=fabrikam&period=2026-10"} {
		if _, page := w.as(t, "admin").get(path); strings.Contains(page, canary[1:]) || !strings.Contains(page, "3456") {
			t.Errorf("%s shows a number, or not its end", path)
		}
	}
}

func TestTheRegisterCanBeAskedForEachClassOfCases(t *testing.T) {
	w := newWorld(t)
	_, page := w.as(t, "ops").get("/console/cases")
	for c := range engine.Class(engine.NumClasses) {
		if c.Discrepancy() != strings.Contains(page, `<option value="`+c.String()+`"`) {
			t.Errorf("%s is offered although it is none, or is not", c)
		}
	}
}

func TestACaseIsWorkedOnAsItWasSeen(t *testing.T) {
	w := newWorld(t)
	path := "/console/reports/" + w.report.ID + "/cases/" + caseID(0)
	b := w.as(t, "finance")
	_, page := b.get(path)
	if !strings.Contains(page, "Case work: open") {
		t.Fatal("the case has no state")
	}
	status, page := b.post(path+"/work", "revision", "0", "state", "disputed", "owner", payloads[1], "comment", payloads[0])
	if status != http.StatusOK || !strings.Contains(page, "Case work: disputed") || !strings.Contains(page, "open → disputed") {
		t.Errorf("work on a case answers %d", status)
	}
	inert(t, "case work", page)
	if status, page := b.post(path+"/work", "revision", "99", "state", "accepted"); status != http.StatusConflict || !strings.Contains(page, "Case work: disputed") {
		t.Errorf("work on a case that was changed meanwhile answers %d", status)
	}
	if status, _ := b.post(path+"/work", "revision", "x"); status != http.StatusBadRequest {
		t.Errorf("a form of no page answers %d", status)
	}
	if status, page := b.post(path+"/work", "revision", "1", "state", payloads[2]); status != http.StatusBadRequest {
		t.Errorf("a state that is none answers %d", status)
	} else {
		inert(t, "no state", page)
	}
	if rows := w.audit(t, "cases.work"); len(rows) != 1 || !strings.HasPrefix(rows[0], "finance ") {
		t.Errorf("noted: %v", rows)
	}
}
