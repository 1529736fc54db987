package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

// RunEnded is told how the work on a run ended: whether it failed, and whether
// no further attempt follows by itself.
func (d *Desk) RunEnded(ctx context.Context, r jobs.Run, failed, final bool) {
	if !final {
		return
	}
	if err := d.runEnded(ctx, r, failed); err != nil {
		d.mu.Lock()
		d.unsure = true
		d.mu.Unlock()
		d.trouble(ctx, "alerts about a run are late", err, "run", r.ID, "job", r.Job, "carrier", r.Carrier)
	}
}

func (d *Desk) runEnded(ctx context.Context, r jobs.Run, failed bool) error {
	if !r.State.Over() { // as it was claimed
		now, err := d.State.Run(ctx, r.ID)
		switch {
		case err != nil && !errors.Is(err, jobs.ErrNoRun):
			return err
		case err == nil && now.State.Over():
			r.State, r.Error = now.State, cmp.Or(r.Error, now.Error)
		case failed:
			r.State = jobs.RunFailed
		default:
			r.State = jobs.RunSucceeded
		}
	}
	switch r.State {
	case jobs.RunFailed:
		return d.raise(ctx, failedAlert(&r))
	case jobs.RunCancelled:
		return d.resolveKey(ctx, runKey(jobs.AlertRunLate, &r))
	}
	return errors.Join(d.resolveKey(ctx, runKey(jobs.AlertRunFailed, &r)), d.resolveKey(ctx, runKey(jobs.AlertRunLate, &r)))
}

// instant is how a key tells a time, in UTC.
const instant = "20060102T150405.999999Z"

func runKey(kind jobs.AlertKind, r *jobs.Run) string {
	return key(string(kind), r.Job, r.Carrier, r.Period.From.UTC().Format(instant)+"-"+r.Period.To.UTC().Format(instant))
}

// periodOf reads the period out of the key of an alert about a run.
func periodOf(a *jobs.Alert) (p jobs.Period, ok bool) {
	span, ok := under(a.Key, string(a.Kind), a.Job, a.Carrier)
	from, to, _ := strings.Cut(span, "-")
	var errFrom, errTo error
	p.From, errFrom = time.Parse(instant, from)
	p.To, errTo = time.Parse(instant, to)
	return p, ok && errFrom == nil && errTo == nil
}

// subject is the period of a run in words.
func subject(r *jobs.Run) string {
	switch {
	case r.Period.Text != "":
		return r.Period.Text
	case r.Period.To.IsZero():
		return r.Job
	}
	return r.Period.From.UTC().Format(time.RFC3339) + "/" + r.Period.To.UTC().Format(time.RFC3339)
}

func failedAlert(r *jobs.Run) jobs.Alert {
	return jobs.Alert{
		Key: runKey(jobs.AlertRunFailed, r), Kind: jobs.AlertRunFailed, Carrier: r.Carrier, Job: r.Job, Subject: subject(r),
		Text: fmt.Sprintf("the run failed and is not tried again: %s; mend that, then do it again: concord rerun %s", cmp.Or(brief(r.Error), "it left no reason"), r.ID),
	}
}

func lateAlert(r *jobs.Run, deadline time.Duration) jobs.Alert {
	return jobs.Alert{
		Key: runKey(jobs.AlertRunLate, r), Kind: jobs.AlertRunLate, Carrier: r.Carrier, Job: r.Job, Subject: subject(r),
		Text: fmt.Sprintf("the run was due at %s and is %s after more than %s: concord runs show %s says what it waits for",
			r.ScheduledFor.UTC().Format(time.RFC3339), r.State, deadline, r.ID),
	}
}

// serves reports whether a job is in the configuration and does the carrier.
func serves(c *config.Config, job, carrier string) bool {
	j, ok := c.Job(job)
	if !ok {
		return false
	}
	for _, x := range c.CarriersOf(j) {
		if x.Name == carrier {
			return true
		}
	}
	return carrier == ""
}

// late raises alerts about runs that are not over by their deadline, and
// resolves those about runs that were ended unheard.
func (d *Desk) late(ctx context.Context, c *config.Config, open []jobs.Alert) error {
	isOpen := keysOf(open, jobs.AlertRunLate)
	if len(isOpen) == 0 && !anyDeadline(c) {
		return nil
	}
	active := map[string]bool{}
	var errs []error
	for _, state := range []jobs.RunState{jobs.RunQueued, jobs.RunRunning} {
		list, err := d.State.Runs(ctx, jobs.RunFilter{State: state})
		if err != nil {
			return err
		}
		for i := range list {
			r := &list[i]
			k := runKey(jobs.AlertRunLate, r)
			active[k] = true
			if deadline, late := d.isLate(c, r); late && !isOpen[k] {
				errs = append(errs, d.raise(ctx, lateAlert(r, deadline)))
			}
		}
	}
	for i := range open {
		if a := &open[i]; a.Kind == jobs.AlertRunLate && !active[a.Key] {
			errs = append(errs, d.review(ctx, a, jobs.RunSucceeded, jobs.RunCancelled))
		}
	}
	return errors.Join(errs...)
}

func anyDeadline(c *config.Config) bool {
	for _, j := range c.Jobs {
		if j.Deadline > 0 {
			return true
		}
	}
	return false
}

func (d *Desk) isLate(c *config.Config, r *jobs.Run) (time.Duration, bool) {
	j, ok := c.Job(r.Job)
	if !ok || j.Deadline == 0 || r.ScheduledFor.IsZero() || !serves(c, r.Job, r.Carrier) {
		return 0, false
	}
	return j.Deadline, d.Now().After(r.ScheduledFor.Add(j.Deadline))
}

// review resolves an alert about a run when the newest one of its job, carrier
// and period is in one of some states, or there is none any more.
func (d *Desk) review(ctx context.Context, a *jobs.Alert, states ...jobs.RunState) error {
	p, ok := periodOf(a)
	if !ok {
		return nil
	}
	r, err := d.newest(ctx, a.Job, a.Carrier, p)
	if err != nil {
		return err
	}
	over := r.ID == ""
	for _, s := range states {
		over = over || r.State == s
	}
	if !over {
		return nil
	}
	return d.resolve(ctx, *a)
}

// newest returns the newest run of a job, carrier and period, without an ID if
// there is none.
func (d *Desk) newest(ctx context.Context, job, carrier string, p jobs.Period) (jobs.Run, error) {
	f := jobs.RunFilter{Job: job, Carrier: carrier, From: p.From, To: p.To, Limit: page}
	for {
		list, err := d.State.Runs(ctx, f)
		if err != nil {
			return jobs.Run{}, err
		}
		for _, r := range list {
			if r.Carrier == carrier && r.Period.From.Equal(p.From) && r.Period.To.Equal(p.To) {
				return r, nil
			}
			f.Before = r.ID
		}
		if len(list) < page {
			return jobs.Run{}, nil
		}
	}
}

const (
	walkEvery = 5 * time.Minute // how often failed runs are looked through
	walkBack  = 7 * 24 * time.Hour
)

// failed looks through the failed runs of the last days for those whose end
// nobody was told of, because the service crashed then, or another one did.
func (d *Desk) failed(ctx context.Context, c *config.Config, open []jobs.Alert) error {
	d.mu.Lock()
	now, unsure := d.Now(), d.unsure
	d.unsure = false
	d.mu.Unlock()
	if since := now.Sub(d.walked); !unsure && !d.walked.IsZero() && since >= 0 && since < walkEvery {
		return nil
	}
	err := d.walk(ctx, c, open, now.Add(-walkBack))
	for i := range open {
		if a := &open[i]; a.Kind == jobs.AlertRunFailed {
			err = errors.Join(err, d.review(ctx, a, jobs.RunSucceeded))
		}
	}
	d.walked = now
	if err != nil {
		d.walked = time.Time{}
	}
	return err
}

// walk goes from the newest failed run to those that were asked for before a
// time. Each one is looked at once.
func (d *Desk) walk(ctx context.Context, c *config.Config, open []jobs.Alert, since time.Time) error {
	isOpen, settled := keysOf(open, jobs.AlertRunFailed), map[string]bool{}
	f := jobs.RunFilter{State: jobs.RunFailed, Limit: page}
	for {
		list, err := d.State.Runs(ctx, f)
		if err != nil {
			return err
		}
		for i := range list {
			r := &list[i]
			if r.Created.Before(since) {
				d.settled = settled
				return nil
			}
			if !d.settled[r.ID] && !isOpen[runKey(jobs.AlertRunFailed, r)] && serves(c, r.Job, r.Carrier) {
				if err := d.unheard(ctx, r); err != nil {
					return err
				}
			}
			settled[r.ID], f.Before = true, r.ID
		}
		if len(list) < page {
			d.settled = settled
			return nil
		}
	}
}

// unheard raises the alert of a failed run, unless another one came after it.
func (d *Desk) unheard(ctx context.Context, r *jobs.Run) error {
	last, err := d.newest(ctx, r.Job, r.Carrier, r.Period)
	if err != nil || last.ID != r.ID {
		return err
	}
	return d.raise(ctx, failedAlert(r))
}

func keysOf(open []jobs.Alert, kind jobs.AlertKind) map[string]bool {
	keys := map[string]bool{}
	for _, a := range open {
		if a.Kind == kind {
			keys[a.Key] = true
		}
	}
	return keys
}
