package dialect

import (
	"math"
	"time"
)

// zoneClock turns local wall clock readings into instants. It remembers the
// stretch between two clock changes in which it last was. Seconds count from
// 1970; a wall clock reading is counted as if it were UTC.
type zoneClock struct {
	loc    *time.Location
	offset int64 // seconds east of UTC in the stretch
	lo, hi int64 // instants of the stretch whose wall clock reading occurs once
}

func newZoneClock(loc *time.Location) zoneClock {
	return zoneClock{loc: loc, lo: math.MaxInt64, hi: math.MinInt64}
}

// instant returns when the wall clock shows wall. When it shows that twice
// the first time is taken; when it never does, the reading is moved forward
// by as much as the clock was. Neither can be trusted.
func (z *zoneClock) instant(wall int64) (sec int64, trusted bool) {
	if u := wall - z.offset; z.lo <= u && u < z.hi {
		return u, true
	}
	return z.lookup(wall)
}

const daySeconds = 24 * 60 * 60

// lookup finds the instants of a reading without what is remembered.
func (z *zoneClock) lookup(wall int64) (int64, bool) {
	first, last := z.candidates(wall)
	switch {
	case first > last:
		return wall - z.offsetAt(wall-daySeconds), false
	case first != last:
		return first, false
	}
	z.remember(first)
	return first, true
}

// candidates returns the first and the last instant at which the clock shows
// wall; the first is after the last when it never does. It tries every offset
// in use within a day of the reading.
func (z *zoneClock) candidates(wall int64) (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	for _, near := range [...]int64{wall - daySeconds, wall, wall + daySeconds} {
		off := z.offsetAt(near)
		if u := wall - off; z.offsetAt(u) == off {
			first, last = min(first, u), max(last, u)
		}
	}
	return first, last
}

func (z *zoneClock) offsetAt(sec int64) int64 {
	_, off := time.Unix(sec, 0).In(z.loc).Zone()
	return int64(off)
}

// remember notes the stretch around an instant, less the readings that the
// stretches beside it show too.
func (z *zoneClock) remember(sec int64) {
	t := time.Unix(sec, 0).In(z.loc)
	_, off := t.Zone()
	z.offset, z.lo, z.hi = int64(off), math.MinInt64, math.MaxInt64
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		s := start.Unix()
		z.lo = max(s, s+z.offsetAt(s-1)-z.offset)
	}
	if !end.IsZero() {
		e := end.Unix()
		z.hi = min(e, e+z.offsetAt(e)-z.offset)
	}
}
