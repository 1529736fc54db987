package service_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
	"concord/jobs/service"
)

// The story of a day: what the carrier sent, what was late, what was corrected.
func TestFromAFileToAReportAndItsNextVersions(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}, call{"m2", "2026-10-01T11:00:00Z", 120}, call{"m3", "2026-10-01T12:00:00Z", 30}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:01Z", 60}))
	first := h.run()
	if first.State != "succeeded" || first.Published == nil || len(first.Inputs) != 2 {
		t.Fatalf("%+v", first)
	}
	v1 := h.version(1)
	if v1.CarrierSide != (jobs.Tally{Records: 1, DurationMS: 60_000}) || v1.Pending != 2 || v1.Discrepancies != 0 {
		t.Errorf("version 1: %+v", v1)
	}
	t.Run("again by name", func(t *testing.T) {
		if r := h.run(); r.Published == nil || r.Published.ID != v1.ID || !strings.Contains(r.Error, "the same bytes as version 1") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a late file", func(t *testing.T) {
		h.send("b.csv", table(call{"c2", "2026-10-01T11:00:00Z", 150}))
		v2 := h.version(2)
		if v2.CarrierSide.DurationMS != 210_000 || v2.Supersedes != v1.ID || v2.Changes != (jobs.Changes{Opened: 1}) {
			t.Errorf("version 2: %+v", v2)
		}
		if rows := h.rows(2, "discrepancies.csv"); len(rows) != 1 || rows[0][2] != "duration_over" {
			t.Errorf("discrepancies %v", rows)
		}
		if rows := h.rows(2, "changes.csv"); len(rows) != 1 || rows[0][0] != "opened" {
			t.Errorf("changes %v", rows)
		}
	})
	t.Run("the other side's file", func(t *testing.T) {
		h.microsoft("m2.csv", table(call{"m2", "2026-10-01T11:00:00Z", 150}))
		v3 := h.version(3)
		if v3.Discrepancies != 0 || v3.Changes != (jobs.Changes{Closed: 1}) {
			t.Errorf("version 3: %+v", v3)
		}
	})
	t.Run("files of other days change nothing", func(t *testing.T) {
		h.send("c.csv", table(call{"c9", "2026-09-30T11:00:00Z", 150}))
		list, err := h.desk.Runs(t.Context(), jobs.RunFilter{})
		if err != nil || len(list) != 4 {
			t.Errorf("runs %+v, %v", list, err)
		}
	})
	t.Run("every file leads to its reports", func(t *testing.T) {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Name: "a.csv"})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		f, err := h.desk.File(t.Context(), list[0].ID)
		if err != nil || len(f.Reports) != 3 {
			t.Errorf("%+v, %v", f, err)
		}
	})
	h.stop()
	h.noNumber()
}

// noNumber looks for the numbers of all calls where they must not be.
func (h *house) noNumber() {
	h.t.Helper()
	if strings.Contains(h.out.String(), "12345678") || strings.Contains(h.out.String(), "71234567") {
		h.t.Error("a phone number is in the log")
	}
}

func TestCallsThatStayMissingAreSettledWhenTheirTimeIsUp(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	if v := h.version(1); v.Pending != 1 {
		t.Errorf("version 1: %+v", v)
	}
	h.stop()
	h.offset += 4 * 24 * time.Hour
	h.start()
	if v := h.version(2); v.Pending != 0 || v.Discrepancies != 1 || v.Changes.Opened != 1 {
		t.Errorf("version 2: %+v", v)
	}
}

// A schedule that was missed is caught up, each day as it would have been.
func TestDaysThatWereMissedAreCaughtUp(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.stop()
	h.offset = offsetTo("2026-10-02T06:29:55Z")
	h.start()
	h.until("the day before is reported", func() bool {
		list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{})
		return err == nil && len(list) == 1 && list[0].Period.Text == "2026-10-01"
	})
	h.stop()
	h.offset += 3 * 24 * time.Hour
	h.start()
	h.until("the days since are reported", func() bool {
		list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{Newest: true})
		return err == nil && len(list) == 4
	})
	list, err := h.desk.Runs(t.Context(), jobs.RunFilter{Job: "daily"})
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int{}
	for _, r := range list {
		if r.Trigger == "schedule" || r.Trigger == "catch_up" {
			days[r.Period.Text]++
		}
	}
	for _, day := range []string{"2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04"} {
		if days[day] != 1 {
			t.Errorf("%s was due once and ran %d times", day, days[day])
		}
	}
}

// What a reload takes over, without a restart and without an interruption.
func TestAReloadTakesOverCarriersAndProfiles(t *testing.T) {
	h := openHouse(t, "")
	other, key := newKey(t)
	path := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	profile := "carrier: litware\n"
	if err := os.WriteFile(filepath.Join(h.dir, "litware.yaml"), []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "carriers:\n", "carriers:\n  litware: {keys: ["+other+"], profile: litware.yaml}\n", 1)
	if err := os.WriteFile(path, []byte(text+"  weekly: {kind: nonsense}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.desk.Reload(t.Context(), "test"); err == nil || !strings.Contains(err.Error(), "kind") {
		t.Errorf("a faulty configuration: %v", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := h.desk.Reload(t.Context(), "test")
	if err != nil || fmt.Sprint(lines) != "[carriers.litware: new]" {
		t.Fatalf("%q, %v", lines, err)
	}
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60})) // over the connection of before
	was := h.remote
	h.remote = h.dial("litware", key)
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 61}))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.desk.Reload(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	h.until("the carrier that was removed is sent away", func() bool {
		_, err := h.remote.Stat(t.Context(), "inbox")
		return err != nil
	})
	if _, err := was.Stat(t.Context(), "inbox"); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

// What was not done when the service was stopped is done by the command.
func TestQueuedRunsAreDoneWithoutAService(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.stop()
	srv, err := service.Open(t.Context(), h.config(t), h.options(&h.out)) // not run
	if err != nil {
		t.Fatal(err)
	}
	list, err := srv.Desk().Start(t.Context(), control.Start{Job: "daily", Period: "2026-10-01"})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.RunQueued(t.Context(), h.config(t), h.options(&h.out), []string{list[0].Run}); err == nil || !strings.Contains(err.Error(), "another concord serve") {
		t.Errorf("beside a service: %v", err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if err := service.RunQueued(t.Context(), h.config(t), h.options(&h.out), []string{list[0].Run}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Carrier string `json:"carrier"`
	}
	b, err := os.ReadFile(filepath.Join(h.folder(1), "summary.json"))
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil || doc.Carrier != "fabrikam" {
		t.Errorf("%+v, %v", doc, err)
	}
}
