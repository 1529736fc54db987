package alert

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// mostText is how many bytes of a reason are told.
const mostText = 400

// dialled is what looks like a phone number. Dates have fewer digits, and those
// within a name or an id have letters, lines or dots beside them.
var dialled = regexp.MustCompile(`\+\d[\d ()/-]{5,}\d|[\w.-]*\d{9,}[\w.-]*`)

// brief is the first line of a reason that others have worded, of a bounded
// length. Such reasons hold no phone numbers; what looks like one is masked all
// the same, for this leaves the house.
func brief(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = dialled.ReplaceAllStringFunc(plain(s), mask)
	if len(s) <= mostText {
		return s
	}
	s = s[:mostText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

func mask(s string) string {
	bare := strings.Trim(s, ".-")
	if s[0] != '+' && strings.Trim(bare, "0123456789") != "" {
		return s
	}
	return "…" + bare[max(0, len(bare)-4):]
}

// plain is a text as every database and receiver takes it.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
