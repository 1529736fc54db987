package control_test

import (
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// Who starts a run of an approved period waits for a version that never comes,
// and who reads the report does not know that something is missing in it.
func TestALockIsToldBeforeAndAfter(t *testing.T) {
	o := newOffice(t)
	r := o.reported(t, "2026-10-02")
	plan := func() string {
		t.Helper()
		list, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}, Period: "2026-10-02", DryRun: true})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return strings.Join(list[0].Warnings, "; ")
	}
	o.step(t, r.ID, "submit", "ann")
	if w := plan(); strings.Contains(w, "locked") {
		t.Errorf("what is in review locks nothing: %s", w)
	}
	o.step(t, r.ID, "approve", "bob")
	if s, err := o.SignOff(t.Context(), r.ID); err != nil || !s.Locked || s.HeldBack {
		t.Errorf("%+v, %v", s, err)
	}
	if _, _, err := o.store.Raise(t.Context(), jobs.Alert{Key: jobs.LockedKey(r.Carrier, r.Period), Kind: jobs.AlertLocked, Carrier: r.Carrier}, o.now); err != nil {
		t.Fatal(err)
	}
	if s, err := o.SignOff(t.Context(), r.ID); err != nil || !s.HeldBack {
		t.Errorf("what was held back is not told: %+v, %v", s, err)
	}
	if w := plan(); !strings.Contains(w, "is locked: version 1 was approved by bob") || !strings.Contains(w, "would not be published") {
		t.Errorf("the plan warns of %q", w)
	}
}

func (o *office) step(t *testing.T, report, step string, by control.By) {
	t.Helper()
	if _, err := o.StepSignOff(t.Context(), control.SignOffStep{Report: report, Step: step, By: by}); err != nil {
		t.Fatal(err)
	}
}
