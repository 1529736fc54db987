package engine

import "strings"

// Number is a normalised telephone number. The zero value is a withheld
// number. Two Numbers are the same number when they are == .
//
// A plain E.164 number is kept as an integer; anything else that was sent (a
// short code, a SIP user, a number with hidden digits) is kept as text.
type Number struct {
	e164 uint64 // the digits after the plus; 0 when text holds the number
	text string
}

const maxE164 = 999_999_999_999_999 // 15 digits

// E164 returns the number with the given digits after the plus. Digits that
// make no E.164 number (none, or more than 15) give a withheld number.
func E164(digits uint64) Number {
	if digits > maxE164 {
		return Number{}
	}
	return Number{e164: digits}
}

// OtherNumber returns a number that is not E.164: a short code, a user name,
// or a masked number whose last hidden digits are written as '*'. The string
// is kept, not copied. An empty string gives a withheld number.
func OtherNumber(text string) Number { return Number{text: text} }

// ParseNumber reads the canonical form: empty or a word such as anonymous for
// a withheld number, '+' and up to 15 digits, '*' for masked digits. Anything
// else is kept as it is. The string is kept, not copied.
func ParseNumber(s string) Number {
	if len(s) > 1 && len(s) <= 16 && s[0] == '+' && s[1] != '0' {
		var v uint64
		for i := 1; i < len(s); i++ {
			d := s[i] - '0'
			if d > 9 {
				return otherOrWithheld(s)
			}
			v = v*10 + uint64(d)
		}
		return Number{e164: v}
	}
	return otherOrWithheld(s)
}

func otherOrWithheld(s string) Number {
	if IsWithheldWord(s) {
		return Number{}
	}
	return Number{text: s}
}

// IsWithheldWord reports whether s is empty or one of the words that stand for
// a number that was not shown, in any case and with any space around it.
func IsWithheldWord(s string) bool {
	s = strings.TrimSpace(s)
	switch len(s) {
	case 0:
		return true
	case 7, 8, 9, 10, 11:
		switch strings.ToLower(s) {
		case "anonymous", "unknown", "private", "restricted", "unavailable", "withheld":
			return true
		}
	}
	return false
}

// Withheld reports whether no number was shown.
func (n Number) Withheld() bool { return n.e164 == 0 && n.text == "" }

// Masked reports whether trailing digits are hidden.
func (n Number) Masked() bool { return n.text != "" && n.text[len(n.text)-1] == '*' }

// Plain reports whether a number is present and nothing of it is hidden.
func (n Number) Plain() bool { return n.e164 != 0 || n.text != "" && !n.Masked() }

// E164Digits returns the digits of a plain E.164 number, else 0.
func (n Number) E164Digits() uint64 { return n.e164 }

// Full returns the whole number in its canonical form. It is personal data:
// only evidence files may show it.
func (n Number) Full() string {
	if n.e164 == 0 {
		return n.text
	}
	var b [17]byte
	return string(appendE164(b[:0], n.e164))
}

// AppendFull appends what Full returns to b.
func (n Number) AppendFull(b []byte) []byte {
	if n.e164 == 0 {
		return append(b, n.text...)
	}
	return appendE164(b, n.e164)
}

func appendE164(b []byte, v uint64) []byte {
	var tmp [16]byte
	i := len(tmp)
	for ; v > 0; v /= 10 {
		i--
		tmp[i] = byte('0' + v%10)
	}
	return append(append(b, '+'), tmp[i:]...)
}

// String returns the number with its last four digits hidden, so that a log
// or an error that prints one gives nothing away.
func (n Number) String() string {
	if n.Withheld() {
		return "withheld"
	}
	s := n.Full()
	if len(s) <= 4 {
		return strings.Repeat("*", len(s))
	}
	return s[:len(s)-4] + "****"
}

// maskedCompatible reports whether a and b can be the same number as far as
// both are known: at least one is masked, their known digits agree and their
// lengths agree. Of an erased number only the country is known.
func maskedCompatible(a, b Number) bool {
	if !a.Masked() && !b.Masked() || a.Withheld() || b.Withheld() {
		return false
	}
	if erasedCompatible(a, b) {
		return true
	}
	s, t := a.Full(), b.Full()
	if len(s) != len(t) {
		return false
	}
	known := min(len(strings.TrimRight(s, "*")), len(strings.TrimRight(t, "*")))
	return s[:known] == t[:known]
}
