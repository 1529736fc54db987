package service_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// usage waits for a version of the usage of October and returns its rows.
func (h *house) usage(version int) (r control.Report, rows [][]string) {
	h.t.Helper()
	h.until(fmt.Sprintf("version %d of the usage is published", version), func() bool {
		list, err := h.desk.Reports(h.t.Context(), jobs.ReportFilter{Kind: jobs.ReportUsage, Newest: true})
		if err != nil || len(list) != 1 || list[0].Version != version {
			return false
		}
		r = list[0]
		_, err = os.Stat(filepath.Join(h.usageFolder(version), "manifest.json"))
		return err == nil
	})
	b, err := h.config(h.t).Encryption.ReadFile(filepath.Join(h.usageFolder(version), "usage.csv"), 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	return r, all[1:]
}

func (h *house) usageFolder(version int) string {
	return filepath.Join(h.dir, "data", "reports", "fabrikam", "usage", "2026-10", fmt.Sprint("v", version))
}

func (h *house) startUsage() control.RunDetail {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "usage", Period: "2026-10", By: "test"})
	if err != nil || len(list) != 1 {
		h.t.Fatalf("%+v, %v", list, err)
	}
	return h.ends(list[0].Run)
}

// From files to what customers have used, and what a late file makes of it.
func TestUsageFollowsReports(t *testing.T) {
	h := openLocked(t, "  usage: {kind: usage, schedule: \"0 8 1 * *\", period: previous_month, late_delay: 1ms}\n")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}, call{"m2", "2026-10-01T11:00:00Z", 120}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:01Z", 61}))
	daily := h.run()
	planned, err := h.desk.Start(t.Context(), control.Start{Job: "usage", Period: "2026-10", DryRun: true, By: "test"})
	if err != nil || len(planned) != 1 || len(planned[0].Files) != 1 || planned[0].Files[0].File != daily.Report || planned[0].Files[0].Name != "2026-10-01 version 1" {
		t.Errorf("planned %+v, %v", planned, err)
	}
	run := h.startUsage()
	if run.State != string(jobs.RunSucceeded) || len(run.Inputs) != 1 || run.Inputs[0].Name != "2026-10-01 version 1" || run.Published == nil || run.Published.Kind != jobs.ReportUsage {
		t.Fatalf("%+v", run)
	}
	v1, rows := h.usage(1)
	if len(rows) != 1 || strings.Join(rows[0][6:], " ") != "2 180 61 181 0" || v1.Microsoft != (jobs.Tally{Records: 2, DurationMS: 180_000}) {
		t.Errorf("%+v, rows %q", v1, rows)
	}
	if again := h.startUsage(); again.Report != v1.ID || !strings.Contains(again.Error, "the same bytes as version 1") {
		t.Errorf("%+v", again)
	}
	d, err := h.desk.Report(t.Context(), v1.ID)
	if err != nil || len(d.Files) != 5 || len(d.Versions) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{File: daily.Report})
	if err != nil || len(list) != 1 || list[0].ID != v1.ID {
		t.Errorf("made of the report: %+v, %v", list, err)
	}
	h.send("b.csv", table(call{"c2", "2026-10-01T11:00:00Z", 121}))
	v2, rows := h.usage(2)
	if len(rows) != 1 || strings.Join(rows[0][6:], " ") != "2 180 182 182 0" || v2.Supersedes != v1.ID {
		t.Errorf("%+v, rows %q", v2, rows)
	}
	h.stop()
	if log := h.out.String(); !strings.Contains(log, "30 of 31 days have no report") {
		t.Errorf("the log: %s", log)
	}
	h.noNumber()
	h.hidden("12345678", "duration_ms", "PAR1")
}

// A number is taken away between two calls. Only the later one is flagged, and a
// listing that says nothing new of the day makes no further version.
func TestCallsOnUnassignedNumbersAreFlagged(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [op-f]\nmicrosoft: {numbers: listings}\n" + storyJobs + "  numbers: {kind: numbers}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	const head = "telephone_number,carrier\n+442071230000,fabrikam\n"
	take := func(name, text string) {
		t.Helper()
		h.list(name, text)
		list, err := h.desk.Start(t.Context(), control.Start{Job: "numbers", By: "test"})
		if err != nil || h.ends(list[0].Run).State != string(jobs.RunSucceeded) {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	take("20261001T090000Z.csv", head+"+493012345678,fabrikam\n")
	take("20261001T103000Z.csv", head)
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}, call{"m2", "2026-10-01T11:00:00Z", 120}, call{"m3", "2026-10-01T12:00:00Z", 120}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 90}, call{"c2", "2026-10-01T11:00:00Z", 150}, call{"c3", "2026-10-01T12:00:00Z", 120}))
	run := h.run()
	h.version(1)
	flags := map[string]string{}
	for _, row := range h.rows(1, "discrepancies.csv") {
		flags[row[5]] = row[4]
	}
	if len(flags) != 2 || flags["m1"] != "" || flags["m2"] != "unassigned_number" {
		t.Errorf("flags %v", flags)
	}
	b, err := os.ReadFile(filepath.Join(h.folder(1), "summary.json"))
	if err != nil || !strings.Contains(string(b), "2 calls (4.0 minutes) were on numbers that were not assigned to fabrikam") ||
		!strings.Contains(string(b), `"known_from_utc": "2026-10-01T09:00:00Z"`) {
		t.Errorf("%s, %v", b, err)
	}
	in := run.Inputs[len(run.Inputs)-1]
	if in.Role != "numbers" || in.File != "listings up to number 2" || !strings.Contains(string(b), in.SHA256) {
		t.Errorf("inputs %+v", run.Inputs)
	}
	take("20261002T040000Z.csv", "telephone_number,carrier\n+442071230000,fabrikam\n+442071239999,fabrikam\n")
	if again := h.run(); !strings.Contains(again.Error, "the same bytes as version 1") {
		t.Errorf("%+v", again)
	}
	h.stop()
	h.noNumber()
	if left, err := os.ReadDir(filepath.Join(h.dir, "data", "reports", ".staging")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
