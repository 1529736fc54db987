package control_test

import (
	"testing"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

// Who has two names would lock a period alone.
func TestOnePersonByTwoNamesDoesNotApproveTheirOwn(t *testing.T) {
	o := newOffice(t)
	cfg := *o.Config()
	cfg.HTTP.Tokens = []config.Token{{Name: "ann-script", Person: "ann"}, {Name: "month-end"}}
	o.Config = func() *config.Config { return &cfg }
	o.versionOf(t, "fabrikam", 1, oneCase, "")
	list, err := o.Standings(t.Context(), jobs.SignOffFilter{})
	if err != nil {
		t.Fatal(err)
	}
	report := list[0].Report
	step := func(step string, by control.By) (control.SignOff, error) {
		return o.StepSignOff(t.Context(), control.SignOffStep{Report: report, Step: step, Why: "x", By: by})
	}
	for submitter, same := range map[control.By][]control.By{
		"ann":        {"ann", "local:ann", "ann-script"},
		"local:ann":  {"ann", "ann-script"},
		"ann-script": {"ann", "local:ann"},
	} {
		if x, err := step("submit", submitter); err != nil || x.State != "in_review" {
			t.Fatal(x, err)
		}
		for _, by := range same {
			_, err := step("approve", by)
			refused(t, err, control.Forbidden, "another person")
		}
		if _, err := step("send_back", "bob"); err != nil {
			t.Fatal(err)
		}
	}
	if x, err := step("submit", "ann-script"); err != nil || x.SubmittedBy != "ann" {
		t.Error(x, err)
	}
	if rows, err := o.Audit(t.Context(), jobs.AuditFilter{What: "report.submit", Limit: 1}); err != nil || rows[0].Who != "ann-script" {
		t.Errorf("the audit trail says %+v, %v", rows, err)
	}
	if x, err := step("approve", "month-end"); err != nil || x.ApprovedBy != "month-end" {
		t.Error(x, err)
	}
}
