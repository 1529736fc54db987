package dialect

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"strings"

	"concord/engine"
)

// unit is what the text of a duration counts.
type unit uint8

const (
	unitUnset unit = iota
	unitUS
	unitMS
	unitS
	unitMin
	unitH
	unitHMS // h:mm:ss
	unitMS2 // m:ss
)

// unitNames are the words of a profile, by unit.
func unitNames() [8]string {
	return [8]string{"", "us", "ms", "s", "min", "h", "hh:mm:ss", "mm:ss"}
}

// scale returns how many milliseconds one unit is, as a fraction.
func (u unit) scale() (num, den uint64) {
	switch u {
	case unitUS:
		return 1, 1000
	case unitS:
		return 1000, 1
	case unitMin:
		return 60_000, 1
	case unitH:
		return 3600_000, 1
	}
	return 1, 1
}

// Reasons for which a duration is rejected.
const (
	reasonNotDuration = "not a duration in the unit that the profile says"
	reasonNotHMS      = "not a duration of the form hh:mm:ss"
	reasonNotMS       = "not a duration of the form mm:ss"
)

// durationReader reads durations exactly: a part of a millisecond is rounded
// to the nearest one, a half up.
type durationReader struct {
	unit     unit
	num, den uint64
	point    byte // decimal mark
}

func newDurationReader(e *expr) durationReader {
	num, den := e.unit.scale()
	if e.divide > 1 {
		den *= uint64(e.divide)
	}
	d := durationReader{unit: e.unit, num: num, den: den, point: '.'}
	if e.comma {
		d.point = ','
	}
	return d
}

// read returns the milliseconds that b says, or why it says none.
func (d *durationReader) read(b []byte) (ms int64, reason string) {
	switch {
	case len(b) > 1 && b[0] == '-':
		ms, reason = d.read(b[1:])
		if reason == "" && ms == 0 || reason != "" && reason != ReasonLong {
			return ms, reason
		}
		return 0, ReasonNegative
	case d.unit == unitHMS:
		return d.clock(b, 2, reasonNotHMS)
	case d.unit == unitMS2:
		return d.clock(b, 1, reasonNotMS)
	}
	if d.den == 1 && len(b) <= 10 {
		if v, ok := digits(b); ok {
			return bounded(v * d.num)
		}
	}
	return d.decimal(b)
}

// digits reads up to 18 digits and nothing else.
func digits(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v uint64
	if len(b) >= 8 {
		var ok bool
		if v, ok = eightDigits(binary.LittleEndian.Uint64(b)); !ok {
			return 0, false
		}
		b = b[8:]
	}
	for _, ch := range b {
		ch -= '0'
		if ch > 9 {
			return 0, false
		}
		v = v*10 + uint64(ch)
	}
	return v, true
}

// eightDigits reads eight digits at once; the first is in the lowest byte.
func eightDigits(v uint64) (uint64, bool) {
	p, ok := pairs(v, 0x3030303030303030, 0x7676767676767676)
	p = (p&0x000000ff000000ff)*(100+1_000_000<<32) + (p>>16&0x000000ff000000ff)*(1+10_000<<32)
	return p >> 32, ok
}

func bounded(ms uint64) (int64, string) {
	if ms > engine.MaxDuration {
		return 0, ReasonLong
	}
	return int64(ms), ""
}

// decimal reads digits with an optional fraction.
func (d *durationReader) decimal(b []byte) (int64, string) {
	m, ok := parseMantissa(b, d.point)
	switch {
	case !ok:
		return 0, reasonNotDuration
	case m.wide:
		return d.wide(b)
	}
	over, div := bits.Mul64(m.scale, d.den)
	if over != 0 {
		return d.wide(b)
	}
	return scaled(m.value, d.num, div)
}

// scaled returns value × num / div, rounded.
func scaled(value, num, div uint64) (int64, string) {
	hi, lo := bits.Mul64(value, num)
	lo, carry := bits.Add64(lo, div/2, 0)
	hi += carry
	if hi >= div {
		return 0, ReasonLong
	}
	q, _ := bits.Div64(hi, lo, div)
	return bounded(q)
}

// wide reads what does not fit in a word.
func (d *durationReader) wide(b []byte) (int64, string) {
	r, ok := new(big.Rat).SetString(strings.Replace(string(b), ",", ".", 1))
	if !ok {
		return 0, reasonNotDuration
	}
	r.Mul(r, new(big.Rat).SetFrac(new(big.Int).SetUint64(d.num), new(big.Int).SetUint64(d.den)))
	r.Add(r, big.NewRat(1, 2))
	q := new(big.Int).Quo(r.Num(), r.Denom())
	if !q.IsInt64() {
		return 0, ReasonLong
	}
	return bounded(q.Uint64())
}

// mantissa is a decimal: value / scale.
type mantissa struct {
	value, scale uint64
	wide         bool // more than 18 digits: value and scale do not hold it
}

// maxDecimal is the longest decimal that is read, in bytes.
const maxDecimal = 64

// parseMantissa reads digits, or digits, a point and digits.
func parseMantissa(b []byte, point byte) (m mantissa, ok bool) {
	m.scale = 1
	seen, n := false, 0
	for i, ch := range b {
		if ch == point && !seen && i > 0 && i < len(b)-1 {
			seen = true
			continue
		}
		ch -= '0'
		if ch > 9 {
			return m, false
		}
		if n++; n > 18 {
			m.wide = true
			continue
		}
		m.value = m.value*10 + uint64(ch)
		if seen {
			m.scale *= 10
		}
	}
	return m, n > 0 && len(b) <= maxDecimal
}

// clock reads h:mm:ss (two colons) or m:ss (one), with an optional fraction
// of a second. The first part may be as large as it likes, the others are
// less than 60.
func (d *durationReader) clock(b []byte, colons int, bad string) (int64, string) {
	var total uint64
	for part := range colons {
		i := 0
		for i < len(b) && b[i] != ':' {
			i++
		}
		v, ok := digits(b[:i])
		if !ok || i == len(b) || v > 1e9 || part > 0 && v > 59 {
			return 0, bad
		}
		total = total*60 + v
		b = b[i+1:]
	}
	m, ok := parseMantissa(b, d.point)
	if !ok || m.wide || m.value >= 60*m.scale {
		return 0, bad
	}
	ms, _ := scaled(m.value, 1000, m.scale)
	return bounded(total*60_000 + uint64(ms))
}
