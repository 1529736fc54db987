package jobstest

import (
	"context"
	"errors"
	"os"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

// doubtful is a ledger whose answers get lost on the way back, as those of a
// database do whose connection breaks during a commit.
type doubtful struct {
	jobs.Ledger
	lost    int  // so many answers
	records bool // what they were about is recorded
	before  func()
}

func (d *doubtful) Record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry) (e jobs.Entry, err error) {
	if d.before != nil {
		d.before()
	}
	if d.lost == 0 || d.records {
		e, err = d.Ledger.Record(ctx, a, decide)
	}
	if d.lost > 0 {
		d.lost--
		return jobs.Entry{}, errDisk
	}
	return e, err
}

// A file may be recorded although the database never said so. Then its records
// must be there, or its calls would be missing in every report.
func TestRecordsStayWhenTheLedgersAnswerIsLost(t *testing.T) {
	h := newHouse(t, &doubtful{Ledger: new(Mem), lost: 1, records: true})
	h.keepRecords()
	o := h.offer("FAB_000001_20261001.csv", header+row+bad)
	if _, err := h.Take(t.Context(), o); !errors.Is(err, landing.ErrDoubt) || !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	e := h.entries()[0]
	if kept := h.kept("records/*/*"); len(kept) != 1 || kept[0] != jobs.RecordsPath(h.dir+"/records", "fabrikam", e.ID) {
		t.Errorf("recorded as %s, and kept: %q", e.ID, kept)
	}
	if a := h.take(o); a.ID != e.ID || a.RejectedRows == "" {
		t.Errorf("offered again: %+v", a)
	}
	if all := h.kept("records/*/*"); len(all) != 1 {
		t.Errorf("kept: %q", all)
	}
}

// A database that is away for a night must not fill the disk.
func TestTryingAgainLeavesTheRecordsOfOneTry(t *testing.T) {
	for _, recorded := range []bool{false, true} {
		h := newHouse(t, &doubtful{Ledger: new(Mem), lost: 3, records: recorded})
		h.keepRecords()
		o := h.offer("FAB_000001_20261001.csv", header+row+bad)
		for range 3 {
			if _, err := h.Take(t.Context(), o); !errors.Is(err, landing.ErrDoubt) {
				t.Fatal(err)
			}
		}
		a := h.take(o)
		if all := h.kept("records/*/*"); len(all) != 1 || all[0] != jobs.RecordsPath(h.dir+"/records", "fabrikam", a.ID) {
			t.Errorf("recorded %v: %s is kept in %q", recorded, a.ID, all)
		}
		if _, err := h.Records(t.Context(), h.entries()[0]); err != nil {
			t.Error(err)
		}
	}
}

// A service that is told to stop while it records a file finishes that.
func TestAFileIsRecordedToTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := newHouse(t, &doubtful{Ledger: new(Mem), before: cancel})
	h.keepRecords()
	if a, err := h.Take(ctx, h.offer("FAB_000001_20261001.csv", header+row)); err != nil || a.Verdict != landing.Accept {
		t.Errorf("%+v, %v", a, err)
	}
}

// A profile that is changed in between must not change the records of what may
// have been recorded with the one before.
func TestAnotherProfileMakesNoRecordsOfADoubtfulFile(t *testing.T) {
	h := newHouse(t, &doubtful{Ledger: new(Mem), lost: 1, records: true})
	h.keepRecords()
	o := h.offer("FAB_000001_20261001.csv", header+row+bad)
	if _, err := h.Take(t.Context(), o); !errors.Is(err, landing.ErrDoubt) {
		t.Fatal(err)
	}
	kept := h.kept("records/*/*")
	was, err := os.Stat(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	h.file = "fabrikam-2" // what the service calls a profile with another content
	h.take(o)
	is, err := os.Stat(kept[0])
	if err != nil || !os.SameFile(was, is) || len(h.kept("records/*/*")) != 1 {
		t.Errorf("made anew: %v, kept %q", err, h.kept("records/*/*"))
	}
}
