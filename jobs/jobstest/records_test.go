package jobstest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// keepRecords makes the house's Collector one that keeps records.
func (h *house) keepRecords() {
	h.Collector = jobs.NewCollector(jobs.CollectOptions{
		Profile: h.profile, Ledger: h.ledger, Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Content: h.content, Rejects: filepath.Join(h.dir, "rejects"), Records: filepath.Join(h.dir, "records"), Profiles: filepath.Join(h.dir, "profiles"),
	})
}

// entries returns what is recorded of fabrikam.
func (h *house) entries() []jobs.Entry {
	h.Helper()
	list, err := h.ledger.Files(h.Context(), "fabrikam")
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// kept returns the names of what is in a folder below the house.
func (h *house) kept(pattern string) []string {
	h.Helper()
	names, err := filepath.Glob(filepath.Join(h.dir, pattern))
	if err != nil {
		h.Fatal(err)
	}
	return names
}

// Only of files that count are there records, with the days and the profile
// that they were read with.
func TestRecordsAreKeptOfFilesThatCount(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.keepRecords()
	for name, content := range map[string]string{"FAB_000001_20261001.csv": header + row + bad, "FAB_000002_20261001.csv": header + bad, "FAB_000003_20261001.csv": ""} {
		h.send(name, content)
	}
	h.send("FAB_000004_20261001.csv", header+row+bad) // a repetition
	counted := 0
	for _, e := range h.entries() {
		path, err := h.Records(t.Context(), e)
		if !e.Ingested() {
			if err == nil || e.Days != nil || e.Profile != "" {
				t.Errorf("%s: %v %+v", e.Name, err, e)
			}
			continue
		}
		if counted++; err != nil || path != jobs.RecordsPath(filepath.Join(h.dir, "records"), "fabrikam", e.ID) {
			t.Errorf("%s: %q %v", e.Name, path, err)
		}
		if want := []jobs.Day{{Date: "2026-10-01", Rows: 1, DurationMS: e.DurationMS}}; e.Rows > 0 && !cmp.Equal(want, e.Days) {
			t.Errorf("%s: days %+v", e.Name, e.Days)
		}
		snapshot, err := os.ReadFile(filepath.Join(h.dir, "profiles", e.Profile+".yaml"))
		if err != nil || string(snapshot) != fabrikam {
			t.Errorf("%s: the profile that it was read with is not kept: %v", e.Name, err)
		}
	}
	if all := h.kept("records/*/*"); counted != 2 || len(all) != counted {
		t.Errorf("%d files count, and these are kept: %v", counted, all)
	}
}

// Records that are lost or damaged come back as they were, with the profile of
// then: else a report of an old day could not be made, or not be the same.
func TestLostRecordsAreMadeAnew(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.keepRecords()
	h.send("FAB_000001_20261001.csv", header+row+bad)
	e := h.entries()[0]
	path, err := h.Records(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.profiles["fabrikam"] = strings.Replace(fabrikam, "carrier:", "# another one by now\ncarrier:", 1)
	for _, lose := range []func() error{
		func() error { return os.Remove(path) },
		func() error { return os.Truncate(path, int64(len(want)/2)) },
		func() error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		again, err := h.Records(t.Context(), e)
		got, err1 := os.ReadFile(path)
		if err != nil || err1 != nil || again != path || string(got) != string(want) {
			t.Errorf("%v %v: other records than before", err, err1)
		}
	}
	if err := errors.Join(os.Remove(path), os.Remove(h.content(e.SHA256))); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Records(t.Context(), e); err == nil || !strings.Contains(err.Error(), "not in the spool any more") {
		t.Errorf("%v", err)
	}
}

// What a crash left is removed, and nothing else.
func TestWhatACrashLeftOfRecordsIsRemoved(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.keepRecords()
	h.send("FAB_000001_20261001.csv", header+row)
	id := h.entries()[0].ID
	for _, name := range []string{"unknown.records", id + ".records.part", id + ".records.damaged", "note.txt"} {
		if err := os.WriteFile(filepath.Join(h.dir, "records", "fabrikam", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := h.SweepRecords(t.Context(), func(_ context.Context, of string) (bool, error) { return of == id, nil }, time.Time{})
	if names := h.kept("records/*/*"); err != nil || len(names) != 2 || filepath.Base(names[0]) != id+".records" || filepath.Base(names[1]) != "note.txt" {
		t.Errorf("%v: %v", err, names)
	}
	if len(h.kept("profiles/*.yaml")) != 1 {
		t.Error("the profile is gone")
	}
}

// A file of Microsoft's is taken as one of a carrier's is, but for what only a
// carrier's has.
func TestAFileOfMicrosoftsIsTaken(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.keepRecords()
	const columns = "record_id,caller,callee,start,duration_ms\n"
	const call = "m1,+4930123456,+33145678901,2026-10-01T23:59:59Z,90500\n"
	take := func(name, content string, final bool) (jobs.Entry, error) {
		o := h.offer(name, content)
		o.Final = final
		return h.TakeFeed(t.Context(), o)
	}
	if _, err := take("half.csv", columns+call[:30], false); !errors.Is(err, jobs.ErrWait) {
		t.Errorf("half a file: %v", err)
	}
	if len(h.entries()) != 0 {
		t.Error("half a file was recorded")
	}
	if e, err := take("half.csv", columns+call[:30], true); err != nil || e.Status != landing.StatusRejected || !e.Microsoft {
		t.Errorf("half a file in the end: %v %+v", err, e)
	}
	e, err := take("2026-10-01.csv", columns+call, false)
	if err != nil || e.Status != landing.StatusAccepted || !e.Microsoft || e.Profile != "" || e.Sequence != nil {
		t.Fatalf("%v %+v", err, e)
	}
	if d := cmp.Diff([]jobs.Day{{Date: "2026-10-01", Rows: 1, DurationMS: 90500}}, e.Days); d != "" {
		t.Error(d)
	}
	path, err := h.Records(t.Context(), e)
	if err == nil {
		err = os.Remove(path)
	}
	if again, err1 := h.Records(t.Context(), e); err != nil || err1 != nil || again != path {
		t.Errorf("%v %v", err, err1)
	}
	if e, err := take("again.csv", columns+call, false); err != nil || e.Status != landing.StatusDuplicate || e.Days != nil {
		t.Errorf("the same again: %v %+v", err, e)
	}
}
