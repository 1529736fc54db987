package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/schedule"
)

// timetable remembers what fired, together with the runs that it led to.
type timetable struct{ *Service }

// LastFire implements schedule.Store.
func (t timetable) LastFire(ctx context.Context, job string) (time.Time, error) {
	return t.store.LastFire(ctx, job)
}

// RecordFire implements schedule.Store.
func (t timetable) RecordFire(ctx context.Context, job string, due time.Time, how schedule.How) (bool, error) {
	list, err := t.store.RecordFire(ctx, jobs.Fire{Job: job, At: due, Now: t.Now(), Runs: t.runsOf(job, due, how)})
	if errors.Is(err, jobs.ErrFired) {
		return false, nil
	}
	if err == nil {
		t.Log.Info("due", "job", job, "scheduled_for", due, "how", string(how), "runs", len(list))
	}
	return err == nil, err
}

// runsOf are the runs of a job that is due: one for each of its carriers.
func (s *Service) runsOf(job string, due time.Time, how schedule.How) (list []jobs.Run) {
	c := s.cfg()
	j, ok := c.Job(job)
	if !ok {
		return nil
	}
	trigger := jobs.TriggerSchedule
	if how == schedule.CaughtUp {
		trigger = jobs.TriggerCatchUp
	}
	for _, x := range c.CarriersOf(j) {
		list = append(list, jobs.Run{
			Job: job, Kind: string(j.Kind), Carrier: x.Name, Period: periodOf(j, due), Trigger: trigger, ScheduledFor: due,
		})
	}
	return list
}

// periodOf is what a job is about that is due at an instant.
func periodOf(j *config.Job, due time.Time) jobs.Period {
	if !j.Kind.HasPeriod() {
		return jobs.Period{}
	}
	p := j.Period.Resolve(due, j.Zone)
	return jobs.Period{From: p.From, To: p.To, Text: p.String()}
}

// schedule fires jobs until ctx ends.
func (s *Service) schedule(ctx context.Context) {
	loop := schedule.Loop{
		Store: timetable{s}, Now: s.Now,
		Fire: func(context.Context, string, time.Time, schedule.How) { s.rouse() },
		Failed: func(job string, due time.Time, err error) {
			s.Log.Error("schedule", "job", job, "scheduled_for", due, "error", err.Error())
		},
		Skipped: func(job string, from, to time.Time) {
			s.Log.Warn("missed and not caught up", "job", job, "from", from, "to", to)
		},
	}
	_ = loop.Run(ctx, s.sets) // ends with ctx
}

// retime tells the loop of another timetable. What a job owes from before it
// was there, or had another schedule, it does not owe. One call at a time.
func (s *Service) retime(next *config.Config, diff config.Changes) {
	set := next.Timetable()
	var unread []schedule.Job
	select {
	case unread = <-s.sets:
	default:
	}
	for i := range set {
		for _, was := range unread {
			if was.Name == set[i].Name {
				set[i].Since = was.Since
			}
		}
		changed := slices.ContainsFunc(diff.Jobs.Changed, func(c config.Change) bool {
			return c.Name == set[i].Name && (slices.Contains(c.Settings, "schedule") || slices.Contains(c.Settings, "zone"))
		})
		if changed || slices.Contains(diff.Jobs.Added, set[i].Name) {
			set[i].Since = s.Now()
		}
	}
	s.sets <- set // there is room: nobody else sends
}
