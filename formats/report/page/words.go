package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	perSecond = 1000
	perMinute = 60 * perSecond
	perHour   = 60 * perMinute
)

// Count writes a number with thousands apart.
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// Counted writes a number of things, of which one has another name.
func Counted(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + more
}

func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

// Minutes writes a time span as decimal minutes.
func Minutes(ms int64) string {
	s := strconv.FormatFloat(float64(ms)/perMinute, 'f', 2, 64)
	if s == "-0.00" {
		s = "0.00"
	}
	return grouped(s)
}

// SignedMinutes writes it with a plus where it is more than none.
func SignedMinutes(ms int64) string {
	s := Minutes(ms)
	if ms > 0 {
		return "+" + s
	}
	return s
}

// Span writes a time span as h:mm:ss, to the nearest second.
func Span(ms int64) string {
	sign := ""
	if ms < 0 {
		sign, ms = "−", -ms
	}
	ms += perSecond / 2
	return fmt.Sprintf("%s%s:%02d:%02d", sign, Count(ms/perHour), ms/perMinute%60, ms/perSecond%60)
}

// Percent writes a share as a percentage with its sign.
func Percent(share float64) string {
	s := strconv.FormatFloat(math.Abs(share)*100, 'f', 2, 64)
	switch {
	case strings.Trim(s, "0.") == "":
		return "0.00 %"
	case share < 0:
		return "−" + grouped(s) + " %"
	}
	return "+" + grouped(s) + " %"
}

// Share writes the difference of a balance as a percentage.
func Share(b Balance) string {
	share, ok := b.Share()
	if !ok {
		return "–"
	}
	return Percent(share)
}

// Size writes a number of bytes.
func Size(n int64) string {
	const step = 1024
	if n < step {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), 0
	for v >= step {
		v /= step
		unit++
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + string("KMGTPE"[unit-1]) + "iB"
}

// plainWord writes duration_over as duration over.
func plainWord(name string) string { return strings.ReplaceAll(name, "_", " ") }

// country names a destination that is not known.
func country(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}
