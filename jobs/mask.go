package jobs

import (
	"regexp"
	"strings"
	"time"
)

// suspect is what may be or hold a phone number: digits with a plus, as people
// write them, or letters and digits in a row. Lines join the parts of an id.
var suspect = regexp.MustCompile(`\+\d[\d ()./-]{5,}\d|[0-9A-Za-z-]*\d{9}[0-9A-Za-z-]*`)

var (
	digits = regexp.MustCompile(`\d{9,}`)
	// ours are ids and hashes, which names do not look like.
	ours = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})$`)
)

// Mask is a text in which whatever may be a phone number shows its last four
// digits only: a plus with seven digits or more, and nine digits in a row that
// are neither a point in time nor part of an id or hash.
func Mask(s string) string {
	return suspect.ReplaceAllStringFunc(s, func(m string) string {
		switch {
		case m[0] == '+':
			return lastFour(m)
		case ours.MatchString(m):
			return m
		}
		return digits.ReplaceAllStringFunc(m, func(n string) string {
			if isTime(n) {
				return n
			}
			return lastFour(n)
		})
	})
}

func lastFour(number string) string { return "…" + number[len(number)-4:] }

// isTime reports whether digits are a date and a time of these years, as many
// file names have them. No number of a country begins so.
func isTime(n string) bool {
	const layout = "20060102150405"
	if len(n) != len(layout) && len(n) != len(layout)-2 || !strings.HasPrefix(n, "202") && !strings.HasPrefix(n, "203") {
		return false
	}
	_, err := time.Parse(layout[:len(n)], n)
	return err == nil
}
