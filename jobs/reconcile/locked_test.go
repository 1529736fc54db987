package reconcile

import (
	"context"
	"errors"
	"strings"
	"testing"

	"concord/jobs"
)

// A period that an approval locks gets no further version, whoever asks; that
// there is something new to say is told.
func TestALockedPeriodGetsNoVersion(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	w.want(first)
	w.a.locked = &jobs.SignOff{Report: w.a.reports[0].ID, Carrier: "fabrikam", Period: w.a.reports[0].Period, Version: 1, State: jobs.SignOffApproved, ApprovedBy: "ann", Approved: w.now}
	var held []string
	w.r.Held = func(_ context.Context, r jobs.Run, lock jobs.SignOff) error {
		held = append(held, string(r.Trigger)+" "+lock.ApprovedBy)
		return nil
	}
	if e := w.must(jobs.Run{Trigger: jobs.TriggerManual}); !strings.Contains(e.Error, "the same bytes as version 1") || len(held) > 0 {
		t.Errorf("what is the same changes nothing, and may be proven: %+v %v", e, held)
	}
	w.file("late.csv", "s9", false)
	for _, trigger := range []jobs.Trigger{jobs.TriggerUpload, jobs.TriggerSchedule, jobs.TriggerManual, jobs.TriggerBackfill} {
		e := w.must(jobs.Run{Trigger: trigger})
		if e.State != jobs.RunSucceeded || e.Report != w.a.reports[0].ID || !strings.Contains(e.Error, "is locked: version 1 was approved by ann") || e.Held != w.a.locked {
			t.Errorf("%s: %+v", trigger, e)
		}
	}
	w.want(first)
	if len(held) != 4 || held[0] != "upload ann" {
		t.Errorf("told of %v", held)
	}
	w.r.Held = func(context.Context, jobs.Run, jobs.SignOff) error { return errors.New("no database") }
	if _, err := w.do(jobs.Run{Trigger: jobs.TriggerUpload}); err == nil {
		t.Error("a run that nobody was told of has ended")
	}
	w.a.locked = nil
	w.must(jobs.Run{Trigger: jobs.TriggerUpload})
	if len(w.a.reports) != 2 {
		t.Errorf("%d versions once the period is open again", len(w.a.reports))
	}
}

// An approval that comes while the version is made leaves nothing of it.
func TestAnApprovalThatComesMeanwhileLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.a.refuse = jobs.ErrLocked
	if _, err := w.do(daily()); !errors.Is(err, jobs.ErrLocked) {
		t.Fatal(err)
	}
	w.want()
}
