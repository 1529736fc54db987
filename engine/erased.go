package engine

import "strconv"

// An erased number is what stands where a phone number stood that was erased.
// It has 15 digits, the most that a number may have: those that tell its
// country, then 000, then others. No number of any country begins like that, so
// that it is nobody's; and its country is that of the number, so that usage and
// totals by country stay what they were.
const (
	erasedMark = "000"
	erasedLen  = 15
)

// ErasedNumber returns what stands for an E.164 number once that is erased. Of
// which number it stands for, only code tells; it must not be possible to find
// that without a key. Of what is no E.164 number it returns a withheld one.
func ErasedNumber(n Number, code uint64) Number {
	digits := strconv.FormatUint(n.e164, 10)
	k := erasedPrefix(n)
	if k == 0 {
		return Number{}
	}
	tail := make([]byte, erasedLen-k-len(erasedMark))
	for i := range tail {
		tail[i] = byte('0' + code%10)
		code /= 10
	}
	v, err := strconv.ParseUint(digits[:k]+erasedMark+string(tail), 10, 64)
	if err != nil {
		return Number{}
	}
	return Number{e164: v}
}

// Erased reports whether the number stands for one that was erased.
func (n Number) Erased() bool {
	digits := strconv.FormatUint(n.e164, 10)
	k := erasedPrefix(n)
	return k > 0 && len(digits) == erasedLen && digits[k:k+len(erasedMark)] == erasedMark
}

// erasedPrefix returns how many leading digits tell a number's country, when
// the mark follows them; 0: it is no E.164 number.
func erasedPrefix(n Number) int {
	if n.e164 == 0 {
		return 0
	}
	digits := strconv.FormatUint(n.e164, 10)
	country := CountryOf(n)
	for k := 1; k < min(len(digits), erasedLen-len(erasedMark)); k++ {
		v, err := strconv.ParseUint(digits[:k]+erasedMark+"00000000000"[:erasedLen-len(erasedMark)-k], 10, 64)
		if err == nil && CountryOf(Number{e164: v}) == country {
			return k
		}
	}
	return 0
}

// erasedCompatible reports whether one of two numbers was erased and the other
// one, whose last digits are hidden, can be of the same country: that is all
// that is known of an erased number, and with it a call stays with the record
// that has the number behind a mask.
func erasedCompatible(a, b Number) bool {
	if b.Erased() {
		a, b = b, a
	}
	if !a.Erased() || !b.Masked() {
		return false
	}
	s, t := a.Full(), b.Full()
	k := 1 + erasedPrefix(a) // with the plus
	return len(t) >= k && s[:k] == t[:k]
}
