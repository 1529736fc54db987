package jobs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ParsePeriod reads a day (2026-10-01), a month (2026-10) or FROM/TO, where
// each is a day, a month or a time (RFC 3339). Days begin at midnight in
// zone. from belongs to the period, to does not.
func ParsePeriod(s string, zone *time.Location) (from, to time.Time, err error) {
	first, last, isRange := strings.Cut(s, "/")
	from, next, err := parseSpan(first, zone)
	if err != nil {
		return from, to, err
	}
	if !isRange {
		if next.Equal(from) {
			return from, to, fmt.Errorf("%q is a moment; write FROM/TO", s)
		}
		return from, next, nil
	}
	if to, err = parseTime(last, zone); err != nil {
		return from, to, err
	}
	if !to.After(from) {
		return from, to, errors.New("must end after it begins (the end is not part of it)")
	}
	return from, to, nil
}

// parseTime reads a time, or the beginning of a day or month.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	t, _, err := parseSpan(s, zone)
	return t, err
}

// parseSpan returns when a day or month begins and when the next one does; a
// time ends as it begins.
func parseSpan(s string, zone *time.Location) (from, next time.Time, err error) {
	from, next, err = readSpan(s, zone)
	if err == nil && (min(from.Year(), from.UTC().Year()) < firstYear || max(next.Year(), next.UTC().Year()) > lastYear) {
		err = fmt.Errorf("%q is not within the years %d to %d", s, firstYear, lastYear)
	}
	return from, next, err
}

// The years of a period, in its zone and in UTC. A later one has no RFC 3339
// form.
const (
	firstYear = 1900
	lastYear  = 9999
)

func readSpan(s string, zone *time.Location) (from, next time.Time, err error) {
	if t, err := time.ParseInLocation("2006-01-02", s, zone); err == nil {
		y, m, d := t.Date()
		return t, time.Date(y, m, d+1, 0, 0, 0, 0, zone), nil
	}
	if t, err := time.ParseInLocation("2006-01", s, zone); err == nil {
		y, m, _ := t.Date()
		return t, time.Date(y, m+1, 1, 0, 0, 0, 0, zone), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, t, nil
	}
	return from, next, fmt.Errorf("%q is neither a day (2026-10-01), a month (2026-10) nor a time (2026-10-01T00:00:00Z)", s)
}
