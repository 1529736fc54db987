package control

import (
	"context"
	"fmt"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/schedule"
)

// maxBackfill is how many runs one backfill may ask for: ten years of days of
// one carrier.
const maxBackfill = 3660

// Backfill implements Operations.
func (d *Desk) Backfill(ctx context.Context, b Backfill) ([]Planned, error) {
	j, err := d.job(b.Job)
	if err != nil {
		return nil, err
	}
	if !j.Kind.HasPeriod() {
		return nil, refuse(Invalid, nil, "job %s takes what is there and has no periods to fill", j.Name)
	}
	carriers, err := d.carriers(j, b.Carriers)
	if err != nil {
		return nil, err
	}
	periods, err := d.span(j, b)
	if err != nil {
		return nil, err
	}
	if n := len(periods) * len(carriers); n > maxBackfill {
		return nil, refuse(Invalid, nil, "that would be %d runs, and one backfill has at most %d; take a shorter span, or fewer carriers", n, maxBackfill)
	}
	if err := d.unpaused(ctx, j.Name); err != nil {
		return nil, err
	}
	wanted, err := d.gaps(ctx, j, b, carriers, periods)
	if err != nil {
		return nil, err
	}
	if b.DryRun {
		return d.foresee(ctx, wanted)
	}
	return d.enqueue(ctx, wanted, b.By, "run.backfill", j.Name)
}

// span returns the periods of a backfill, oldest first.
func (d *Desk) span(j *config.Job, b Backfill) (list []jobs.Period, err error) {
	first, last, err := ends(b)
	if err != nil {
		return nil, err
	}
	layout, months, days := time.DateOnly, 0, 1
	if j.Period == schedule.PreviousMonth {
		layout, months, days = "2006-01", 1, 0
		first, last = first.AddDate(0, 0, 1-first.Day()), last.AddDate(0, 0, 1-last.Day())
	}
	for at := first; !at.After(last) && len(list) <= maxBackfill; at = at.AddDate(0, months, days) {
		p, err := schedule.ParsePeriod(at.Format(layout), d.zone(j))
		switch {
		case err != nil && layout == time.DateOnly && at != first && at != last:
			continue // a day that the zone has skipped
		case err != nil:
			return nil, refuse(Invalid, err, "the span: %v", err)
		case p.To.After(d.now()):
			return nil, refuse(Invalid, nil, "%s is not over yet; end with an earlier one", p)
		}
		list = append(list, fromSchedule(p))
	}
	return list, nil
}

// ends returns the first and the last day of a backfill, as dates in UTC.
func ends(b Backfill) (first, last time.Time, err error) {
	if first, _, err = dates("from", b.From); err != nil {
		return first, last, err
	}
	if _, last, err = dates("to", b.To); err != nil {
		return first, last, err
	}
	if last.Before(first) {
		err = refuse(Invalid, nil, "%s is before %s; give the earlier one first", b.To, b.From)
	}
	return first, last, err
}

// dates returns the first and the last day of a day or month.
func dates(what, text string) (first, last time.Time, err error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, t, nil
	}
	if t, err := time.Parse("2006-01", text); err == nil {
		return t, t.AddDate(0, 1, -1), nil
	}
	return first, last, refuse(Invalid, nil, "%s: %q is neither a day (2026-10-01) nor a month (2026-10)", what, jobs.Mask(text))
}

// key tells a period of a carrier from others.
type key struct {
	carrier  string
	from, to int64
}

func keyOf(carrier string, p jobs.Period) key {
	return key{carrier, p.From.UnixMicro(), p.To.UnixMicro()}
}

// gaps returns the runs that a backfill wants, oldest period first.
func (d *Desk) gaps(ctx context.Context, j *config.Job, b Backfill, carriers []string, periods []jobs.Period) (list []jobs.Run, err error) {
	wants, err := d.selection(ctx, j, b.Only, carriers, periods)
	if err != nil {
		return nil, err
	}
	for _, p := range periods {
		for _, c := range carriers {
			if wants(keyOf(c, p)) {
				list = append(list, jobs.Run{
					Job: j.Name, Kind: string(j.Kind), Carrier: c, Period: p,
					Trigger: jobs.TriggerBackfill, By: string(b.By), Priority: jobs.PriorityBackfill,
				})
			}
		}
	}
	return list, nil
}

// selection returns what says whether a carrier's period is wanted.
func (d *Desk) selection(ctx context.Context, j *config.Job, only Only, carriers []string, periods []jobs.Period) (func(key) bool, error) {
	from, to := periods[0].From, periods[len(periods)-1].To
	switch only {
	case OnlyAll:
		return func(key) bool { return true }, nil
	case OnlyMissing, "":
		published, err := d.published(ctx, string(j.Kind), carriers, from, to)
		return func(k key) bool { return published[k].IsZero() }, err
	case OnlyFailed:
		published, err := d.published(ctx, string(j.Kind), carriers, from, to)
		if err != nil {
			return nil, err
		}
		failed, err := d.failed(ctx, j.Name, carriers, from, to)
		return func(k key) bool {
			at, ok := failed[k]
			return ok && !published[k].After(at)
		}, err
	}
	return nil, refuse(Invalid, nil, "only: %q is not known; write %s, %s or %s", only, OnlyMissing, OnlyFailed, OnlyAll)
}

// published returns when the newest version of each period was published, or
// delivered.
func (d *Desk) published(ctx context.Context, kind string, carriers []string, from, to time.Time) (map[key]time.Time, error) {
	at := map[key]time.Time{}
	for _, c := range carriers {
		if kind == string(config.Calls) {
			if err := d.delivered(ctx, c, from, to, at); err != nil {
				return nil, err
			}
			continue
		}
		list, err := d.Archive.Reports(ctx, jobs.ReportFilter{Kind: kind, Carrier: c, From: from, To: to, Newest: true})
		if err != nil {
			return nil, fmt.Errorf("look for reports of %s: %w", c, err)
		}
		for _, r := range list {
			at[keyOf(c, r.Period)] = r.Published
		}
	}
	return at, nil
}

// delivered fills in when the newest delivery of each period was complete.
func (d *Desk) delivered(ctx context.Context, carrier string, from, to time.Time, at map[key]time.Time) error {
	if d.Deliveries == nil {
		return nil
	}
	list, err := d.Deliveries.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: carrier, From: from, To: to, Newest: true})
	if err != nil {
		return fmt.Errorf("look for deliveries to %s: %w", carrier, err)
	}
	for _, x := range list {
		at[keyOf(carrier, x.Period)] = x.Ended
	}
	return nil
}

// failed returns when the latest run of a period ended, of those that failed.
func (d *Desk) failed(ctx context.Context, job string, carriers []string, from, to time.Time) (map[key]time.Time, error) {
	at, seen := map[key]time.Time{}, map[key]bool{}
	for _, c := range carriers {
		list, err := d.Queue.Runs(ctx, jobs.RunFilter{Job: job, Carrier: c, From: from, To: to})
		if err != nil {
			return nil, fmt.Errorf("look for runs of %s: %w", c, err)
		}
		for _, r := range list { // the newest first
			k := keyOf(c, r.Period)
			if !seen[k] && r.State == jobs.RunFailed {
				at[k] = r.Finished
			}
			seen[k] = true
		}
	}
	return at, nil
}
