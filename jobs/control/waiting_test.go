package control_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// versionOf publishes a version of a carrier's day with one case, of which the
// files are as given.
func (o *office) versionOf(t *testing.T, carrier string, version int, discrepancies, changes string) {
	t.Helper()
	if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{carrier}, Period: "2026-10-05", By: "ops"}); err != nil {
		t.Fatal(err)
	}
	r := o.publish(t, o.claim(t), version)
	dir := filepath.Join(o.Folder, filepath.FromSlash(r.Folder))
	write(t, filepath.Join(dir, "discrepancies.csv"), discrepancies)
	write(t, filepath.Join(dir, "changes.csv"), changes)
}

const oneCase = "case_id,class,microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,difference_seconds,microsoft_row,carrier_row\nc1,duration_over,2026-10-05T12:00:00Z,,60,66,6,1,1\n"

// A damaged disk block of one carrier would stop finance with every carrier.
func TestADamagedVersionKeepsNoOtherCarrierBack(t *testing.T) {
	o := newOffice(t)
	var told []error
	o.Trouble = func(err error) { told = append(told, err) }
	o.versionOf(t, "fabrikam", 1, oneCase, "")
	if _, err := o.Cases(t.Context(), jobs.CasesFilter{}); err != nil {
		t.Fatal(err)
	}
	o.versionOf(t, "fabrikam", 2, oneCase, "broken\n")
	o.versionOf(t, "litware", 1, oneCase, "")

	page, err := o.Cases(t.Context(), jobs.CasesFilter{})
	if err != nil || len(page.Cases) != 2 || strings.Join(page.Waiting, "") != "version 2 of 2026-10-05 of fabrikam (its cases cannot be taken over)" {
		t.Errorf("%+v, %v", page, err)
	}
	ages, err := o.CaseAges(t.Context(), jobs.CasesFilter{})
	if err != nil || len(ages.Buckets) != 1 || ages.Buckets[0].Cases != 2 || len(ages.Waiting) != 1 {
		t.Errorf("%+v, %v", ages, err)
	}
	if len(told) != 2 || !strings.Contains(told[0].Error(), "changes.csv of version 2") {
		t.Errorf("told of %v", told)
	}
	for _, f := range []jobs.CasesFilter{{Classes: []string{"duration_over"}}, {Carrier: "fabrikam"}, {Period: "2026-10-05"}, {Cases: []string{"c1"}}, {Carrier: "fabrikam", Period: "2026-10-05"}} {
		_, err := o.WorkOnCases(t.Context(), control.CaseWork{Filter: f, State: "disputed", By: "ann"})
		refused(t, err, control.Unavailable, "the cases of version 2 of 2026-10-05 of fabrikam cannot be taken over")
	}
	for _, f := range []jobs.CasesFilter{{Carrier: "litware"}, {Carrier: "litware", Cases: []string{"c1"}}} {
		if done, err := o.WorkOnCases(t.Context(), control.CaseWork{Filter: f, State: "disputed", By: "ann", DryRun: true}); err != nil || done.Applied.Cases != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	if done, err := o.WorkOnCases(t.Context(), control.CaseWork{Filter: jobs.CasesFilter{Period: "2026-10-04"}, State: "disputed", By: "ann"}); err != nil || done.Matched != 0 {
		t.Errorf("a period that is whole: %+v, %v", done, err)
	}
	if _, err := o.Case(t.Context(), "c1", jobs.CasesFilter{Carrier: "litware"}); err != nil {
		t.Error(err)
	}
}

// What concerns all is no matter of one version.
func TestCasesOfADatabaseThatIsGoneAreAnError(t *testing.T) {
	o := newOffice(t)
	if err := o.store.Close(); err != nil {
		t.Fatal(err)
	}
	if page, err := o.Cases(t.Context(), jobs.CasesFilter{}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("%+v, %v", page, err)
	}
}
