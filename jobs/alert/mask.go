package alert

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"concord/jobs"
)

// mostText is how many bytes of a reason are told.
const mostText = 400

// brief is the first line of a reason that others have worded, of a bounded
// length. Such reasons hold no phone numbers; what looks like one is masked all
// the same, for this leaves the house.
func brief(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = jobs.Mask(plain(s))
	if len(s) <= mostText {
		return s
	}
	s = s[:mostText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// named is the name of a file in an alert.
func named(s string) string { return jobs.Mask(plain(s)) }

// told is the name of a file in the key of an alert. Names that look alike once
// they are masked are told apart by two bytes of a hash: too few to find out
// what was masked.
func told(name string) string {
	shown := named(name)
	if shown == plain(name) {
		return shown
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s~%x", shown, sum[:2])
}

// plain is a text as every database and receiver takes it.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
