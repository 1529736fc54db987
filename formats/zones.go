package formats

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

// lookup tries every offset in use within a day of the reading.
func (z *zoneClock) lookup(wall int64) (int64, bool) {
	before := z.offsetAt(wall - daySeconds)
	first, last, n := int64(math.MaxInt64), int64(math.MinInt64), 0
	for _, off := range [...]int64{before, z.offsetAt(wall), z.offsetAt(wall + daySeconds)} {
		if u := wall - off; z.offsetAt(u) == off {
			first, last = min(first, u), max(last, u)
			n++
		}
	}
	switch {
	case n == 0:
		return wall - before, false
	case first != last:
		return first, false
	}
	z.remember(first)
	return first, true
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
