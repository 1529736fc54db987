package usage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"concord/jobs"
)

// FollowState is what a Follower is told and tells.
type FollowState interface {
	Sources
	Run(ctx context.Context, id string) (jobs.Run, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	Enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error)
}

// Follower sees to it that a usage is made anew when reports that it is made of
// have a newer version, or a day that had none has a report.
type Follower struct {
	State FollowState
	// Late says whether new versions of a carrier's reports lead to new ones of
	// a job by themselves, and after which delay.
	Late func(job, carrier string) (delay time.Duration, yes bool)
	Zone func(job string) *time.Location
	Now  func() time.Time

	seen string // the newest report when all was looked at last
}

// followFor is how far back usages are looked at.
const followFor = 400 * 24 * time.Hour

// Follow enqueues runs for usages whose reports have changed. It is not for
// concurrent use.
func (f *Follower) Follow(ctx context.Context) error {
	newest, err := f.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Limit: 1})
	if err != nil || len(newest) == 0 || newest[0].ID == f.seen {
		return err
	}
	list, err := f.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportUsage, Newest: true, From: f.Now().Add(-followFor)})
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range list {
		if err := f.follow(ctx, u); err != nil {
			errs = append(errs, fmt.Errorf("see what has changed for the usage of %s of %s: %w", u.Period.Text, u.Carrier, err))
		}
	}
	if len(errs) == 0 {
		f.seen = newest[0].ID
	}
	return errors.Join(errs...)
}

// errMaking says that a run is under way that may not have seen what is new.
var errMaking = errors.New("a run is making it at this moment")

func (f *Follower) follow(ctx context.Context, u jobs.Report) error {
	delay, late := f.Late(u.Job, u.Carrier)
	if !late || u.Purged != 0 {
		return nil
	}
	c, err := choose(ctx, f.State, u.Carrier, u.Period, f.Zone(u.Job))
	if err != nil {
		return err
	}
	run, err := f.State.Run(ctx, u.Run)
	if err != nil && !errors.Is(err, jobs.ErrNoRun) {
		return err
	}
	if slices.Equal(c.inputs(), run.Inputs) || slices.ContainsFunc(c.reports, func(r jobs.Report) bool { return r.Purged != 0 }) {
		return nil // the same, or final
	}
	tried, err := f.tried(ctx, u, c)
	if err != nil || tried {
		return err
	}
	now := f.Now()
	active, err := f.State.Enqueue(ctx, jobs.Run{
		Job: u.Job, Kind: jobs.ReportUsage, Carrier: u.Carrier, Period: u.Period, Trigger: jobs.TriggerUpload, NotBefore: now.Add(delay),
	}, now)
	switch {
	case errors.Is(err, jobs.ErrActive) && active.State == jobs.RunQueued:
		return nil
	case errors.Is(err, jobs.ErrActive):
		return errMaking
	}
	return err
}

// tried reports whether a run that came after all of the reports has ended: the
// next would hardly do better, and people were told.
func (f *Follower) tried(ctx context.Context, u jobs.Report, c *choice) (bool, error) {
	runs, err := f.State.Runs(ctx, jobs.RunFilter{Job: u.Job, Carrier: u.Carrier, From: u.Period.From, To: u.Period.To})
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		if !r.Period.From.Equal(u.Period.From) || !r.Period.To.Equal(u.Period.To) || !r.State.Over() {
			continue
		}
		later := slices.ContainsFunc(c.reports, func(x jobs.Report) bool { return !r.Started.After(x.Published) })
		return !later, nil // the newest run decides
	}
	return false, nil
}
