package dialect

import (
	"math"

	"github.com/shopspring/decimal"
)

// decimalReader checks an amount and keeps it as text, never as a float.
type decimalReader struct {
	comma bool
	shift int32 // decimal places that a divisor moves the point to the left
}

// IsDecimal reports whether the text of a canonical file is an amount.
func IsDecimal(text string) bool {
	d := decimalReader{}
	_, ok := d.read(bytesOf(text))
	return ok
}

func newDecimalReader(e *expr) decimalReader {
	d := decimalReader{comma: e.comma}
	if e.divide > 1 {
		d.shift = int32(math.Round(math.Log10(float64(e.divide))))
	}
	return d
}

// read returns b as a decimal with a point. Digits are kept as sent, trailing
// zeros included, unless a divisor moves the point.
func (d *decimalReader) read(b []byte) (string, bool) {
	body, point := b, byte('.')
	if len(b) > 1 && b[0] == '-' {
		body = b[1:]
	}
	if d.comma {
		point = ','
	}
	if _, ok := parseMantissa(body, point); !ok {
		return "", false
	}
	if !d.comma && d.shift == 0 {
		return textOf(b), true
	}
	return d.convert(b)
}

func (d *decimalReader) convert(b []byte) (string, bool) {
	own := make([]byte, len(b))
	for i, ch := range b {
		if ch == ',' {
			ch = '.'
		}
		own[i] = ch
	}
	v, err := decimal.NewFromString(string(own))
	if err != nil {
		return "", false
	}
	if d.shift == 0 {
		return string(own), true
	}
	return v.Shift(-d.shift).String(), true
}
