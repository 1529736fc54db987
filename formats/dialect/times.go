package dialect

import (
	"encoding/binary"
	"time"

	"concord/engine"
)

// layoutRFC3339 is the word of a profile for the canonical form of a time.
const layoutRFC3339 = "rfc3339"

// Reasons for which a time is rejected.
const (
	reasonNotTime    = "not a time of the layout that the profile says"
	reasonNotRFC3339 = "not a time of the form 2006-01-02T15:04:05Z or with an offset"
)

// timeReader reads times of one column. It keeps a cache of its zone, so it
// belongs to one decoder.
type timeReader struct {
	layouts []timeLayout
	zone    zoneClock
}

// timeLayout is one compiled layout.
type timeLayout struct {
	name   string // as the profile says
	epoch  int64  // microseconds of one unit of an epoch layout, else 0
	nanos  bool   // an epoch in nanoseconds
	rfc    bool
	offset bool // the text itself says its offset from UTC
	fast   []layoutPart
	fixed  *fixedLayout // nil when the pieces are not all of fixed width
}

func newTimeReader(layouts []string, zone *time.Location) timeReader {
	if zone == nil {
		zone = time.UTC
	}
	t := timeReader{zone: newZoneClock(zone)}
	for _, l := range layouts {
		t.layouts = append(t.layouts, compileLayout(l))
	}
	return t
}

// typed replaces the layouts for a column of typed times.
func (t *timeReader) typed(as TypedTime) {
	switch as {
	case TypedInstant:
		t.layouts = []timeLayout{compileLayout(layoutRFC3339)}
	case TypedLocal:
		t.layouts = []timeLayout{compileLayout("2006-01-02T15:04:05")}
	}
}

func compileLayout(name string) timeLayout {
	l := timeLayout{name: name}
	switch name {
	case layoutRFC3339:
		l.rfc, l.offset = true, true
	case "unix":
		l.epoch = 1_000_000
	case "unix_ms":
		l.epoch = 1000
	case "unix_us":
		l.epoch = 1
	case "unix_ns":
		l.nanos = true
	default:
		l.fast, l.offset = compileParts(name)
		l.fixed = compileFixed(l.fast)
	}
	return l
}

// isEpoch reports whether the layout counts from 1970.
func (l *timeLayout) isEpoch() bool { return l.epoch > 0 || l.nanos }

// read returns the microseconds since 1970 that b says, whether the local
// clock can be trusted there, or why it says none.
func (t *timeReader) read(b []byte) (us int64, trusted bool, reason string) {
	for i := range t.layouts {
		if us, trusted, ok := t.layout(&t.layouts[i], b); ok {
			if us < engine.MinStart || us >= engine.MaxStart {
				return 0, true, ReasonYears
			}
			return us, trusted, ""
		}
	}
	if len(t.layouts) == 1 && t.layouts[0].rfc {
		return 0, true, reasonNotRFC3339
	}
	return 0, true, reasonNotTime
}

// second returns the other instant of a local time that the clock shows
// twice.
func (t *timeReader) second(b []byte) (us int64, ok bool) {
	for i := range t.layouts {
		l := &t.layouts[i]
		if _, _, fits := t.layout(l, b); !fits {
			continue
		}
		if l.rfc || l.isEpoch() || l.offset {
			return 0, false
		}
		w, _ := l.parse(b)
		first, last := t.zone.candidates(w.sec)
		return last*1_000_000 + w.us, first < last
	}
	return 0, false
}

// layout reads b in one layout.
func (t *timeReader) layout(l *timeLayout, b []byte) (us int64, trusted, ok bool) {
	switch {
	case l.rfc:
		us, ok = parseRFC3339(b)
		return us, true, ok
	case l.isEpoch():
		us, ok = l.parseEpoch(b)
		return us, true, ok
	}
	w, ok := l.parse(b)
	if !ok {
		return 0, true, false
	}
	sec, trusted := w.sec, true
	if !l.offset {
		sec, trusted = t.zone.instant(w.sec)
	}
	return sec*1_000_000 + w.us, trusted, true
}

// parse reads the fixed parts of a layout, and leaves what they do not
// understand to the standard library.
func (l *timeLayout) parse(b []byte) (wall, bool) {
	if l.fixed != nil && len(b) == l.fixed.width {
		if w, ok := l.fixed.parse(b); ok {
			return w, true
		}
	}
	if l.fast != nil {
		if w, ok := parseParts(l.fast, b); ok {
			return w, true
		}
	}
	if len(b) > maxTimeText {
		return wall{}, false
	}
	v, err := time.Parse(l.name, string(b))
	if err != nil {
		return wall{}, false
	}
	return wall{sec: v.Unix(), us: int64(v.Nanosecond()) / 1000}, true
}

// maxTimeText is the longest text that is tried as a time, in bytes.
const maxTimeText = 128

// parseEpoch reads a count of units since 1970 with an optional fraction.
// What is finer than a microsecond is cut off.
func (l *timeLayout) parseEpoch(b []byte) (int64, bool) {
	negative := len(b) > 1 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	m, ok := parseMantissa(b, '.')
	if !ok || m.wide {
		return 0, false
	}
	whole, rest := m.value/m.scale, m.value%m.scale
	us, exact := l.micros(whole, rest, m.scale)
	switch {
	case us > engine.MaxStart:
		return engine.MaxStart, true
	case !negative:
		return us, true
	case !exact:
		return -us - 1, true
	}
	return -us, true
}

// micros returns whole + rest/scale units in microseconds, rounded down.
func (l *timeLayout) micros(whole, rest, scale uint64) (us int64, exact bool) {
	if l.nanos {
		return int64(whole / 1000), whole%1000 == 0 && rest == 0
	}
	unit := uint64(l.epoch)
	if whole > engine.MaxStart/unit {
		return engine.MaxStart + 1, true
	}
	exact = true
	for scale > 1_000_000_000 { // rest × unit must fit in a word
		exact = exact && rest%10 == 0
		rest, scale = rest/10, scale/10
	}
	part := rest * unit
	return int64(whole*unit + part/scale), exact && part%scale == 0
}

// parseRFC3339 reads 2006-01-02T15:04:05 with an optional fraction, and Z or
// an offset, as microseconds since 1970. What is finer is cut off.
func parseRFC3339(b []byte) (int64, bool) {
	if len(b) < 20 || b[16] != ':' {
		return 0, false
	}
	date, ok1 := pairs(binary.LittleEndian.Uint64(b), swarDate, swarDateRoom)
	clock, ok2 := pairs(binary.LittleEndian.Uint64(b[8:]), swarClock, swarClockRoom)
	c := civil{
		year: uint32(date&0xff)*100 + uint32(date>>16&0xff), month: uint32(date >> 40 & 0xff), day: uint32(clock & 0xff),
		hour: uint32(clock >> 24 & 0xff), min: uint32(clock >> 48 & 0xff), sec: two(b[17], b[18]),
	}
	us, n := uint32(0), 19
	if b[19] == '.' {
		var ok bool
		if us, n, ok = fraction(b, 20); !ok {
			return 0, false
		}
	}
	if !ok1 || !ok2 || !c.valid() {
		return 0, false
	}
	off, ok := rfcOffset(b[n:])
	return (c.unix()-off)*1_000_000 + int64(us), ok
}

// Eight bytes of a date or a clock with zeros for its digits, and by how much
// each byte may exceed it before its top bit is set: 9 for a digit, 0 for a
// mark. The first character is in the lowest byte.
const (
	swarDate      = 0x2d30302d30303030 // 0000-00-
	swarDateRoom  = 0x7f76767f76767676
	swarClock     = 0x30303a3030543030 // 00T00:00
	swarClockRoom = 0x76767f76767f7676
)

// pairs reads eight characters at once: each byte of the result is the number
// that its digit and the next one make. ok is false when a byte is not what
// the form says.
func pairs(v, form, room uint64) (p uint64, ok bool) {
	v ^= form
	return v*10 + v>>8, (v+room|v)&0x8080808080808080 == 0
}

// rfcOffset reads Z or ±hh:mm as seconds east of UTC.
func rfcOffset(b []byte) (int64, bool) {
	if len(b) == 1 {
		return 0, b[0] == 'Z'
	}
	if len(b) != 6 || b[3] != ':' {
		return 0, false
	}
	h, m := two(b[1], b[2]), two(b[4], b[5])
	off := int64(h)*3600 + int64(m)*60
	if h > 24 || m >= 60 {
		return 0, false
	}
	return signed(off, b[0])
}

func signed(off int64, sign byte) (int64, bool) {
	if sign == '-' {
		return -off, true
	}
	return off, sign == '+'
}

// fraction reads the digits of a second from b[at:] as microseconds, and
// returns where they end. There must be at least one.
func fraction(b []byte, at int) (us uint32, end int, ok bool) {
	scale := uint32(100_000)
	for end = at; end < len(b); end++ {
		d := uint32(b[end] - '0')
		if d > 9 {
			break
		}
		us += d * scale
		scale /= 10
	}
	return us, end, end > at
}

// two reads two digits; more than any year when they are none.
func two(a, b byte) uint32 {
	x, y := uint32(a-'0'), uint32(b-'0')
	if x > 9 || y > 9 {
		return 100_000
	}
	return x*10 + y
}

// civil is a date and a time of day.
type civil struct{ year, month, day, hour, min, sec uint32 }

// valid reports whether there is such a day and time.
func (c *civil) valid() bool {
	return c.year <= 9999 && c.month-1 < 12 && c.day-1 < monthDays(c.year, c.month) &&
		c.hour < 24 && c.min < 60 && c.sec < 60
}

func monthDays(year, month uint32) uint32 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// unix returns the seconds since 1970, as if in UTC.
func (c *civil) unix() int64 {
	y, m := int64(c.year), int64(c.month)
	if m <= 2 { // the year begins in March, so that the leap day is its last
		y, m = y-1, m+12
	}
	y += 400 // so that nothing is negative
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(c.day) - 865566
	return days*daySeconds + int64(c.hour)*3600 + int64(c.min)*60 + int64(c.sec)
}
