package control_test

import (
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// reported publishes a report of a day of fabrikam.
func (o *office) reported(t *testing.T, day string) jobs.Report {
	t.Helper()
	if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}, Period: day}); err != nil {
		t.Fatal(err)
	}
	return o.publish(t, o.claim(t), 1)
}

// A report of long ago that is made today would pass for how the carrier stands.
func TestTheNewestReportIsOfTheLatestPeriod(t *testing.T) {
	o := newOffice(t)
	for _, day := range []string{"2026-10-02", "2026-10-04", "2026-10-01", "2099-01-01", "2026-10-03"} {
		o.reported(t, day)
	}
	list, err := o.Carriers(t.Context())
	if err != nil || list[0].NewestReport == nil || list[0].NewestReport.Period.Text != "2026-10-04" {
		t.Errorf("the newest report is %+v, %v", list[0].NewestReport, err)
	}
}
