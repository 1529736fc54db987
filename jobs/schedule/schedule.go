// Package schedule says when jobs are due and calls them: cron schedules in a
// time zone, the periods that they are about, and the loop that fires them.
//
// A schedule is a function of the calendar and its zone alone, so that two
// services, or one before and after a restart, agree on every instant of it.
// Those instants strictly increase. What happens when clocks change depends on
// what the schedule says:
//
//   - One that names hours (30 2 * * *) means times of day. A time that the
//     clocks skip comes at the first instant after it, a time that they show
//     twice comes the first time.
//   - One of every hour (*/15 * * * *, 5 * * * *) means real time. It comes
//     whenever the clocks show it, so on through a repeated hour; what they
//     skip is not made up, as the next time is at most an hour away.
//   - One of some hours with a star for minutes (*/15 0-6 * * *) is both: on
//     through a repeated hour, and once after a skip that it would have been
//     due in.
//
// Loop fires each instant once among all the loops on one Store. The package
// starts no goroutines, keeps no files and does not log.
package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is when a job is due. The zero value is never.
type Schedule struct {
	spec   string
	zone   *time.Location
	fields *cron.SpecSchedule // in UTC, where clocks do not change
	rhythm rhythm
}

// rhythm is what a schedule does when clocks change.
type rhythm int

const (
	timesOfDay rhythm = iota // as the clock first reaches each time
	realTime                 // whenever the clock shows a time
	both
)

// String returns the schedule and its zone as they were given.
func (s Schedule) String() string {
	if s.fields == nil {
		return "never"
	}
	return s.spec + " " + s.zone.String()
}

// Zone is where the schedule's times are told; nil for the zero value.
func (s Schedule) Zone() *time.Location { return s.zone }

// lastYear is the last one with an RFC 3339 form, and with it the last one
// that schedules and periods know.
const lastYear = 9999

// Next returns the first instant of the schedule later than after, in its
// zone. It is the zero time if there is none, which takes the zero Schedule or
// the end of the year 9999.
func (s Schedule) Next(after time.Time) time.Time {
	if s.fields == nil || after.Year() > lastYear {
		return time.Time{}
	}
	if after.Year() < 1 {
		after = time.Time{}
	}
	next := s.next(after.In(s.zone))
	if next.Year() > lastYear {
		return time.Time{}
	}
	return next
}

func (s Schedule) next(after time.Time) time.Time {
	switch s.rhythm {
	case timesOfDay:
		return s.nextReached(after)
	case realTime:
		return s.nextShown(after)
	default:
		return earlier(s.nextReached(after), s.nextShown(after))
	}
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Upcoming returns the next n instants later than after.
func (s Schedule) Upcoming(after time.Time, n int) []time.Time {
	var all []time.Time
	for len(all) < n {
		if after = s.Next(after); after.IsZero() {
			break
		}
		all = append(all, after)
	}
	return all
}

// nextReached returns when a clock in the zone of after, which never goes
// back, first shows a time of the schedule or a later one.
func (s Schedule) nextReached(after time.Time) time.Time {
	w := s.match(furthest(after))
	if w.IsZero() {
		return w
	}
	return reached(w, after.Location())
}

// nextShown returns when a clock in the zone of after next shows a time of the
// schedule.
func (s Schedule) nextShown(after time.Time) time.Time {
	w := wall(after)
	due := s.match(w)
	for t := after; !due.IsZero(); {
		at := t.Add(due.Sub(wall(t)))
		end := changeAfter(t)
		if end.IsZero() || at.Before(end) {
			return at
		}
		// The clocks change first. What is due stays so, unless they go back
		// to where w has been, or beyond it.
		t = end
		changed := wall(end).Add(-time.Nanosecond)
		if changed.Before(w) || !due.After(changed) {
			due = s.match(changed)
		}
		w = changed
	}
	return time.Time{}
}

// match returns the first time of the schedule later than w, both as a clock
// on the wall shows them. The cron library looks five years ahead, and two
// leap days can be eight apart.
func (s Schedule) match(w time.Time) time.Time {
	const reach = 5
	for range 2 {
		if next := s.fields.Next(w); !next.IsZero() {
			return next
		}
		w = w.AddDate(reach, 0, 0)
	}
	return time.Time{}
}
