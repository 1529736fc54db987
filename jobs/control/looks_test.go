package control_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

func TestARunLeadsToItsFilesItsReportAndItsOtherAttempts(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "FAB_000001.csv", "2026-10-05")
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}})
	if err != nil {
		t.Fatal(err)
	}
	r := o.claim(t)
	if err := o.store.Snapshot(t.Context(), r.Lease(), json.RawMessage(`{"program":"test"}`), []jobs.RunInput{{Role: "carrier", File: e.ID, SHA256: e.SHA256}}); err != nil {
		t.Fatal(err)
	}
	v1 := o.publish(t, r, 1)
	p, err := o.Rerun(t.Context(), list[0].Run, "ann")
	if err != nil || p.Outcome != control.Enqueued {
		t.Fatalf("got %+v, %v", p, err)
	}
	v2 := o.publish(t, o.claim(t), 2)
	first, err := o.Run(t.Context(), list[0].Run)
	if err != nil || first.Inputs[0].Name != e.Name || first.Published.ID != v1.ID || len(first.Before) != 0 || len(first.After) != 1 || first.After[0].ID != p.Run {
		t.Errorf("the first run is %+v, %v", first, err)
	}
	second, err := o.Run(t.Context(), p.Run)
	if err != nil || len(second.Before) != 1 || second.Before[0].ID != list[0].Run || second.Trigger != "rerun" || second.By != "ann" {
		t.Errorf("the second run is %+v, %v", second, err)
	}
	f, err := o.File(t.Context(), e.ID)
	if err != nil || len(f.Runs) != 1 || f.Runs[0].ID != r.ID || len(f.Reports) != 1 || f.Reports[0].ID != v1.ID {
		t.Errorf("the file is %+v, %v", f, err)
	}
	rep, err := o.Report(t.Context(), v2.ID)
	if err != nil || len(rep.Versions) != 2 || rep.Versions[0].ID != v1.ID || rep.Versions[0].SupersededBy != v2.ID || len(rep.Files) != 3 {
		t.Errorf("the report is %+v, %v", rep, err)
	}
	changes, err := o.Changes(t.Context(), v2.ID, "", 10)
	if err != nil || len(changes) != 1 || changes[0].Case != "c1" || changes[0].DiffMS != 6000 {
		t.Errorf("the changes are %+v, %v", changes, err)
	}
	c, err := o.Carriers(t.Context())
	if err != nil || len(c) != 2 || c[0].LastFile.ID != e.ID || c[0].NewestReport.ID != v2.ID || c[1].LastFile != nil {
		t.Errorf("the carriers are %+v, %v", c, err)
	}
}

func TestFilesOfAReportAreThoseOfItsManifest(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}}); err != nil {
		t.Fatal(err)
	}
	rep := o.publish(t, o.claim(t), 1)
	dir := filepath.Join(o.Folder, filepath.FromSlash(rep.Folder))
	write(t, filepath.Join(dir, "stray.csv"), "x")
	for _, name := range []string{"stray.csv", "../v1/summary.json", "/etc/passwd", "", "."} {
		_, _, err := o.OpenReportFile(t.Context(), rep.ID, name, "ann")
		refused(t, err, control.NotFound)
	}
	for _, name := range []string{"summary.json", "manifest.json", "discrepancies.csv"} {
		f, size, err := o.OpenReportFile(t.Context(), rep.ID, name, "ann")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil || int64(len(b)) != size {
			t.Errorf("%s: %d bytes of %d, %v", name, len(b), size, err)
		}
	}
	rows, err := o.Audit(t.Context(), jobs.AuditFilter{What: "report.evidence"})
	if err != nil || len(rows) != 1 || rows[0].Detail != "discrepancies.csv" || rows[0].Object != rep.ID {
		t.Errorf("of evidence the audit trail says %v, %v", rows, err)
	}
	write(t, filepath.Join(dir, "summary.json"), "{ }  \n")
	if _, _, err := o.OpenReportFile(t.Context(), rep.ID, "summary.json", "ann"); err == nil {
		t.Error("a file of another length than the manifest says was given out")
	}
	write(t, filepath.Join(dir, "manifest.json"), `{"files":[]}`)
	if _, err := o.Report(t.Context(), rep.ID); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a manifest that was changed: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, _, err = o.OpenReportFile(t.Context(), rep.ID, "summary.json", "ann")
	refused(t, err, control.Unavailable, "in its place")
}

func TestWhatIsOverCannotBeCancelled(t *testing.T) {
	o := newOffice(t)
	list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Cancel(t.Context(), list[0].Run, "ann")
	if err != nil || r.State != "cancelled" || !strings.Contains(r.Error, "ann") {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err = o.Cancel(t.Context(), list[0].Run, "ann")
	refused(t, err, control.Conflict, "over")
	_, err = o.Cancel(t.Context(), "nonsense", "ann")
	refused(t, err, control.NotFound, "nonsense")
}

func TestAJobSaysWhenItIsDue(t *testing.T) {
	o := newOffice(t)
	list, err := o.Jobs(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatalf("got %v, %v", list, err)
	}
	daily := list[1]
	if daily.Name != "daily" || daily.Zone != "Europe/Berlin" || len(daily.Next) != 5 || daily.Next[0] != time.Date(2026, 10, 7, 4, 30, 0, 0, time.UTC) || !slices.IsSortedFunc(daily.Next, time.Time.Compare) {
		t.Errorf("daily is %+v", daily)
	}
}

func TestEveryUnknownFileOfAReportIsEvidence(t *testing.T) {
	for _, name := range []string{"discrepancies.csv", "discrepancies.parquet", "verdicts.csv", "changes.csv", "usage_users.csv", "report.xlsx", "dispute.xlsx", "new.csv", "Summary.json"} {
		if !control.Evidence(name) {
			t.Errorf("%s may be had without a right to numbers", name)
		}
	}
}

// TestAReportThatNamesItsInputsIsEvidence has an input whose name holds a number:
// then who sees a file that names it is in the audit trail.
func TestAReportThatNamesItsInputsIsEvidence(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "cdr_493012345678.csv", "2026-10-01")
	if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}}); err != nil {
		t.Fatal(err)
	}
	r := o.claim(t)
	if err := o.store.Snapshot(t.Context(), r.Lease(), []byte("{}"), []jobs.RunInput{{Role: "carrier", File: e.ID, SHA256: e.SHA256}}); err != nil {
		t.Fatal(err)
	}
	rep := o.publish(t, r, 1)
	for n, name := range []string{"summary.json", "manifest.json"} {
		f, _, err := o.OpenReportFile(t.Context(), rep.ID, name, "ann")
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		rows, err := o.Audit(t.Context(), jobs.AuditFilter{What: "report.evidence"})
		if err != nil || len(rows) != n+1 || rows[0].Detail != name || rows[0].Object != rep.ID || rows[0].Who != "ann" {
			t.Errorf("%s: the audit trail says %+v, %v", name, rows, err)
		}
	}
}
