package formats

import (
	"concord/engine"
)

// numberRules say how a carrier writes telephone numbers. The zero value is
// the canonical form.
type numberRules struct {
	country       string   // ISO 3166-1 alpha-2; empty: not given
	code          string   // its calling code, such as 49
	national      string   // prefix of national numbers; empty: none
	international []string // prefixes besides the plus, longest first
	keepShort     bool     // digits without a prefix up to maxShort long stay as they are
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

// canonical reports whether numbers are read by engine.ParseNumber.
func (r numberRules) canonical() bool { return !r.set }

// numberReader normalises numbers. It keeps a cache, so it belongs to one
// decoder.
type numberReader struct {
	numberRules
	cache map[string]engine.Number
}

func newNumberReader(r numberRules) numberReader { return numberReader{numberRules: r} }

// read returns the normalised number. Its text may point into b.
func (r *numberReader) read(b []byte) engine.Number {
	if !r.set || plainDigits(b) != 0 {
		return engine.ParseNumber(textOf(b))
	}
	return r.slow(b)
}

func (r *numberReader) slow(b []byte) engine.Number { return engine.ParseNumber(textOf(b)) }

// plainDigits returns the digits of a plus and an E.164 number; 0 for
// anything else.
func plainDigits(b []byte) uint64 {
	if len(b) < 2 || len(b) > 16 || b[0] != '+' || b[1] == '0' {
		return 0
	}
	v, _ := digits(b[1:])
	return v
}
