package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"concord/formats/records"
	"concord/jobs"
)

// FollowState is what a Follower is told and tells.
type FollowState interface {
	Unfollowed(ctx context.Context, after string, limit int) ([]jobs.Followup, error)
	Follow(ctx context.Context, id string) error
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
	Run(ctx context.Context, id string) (jobs.Run, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	Enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error)
	Lock(ctx context.Context, carrier string, p jobs.Period) (*jobs.SignOff, error)
}

// Follower sees to it that what was reported is reported anew when it has
// changed: by a late file, by a correction, or because calls need not be
// waited for any longer. What it enqueues may turn out to change nothing; then
// there is no new version.
type Follower struct {
	State FollowState
	// Kind is that of a job, of which a run is enqueued. What is delivered to a
	// carrier is made of Microsoft's files alone.
	Kind func(job string) string
	// Late says whether files that change a carrier's reports of a job lead to
	// new ones by themselves, and after which delay. A carrier that the job is
	// not for any more has none.
	Late func(job, carrier string) (delay time.Duration, yes bool)
	// Holds reports whether an entry has calls that begin in [from, to).
	Holds func(ctx context.Context, e jobs.Entry, from, to time.Time) (bool, error)
	// LateWindow is how long a carrier's calls are waited for.
	LateWindow func(carrier string) time.Duration
	Now        func() time.Time
	// Covering and Reach find the files of a report, of which some may be
	// purged: such a report is final. With nil none is.
	Covering func(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error)
	Reach    func(carrier string) time.Duration
	// Final is told of a file that changes a final report; nil: nobody is.
	Final func(e jobs.Entry, rep jobs.Report)
}

// mostFollowed is how many files are asked for at once.
const mostFollowed = 200

// Follow looks at the files that were not followed. Of one whose report is
// being made at this moment, or that it cannot look at, it looks again at the
// next call.
func (f *Follower) Follow(ctx context.Context) error {
	var errs []error
	for after := ""; ; {
		list, err := f.State.Unfollowed(ctx, after, mostFollowed)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, x := range list {
			after = x.ID
			done, err := f.follow(ctx, x)
			if err == nil && done {
				err = f.State.Follow(ctx, x.ID)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("see what %s of %s changes: %w", x.Name, x.Carrier, err))
			}
		}
		if len(list) < mostFollowed || ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

func (f *Follower) follow(ctx context.Context, x jobs.Followup) (done bool, err error) {
	days, err := spans(x.Touched)
	if err != nil || len(days) == 0 {
		return err == nil, err
	}
	// The runs before the reports: one that is over by now has published, and
	// one that begins from now on finds the file.
	making, err := f.making(ctx, x, days)
	if err != nil {
		return false, err
	}
	reports, err := f.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: x.Carrier, Newest: true, From: days[0].from, To: days[len(days)-1].to})
	if err != nil {
		return false, err
	}
	done = !making
	for _, rep := range reports {
		changes, err := f.changes(ctx, x, days, rep)
		if err != nil {
			return false, err
		}
		if changes {
			if changes, err = f.open(ctx, x.Entry, rep); err != nil {
				return false, err
			}
		}
		if changes {
			queued, err := f.enqueue(ctx, rep, jobs.TriggerUpload)
			if err != nil {
				return false, err
			}
			done = done && queued
		}
	}
	return done, nil
}

// making reports whether a run is under way that reports some of these days and
// may not have seen the file.
func (f *Follower) making(ctx context.Context, x jobs.Followup, days []span) (bool, error) {
	list, err := f.State.Runs(ctx, jobs.RunFilter{Carrier: x.Carrier, State: jobs.RunRunning})
	if err != nil {
		return false, err
	}
	for _, r := range list {
		_, late := f.Late(r.Job, r.Carrier)
		if !late || !f.concerns(x, r.Job) || !slices.ContainsFunc(days, func(d span) bool { return d.from.Before(r.Period.To) && r.Period.From.Before(d.to) }) {
			continue
		}
		r, err := f.State.Run(ctx, r.ID)
		if err != nil && !errors.Is(err, jobs.ErrNoRun) {
			return false, err
		}
		if !reads(r, x.ID) {
			return true, nil
		}
	}
	return false, nil
}

// concerns reports whether a job reads files of that side.
func (f *Follower) concerns(x jobs.Followup, job string) bool {
	return x.Microsoft || f.Kind(job) == "reconcile"
}

// reads reports whether a file is among the inputs of a run.
func reads(r jobs.Run, file string) bool {
	return slices.ContainsFunc(r.Inputs, func(in jobs.RunInput) bool { return in.File == file })
}

// span is a day of UTC.
type span struct{ from, to time.Time }

func spans(dates []string) (list []span, err error) {
	for _, d := range dates {
		from, err := time.Parse(time.DateOnly, d)
		if err != nil {
			return nil, err
		}
		list = append(list, span{from, from.AddDate(0, 0, 1)})
	}
	return list, nil
}

// changes reports whether a new file may change a report that was not made of
// it.
func (f *Follower) changes(ctx context.Context, x jobs.Followup, days []span, rep jobs.Report) (bool, error) {
	if _, late := f.Late(rep.Job, rep.Carrier); !late || !f.concerns(x, rep.Job) {
		return false, nil
	}
	run, err := f.State.Run(ctx, rep.Run)
	if err != nil && !errors.Is(err, jobs.ErrNoRun) {
		return false, err
	}
	if reads(run, x.ID) {
		return false, nil
	}
	p := rep.Period
	for _, d := range days {
		from, to := later(d.from, p.From), earlier(d.to, p.To)
		if !from.Before(to) {
			continue
		}
		// Of a day that is in the period as a whole the date says enough, and
		// what a correction takes away is in no file any more.
		if from.Equal(d.from) && to.Equal(d.to) || x.ReplacesID != "" {
			return true, nil
		}
		holds, err := f.Holds(ctx, x.Entry, from, to)
		if errors.Is(err, records.ErrDamaged) { // the run makes them anew
			return true, nil
		}
		if holds || err != nil {
			return holds, err
		}
	}
	return false, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// enqueue asks for the next version of a report. It reports false when a run
// is making one at this moment, which may not have seen what is new.
func (f *Follower) enqueue(ctx context.Context, rep jobs.Report, why jobs.Trigger) (bool, error) {
	delay, _ := f.Late(rep.Job, rep.Carrier)
	now := f.Now()
	r := jobs.Run{Job: rep.Job, Kind: f.Kind(rep.Job), Carrier: rep.Carrier, Period: rep.Period, Trigger: why}
	if why == jobs.TriggerUpload {
		r.NotBefore = now.Add(delay)
	}
	active, err := f.State.Enqueue(ctx, r, now)
	if errors.Is(err, jobs.ErrActive) {
		return active.State == jobs.RunQueued, nil
	}
	return err == nil, err
}

const (
	// ripeFor is how far back reports with pending calls are looked for.
	ripeFor = 92 * 24 * time.Hour
	// again is how long to wait until what is still pending is looked at once
	// more: calls that last for days.
	again = 24 * time.Hour
)

// Ripen enqueues runs for reports with pending calls that need not be waited
// for any longer.
func (f *Follower) Ripen(ctx context.Context) error {
	now := f.Now()
	reports, err := f.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Newest: true, Pending: true, From: now.Add(-ripeFor), To: now})
	if err != nil {
		return err
	}
	var errs []error
	for _, rep := range reports {
		due := rep.Period.To.Add(f.LateWindow(rep.Carrier))
		if !rep.AsOf.Before(due) {
			due = rep.AsOf.Add(again)
		}
		if _, late := f.Late(rep.Job, rep.Carrier); !late || now.Before(due) {
			continue
		}
		rests, err := f.rests(ctx, rep, now)
		if err == nil && !rests {
			rests, err = f.final(ctx, rep)
		}
		if err == nil && !rests {
			_, err = f.enqueue(ctx, rep, jobs.TriggerPending)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("see what is still pending in %s of %s: %w", rep.Period.Text, rep.Carrier, err))
		}
	}
	return errors.Join(errs...)
}

// rests reports whether the last run of a report's job, carrier and period came
// to nothing not long ago: the next would hardly do better, and people were
// told.
func (f *Follower) rests(ctx context.Context, rep jobs.Report, now time.Time) (bool, error) {
	list, err := f.State.Runs(ctx, jobs.RunFilter{Job: rep.Job, Carrier: rep.Carrier, From: rep.Period.From, To: rep.Period.To})
	if err != nil {
		return false, err
	}
	for _, r := range list { // the newest first
		if r.Period.From.Equal(rep.Period.From) && r.Period.To.Equal(rep.Period.To) {
			if !now.Before(r.Finished.Add(again)) {
				return false, nil
			}
			if r.State == jobs.RunSucceeded && r.Report == rep.ID && r.ID != rep.Run {
				lock, err := f.State.Lock(ctx, rep.Carrier, rep.Period)
				return lock != nil, err
			}
			return r.State == jobs.RunFailed || r.State == jobs.RunCancelled, nil
		}
	}
	return false, nil
}
