package dialect

import (
	"strings"
	"time"
)

func utc() *time.Location { return time.UTC }

// inferLayouts lists the layouts that are tried, the likelier first.
func inferLayouts() []string {
	layouts := []string{layoutRFC3339}
	for _, date := range []string{"2006-01-02", "02.01.2006", "02/01/2006", "01/02/2006", "2006/01/02", "02-01-2006", "01-02-2006", "20060102", "02.01.06", "02/01/06", "01/02/06", "2006.01.02"} {
		for _, between := range []string{" ", "T"} {
			for _, clock := range []string{"15:04:05", "15:04", "150405", "15.04.05", "03:04:05 PM", "3:04:05 PM"} {
				layouts = append(layouts, date+between+clock)
			}
		}
		layouts = append(layouts, date+" 15:04:05 -0700", date+" 15:04:05-07:00", date+" 15:04:05 Z07:00", date+" 15:04:05Z07:00")
	}
	return append(layouts, "20060102150405", "060102150405", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.000Z0700",
		"Mon, 02 Jan 2006 15:04:05 -0700", "02-Jan-2006 15:04:05", "02 Jan 2006 15:04:05", "Jan 2, 2006 15:04:05")
}

// layoutsOf returns the layouts that read the most of the values, which are
// not empty; none when that is less than nine in ten.
func layoutsOf(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	if l := epochOf(values); l != "" {
		return []string{l}
	}
	var fit []string
	most := (len(values)*9 + 9) / 10
	for _, l := range inferLayouts() {
		switch n := countRead(l, values, most); {
		case n > most:
			most, fit = n, []string{l}
		case n == most:
			fit = append(fit, l)
		}
	}
	return fit
}

// countRead returns how many values the layout reads; it gives up when there
// cannot be least of them.
func countRead(layout string, values []string, least int) int {
	r := newTimeReader([]string{layout}, time.UTC)
	bad := 0
	for _, v := range values {
		if _, _, reason := r.read([]byte(v)); reason != "" {
			if bad++; bad > len(values)-least {
				break
			}
		}
	}
	return len(values) - bad
}

// epochOf returns the epoch layout of digits that count from 1970, in the
// years 2001 to 2286; "" for others.
func epochOf(values []string) string {
	width := 0
	for _, v := range values {
		whole, _, _ := strings.Cut(v, ".")
		if strings.Trim(whole, "0123456789") != "" || width > 0 && len(whole) != width {
			return ""
		}
		width = len(whole)
	}
	switch width {
	case 10:
		return "unix"
	case 13:
		return "unix_ms"
	case 16:
		return "unix_us"
	case 19:
		return "unix_ns"
	}
	return ""
}

// rivals returns the layouts among fit that read some value as another time
// than the first does.
func rivals(fit []string, values []string) []string {
	var out []string
	for _, l := range fit[1:] {
		a, b := newTimeReader(fit[:1], time.UTC), newTimeReader([]string{l}, time.UTC)
		for _, v := range values {
			x, _, bad := a.read([]byte(v))
			if y, _, worse := b.read([]byte(v)); bad == "" && worse == "" && x != y {
				out = append(out, l)
				break
			}
		}
	}
	return out
}
