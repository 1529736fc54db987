package schedule

import "time"

// furthestOffset is more than any zone has ever been from UTC.
const furthestOffset = 24 * time.Hour

// wall returns what a clock in the zone of t shows at t, written as UTC: times
// that can be added up and compared, for they have no gaps and no repeats.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// changeAfter returns an instant later than t until which a clock in the zone
// of t runs on evenly; zero: for ever.
//
// time.Time.ZoneBounds does not say so on the last day of a leap year decades
// ahead: for years that it works out from a rule it takes each to have 365
// days, and returns an end that is not after t.
func changeAfter(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return time.Date(t.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	return end
}

// furthest returns the latest that a clock in the zone of t has shown up to t.
// After clocks have gone back that is more than what it shows.
func furthest(t time.Time) time.Time {
	latest := wall(t)
	for at := t.Add(-2 * furthestOffset); ; {
		end := changeAfter(at)
		if end.IsZero() || end.After(t) {
			return latest
		}
		if w := wall(end.Add(-time.Nanosecond)); w.After(latest) {
			latest = w
		}
		at = end
	}
}

// reached returns when a clock in the zone first shows w or a later time. For
// a time that the clocks skip that is when they change.
func reached(w time.Time, zone *time.Location) time.Time {
	for t := w.Add(-furthestOffset).In(zone); ; {
		at := t
		if left := w.Sub(wall(t)); left > 0 {
			at = t.Add(left)
		}
		end := changeAfter(t)
		if end.IsZero() || at.Before(end) {
			return at
		}
		t = end
	}
}
