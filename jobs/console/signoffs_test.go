package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

const changesHead = "change,case_id,class_before,class,difference_seconds_before,difference_seconds,microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,differs,microsoft_seconds_before,carrier_seconds_before\n"

// approve has the newest version approved, and its period reopened.
func (w *world) approve(t *testing.T) {
	t.Helper()
	for _, s := range []control.SignOffStep{{Step: "submit", By: "finance"}, {Step: "approve", By: "admin"}, {Step: "reopen", Why: payloads[0], By: "admin"}} {
		s.Report = w.report.ID
		if _, err := w.desk.StepSignOff(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// another publishes one more version, with what it changed.
func (w *world) another(t *testing.T, changes string, m *match) {
	t.Helper()
	if _, err := w.desk.Cases(t.Context(), jobs.CasesFilter{}); err != nil { // the register knows the version before
		t.Fatal(err)
	}
	if _, err := w.desk.Start(t.Context(), control.Start{Job: "monthly", Carriers: []string{"fabrikam"}, Period: "2026-10", By: "ops"}); err != nil {
		t.Fatal(err)
	}
	var r jobs.Run
	for r.Carrier != "fabrikam" {
		var err error
		if r, err = w.store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	w.report = w.publish(t, r, 3, m)
	if err := os.WriteFile(filepath.Join(w.desk.Folder, "fabrikam/2026-10/v3/changes.csv"), []byte(changesHead+changes), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhatChangedSinceTheSignOffIsShownWithItsSums(t *testing.T) {
	w := newWorld(t)
	rep := "/console/reports/" + w.report.ID
	b := w.as(t, "ops")
	if status, page := b.get(rep + "/since"); status != http.StatusNotFound || !strings.Contains(page, "ever approved") {
		t.Errorf("without a sign-off it answers %d", status)
	}
	w.approve(t)
	if status, page := b.get(rep + "/since"); status != http.StatusOK || !strings.Contains(page, "No case differs") {
		t.Errorf("with nothing new it answers %d", status)
	}
	if _, page := b.get(rep); strings.Contains(page, "/since") {
		t.Error("the approved version says what changed since itself")
	}
	old := w.report.ID
	w.another(t, "changed,"+caseID(0)+",duration_over,duration_over,1.3,7.3,2026-10-01T12:00:00Z,,100,107.3,carrier_seconds difference_seconds,,101.3\n"+
		"closed,"+caseID(1)+",duration_over,,1.3,,2026-10-01T12:00:01Z,,100,101.3,,,\n"+
		"opened,"+caseID(90)+",,missing_at_carrier,,,2026-10-01T12:00:02Z,,180,,,,\n", hostileMatch())
	for _, id := range []string{old, w.report.ID} {
		status, page := b.get("/console/reports/" + id)
		if status != http.StatusOK || !strings.Contains(page, "1 opened, 1 changed, 1 closed") {
			t.Errorf("report %s answers %d and does not say what changed", id, status)
		}
		inert(t, "report", page)
		status, page = b.get("/console/reports/" + id + "/since")
		for _, want := range []string{
			"version 2</a>, approved by admin", "Missing at the carrier", `<td class="num">1</td><td class="num">3.0</td>`, "&#43;7.3",
			"/console/reports/" + old + "/cases/" + caseID(1) + `"`, "/console/reports/" + w.report.ID + "/cases/" + caseID(0) + `"`,
		} {
			if status != http.StatusOK || !strings.Contains(page, want) {
				t.Errorf("since the sign-off answers %d without %q", status, want)
			}
		}
		inert(t, "since", page)
	}
	if err := os.Remove(filepath.Join(w.desk.Folder, "fabrikam/2026-10/v3/changes.csv")); err != nil {
		t.Fatal(err)
	}
	if status, page := b.get(rep); status != http.StatusOK || !strings.Contains(page, "/since") {
		t.Errorf("without the changes a report answers %d", status)
	}
	if status, _ := b.get(rep + "/since"); status != http.StatusServiceUnavailable {
		t.Errorf("without the changes it answers %d", status)
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

func TestEveryPeriodSaysWhereItStands(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	see := func(query string, want ...string) {
		t.Helper()
		status, page := b.get("/console/signoffs" + query)
		inert(t, "sign-offs", page)
		for _, x := range want {
			if status != http.StatusOK || !strings.Contains(page, x) {
				t.Errorf("sign-offs%s answer %d without %q", query, status, x)
			}
		}
	}
	see("?state=draft", "/console/reports/"+w.report.ID, `<td class="num">2</td>`)
	see("?state=draft&carrier=litware", "No period is like that")
	old := w.report.ID
	for i, s := range []struct{ step, by, state, want string }{
		{"submit", "finance", "in_review", "in review"}, {"approve", "admin", "approved", "locked"}, {"reopen", "admin", "reopened", "reopened"},
	} {
		w.now = w.now.Add(time.Minute)
		if _, err := w.desk.StepSignOff(t.Context(), control.SignOffStep{Report: old, Step: s.step, Why: payloads[i], By: control.By(s.by)}); err != nil {
			t.Fatal(err)
		}
		see("?state="+s.state, s.want, ", finance")
		see("?state=draft", "No period is like that")
	}
	see("", "09:02</time>, admin", "<td>nothing</td>")
	w.another(t, "", hostileMatch())
	see("?state=reopened&carrier=fabrikam", `<td class="num">3</td>`, "/console/reports/"+w.report.ID+`/since">1 opened, 0 changed, 1 closed`, "/console/reports/"+old, "09:03</time>, admin")
	see("?state=approved", "No period is like that")
}
