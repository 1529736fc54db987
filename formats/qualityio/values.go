package qualityio

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"concord/engine/quality"
	"concord/formats"
)

// Why a value is refused; fixed phrases, as of engine.RowError.
const (
	reasonNumber   = "not a number"
	reasonWhole    = "not a whole number, or too large"
	reasonTime     = "not a time of the form 2006-01-02T15:04:05Z or with an offset"
	reasonBool     = "neither true nor false"
	reasonWord     = "not one of the words of this field"
	reasonDuration = "not a duration such as PT0.016S, or too long"
)

// set puts the text of a field into the row; an empty one is null. It returns
// why it cannot.
func (c *column) set(r *quality.Row, b []byte) (reason string) {
	if c.text == nil { // text is kept as it came
		b = bytes.TrimSpace(b)
	}
	if len(b) == 0 {
		if c.required {
			return quality.ReasonEmpty
		}
		return ""
	}
	ok := true
	switch {
	case c.text != nil:
		*c.text(r) = string(b) // which Check looks at
	case c.word != nil:
		ok, reason = c.word.set(r, string(b)), reasonWord
	case c.whole != nil:
		*c.whole(r), ok = parseWhole(b)
		reason = reasonWhole
	case c.count != nil:
		ok, reason = put(c.count(r), b, parseWhole), reasonWhole
	case c.micros != nil:
		ok, reason = put(c.micros(r), b, parseTime), reasonTime
	case c.delay != nil:
		ok, reason = put(c.delay(r), b, parseMillis), reasonNumber
	case c.real != nil:
		ok, reason = put(c.real(r), b, parseReal), reasonNumber
	case c.flag != nil:
		ok, reason = put(c.flag(r), b, parseBool), reasonBool
	}
	if ok {
		return ""
	}
	return reason
}

func put[T comparable](o *quality.Opt[T], b []byte, parse func([]byte) (T, bool)) bool {
	v, ok := parse(b)
	if ok {
		*o = quality.Some(v)
	}
	return ok
}

func parseWhole(b []byte) (int64, bool) {
	v, err := strconv.ParseInt(string(b), 10, 64)
	return v, err == nil
}

// parseReal reads a decimal. Zero has no sign, so that equal rows are equal.
func parseReal(b []byte) (float64, bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default: // NaN, infinity and hexadecimal are no measurements
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v + 0, err == nil
}

func parseBool(b []byte) (v, ok bool) {
	switch {
	case bytes.EqualFold(b, []byte("true")):
		return true, true
	case bytes.EqualFold(b, []byte("false")):
		return false, true
	}
	return false, false
}

// parseTime reads RFC 3339; without a zone it is UTC. What is finer than a
// microsecond is cut off.
func parseTime(b []byte) (int64, bool) {
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05.999999999", string(b)); err != nil {
			return 0, false
		}
	}
	return t.Truncate(time.Microsecond).UnixMicro(), true
}

// parseMillis reads decimal milliseconds exactly, down to a nanosecond.
func parseMillis(b []byte) (time.Duration, bool) {
	d, rest, ok := parseUnits(b, time.Millisecond)
	return d, ok && len(rest) == 0
}

// parseUnits reads a decimal number of units, exactly, and returns what
// follows it. What is finer than a nanosecond is cut off. It fails when there
// is no digit and when the result would be longer than a Duration.
func parseUnits(b []byte, unit time.Duration) (d time.Duration, rest []byte, ok bool) {
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative, b = b[0] == '-', b[1:]
	}
	i, digits := 0, 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		if d > (math.MaxInt64-9*unit)/10 {
			return 0, nil, false
		}
		d = d*10 + time.Duration(b[i]-'0')*unit
		digits++
	}
	if i < len(b) && (b[i] == '.' || b[i] == ',') {
		i++
		for part := unit; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			part /= 10 // of a power of ten: exact until nothing is left
			d += time.Duration(b[i]-'0') * part
			digits++
		}
	}
	if d < 0 || digits == 0 {
		return 0, nil, false
	}
	if negative {
		d = -d
	}
	return d, b[i:], true
}

// append writes the text of a field; null is nothing.
func (c *column) append(b []byte, r *quality.Row) []byte {
	switch {
	case c.text != nil:
		return formats.AppendCSV(b, *c.text(r))
	case c.word != nil:
		return append(b, c.word.get(r)...)
	case c.whole != nil:
		return strconv.AppendInt(b, *c.whole(r), 10)
	case c.count != nil:
		if v := c.count(r); v.OK {
			return strconv.AppendInt(b, v.Value, 10)
		}
	case c.micros != nil:
		if v := c.micros(r); v.OK {
			return time.UnixMicro(v.Value).UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z")
		}
	case c.delay != nil:
		if v := c.delay(r); v.OK {
			return appendMillis(b, v.Value)
		}
	case c.real != nil:
		if v := c.real(r); v.OK {
			return strconv.AppendFloat(b, v.Value, 'f', -1, 64)
		}
	case c.flag != nil:
		if v := c.flag(r); v.OK {
			return strconv.AppendBool(b, v.Value)
		}
	}
	return b
}

// appendMillis writes d, which is not negative, without trailing zeros.
func appendMillis(b []byte, d time.Duration) []byte {
	b = strconv.AppendInt(b, int64(d/time.Millisecond), 10)
	d %= time.Millisecond
	if d == 0 {
		return b
	}
	b = append(b, '.')
	for unit := time.Millisecond / 10; d > 0; unit /= 10 {
		b = append(b, byte('0'+d/unit))
		d %= unit
	}
	return b
}
