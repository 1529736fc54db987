// Package trace finds one phone number in whatever may hold it: a text, a file
// in any encoding, packed or not, a Parquet file.
//
// It knows the number by the ways in which people and machines write it: in
// E.164 with or without the plus, behind an international prefix, in the form of
// its own country, with spaces and the like between the digits. Digits that go on
// before or behind it make another number of it. A number whose last digits are
// hidden is not this one: it may be anybody's. What a profile alone can tell, such
// as a prefix of one carrier, is not known here: decoded records tell that.
//
// Memory is bounded, whatever a file is. Files come from outside, and some can
// end the process that decodes them: a caller that must not end calls Scan in a
// process of its own.
package trace

import (
	"errors"
	"strconv"
	"strings"

	"concord/engine"

	"github.com/nyaruka/phonenumbers"
)

// Number is a number that is looked for. It is safe for concurrent use.
type Number struct {
	number   engine.Number
	digits   string   // behind the plus
	national string   // of them, those without the code of the country; empty: not known
	forms    []string // digits as they are written, the international ones first
	loose    []string // those that are looked for within longer words, longest first
}

// ErrNumber says that a text is no number that can be looked for.
var ErrNumber = errors.New("write the number in E.164: a plus, the code of the country and the rest, 8 to 15 digits, such as +4930123456")

// leastDigits is how long a number is at the least: shorter runs of digits are
// anything.
const leastDigits = 8

// Parse takes a number in E.164; spaces and the like between its digits do not
// count.
func Parse(text string) (*Number, error) {
	text = strings.TrimSpace(text)
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -/().\u00a0", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(text, "+"))
	n := engine.ParseNumber("+" + digits)
	if !strings.HasPrefix(text, "+") || n.E164Digits() == 0 || len(digits) < leastDigits || n.Erased() {
		return nil, ErrNumber
	}
	return Of(n), nil
}

// Of looks for a number, which is an E.164 one.
func Of(n engine.Number) *Number {
	digits := strconv.FormatUint(n.E164Digits(), 10)
	x := &Number{number: n, digits: digits, forms: []string{digits, "00" + digits, "011" + digits}, loose: []string{digits}}
	p, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return x
	}
	code := strconv.Itoa(int(p.GetCountryCode()))
	rest, ok := strings.CutPrefix(digits, code)
	if !ok {
		return x
	}
	x.national = rest
	x.forms = append(x.forms, code+"0"+rest, "00"+code+"0"+rest, "0"+rest)
	if len(rest) > leastDigits { // fewer are anything
		x.forms = append(x.forms, rest)
		x.loose = append(x.loose, "0"+rest)
	}
	return x
}

// E164 returns the number.
func (n *Number) E164() engine.Number { return n.number }

// In reports whether a text holds the number.
func (n *Number) In(s string) bool {
	found := false
	n.spots(s, func(int, int) bool {
		found = true
		return false
	})
	return found
}

// Replace puts other digits in the place of the number, wherever a text holds
// it; the plus before it stays.
func (n *Number) Replace(s, digits string) string {
	var b strings.Builder
	done := 0
	n.spots(s, func(from, to int) bool {
		b.WriteString(s[done:from])
		b.WriteString(digits)
		done = to
		return true
	})
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// ReplaceWithin is Replace for a text that belongs to the number, such as the id
// of its own call: there its digits are the number wherever they stand.
func (n *Number) ReplaceWithin(s, digits string) string {
	s = n.Replace(s, digits)
	for _, form := range n.loose {
		s = strings.ReplaceAll(s, form, digits)
	}
	return s
}

// spots calls fn with where the number stands in a text, until it returns
// false. Spots do not overlap.
func (n *Number) spots(s string, fn func(from, to int) bool) {
	w := walker{n: n}
	last := 0
	for i := 0; i <= len(s); i++ {
		c := byte(' ')
		if i < len(s) {
			c = s[i]
		}
		from, to, ok := w.feed(int64(i), c)
		if ok && int(from) >= last {
			last = int(to)
			if !fn(int(from), int(to)) {
				return
			}
		}
	}
}

// walker looks for the number in a stream of bytes. NUL bytes do not count, so
// that UTF-16 of either order reads like any other text.
type walker struct {
	n     *Number
	alive []candidate
	digit bool // the byte before was one
}

// candidate is a form that may be under way.
type candidate struct {
	form     string
	matched  int
	from, to int64
	gap      int // bytes since the last digit
}

// mostGap is how many bytes may stand between two digits of a number.
const mostGap = 3

// feed takes the byte at an offset, and says whether the number ended before it:
// where it began, and behind which byte it ended.
func (w *walker) feed(at int64, c byte) (from, to int64, found bool) {
	if c == 0 {
		return 0, 0, false
	}
	isDigit := '0' <= c && c <= '9'
	if len(w.alive) == 0 && !isDigit {
		w.digit = false
		return 0, 0, false
	}
	kept := w.alive[:0]
	for _, x := range w.alive {
		whole := x.matched == len(x.form)
		switch {
		case whole && (!isDigit || x.gap > 0):
			if !found || x.from < from || x.from == from && x.to > to {
				from, to, found = x.from, x.to, true
			}
		case whole: // another number
		case isDigit && x.form[x.matched] == c:
			x.matched, x.to, x.gap = x.matched+1, at+1, 0
			kept = append(kept, x)
		case !isDigit && between(c) && x.gap < mostGap:
			x.gap++
			kept = append(kept, x)
		}
	}
	w.alive = kept
	if isDigit && !w.digit {
		w.begin(at, c)
	}
	w.digit = isDigit
	return from, to, found
}

func (w *walker) begin(at int64, c byte) {
	for _, form := range w.n.forms {
		if form[0] == c {
			w.alive = append(w.alive, candidate{form: form, matched: 1, from: at, to: at + 1})
		}
	}
}

// between reports whether a byte may stand between two digits of a number: what
// people put there, and the two bytes of a space that does not break.
func between(c byte) bool {
	switch c {
	case ' ', '-', '/', '(', ')', '.', 0xc2, 0xa0:
		return true
	}
	return false
}
