package jobstest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

// seconds is a dialect in which the canonical names mean something else.
const secondsDialect = "carrier: fabrikam\n" +
	"files: {pattern: \"FAB_{seq:06}.csv\", format: csv}\n" +
	"columns: {record_id: record_id, caller: caller, callee: callee, start: {column: start, layout: rfc3339}, duration: {column: duration_ms, unit: s}}\n"

// A file of rows that were posted is canonical, whatever the carrier's own files are
// like; and it stays so when its records are made anew.
func TestPostedRowsAreNeverReadAsTheDialect(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.profiles["fabrikam"] = secondsDialect
	own := h.take(h.offer("FAB_000001.csv", header+row))
	if own.Receipt.Status != landing.StatusAccepted || own.Receipt.Seconds != "75000" {
		t.Fatalf("the dialect is read otherwise: %+v", own.Receipt)
	}
	content, _, _, err := jobs.RowsFile(t.Context(), "fabrikam", []byte(`{"rows":[{"record_id":"p1","start":"2026-10-01T12:00:01Z","duration_ms":75000}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := h.take(h.offer(jobs.RowsName("k1"), string(content)))
	if r := got.Receipt; r.Status != landing.StatusAccepted || r.Seconds != "75" || r.Accepted != 1 || r.Sequence != nil {
		t.Errorf("%+v", r)
	}
	if other := h.take(h.offer("rows_x.csv", header+row+row)); other.Verdict != landing.Reject {
		t.Errorf("another name is taken for the mark: %+v", other)
	}
	entries, err := h.ledger.Files(t.Context(), "fabrikam")
	if err != nil || len(entries) != 3 || entries[1].Profile != "" || entries[1].DurationMS != 75_000 {
		t.Errorf("%+v, %v", entries, err)
	}
	if again := h.take(h.offer(jobs.RowsName("k2"), string(content))); again.Receipt.Status != landing.StatusDuplicate {
		t.Errorf("the same rows under another key: %+v", again.Receipt)
	}
}

// Records that are made anew are made as they were the first time.
func TestRecordsOfPostedRowsAreMadeAnew(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.profiles["fabrikam"] = secondsDialect
	h.Collector = jobs.NewCollector(jobs.CollectOptions{
		Profile: h.profile, Ledger: h.ledger, Worker: jobs.Worker{Program: workerProgram(), Args: []string{"worker"}}, Content: h.content,
		Rejects: filepath.Join(h.dir, "rejects"), Records: filepath.Join(h.dir, "records"), Profiles: filepath.Join(h.dir, "profiles"),
	})
	h.take(h.offer(jobs.RowsName("k1"), header+strings.Replace(row, "c1", "p1", 1)))
	entries, err := h.ledger.Files(t.Context(), "fabrikam")
	if err != nil || len(entries) != 1 || len(entries[0].Days) != 1 {
		t.Fatalf("%+v, %v", entries, err)
	}
	path := jobs.RecordsPath(filepath.Join(h.dir, "records"), "fabrikam", entries[0].ID)
	remove(t, path)
	if made, err := h.Records(t.Context(), entries[0]); err != nil || made != path {
		t.Errorf("%s, %v", made, err)
	}
}

func workerProgram() string { return os.Args[0] }

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
