package service_test

import (
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// step takes the newest version one step on its way to being signed off.
func (h *house) step(report, step, why, by string) control.SignOff {
	h.t.Helper()
	s, err := h.desk.StepSignOff(h.t.Context(), control.SignOffStep{Report: report, Step: step, Why: why, By: control.By(by)})
	if err != nil {
		h.t.Fatalf("%s: %v", step, err)
	}
	return s
}

// A late file of a period that is signed off changes nothing of it until somebody
// reopens it; then the version that was held back is made.
func TestALateFileDoesNotChangeWhatIsSignedOff(t *testing.T) {
	h := openHouse(t, "")
	same := func(int) int { return 60 }
	h.microsoft("m1.csv", subjectCalls("m", 0, 12, same))
	h.send("a.csv", subjectCalls("c", 0, 10, func(i int) int { return 60 + i%3*40 }))
	h.run()
	v := h.version(1)
	h.step(v.ID, "submit", "", "an accountant")
	if _, err := h.desk.StepSignOff(t.Context(), control.SignOffStep{Report: v.ID, Step: "approve", By: "an accountant"}); err == nil {
		t.Error("one person submits and approves")
	}
	h.step(v.ID, "approve", "", "another accountant")
	h.send("late.csv", subjectCalls("c", 10, 2, same))
	locked := func() (n int) {
		list, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.Kind == "period_locked" {
				n++
			}
		}
		return n
	}
	h.until("somebody is told that the period is locked", func() bool { return locked() == 1 })
	if list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{}); err != nil || len(list) != 1 {
		t.Errorf("%d versions, %v", len(list), err)
	}
	h.step(v.ID, "reopen", "the carrier sent two calls late", "the boss")
	if now := h.version(2); now.CarrierSide.Records != 12 {
		t.Errorf("%+v", now)
	}
	if n := locked(); n != 0 {
		t.Errorf("%d alerts are open", n)
	}
	since, err := h.desk.SinceSignOff(t.Context(), v.ID, "", 0)
	if err != nil || since.Approved.Version != 1 || since.Newest.Version != 2 {
		t.Errorf("%+v, %v", since, err)
	}
}

// What people made of a case whose id was made of a number stays with it when the
// number is erased.
func TestCaseWorkOutlivesAnErasure(t *testing.T) {
	h := subjectHouse(t)
	same := func(int) int { return 60 }
	h.microsoft("m1.csv", subjectCalls("m", 0, 12, same))
	h.send("a.csv", subjectCalls("c", 0, 12, func(i int) int { return 60 + i%3*40 }))
	h.run()
	h.version(1)
	all := func() control.CasePage {
		p, err := h.desk.Cases(t.Context(), jobs.CasesFilter{Carrier: "fabrikam"})
		if err != nil || len(p.Waiting) > 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		return p
	}
	h.until("the cases are known", func() bool { return len(all().Cases) > 0 })
	before := all().Cases
	owner := "the accountant"
	done, err := h.desk.WorkOnCases(t.Context(), control.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, State: "disputed", Owner: &owner, Comment: "asked the owner of +" + canary, By: "test"})
	if err != nil || done.Matched != int64(len(before)) {
		t.Fatalf("%+v, %v", done, err)
	}
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.erased(e.ID)
	after := all().Cases
	if len(after) != len(before) {
		t.Fatalf("%d cases, and %d before", len(after), len(before))
	}
	renamed := 0
	for i, c := range after {
		if c.State != "disputed" || c.Owner != owner {
			t.Errorf("%+v", c)
		}
		x, err := h.desk.Case(t.Context(), c.ID, jobs.CasesFilter{})
		if err != nil || len(x.Trail) != 1 || strings.Contains(x.Trail[0].Comment, canary) {
			t.Errorf("%+v, %v", x, err)
		}
		if c.ID != before[i].ID {
			renamed++
		}
	}
	if renamed == 0 {
		t.Error("no case has another id")
	}
	h.gone()
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.start()
	if again := all().Cases; len(again) != len(after) {
		t.Errorf("%d cases after a restart", len(again))
	}
}
