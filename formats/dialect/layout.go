package dialect

import "strings"

// wall is a time as read: seconds since 1970 (as if in UTC when the text
// said no offset) and microseconds of the second.
type wall struct{ sec, us int64 }

// layoutPart is a piece of a layout of fixed width.
type layoutPart struct {
	what   partKind
	lit    byte  // of a literal
	digits uint8 // of a fraction that a second must have
}

type partKind uint8

const (
	partLiteral  partKind = iota
	partYear              // 2006
	partYear2             // 06
	partMonth             // 01
	partDay               // 02
	partHour              // 15
	partMinute            // 04
	partSecond            // 05, with a fraction when the text has one
	partColonOff          // -07:00
	partPlainOff          // -0700
	partZColon            // Z07:00
	partZPlain            // Z0700
)

// fixedParts are the pieces that are read without the standard library,
// longest first where one begins another.
func fixedParts() []struct {
	text string
	what partKind
} {
	return []struct {
		text string
		what partKind
	}{
		{"2006", partYear}, {"-07:00", partColonOff}, {"-0700", partPlainOff}, {"Z07:00", partZColon}, {"Z0700", partZPlain},
		{"01", partMonth}, {"02", partDay}, {"15", partHour}, {"04", partMinute}, {"05", partSecond}, {"06", partYear2},
	}
}

// compileParts cuts a Go layout into pieces of fixed width; nil when it has
// others. It reports whether the layout holds an offset from UTC.
func compileParts(layout string) (parts []layoutPart, offset bool) {
	offset = strings.Contains(layout, "-07") || strings.Contains(layout, "Z07")
	for len(layout) > 0 {
		part, n := nextPart(layout)
		if n == 0 {
			return nil, offset
		}
		parts = append(parts, part)
		layout = layout[n:]
	}
	return parts, offset
}

// nextPart returns the piece at the head of a layout and its length; 0 for
// one that only the standard library understands.
func nextPart(layout string) (layoutPart, int) {
	for _, p := range fixedParts() {
		if strings.HasPrefix(layout, p.text) {
			return secondPart(p.what, layout[len(p.text):], len(p.text))
		}
	}
	if ch := layout[0]; strings.IndexByte(" T/:-.", ch) >= 0 && !strings.HasPrefix(layout, "-07") {
		return layoutPart{what: partLiteral, lit: ch}, 1
	}
	return layoutPart{}, 0
}

// secondPart adds the fraction that follows a second in the layout: zeros are
// digits that must be there, nines and no digits allow any.
func secondPart(what partKind, rest string, n int) (layoutPart, int) {
	p := layoutPart{what: what}
	if what != partSecond || len(rest) < 2 || rest[0] != '.' || rest[1] != '0' && rest[1] != '9' {
		return p, n
	}
	tail := strings.TrimLeft(rest[1:], rest[1:2])
	width := len(rest) - len(tail)
	if tail != "" && tail[0] >= '0' && tail[0] <= '9' || width > 10 {
		return p, 0
	}
	if rest[1] == '0' {
		p.digits = uint8(width - 1)
	}
	return p, n + width
}

// reading is the state of parseParts.
type reading struct {
	civil
	b   []byte
	at  int
	us  uint32
	off int64
}

// parseParts reads b by compiled pieces. It is stricter than time.Parse, and
// what it reads it reads alike.
func parseParts(parts []layoutPart, b []byte) (wall, bool) {
	r := reading{b: b}
	r.month, r.day = 1, 1
	for i := range parts {
		if !r.part(parts[i]) {
			return wall{}, false
		}
	}
	if r.at != len(b) || !r.valid() {
		return wall{}, false
	}
	return wall{sec: r.unix() - r.off, us: int64(r.us)}, true
}

func (r *reading) part(p layoutPart) bool {
	switch p.what {
	case partLiteral:
		if r.at >= len(r.b) || r.b[r.at] != p.lit {
			return false
		}
		r.at++
		return true
	case partColonOff, partPlainOff, partZColon, partZPlain:
		return r.offset(p.what)
	case partYear:
		if !r.pair(&r.year) {
			return false
		}
		century := r.year * 100
		return r.pair(&r.year) && r.plus(&r.year, century)
	}
	return r.small(p)
}

// small reads a piece of two digits.
func (r *reading) small(p layoutPart) bool {
	switch p.what {
	case partYear2:
		if !r.pair(&r.year) {
			return false
		}
		if r.year >= 69 {
			return r.plus(&r.year, 1900)
		}
		return r.plus(&r.year, 2000)
	case partMonth:
		return r.pair(&r.month)
	case partDay:
		return r.pair(&r.day)
	case partHour:
		return r.pair(&r.hour)
	case partMinute:
		return r.pair(&r.min)
	}
	return r.pair(&r.sec) && r.fraction(p.digits)
}

func (r *reading) plus(v *uint32, n uint32) bool {
	*v += n
	return true
}

// pair reads two digits.
func (r *reading) pair(v *uint32) bool {
	if r.at+2 > len(r.b) {
		return false
	}
	*v = two(r.b[r.at], r.b[r.at+1])
	r.at += 2
	return *v < 100
}

// fraction reads a fraction of a second: of that many digits, or of any when
// there is one.
func (r *reading) fraction(digits uint8) (ok bool) {
	if r.at+1 >= len(r.b) || r.b[r.at] != '.' || r.b[r.at+1]-'0' > 9 {
		return digits == 0
	}
	at := r.at + 1
	r.us, r.at, ok = fraction(r.b, at)
	return ok && (digits == 0 || r.at-at == int(digits))
}

// offset reads an offset from UTC.
func (r *reading) offset(what partKind) bool {
	rest := r.b[r.at:]
	if len(rest) > 0 && rest[0] == 'Z' && (what == partZColon || what == partZPlain) {
		r.at++
		return true
	}
	var tmp [6]byte
	switch {
	case (what == partColonOff || what == partZColon) && len(rest) >= 6:
		copy(tmp[:], rest)
		r.at += 6
	case (what == partPlainOff || what == partZPlain) && len(rest) >= 5:
		tmp = [6]byte{rest[0], rest[1], rest[2], ':', rest[3], rest[4]}
		r.at += 5
	default:
		return false
	}
	off, ok := rfcOffset(tmp[:])
	r.off = off
	return ok
}

// fixedLayout is where the digits and the marks of a layout stand, when none
// of its pieces varies in width.
type fixedLayout struct {
	width                            int
	year, month, day, hour, min, sec int
	marks                            []markAt
}

type markAt struct {
	at   int
	mark byte
}

// compileFixed finds the places; nil when there is no year of four digits or
// some piece varies in width.
func compileFixed(parts []layoutPart) *fixedLayout {
	f := &fixedLayout{year: -1, month: -1, day: -1, hour: -1, min: -1, sec: -1}
	place := map[partKind]*int{partYear: &f.year, partMonth: &f.month, partDay: &f.day, partHour: &f.hour, partMinute: &f.min, partSecond: &f.sec}
	for _, p := range parts {
		if p.what == partLiteral {
			f.marks = append(f.marks, markAt{f.width, p.lit})
			f.width++
			continue
		}
		at := place[p.what]
		if at == nil || *at >= 0 || p.digits > 0 {
			return nil
		}
		*at = f.width
		f.width += 2
		if p.what == partYear {
			f.width += 2
		}
	}
	for _, at := range place {
		if *at < 0 {
			return nil
		}
	}
	return f
}

// parse reads a text of exactly the layout's width.
func (f *fixedLayout) parse(b []byte) (wall, bool) {
	for _, m := range f.marks {
		if b[m.at] != m.mark {
			return wall{}, false
		}
	}
	c := civil{
		year:  two(b[f.year], b[f.year+1])*100 + two(b[f.year+2], b[f.year+3]),
		month: two(b[f.month], b[f.month+1]), day: two(b[f.day], b[f.day+1]),
		hour: two(b[f.hour], b[f.hour+1]), min: two(b[f.min], b[f.min+1]), sec: two(b[f.sec], b[f.sec+1]),
	}
	if !c.valid() {
		return wall{}, false
	}
	return wall{sec: c.unix()}, true
}
