package engine

import (
	"errors"
	"math"
	"time"
)

// period is [from, to) in microseconds, and the margin around it within which
// records take part.
type period struct {
	from, to, margin int64
	nearClock        bool // calls far outside do not show the clock
}

// checkPeriod refuses a period that can hold nothing.
func checkPeriod(from, to time.Time) error {
	if from.IsZero() && to.IsZero() || to.After(from) {
		return nil
	}
	return errors.New("period: must end after it begins")
}

// newPeriod returns the period of a task; without one everything is inside.
func newPeriod(from, to time.Time, margin time.Duration) period {
	if from.IsZero() && to.IsZero() {
		return period{from: math.MinInt64, to: math.MaxInt64}
	}
	return period{from: from.UnixMicro(), to: to.UnixMicro(), margin: margin.Microseconds()}
}

func (p period) has(start int64) bool { return p.from <= start && start < p.to }

// near reports whether a record takes part: it is in the period or within the
// margin of it.
func (p period) near(start int64) bool {
	return p.has(start) || p.margin > 0 && p.from-p.margin <= start && start < p.to+p.margin
}

// ClockReach is how far beyond the margin of a period calls may begin that show
// the carrier's clock with Task.NearClock: as far as the clock of any zone is from UTC. With a clock
// that is off by no more, nothing beyond it takes part in a run, but for
// repeats.
const ClockReach = 14 * time.Hour

// showsClock reports whether a call of either side, by its own start, takes
// part in the measurement of the carrier's clock.
func (p period) showsClock(start int64) bool {
	reach := p.margin + ClockReach.Microseconds()
	return !p.nearClock || p.has(start) || p.from-reach <= start && start < p.to+reach
}

// days tells the day of an instant in one zone. It remembers the stretch
// between two changes of the zone's clock; it is not safe for concurrent use.
type days struct {
	zone       *time.Location
	start, end int64 // seconds between which shift holds
	shift      int64 // seconds east of UTC
}

func newDays(zone *time.Location) days {
	if zone == nil {
		zone = time.UTC
	}
	return days{zone: zone}
}

// of returns the days since 1970-01-01 of an instant in microseconds.
func (d *days) of(us int64) int32 {
	sec := floorDiv(us, 1_000_000)
	if sec < d.start || sec >= d.end {
		d.lookUp(sec)
	}
	return int32(floorDiv(sec+d.shift, 86400))
}

func (d *days) lookUp(sec int64) {
	t := time.Unix(sec, 0).In(d.zone)
	_, shift := t.Zone()
	from, to := t.ZoneBounds()
	d.shift, d.start, d.end = int64(shift), math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		d.start = from.Unix()
	}
	if !to.IsZero() {
		d.end = to.Unix()
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// dayName returns the date of a day: 2026-10-01.
func dayName(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}
