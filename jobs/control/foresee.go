package control

import (
	"context"
	"time"

	"concord/jobs"
)

// warnings say what the report of a period would lack, by the files that a run
// would read and by the time.
func (d *Desk) warnings(p jobs.Period, entries []jobs.Entry) (list []string) {
	microsoft, carrier := holds(entries, true, p), holds(entries, false, p)
	switch {
	case !microsoft && !carrier:
		list = append(list, "no file of either side holds any of the period: the report would compare nothing")
	case !microsoft:
		list = append(list, "no file of Microsoft's holds any of the period: see that they have come")
	case !carrier:
		list = append(list, "no file of the carrier's holds any of the period: see that it has come")
	}
	switch now := d.now(); {
	case p.From.After(now):
		list = append(list, "the period has not begun")
	case p.To.After(now):
		list = append(list, "the period is not over until "+p.To.UTC().Format("2006-01-02 15:04")+" UTC: calls may still come")
	}
	return list
}

// holds reports whether a file of a side has rows on a day of UTC that has a
// part in a period.
func holds(entries []jobs.Entry, microsoft bool, p jobs.Period) bool {
	first, last := p.From.UTC().Format(time.DateOnly), p.To.Add(-1).UTC().Format(time.DateOnly)
	for _, e := range entries {
		for _, day := range e.Days {
			if e.Microsoft == microsoft && day.Rows > 0 && first <= day.Date && day.Date <= last {
				return true
			}
		}
	}
	return false
}

// foreseeLock warns of a period in which nothing is published.
func (d *Desk) foreseeLock(ctx context.Context, r jobs.Run, p *Planned) error {
	lock, err := d.lockOf(ctx, r.Carrier, r.Period)
	if err != nil || lock == nil {
		return err
	}
	p.Warnings = append(p.Warnings, lock.Locked()+": what is new would not be published until it is reopened")
	return nil
}

// latestPeriod returns the newest version about the latest period of a carrier
// that has begun; of two that end at once, the one that was published last.
func (d *Desk) latestPeriod(ctx context.Context, carrier string) (latest *Report, err error) {
	f := jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: carrier, Newest: true, Limit: 1}
	list, err := d.Archive.Reports(ctx, f)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	f.From, f.Limit = list[0].Period.To, 0
	later, err := d.Archive.Reports(ctx, f)
	for _, r := range append(list, later...) {
		begun := !r.Period.From.After(d.now())
		if latest == nil || begun && r.Period.To.After(latest.Period.To) || begun && latest.Period.From.After(d.now()) {
			rep := reportOf(r)
			latest = &rep
		}
	}
	return latest, err
}

// lockOf returns the approval that locks a period; nil: none does.
func (d *Desk) lockOf(ctx context.Context, carrier string, p jobs.Period) (*jobs.SignOff, error) {
	list, err := d.SignedOff.SignOffs(ctx, jobs.SignOffFilter{Carrier: carrier, Period: &p})
	for i := range list {
		if list[i].Locks() {
			return &list[i], err
		}
	}
	return nil, err
}
