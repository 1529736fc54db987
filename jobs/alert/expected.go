package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

const (
	// askFor is how long after it was due a file is looked for anew. An alert
	// that is open then stays so until the file arrives.
	askFor = 7 * 24 * time.Hour
	// history is how much further back files are looked at, to tell which days
	// those without rows are about.
	history = 7 * 24 * time.Hour
)

// vigil is what a Tick remembers of one carrier, so that the next one need not
// look again when no file has arrived and none has become due.
type vigil struct {
	expected config.Expected
	latest   time.Time // when the last file was due
}

// expected looks for the files that carriers should have sent.
func (d *Desk) expected(ctx context.Context, c *config.Config, open []jobs.Alert) error {
	missing := map[string][]jobs.Alert{}
	for _, a := range open {
		if a.Kind == jobs.AlertFileMissing {
			missing[a.Carrier] = append(missing[a.Carrier], a)
		}
	}
	vigils := make(map[string]*vigil, len(d.vigils))
	var errs []error
	for _, x := range c.Carriers {
		if x.Expected == nil {
			continue
		}
		v, err := d.attend(ctx, x, d.vigils[x.Name], missing[x.Name])
		if err != nil {
			errs = append(errs, fmt.Errorf("look for the files of %s: %w", x.Name, err))
		}
		vigils[x.Name] = v
	}
	d.vigils = vigils
	return errors.Join(errs...)
}

// attend looks for the files of one carrier if it may find something new. After
// an error it does so again next time, from the beginning.
func (d *Desk) attend(ctx context.Context, x *config.Carrier, v *vigil, open []jobs.Alert) (*vigil, error) {
	now := d.Now()
	next := &vigil{expected: *x.Expected, latest: latestDue(x.Expected, now)}
	d.mu.Lock()
	fresh := d.arrived[x.Name]
	delete(d.arrived, x.Name)
	d.mu.Unlock()
	known := v != nil && v.expected == next.expected
	if known && !fresh && v.latest.Equal(next.latest) {
		return v, nil
	}
	l := look{d: d, carrier: x.Name, x: x.Expected, now: now, open: open, whole: !known}
	if err := l.run(ctx); err != nil {
		return nil, err
	}
	return next, nil
}

// latestDue returns when the last file up to now was due.
func latestDue(x *config.Expected, now time.Time) time.Time {
	y, m, n := now.In(x.Zone).Date()
	for n -= x.Days - 1; ; n-- {
		if due := x.Due(time.Date(y, m, n, 12, 0, 0, 0, x.Zone)); !due.After(now) {
			return due
		}
	}
}

// look is one look for the files of one carrier.
type look struct {
	d       *Desk
	carrier string
	x       *config.Expected
	now     time.Time
	open    []jobs.Alert // about its missing files
	whole   bool         // also for what arrived long ago

	days    []day // in order, up to today
	recent  int   // the first of them that all files are known about
	entries []jobs.Entry
	there   []bool // of days
}

func (l *look) run(ctx context.Context) error {
	l.span()
	if err := l.list(ctx); err != nil {
		return err
	}
	l.there = make([]bool, len(l.days))
	for i := range l.entries {
		if e := &l.entries[i]; e.Ingested() {
			for n, is := range about(e, l.days) {
				l.there[n] = l.there[n] || is
			}
		}
	}
	l.spread()
	first, never, err := l.beginning(ctx)
	if err != nil {
		return err
	}
	if never {
		return l.waitForFirst(ctx)
	}
	return errors.Join(l.resolve(ctx, first), l.raise(ctx, first))
}

// span lays out the days to look at.
func (l *look) span() {
	from := l.now.Add(-askFor-history).AddDate(0, 0, -l.x.Days-1)
	begin := from
	for _, a := range l.open {
		if t, err := time.Parse(time.DateOnly, a.Subject); err == nil {
			begin = earlier(begin, t.Add(-history))
		}
	}
	l.days = daysOf(l.x, begin, l.now)
	l.recent, _ = slices.BinarySearchFunc(l.days, from, func(d day, t time.Time) int { return d.end.Compare(t) })
}

// list reads the files that can be about the days, in the order of their
// recording.
func (l *look) list(ctx context.Context) error {
	since := l.days[l.recent].start
	if l.whole {
		since = l.days[0].start
	}
	f := jobs.FileFilter{Carrier: l.carrier, Side: side(false), Since: since.Add(-utcDay), Limit: page}
	for {
		list, err := l.d.State.ListFiles(ctx, f)
		if err != nil {
			return err
		}
		l.entries = append(l.entries, list...)
		if len(list) < page {
			slices.Reverse(l.entries)
			return nil
		}
		f.Before = list[len(list)-1].ID
	}
}

// spread finds a day for each file that has no rows and no date. In the order
// of their arrival each is about the day whose file is due next, if that is
// open and not there yet, or else about the last one before it that is not.
func (l *look) spread() {
	var empty []*jobs.Entry
	for i := range l.entries {
		if e := &l.entries[i]; e.Ingested() && e.Date == "" && len(e.Days) == 0 {
			empty = append(empty, e)
		}
	}
	slices.SortStableFunc(empty, func(a, b *jobs.Entry) int { return a.Received.Compare(b.Received) })
	for _, e := range empty {
		for n := l.next(e.Received); n >= 0; n-- {
			if !l.there[n] && l.wants(n, e) {
				l.there[n] = true
				break
			}
		}
	}
}

// next returns the day whose file is due next at an instant, or the last one
// that a file without rows can be about by then; -1: there is none.
func (l *look) next(at time.Time) int {
	last := -1
	for n := range l.days {
		d := &l.days[n]
		if d.opens().After(at) {
			break
		}
		last = n
		if !d.due.Before(at) {
			break
		}
	}
	return last
}

// wants reports whether a file without rows can be the one about a day. One of
// long ago counts only if its alert is open and the file is new.
func (l *look) wants(n int, e *jobs.Entry) bool {
	return n >= l.recent || e.Received.After(l.now.Add(-askFor)) && l.openAt(n)
}

func (l *look) openAt(n int) bool {
	return slices.ContainsFunc(l.open, func(a jobs.Alert) bool { return a.Subject == l.days[n].date })
}

// beginning returns the first file that the carrier has ever sent, if it is
// among those that were read, and whether it has never sent any.
func (l *look) beginning(ctx context.Context) (first *jobs.Entry, never bool, err error) {
	f := jobs.FileFilter{Carrier: l.carrier, Side: side(false), Limit: 1}
	if len(l.entries) > 0 {
		first = &l.entries[0]
		f.Before = first.ID
	}
	list, err := l.d.State.ListFiles(ctx, f)
	if err != nil || len(list) > 0 {
		return nil, false, err
	}
	return first, first == nil, nil
}

// waitForFirst raises one alert of a carrier that has never sent a file.
func (l *look) waitForFirst(ctx context.Context) error {
	for n := len(l.days) - 1; n >= 0 && len(l.open) == 0; n-- {
		if !l.days[n].due.After(l.now) {
			return l.d.raise(ctx, l.alert(n))
		}
	}
	return nil
}

// asks reports whether a file about a day was to be expected from a carrier
// whose first file is given; nil: it began long ago.
func (l *look) asks(n int, first *jobs.Entry) bool {
	if first == nil {
		return true
	}
	if l.days[n].due.Before(first.Received) {
		return false
	}
	begin := slices.Index(about(first, l.days), true)
	return begin < 0 || n >= begin
}

// resolve resolves the alerts about files that are there, or that were due
// before the carrier began.
func (l *look) resolve(ctx context.Context, first *jobs.Entry) error {
	var errs []error
	for _, a := range l.open {
		n := slices.IndexFunc(l.days, func(d day) bool { return d.date == a.Subject })
		if n < 0 || l.there[n] || !l.asks(n, first) {
			errs = append(errs, l.d.resolve(ctx, a))
		}
	}
	return errors.Join(errs...)
}

func (l *look) raise(ctx context.Context, first *jobs.Entry) error {
	var errs []error
	for n := range l.days {
		due := l.days[n].due
		if due.After(l.now) || !due.After(l.now.Add(-askFor)) || l.there[n] || !l.asks(n, first) || l.openAt(n) {
			continue
		}
		errs = append(errs, l.d.raise(ctx, l.alert(n)))
	}
	return errors.Join(errs...)
}

func (l *look) alert(n int) jobs.Alert {
	d := &l.days[n]
	return jobs.Alert{
		Key: key(string(jobs.AlertFileMissing), l.carrier, d.date), Kind: jobs.AlertFileMissing, Carrier: l.carrier, Subject: d.date,
		Text: fmt.Sprintf("no file about %s has arrived from the carrier; it was due by %s: ask for it; concord files --carrier %s lists what has come",
			d.date, d.due.Format("2006-01-02 15:04 MST"), l.carrier),
	}
}
