package jobstest

import (
	"os"
	"path/filepath"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

func TestMem(t *testing.T) {
	TestLedger(t, func(*testing.T) jobs.Ledger { return new(Mem) }, nil)
	t.Run("coverage", func(t *testing.T) { TestCoverage(t, func(*testing.T) Covered { return new(Mem) }, nil) })
}

func TestJournal(t *testing.T) {
	TestLedger(t, func(t *testing.T) jobs.Ledger { return openJournal(t, filepath.Join(t.TempDir(), "journal")) },
		func(t *testing.T, l jobs.Ledger) jobs.Ledger {
			j := l.(*Journal)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			return openJournal(t, j.f.Name())
		})
}

func openJournal(t *testing.T, name string) *Journal {
	t.Helper()
	j, err := OpenJournal(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // closed already when it was reopened
	return j
}

// TestAJournalTornAnywhereKeepsWhatWasWhole cuts a journal at every third byte.
func TestAJournalTornAnywhereKeepsWhatWasWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal")
	c := &contract{T: t, l: openJournal(t, name)}
	c.record(c.arrival("a", "aa", 1), landing.StatusAccepted)
	first := c.l.(*Journal).size
	e, _ := c.record(c.arrival("b", "bb", 2), landing.StatusAccepted)
	second := c.l.(*Journal).size
	if err := c.l.Settle(t.Context(), "fabrikam", e.ID); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(0); n < int64(len(b)); n += 3 {
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.WriteFile(torn, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		j := openJournal(t, torn)
		list, err := j.Files(t.Context(), "fabrikam")
		want := 0
		switch {
		case n >= second:
			want = 2
		case n >= first:
			want = 1
		}
		if len(list) != want || err != nil || want == 2 && list[1].Settled {
			t.Fatalf("cut after %d bytes: %v, %v", n, list, err)
		}
		again := &contract{T: t, l: j}
		again.n = 10
		again.record(again.arrival("c", "cc", 3), landing.StatusAccepted)
		if list, _ := openJournal(t, torn).Files(t.Context(), "fabrikam"); len(list) != want+1 {
			t.Fatalf("cut after %d bytes, then written to: %v", n, list)
		}
	}
}

func TestAJournalThatCannotBeWrittenKeepsNothing(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "journal"))
	c := &contract{T: t, l: j}
	e, _ := c.record(c.arrival("a", "aa", 1), landing.StatusAccepted)
	if err := j.f.Close(); err != nil {
		t.Fatal(err)
	}
	a := c.arrival("b", "bb", 2)
	if _, err := j.Record(t.Context(), a, func(jobs.Known) jobs.Entry { return entryOf(a, landing.StatusAccepted) }); err == nil {
		t.Error("recorded into a file that is closed")
	}
	if err := j.Settle(t.Context(), "fabrikam", e.ID); err == nil {
		t.Error("settled in a file that is closed")
	}
	if list, _ := j.Unsettled(t.Context(), "fabrikam"); len(list) != 1 {
		t.Errorf("unsettled: %v", list)
	}
}
