package alert

import (
	"context"
	"errors"
	"strings"
	"time"

	"concord/jobs"
)

// Empty is told, of each report that is made, whether Microsoft and the carrier
// have no record of its period. A carrier that has said that there is nothing to report of a day lacks
// nothing, and a period that is not over lacks nothing yet.
func (d *Desk) Empty(ctx context.Context, r jobs.Run, microsoft, carrier bool) error {
	wanted := noDataAlert(&r, microsoft, carrier)
	if carrier {
		quiet, err := d.quiet(ctx, r.Carrier, r.Period)
		if err != nil {
			return err
		}
		if quiet {
			wanted = jobs.Alert{}
		}
	}
	if wanted.Key != "" && r.Period.To.After(d.Now()) {
		return nil
	}
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true, Kind: jobs.AlertNoData, Carrier: r.Carrier})
	if err != nil {
		return err
	}
	var errs []error
	if wanted.Key != "" {
		errs = append(errs, d.raise(ctx, wanted))
	}
	for _, a := range open {
		if p, _, ok := spanOf(&a); ok && p.From.Equal(r.Period.From) && p.To.Equal(r.Period.To) && a.Key != wanted.Key {
			errs = append(errs, d.resolve(ctx, a))
		}
	}
	return errors.Join(errs...)
}

// Which sides an alert is about, at the end of its key.
const (
	ofBoth      = "both"
	ofMicrosoft = "microsoft"
	ofCarrier   = "carrier"
)

// noDataAlert is the alert about sides without records; without a key: there is
// none.
func noDataAlert(r *jobs.Run, microsoft, carrier bool) jobs.Alert {
	a := jobs.Alert{Kind: jobs.AlertNoData, Carrier: r.Carrier, Job: r.Job, Subject: subject(r)}
	var side string
	switch {
	case microsoft && carrier:
		side = ofBoth
		a.Text = "neither side has a record of the period, so its report compares nothing: see that Microsoft's files and the carrier's have come; a carrier without calls sends a file without rows"
	case microsoft:
		side = ofMicrosoft
		a.Text = "Microsoft's side has no record of the period, and the carrier has: see that Microsoft's files have come before anything is disputed"
	case carrier:
		side = ofCarrier
		a.Text = "the carrier has no record of the period, and Microsoft has: ask the carrier for its file; one without calls sends a file without rows"
	default:
		return jobs.Alert{}
	}
	a.Key = key(string(jobs.AlertNoData), r.Carrier, r.Period.From.UTC().Format(instant), r.Period.To.UTC().Format(instant), side)
	return a
}

// spanOf reads the period and the sides out of the key of such an alert.
func spanOf(a *jobs.Alert) (p jobs.Period, side string, ok bool) {
	rest, ok := under(a.Key, string(jobs.AlertNoData), a.Carrier)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return p, "", false
	}
	var errFrom, errTo error
	p.From, errFrom = time.Parse(instant, parts[0])
	p.To, errTo = time.Parse(instant, parts[1])
	p.Text = a.Subject
	return p, parts[2], errFrom == nil && errTo == nil
}

// quiet reports whether the carrier has said that there is nothing to report of
// a period.
func (d *Desk) quiet(ctx context.Context, carrier string, p jobs.Period) (bool, error) {
	f := jobs.FileFilter{Carrier: carrier, Side: side(false), Since: p.From, Limit: page}
	for p.To.Sub(p.From) <= longestDay {
		list, err := d.State.ListFiles(ctx, f)
		if err != nil {
			return false, err
		}
		for i := range list {
			if saysNothing(&list[i], p) {
				return true, nil
			}
			f.Before = list[i].ID
		}
		if len(list) < page {
			break
		}
	}
	return false, nil
}

const longestDay = 25 * time.Hour // when clocks go back

// saysNothing reports whether a file of a carrier without rows is about a
// period of one day: the day is in its name, or it came on the day after.
func saysNothing(e *jobs.Entry, p jobs.Period) bool {
	switch {
	case e.Microsoft, !e.Ingested(), len(e.Days) > 0, p.To.Sub(p.From) > longestDay:
		return false
	case e.Date != "":
		return e.Date == p.Text
	}
	return !e.Received.Before(p.To) && e.Received.Before(p.To.Add(utcDay))
}

// silenced resolves an alert about a carrier's missing records when a file says
// that there are none.
func (d *Desk) silenced(ctx context.Context, e *jobs.Entry, a *jobs.Alert) error {
	p, sides, ok := spanOf(a)
	if !ok || sides == ofMicrosoft || !saysNothing(e, p) {
		return nil
	}
	return d.resolve(ctx, *a)
}
