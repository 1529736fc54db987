package console_test

import (
	"net/http"
	"strings"
	"testing"
)

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

func TestAVersionIsSignedOffByTwo(t *testing.T) {
	w := newWorld(t)
	path := "/console/reports/" + w.report.ID
	fin, admin := w.as(t, "finance"), w.as(t, "admin")
	for _, step := range []struct {
		b           *browser
		step, why   string
		status      int
		want, audit string
	}{
		{fin, "submit", "", http.StatusOK, "in review", "report.submit"},
		{fin, "approve", "", http.StatusForbidden, "in review", "report.approve.denied"},
		{admin, "approve", "", http.StatusOK, "The period is locked", "report.approve"},
		{fin, "reopen", "mine", http.StatusForbidden, "", ""},
		{admin, "reopen", "", http.StatusBadRequest, "for what reason", ""},
		{admin, "reopen", payloads[0], http.StatusOK, "reopened by admin", "report.reopen"},
		{admin, payloads[1], "", http.StatusBadRequest, "send_back", ""},
	} {
		status, page := step.b.post(path+"/signoff", "step", step.step, "why", step.why)
		if status != step.status || !strings.Contains(page, step.want) {
			t.Errorf("%s answers %d without %q", step.step, status, step.want)
		}
		inert(t, step.step, page)
		if step.audit != "" && len(w.audit(t, step.audit)) != 1 {
			t.Errorf("%s: not noted", step.audit)
		}
	}
}
