// Package inert keeps spreadsheets from calculating with text that came from
// outside, in CSV that people may open.
package inert

import "strings"

// Text returns text as no spreadsheet takes any of it for a formula: an
// apostrophe stands before what a formula begins with, where the text begins and
// behind what ends a cell or a row for a program that was told, or has guessed,
// another separator than the comma, as many do outside the English-speaking
// countries. There, quotes may come before it.
func Text(s string) string {
	if s == "" || !leads(s[0]) && !strings.ContainsAny(s, separators) {
		return s
	}
	var b strings.Builder
	before := begin
	for i := range len(s) {
		if calculates(before, s[i:]) {
			b.WriteByte('\'')
		}
		b.WriteByte(s[i])
		before = int(s[i])
	}
	return b.String()
}

// Original is the text of which Text made this.
func Original(s string) string {
	if !strings.Contains(s, "'") {
		return s
	}
	b, before := make([]byte, 0, len(s)), begin
	for i := range len(s) {
		if s[i] != '\'' || !calculates(before, s[i+1:]) {
			b = append(b, s[i])
			before = int(s[i])
		}
	}
	return string(b)
}

// separators end a cell or a row for some program.
const separators = ";|\t\r\n"

// begin stands for the byte before the first.
const begin = -1

// calculates reports whether a spreadsheet may calculate with the rest of a text,
// behind a byte.
func calculates(before int, rest string) bool {
	switch {
	case rest == "":
		return false
	case before == begin:
		return leads(rest[0])
	case strings.IndexByte(separators, byte(before)) < 0:
		return false
	}
	rest = strings.TrimLeft(rest, `"`)
	return rest != "" && strings.IndexByte("=+-@", rest[0]) >= 0
}

// leads reports whether a cell that begins so may be a formula.
func leads(c byte) bool {
	switch c {
	case '=', '+', '-', '@', '\t', '\r':
		return true
	}
	return false
}
