package state_test

import (
	"errors"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

// TestWhatIsDoneIsNotedWithIt does things that succeed, and others that fail.
func TestWhatIsDoneIsNotedWithIt(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		noted := func(what string) *state.Store {
			return s.Noted(jobs.AuditRow{Time: now, Who: "ann", What: what, Object: "daily"})
		}
		r, err := noted("run.start").Enqueue(t.Context(), jobs.Run{Job: "daily"}, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := noted("run.start twice").Enqueue(t.Context(), jobs.Run{Job: "daily"}, now); !errors.Is(err, jobs.ErrActive) {
			t.Error(err)
		}
		_, err = noted("run.cancel").Cancel(t.Context(), r.ID, "ann", now)
		err = errors.Join(err, noted("job.pause").Pause(t.Context(), jobs.Pause{Job: "daily", Since: now}))
		if err := errors.Join(err, second(noted("job.resume").Resume(t.Context(), "daily"))); err != nil {
			t.Error(err)
		}
		if _, err := noted("run.cancel twice").Cancel(t.Context(), r.ID, "ann", now); !errors.Is(err, jobs.ErrOver) {
			t.Error(err)
		}
		if err := s.Pause(t.Context(), jobs.Pause{Job: "daily", Since: now}); err != nil {
			t.Error(err)
		}
		list, err := s.Audit(t.Context(), jobs.AuditFilter{Who: "ann"})
		if err != nil {
			t.Error(err)
		}
		var got []string
		for _, row := range list {
			got = append(got, row.What)
		}
		if d := cmp.Diff([]string{"job.resume", "job.pause", "run.cancel", "run.start"}, got); d != "" {
			t.Error(d)
		}
	})
}

// TestNothingIsDoneThatCannotBeNoted has a trail that takes no row.
func TestNothingIsDoneThatCannotBeNoted(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		spoil(t, url, "INSERT", "audit", "true")
		row := jobs.AuditRow{Time: now, Who: "ann", What: "x"}
		_, err := s.Noted(row).Enqueue(t.Context(), jobs.Run{Job: "daily"}, now)
		broken(t, err)
		broken(t, s.Noted(row).Pause(t.Context(), jobs.Pause{Job: "daily", Since: now.Add(time.Hour)}))
		runs, err := s.Runs(t.Context(), jobs.RunFilter{})
		pauses, err2 := s.Paused(t.Context())
		if len(runs)+len(pauses) > 0 || errors.Join(err, err2) != nil {
			t.Error(runs, pauses, err, err2)
		}
	})
}
