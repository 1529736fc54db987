package dialect

import (
	"strings"

	"concord/engine"

	"github.com/nyaruka/phonenumbers"
)

// numberRules say how a carrier writes telephone numbers. The zero value is
// the canonical form.
type numberRules struct {
	country       string   // ISO 3166-1 alpha-2; empty: not given
	code          string   // its calling code, such as 49
	national      string   // prefix of national numbers; empty: none
	international []string // prefixes besides the plus, longest first
	keepShort     bool     // up to maxShort digits without a prefix stay as they are
	strip         []string // prefixes that are no part of a number, in lower case
	bare          bareForm
	set           bool // the profile has rules
}

// bareForm says what digits without any prefix are.
type bareForm uint8

const (
	bareAuto          bareForm = iota // national when that is a valid number, else international when that is
	bareNational                      // the number without its country code
	bareInternational                 // the country code comes first
)

const (
	maxShort      = 6       // digits of a short code
	maxNumberText = 128     // bytes of what is looked at as a number
	maxNumbers    = 1 << 15 // entries of a cache
	leastDigits   = 7       // of an E.164 number made by a rule
)

// canonical reports whether numbers are read by engine.ParseNumber.
func (r *numberRules) canonical() bool { return !r.set }

// numberReader normalises numbers. It keeps a cache, so it belongs to one
// decoder.
type numberReader struct {
	numberRules
	cache map[string]engine.Number
}

func newNumberReader(r numberRules) numberReader {
	return numberReader{numberRules: r, cache: make(map[string]engine.Number)}
}

// read returns the normalised number. Its text may point into b. What cannot
// be normalised is kept as text.
func (r *numberReader) read(b []byte) engine.Number {
	if v := plainDigits(b); v != 0 {
		return engine.E164(v)
	}
	if !r.set {
		return engine.ParseNumber(textOf(b))
	}
	if n, ok := r.byRule(b); ok {
		return n
	}
	return r.cached(b)
}

// plainDigits returns the digits of a plus and an E.164 number; 0 for
// anything else.
func plainDigits(b []byte) uint64 {
	if len(b) < 2 || len(b) > 16 || b[0] != '+' || b[1] == '0' {
		return 0
	}
	v, _ := digits(b[1:])
	return v
}

// byRule reads digits that a prefix of the profile explains, and nothing
// else. ok is false when that takes more than prefixes to decide.
func (r *numberReader) byRule(b []byte) (n engine.Number, ok bool) {
	if len(b) == 0 || len(b) > 20 || b[0]-'0' > 9 {
		return n, false
	}
	if rest, ok := r.afterInternational(b); ok {
		return international(rest)
	}
	switch {
	case r.keepShort && len(b) <= maxShort:
		return shortCode(b)
	case r.code == "":
		if r.bare == bareInternational {
			return international(b)
		}
		return n, false
	case r.national != "" && len(b) > len(r.national) && string(b[:len(r.national)]) == r.national:
		return r.withCode(b[len(r.national):])
	case r.bare == bareNational:
		return r.withCode(b)
	case r.bare == bareInternational:
		return international(b)
	}
	return n, false
}

// afterInternational takes the longest international prefix off.
func (r *numberReader) afterInternational(b []byte) ([]byte, bool) {
	for _, p := range r.international {
		if len(b) > len(p) && string(b[:len(p)]) == p {
			return b[len(p):], true
		}
	}
	return b, false
}

// international reads the digits after an international prefix.
func international(b []byte) (n engine.Number, ok bool) {
	if len(b) < leastDigits || len(b) > 15 || b[0] == '0' {
		return n, false
	}
	v, ok := digits(b)
	return engine.E164(v), ok
}

// withCode reads the digits of a national number.
func (r *numberReader) withCode(b []byte) (n engine.Number, ok bool) {
	if len(r.code)+len(b) > 15 || len(r.code)+len(b) < leastDigits {
		return n, false
	}
	v, ok := digits(b)
	code, _ := digits(bytesOf(r.code))
	for range b {
		code *= 10
	}
	return engine.E164(code + v), ok
}

// shortCode keeps digits as they are.
func shortCode(b []byte) (n engine.Number, ok bool) {
	if _, ok := digits(b); !ok {
		return n, false
	}
	return engine.OtherNumber(textOf(b)), true
}

// cached normalises by the long way, and remembers. The text of what it
// returns is its own.
func (r *numberReader) cached(b []byte) engine.Number {
	if len(b) > maxNumberText {
		return engine.ParseNumber(textOf(b))
	}
	if n, ok := r.cache[string(b)]; ok {
		return n
	}
	if len(r.cache) >= maxNumbers {
		clear(r.cache)
	}
	s := string(b)
	n := r.normalise(s)
	r.cache[s] = n
	return n
}

// normalise is the long way.
func (r *numberReader) normalise(s string) engine.Number {
	s = r.unwrap(s)
	if engine.IsWithheldWord(s) {
		return engine.Number{}
	}
	digits, hidden, ok := compact(s, r.national == "0")
	switch {
	case !ok:
		return engine.OtherNumber(s)
	case hidden > 0:
		return r.masked(digits, hidden)
	}
	if n, ok := r.known(digits); ok {
		return n
	}
	return engine.OtherNumber(digits)
}

// unwrap takes off what stands around a number: spaces, tel:, sip:, the
// prefixes of the profile, a host and parameters.
func (r *numberReader) unwrap(s string) string {
	s = strings.TrimSpace(s)
	if _, tail, found := strings.Cut(s, "<"); found {
		s, _, _ = strings.Cut(tail, ">")
	}
	for _, p := range append([]string{"tel:", "sip:", "sips:"}, r.strip...) {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			s = s[len(p):]
		}
	}
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, "@")
	return strings.TrimSpace(s)
}

// compact takes the marks that only help the eye out of a number, and the
// (0) of +49 (0)30. It returns the digits with a leading plus if there is
// one, and how many hidden digits follow. ok is false for what is no number.
func compact(s string, trunkZero bool) (number string, hidden int, ok bool) {
	if trunkZero && (strings.HasPrefix(s, "+") || strings.HasPrefix(s, "00")) {
		s = strings.Replace(s, "(0)", "", 1)
	}
	out := make([]byte, 0, len(s))
	for _, ch := range s {
		switch {
		case ch >= '0' && ch <= '9' && hidden == 0, ch == '+' && len(out) == 0:
			out = append(out, byte(ch))
		case strings.ContainsRune(" \t\u00a0\u202f-‐‑–./()", ch):
		case ch == '*' || ch == 'x' || ch == 'X':
			hidden++
		default:
			return s, 0, false
		}
	}
	if hidden > 0 && len(strings.TrimLeft(string(out), "+")) == 0 {
		return "", 0, s == "" || strings.Trim(s, "*xX+") == ""
	}
	return string(out), hidden, len(strings.TrimLeft(string(out), "+")) > 0
}

// masked normalises a number of which the last digits are hidden: it is
// treated as if they were fours, and they are hidden again.
func (r *numberReader) masked(known string, hidden int) engine.Number {
	n, ok := r.known(known + strings.Repeat("4", hidden))
	if !ok || n.E164Digits() == 0 {
		return engine.OtherNumber(known + strings.Repeat("*", hidden))
	}
	full := n.Full()
	if len(full)-1 <= hidden {
		return engine.OtherNumber(known + strings.Repeat("*", hidden))
	}
	return engine.OtherNumber(full[:len(full)-hidden] + strings.Repeat("*", hidden))
}

// known normalises a plus and digits, or digits.
func (r *numberReader) known(s string) (engine.Number, bool) {
	if s == "" {
		return engine.Number{}, true
	}
	if s[0] == '+' {
		v := plainDigits([]byte(s))
		return engine.E164(v), v != 0
	}
	if n, ok := r.byRule([]byte(s)); ok {
		return n, true
	}
	if r.country == "" || r.bare != bareAuto {
		return engine.Number{}, false
	}
	return r.library(s)
}

// library asks for what the prefixes do not decide: whether the digits are a
// number of the country, else of any country.
func (r *numberReader) library(s string) (engine.Number, bool) {
	if len(s) > 20 {
		return engine.Number{}, false
	}
	for _, try := range [...]struct{ text, region string }{{s, r.country}, {"+" + s, ""}} {
		p, err := phonenumbers.Parse(try.text, try.region)
		if err == nil && phonenumbers.IsValidNumber(p) {
			v := plainDigits([]byte(phonenumbers.Format(p, phonenumbers.E164)))
			return engine.E164(v), v != 0
		}
	}
	return engine.Number{}, false
}
