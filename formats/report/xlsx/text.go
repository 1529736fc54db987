package xlsx

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// cutWords end a text of which there is more than a cell holds.
const cutWords = " … (cut: a cell holds no more; the CSV file has the whole)"

// fit cuts a text that is longer than a cell may be.
func fit(s string) (_ string, cut bool) {
	if len(s) <= MaxText || units(s) <= MaxText {
		return s, false
	}
	room := MaxText - units(cutWords)
	for i, r := range s {
		if room -= unitsOf(r); room < 0 {
			return s[:i] + cutWords, true
		}
	}
	return s, false
}

// units counts UTF-16 units.
func units(s string) (n int) {
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

func unitsOf(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// appendItem appends the element of a text.
func appendItem(b []byte, s string) []byte {
	b = append(b, `<t`...)
	if spaced(s) {
		b = append(b, ` xml:space="preserve"`...)
	}
	return append(appendText(append(b, '>'), s), `</t>`...)
}

// spaced reports whether a reader of XML might take spaces off.
func spaced(s string) bool {
	return s[0] <= ' ' || s[len(s)-1] <= ' ' || strings.IndexByte(s, '\n') >= 0 || strings.Contains(s, "  ")
}

// plain are the bytes that stand for themselves.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7F; c++ {
		t[c] = !strings.ContainsRune(`&<>"_`, c)
	}
	return t
}()

// appendText appends text as the content of an element.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] && (s[i] != '_' || looksEscaped(s[i:])) {
			return appendEscaped(append(b, s[:i]...), s[i:])
		}
	}
	return append(b, s...)
}

// appendEscaped escapes what XML does not take as it is, or not at all: the
// latter as _xHHHH_, and a text that looks like that so that it stays itself
// (ECMA-376 part 1, 22.9.2.19).
func appendEscaped(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '_' && looksEscaped(s[i:]):
			b = append(b, "_x005F_"...)
		case r < ' ' && r != '\t' && r != '\n', r >= 0x7F && r < 0xA0, r == 0xFFFE, r == 0xFFFF:
			b = fmt.Appendf(b, "_x%04X_", r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// looksEscaped reports whether text begins like _x0041_.
func looksEscaped(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	for _, c := range s[2:6] {
		if !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// attribute is text as the value of an attribute or content of a part that is
// not a cell.
func attribute(s string) string { return string(appendText(nil, s)) }
