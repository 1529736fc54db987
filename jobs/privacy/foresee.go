package privacy

import (
	"context"
	"fmt"

	"concord/jobs"
)

// overdue is a thing that is older than its rule, and what becomes of it.
type overdue struct {
	jobs.Purgeable
	fate, why, hold string
}

func (d *overdue) count() int64 { return max(d.Count, 1) }

// due lists what of a carrier's class is older than it is kept.
func (p *Purger) due(ctx context.Context, carrier string, c Carrier, class jobs.Class) (list []overdue, err error) {
	rule := c.Rules[class]
	if rule.Days == 0 {
		return nil, nil
	}
	now := p.Now()
	all, err := p.State.Purgeable(ctx, class, carrier, c.Bounds, now)
	if err == nil && class == jobs.ClassDeliveries {
		var sent []jobs.Purgeable
		sent, err = p.Disk.Delivered(carrier)
		all = append(all, sent...)
	}
	if err != nil {
		return nil, err
	}
	guard, err := p.State.PurgeGuard(ctx, carrier, c.Bounds, now)
	if err != nil {
		return nil, err
	}
	since := now.AddDate(0, 0, -rule.Days)
	for _, x := range all {
		if x.To.After(since) {
			continue
		}
		x.Bytes = p.Disk.Size(class, carrier, &x)
		d := overdue{Purgeable: x, fate: jobs.FatePurge}
		switch hold, why := guard.Keeps(class, &x, c.Bounds); {
		case hold != nil:
			d.fate, d.hold, d.why = jobs.FateHold, hold.ID, "held for "+hold.Period.Text
		case why != "":
			d.fate, d.why = jobs.FateWait, why
		}
		list = append(list, d)
	}
	return list, nil
}

// Foresee says what a purge of some carriers would do now, what is about several
// included, which every purge looks at.
func (p *Purger) Foresee(ctx context.Context, carriers []string) ([]jobs.PurgeLine, error) {
	lines := []jobs.PurgeLine{}
	for _, name := range carriers {
		c, ok := p.Carrier(name)
		if !ok {
			return nil, fmt.Errorf("%s is not in the configuration", name)
		}
		some, err := p.foresee(ctx, name, c, classes)
		if err != nil {
			return nil, err
		}
		lines = append(lines, some...)
	}
	some, err := p.foresee(ctx, "", p.Shared(), []jobs.Class{jobs.ClassRaw})
	return append(lines, some...), err
}

func (p *Purger) foresee(ctx context.Context, carrier string, c Carrier, classes []jobs.Class) (lines []jobs.PurgeLine, err error) {
	for _, class := range classes {
		due, err := p.due(ctx, carrier, c, class)
		if err != nil {
			return nil, err
		}
		lines = append(lines, summed(due, jobs.PurgeLine{Class: class, Carrier: carrier, Country: c.Country, Rule: c.Rules[class].Text})...)
	}
	return lines, nil
}

// summed are the lines of things of one class, those of one fate together, in the
// order in which they are met.
func summed(due []overdue, like jobs.PurgeLine) (lines []jobs.PurgeLine) {
	at := map[[3]string]int{}
	for _, d := range due {
		key := [3]string{d.fate, d.hold, d.why}
		i, ok := at[key]
		if !ok {
			i = len(lines)
			at[key] = i
			l := like
			l.Fate, l.Hold, l.Why, l.Oldest, l.Newest = d.fate, d.hold, d.why, d.From, d.To
			lines = append(lines, l)
		}
		l := &lines[i]
		l.Count += d.count()
		l.Bytes += d.Bytes
		if d.From.Before(l.Oldest) {
			l.Oldest = d.From
		}
		if d.To.After(l.Newest) {
			l.Newest = d.To
		}
	}
	return lines
}
