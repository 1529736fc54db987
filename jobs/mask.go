package jobs

import (
	"regexp"
	"strings"
	"time"
)

// gap is what people and programs write between the digits of a number.
const gap = `[\s_.,()/\x{a0}\x{2010}-\x{2015}-]{0,3}`

// id is one of ours, of which no part is a number.
const id = `\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`

// suspect is what may be or hold a phone number: up to 15 digits, as E.164
// allows them, behind a plus or an escaped one, or behind a zero and in groups;
// and letters and digits in a row. Lines join the parts of an id.
var suspect = regexp.MustCompile(
	id + `|(?:\+|%2[Bb])` + gap + `\d(?:` + gap + `\d){6,14}` +
		`|\(?\b0[1-9]\d{0,5}\)?[ /.\x{a0}\x{2010}-\x{2015}-]{1,3}\d(?:[ /.\x{a0}\x{2010}-\x{2015}-]?\d){4,12}` +
		`|\b00[1-9]\d{0,2}(?:[ /.()\x{a0}\x{2010}-\x{2015}-]{1,3}\d{1,8}){2,5}` +
		`|[0-9A-Za-z-]*\d{9}[0-9A-Za-z-]*`)

var (
	digits = regexp.MustCompile(`\d{9,}`)
	// ours are ids and hashes, which names do not look like.
	ours = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})$`)
)

// Mask is a text in which whatever may be a phone number shows its last four
// digits only: seven digits and more behind a plus, groups of digits behind a
// zero, and nine digits in a row that are neither a point in time nor part of
// an id or hash.
func Mask(s string) string {
	return suspect.ReplaceAllStringFunc(s, func(m string) string {
		switch {
		case ours.MatchString(m) || isDay(m):
			return m
		case m[0] == '+' || m[0] == '%' || m[0] == '(' || m[0] == '0' && strings.Trim(m, "0123456789") != "" && digits.FindString(m) == "":
			return lastFour(m)
		}
		return digits.ReplaceAllStringFunc(m, func(n string) string {
			if isTime(n) {
				return n
			}
			return lastFour(n)
		})
	})
}

// Masked reports whether a text is one that Mask has shortened.
func Masked(s string) bool { return strings.Contains(s, ellipsis) }

const ellipsis = "…"

// lastFour is what is shown of a number: its last four digits.
func lastFour(number string) string {
	only := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	return ellipsis + only[max(0, len(only)-4):]
}

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

// isDay reports whether a text is a day as people write it, behind a zero.
func isDay(s string) bool {
	for _, layout := range []string{"02.01.2006", "01/02/2006", "02/01/2006", "02-01-2006"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
