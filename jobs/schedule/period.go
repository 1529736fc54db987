package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Period is a span of time that a run is about. From belongs to it, To does
// not; both are UTC.
type Period struct {
	From, To time.Time
	text     string
}

// String returns what ParsePeriod reads in the period's zone.
func (p Period) String() string { return p.text }

// ParsePeriod reads a day (2026-10-01), a month (2026-10) or FROM/TO, where
// each is a day, a month or a time (RFC 3339). A day begins when the clocks of
// the zone first show its midnight, or when they skip it.
func ParsePeriod(s string, zone *time.Location) (Period, error) {
	first, last, isRange := strings.Cut(s, "/")
	span, err := parseSpan(first, zone)
	if err != nil {
		return Period{}, err
	}
	to := span.next
	if isRange {
		if to, err = ParseTime(last, zone); err != nil {
			return Period{}, err
		}
	}
	switch {
	case to.After(span.from):
		return Period{span.from, to, s}, nil
	case isRange:
		return Period{}, errors.New("must end after it begins (the end is not part of it)")
	case span.moment:
		return Period{}, fmt.Errorf("%q is a moment; write FROM/TO", s)
	}
	return Period{}, fmt.Errorf("%q is a day that %s has skipped", s, zone)
}

// ParseTime reads a time (RFC 3339), or a day or month, of which it returns
// the beginning, in UTC.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	span, err := parseSpan(s, zone)
	return span.from, err
}

// span is a day or a month, from its beginning to the next one's, or a moment.
type span struct {
	from, next time.Time
	moment     bool
}

func parseSpan(s string, zone *time.Location) (span, error) {
	got, err := readSpan(s, zone)
	if err == nil && !(known(got.from, zone) && known(got.next, zone)) {
		err = fmt.Errorf("%q is not within the years %d to %d", s, firstYear, lastYear)
	}
	return got, err
}

// firstYear is the first one of a period, in its zone and in UTC.
const firstYear = 1900

func known(t time.Time, zone *time.Location) bool {
	here, utc := t.In(zone).Year(), t.UTC().Year()
	return min(here, utc) >= firstYear && max(here, utc) <= lastYear
}

const (
	dayText   = "2006-01-02"
	monthText = "2006-01"
)

func readSpan(s string, zone *time.Location) (span, error) {
	if t, err := time.Parse(dayText, s); err == nil {
		return span{from: midnight(t, zone), next: midnight(t.AddDate(0, 0, 1), zone)}, nil
	}
	if t, err := time.Parse(monthText, s); err == nil {
		return span{from: midnight(t, zone), next: midnight(t.AddDate(0, 1, 0), zone)}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return span{t.UTC(), t.UTC(), true}, nil
	}
	return span{}, fmt.Errorf("%q is neither a day (2026-10-01), a month (2026-10) nor a time (2026-10-01T00:00:00Z)", s)
}

// midnight returns when the day of a clock on the wall begins. Not every day
// has a midnight, and some have two; so days follow on each other without gaps.
func midnight(w time.Time, zone *time.Location) time.Time { return reached(w, zone).UTC() }

// Relative is a period named by when a run was due.
type Relative string

// The periods before the one that a run was due in.
const (
	PreviousDay   Relative = "previous_day"
	PreviousMonth Relative = "previous_month"
)

// Validate refuses what is no period.
func (r Relative) Validate() error {
	switch r {
	case PreviousDay, PreviousMonth:
		return nil
	}
	return fmt.Errorf("period %q: unknown; write %s or %s", string(r), PreviousDay, PreviousMonth)
}

// Resolve returns the period for a run that was due at an instant, whenever it
// is really run: the day or month in the zone before the one with due in it.
// Other words than the two resolve to the empty Period. There is no hour: of
// two that the clocks show, both would have the same name.
func (r Relative) Resolve(due time.Time, zone *time.Location) Period {
	y, m, d := wall(due.In(zone)).Date()
	first, text := time.Date(y, m, d, 0, 0, 0, 0, time.UTC), dayText
	if r == PreviousMonth {
		first, text = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), monthText
	}
	for r.Validate() == nil {
		before := r.before(first)
		p := Period{midnight(before, zone), midnight(first, zone), before.Format(text)}
		if p.To.After(p.From) {
			return p
		}
		first = before // the clocks skipped the whole of it
	}
	return Period{}
}

func (r Relative) before(t time.Time) time.Time {
	if r == PreviousMonth {
		return t.AddDate(0, -1, 0)
	}
	return t.AddDate(0, 0, -1)
}
