package alert

import (
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/schedule"
)

// day is one day of the zone in which a carrier's files are expected.
type day struct {
	date       string    // such as 2026-10-01
	start, end time.Time // UTC; of 23 to 25 hours when clocks change
	due        time.Time // when the file about it is expected
	// parts are the days of UTC that have a part in it, in order.
	parts []part
}

// part is a day of UTC and how much of it is on another day.
type part struct {
	date string
	hour float64
}

// dayOf returns the day of a zone with a noon; not every zone has had each.
func dayOf(x *config.Expected, noon time.Time) (day, bool) {
	date := noon.Format(time.DateOnly)
	p, err := schedule.ParsePeriod(date, x.Zone)
	if err != nil {
		return day{}, false
	}
	d := day{date: date, start: p.From, end: p.To, due: x.Due(noon)}
	for at := p.From.Truncate(utcDay); at.Before(p.To); at = at.Add(utcDay) {
		from, to := later(at, p.From), earlier(at.Add(utcDay), p.To)
		d.parts = append(d.parts, part{at.Format(time.DateOnly), to.Sub(from).Hours()})
	}
	return d, true
}

const utcDay = 24 * time.Hour

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

// opens returns from when on a file without rows can be about the day: its end,
// or its beginning for a file that is due before the day is over.
func (d *day) opens() time.Time {
	if d.due.After(d.end) {
		return d.end
	}
	return d.start
}

// daysOf returns the days of a zone from the one of an instant to that of
// another, in order.
func daysOf(x *config.Expected, from, to time.Time) (list []day) {
	y, m, n := from.In(x.Zone).Date()
	for ; ; n++ {
		noon := time.Date(y, m, n, 12, 0, 0, 0, x.Zone)
		d, ok := dayOf(x, noon)
		if ok && d.start.After(to) {
			return list
		}
		if ok && (len(list) == 0 || list[len(list)-1].date != d.date) {
			list = append(list, d)
		}
	}
}

// few is how much less than the busiest day of a file a day may have to count:
// weekends have a tenth, a few late calls have less.
const few = 10

// tally is what a file holds by days of UTC.
type tally struct {
	rows        map[string]int64
	most        int64
	first, last string // days with no few rows
}

func tallyOf(e *jobs.Entry) (t tally) {
	t.rows = map[string]int64{}
	for _, d := range e.Days {
		t.rows[d.Date] = d.Rows
		t.most = max(t.most, d.Rows)
	}
	for _, d := range e.Days {
		if !t.many(d.Date) {
			continue
		}
		if t.first == "" || d.Date < t.first {
			t.first = d.Date
		}
		t.last = max(t.last, d.Date)
	}
	return t
}

func (t *tally) many(date string) bool { return t.rows[date] > 0 && t.rows[date]*few >= t.most }

// share estimates how many rows are on a day, as if the calls of each day of
// UTC were spread evenly over it.
func (t *tally) share(d *day) (rows float64) {
	for _, p := range d.parts {
		rows += float64(t.rows[p.date]) * p.hour / utcDay.Hours()
	}
	return rows
}

// spans reports whether the file goes on before and after the day.
func (t *tally) spans(d *day) bool {
	return t.first < d.parts[0].date && d.parts[len(d.parts)-1].date < t.last
}

// fills reports whether the file has rows wherever the day has a part: no few
// where that is half of the day or more. A file about the next day has some in
// the last hours of UTC, and none in the first.
func (t *tally) fills(d *day) bool {
	half := d.end.Sub(d.start).Hours() / 2
	much := false
	for _, p := range d.parts {
		if t.rows[p.date] == 0 || p.hour >= half && !t.many(p.date) {
			return false
		}
		much = much || t.many(p.date)
	}
	return much
}

// about reports for each of some days, which follow on each other, whether the
// file is about it: the day in its name, or else those that most of its rows
// are on, that it spans, and that it fills. The days reach beyond those that
// matter, for most is more than on any other one.
func about(e *jobs.Entry, days []day) []bool {
	is := make([]bool, len(days))
	if e.Date != "" || len(e.Days) == 0 {
		for i := range days {
			is[i] = e.Date == days[i].date
		}
		return is
	}
	t := tallyOf(e)
	most := 0.0
	for i := range days {
		most = max(most, t.share(&days[i]))
	}
	for i := range days {
		d := &days[i]
		main := most > 0 && t.share(d) == most && t.many(mainPart(d))
		is[i] = main || t.spans(d) || t.fills(d)
	}
	return is
}

// mainPart is the day of UTC that most of a day is on.
func mainPart(d *day) string {
	best := d.parts[0]
	for _, p := range d.parts[1:] {
		if p.hour > best.hour {
			best = p
		}
	}
	return best.date
}
