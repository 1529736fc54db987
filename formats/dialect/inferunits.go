package dialect

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func itoa(n int) string { return strconv.Itoa(n) }

// findUnit settles what the duration counts: by its form, by the times of the
// calls, by the name of its column.
func (in *inference) findUnit() {
	at, ok := in.column["duration"]
	if !ok {
		return
	}
	values := in.values(at)
	in.comma = anyContains(values, ",")
	if n := len(in.rows) - len(values); n > 0 {
		in.doubt("columns.duration: %d of %d rows have none; leave them out with rows, or add default: \"0\" if they are calls without an answer",
			n, len(in.rows))
	}
	switch u := unitByForm(values); {
	case u == "mm:ss":
		in.doubt("columns.duration.unit: one colon was read as mm:ss, but it may be hh:mm")
		in.unit = u
	case u != "":
		in.unit = u
	default:
		in.unit = in.unitByTimes(at)
	}
	if in.unit != "" {
		return
	}
	if in.unit = unitByName(in.names[at]); in.unit == "" {
		in.unit = "s"
		in.doubt("columns.duration.unit: nothing says what the duration counts; seconds were written")
	}
}

func anyContains(values []string, mark string) bool {
	for _, v := range values {
		if strings.Contains(v, mark) {
			return true
		}
	}
	return false
}

func unitByForm(values []string) string {
	two, one := 0, 0
	for _, v := range values {
		switch strings.Count(v, ":") {
		case 2:
			two++
		case 1:
			one++
		}
	}
	switch {
	case two > 0 && one == 0:
		return "hh:mm:ss"
	case one > 0 && two == 0:
		return "mm:ss"
	}
	return ""
}

// unitByTimes returns the unit in which most durations are the end less the
// start; "" when none is.
func (in *inference) unitByTimes(at int) string {
	end, ok := in.column["end"]
	start, ok2 := in.column["start"]
	if !ok || !ok2 {
		return ""
	}
	from, to := newTimeReader([]string{in.layouts["start"]}, utc()), newTimeReader([]string{in.layouts["end"]}, utc())
	compared := false
	for _, name := range []string{"s", "ms", "min"} {
		d := newDurationReader(&expr{unit: unitNamed(name), comma: in.comma})
		hits, seen := 0, 0
		for _, r := range in.rows {
			us, ok := between(&from, &to, r[start], r[end])
			ms, bad := d.read([]byte(r[at]))
			if !ok || bad != "" || ms == 0 {
				continue
			}
			seen++
			if off := ms - us/1000; off >= -1500 && off <= 1500 {
				hits++
			}
		}
		if seen > 0 && hits*10 >= seen*8 {
			return name
		}
		compared = compared || seen > 0
	}
	if compared {
		in.doubt("columns.duration.unit: the durations are not the end less the start in any unit; ask the carrier what it bills")
	}
	return ""
}

// between returns how long after a text of one layout another one is, in
// microseconds.
func between(from, to *timeReader, a, b string) (us int64, ok bool) {
	x, _, bad1 := from.read([]byte(a))
	y, _, bad2 := to.read([]byte(b))
	return y - x, bad1 == "" && bad2 == "" && y > x
}

func unitNamed(name string) unit {
	for i, n := range unitNames() {
		if n == name {
			return unit(i)
		}
	}
	return unitUnset
}

// unitByName returns the unit that a column's name says.
func unitByName(name string) string {
	plain := plainName(name)
	switch {
	case strings.HasSuffix(plain, "ms"), strings.Contains(plain, "millis"):
		return "ms"
	case strings.Contains(plain, "sec"), strings.Contains(plain, "sek"), strings.HasSuffix(plain, "durations"):
		return "s"
	case strings.Contains(plain, "min"):
		return "min"
	}
	return ""
}

// findWords drops the columns whose words are not ours, and says so.
func (in *inference) findWords() {
	whole := func(s string) bool { _, err := strconv.ParseInt(s, 10, 32); return err == nil }
	in.keepIf("direction", func(s string) bool { return s == "in" || s == "out" || s == "unknown" })
	in.keepIf("cause", whole)
	in.keepIf("revision", whole)
	in.keepIf("charge", func(s string) bool { _, ok := (&decimalReader{}).read([]byte(s)); return ok })
}

func (in *inference) keepIf(field string, fits func(string) bool) {
	at, ok := in.column[field]
	if !ok {
		return
	}
	for _, v := range in.values(at) {
		if !fits(v) {
			delete(in.column, field)
			in.doubt("columns.%s: %q holds other words than ours, so it was left out; add it with a map if you need it", field, in.names[at])
			return
		}
	}
}

// numberStyle settles how numbers are written.
func (in *inference) numberStyle() {
	var plus, doubleZero, zero, bare, short int
	countries := make(map[string]int)
	for _, field := range []string{"caller", "callee"} {
		at, ok := in.column[field]
		if !ok {
			continue
		}
		for _, v := range in.values(at) {
			number, _, ok := compact(v, true)
			switch {
			case !ok:
			case strings.HasPrefix(number, "+"):
				plus++
				count(countries, number)
			case strings.HasPrefix(number, "00"):
				doubleZero++
				count(countries, "+"+strings.TrimLeft(number, "0"))
			case strings.HasPrefix(number, "0"):
				zero++
			case len(number) <= maxShort:
				short++
			case number != "":
				bare++
				count(countries, "+"+number)
			}
		}
	}
	in.style(plus, doubleZero, zero, bare, countries)
}

// count notes the country of a valid number.
func count(countries map[string]int, number string) {
	if len(number) > 17 {
		return
	}
	p, err := phonenumbers.Parse(number, "")
	if err == nil && phonenumbers.IsValidNumber(p) {
		countries[phonenumbers.GetRegionCodeForNumber(p)]++
	}
}

func (in *inference) style(plus, doubleZero, zero, bare int, countries map[string]int) {
	if doubleZero > 0 {
		in.intl = []string{"00"}
	}
	valid, most := 0, ""
	for c, n := range countries {
		valid += n
		if most == "" || n > countries[most] || n == countries[most] && c < most {
			most = c
		}
	}
	if bare > 0 && valid-plus-doubleZero >= bare*9/10 && valid >= bare {
		in.bare = "international"
		in.doubt("numbers.bare: numbers without a prefix are valid with their country code first, so international was written")
	}
	if zero == 0 && (bare == 0 || in.bare != "") {
		return
	}
	if zero > 0 {
		in.national = "0"
	}
	if most == "" {
		in.national = ""
		in.doubt("numbers.country: some numbers are national, and nothing says of which country; add country, and national_prefix if there is one")
		return
	}
	in.country = most
	in.doubt("numbers.country: some numbers are national; most international ones are of %s, so it was written; ask the carrier", most)
}

// findTrailer looks for control totals in the one line that is no row.
func (in *inference) findTrailer() {
	if len(in.odd) != 1 {
		if len(in.odd) > 1 {
			in.doubt("%d lines have another number of fields than the rest", len(in.odd))
		}
		return
	}
	fields := splitLine(in.odd[0], in.delim)
	for i, f := range fields {
		if i > 0 && f == itoa(len(in.rows)) && fields[0] != "" && strings.Trim(fields[0], "0123456789+") != "" {
			in.trailer = &Trailer{Prefix: fields[0] + string(in.delim), Count: i + 1}
			in.doubt("trailer: the line that begins with %q holds the number of rows; check what else it holds", fields[0])
			return
		}
	}
	in.doubt("one line has another number of fields than the rest; the sample may be cut, or it is a trailer")
}
