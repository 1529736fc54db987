package engine

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// CountryOf returns the ISO 3166-1 alpha-2 country of a plain E.164 number by
// its leading digits, or "" when the number is hidden, short, or belongs to no
// one country (toll-free +1, satellite and other international codes).
func CountryOf(n Number) string { return countryName(countryIndex(n.e164)) }

// countryName returns the ISO code of an index, "" for 0.
func countryName(i uint16) string { return countryPrefixes[i].code }

// countryIndex returns the index of the country of the digits after the plus,
// 0 when there is none. It runs once a record, so it is one table look-up on
// the first four digits, and a short search only where four do not tell.
func countryIndex(e164 uint64) uint16 {
	if e164 == 0 || e164 > maxE164 {
		return 0
	}
	t := countryTable()
	d := decimalDigits(e164)
	lead := e164
	if d > leadDigits {
		lead = leading(e164, d-leadDigits)
	} else {
		lead *= pow10[leadDigits-d]
	}
	i := t.lead[lead]
	if i < fineFlag {
		return i
	}
	return t.fine[i-fineFlag].find(e164, d)
}

const (
	leadDigits = 4
	// fineFlag marks an entry of lead that is an index into fine.
	fineFlag = 1 << 15
)

// countryTables is countryPrefixes laid out for look-up.
type countryTables struct {
	lead [10000]uint16 // by the first four digits, padded with zeros
	fine []fineCountry
}

// fineCountry is four leading digits that several countries share.
type fineCountry struct {
	other    uint16       // whose the rest is
	prefixes []longPrefix // longest first
}

type longPrefix struct {
	digits  uint64
	length  int
	country uint16
}

// find returns the country of a number of d digits.
func (f *fineCountry) find(e164 uint64, d int) uint16 {
	for _, p := range f.prefixes {
		if p.length <= d && leading(e164, d-p.length) == p.digits {
			return p.country
		}
	}
	return f.other
}

// countryTable is built on first use: a run that needs no countries pays
// nothing at start.
var countryTable = sync.OnceValue(func() *countryTables {
	var all []longPrefix
	for i, c := range countryPrefixes {
		for s := range strings.FieldsSeq(c.prefixes) {
			all = append(all, longPrefix{digits: prefixDigits(s), length: len(s), country: uint16(i)})
		}
	}
	slices.SortStableFunc(all, func(a, b longPrefix) int { return a.length - b.length })
	t := new(countryTables)
	for _, p := range all {
		t.add(p)
	}
	return t
})

// add enters a prefix no shorter than those entered before.
func (t *countryTables) add(p longPrefix) {
	if p.length <= leadDigits {
		w := pow10[leadDigits-p.length]
		for i := p.digits * w; i < (p.digits+1)*w; i++ {
			t.lead[i] = p.country
		}
		return
	}
	at := &t.lead[p.digits/pow10[p.length-leadDigits]]
	if *at < fineFlag {
		t.fine = append(t.fine, fineCountry{other: *at})
		*at = fineFlag + uint16(len(t.fine)-1)
	}
	f := &t.fine[*at-fineFlag]
	f.prefixes = slices.Insert(f.prefixes, 0, p)
}

func prefixDigits(s string) (v uint64) {
	for _, c := range []byte(s) {
		v = v*10 + uint64(c-'0')
	}
	return v
}

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimalDigits returns how many decimal digits v has, 0 for 0, for v up to
// maxE164.
func decimalDigits(v uint64) int {
	n := bits.Len64(v|1) * 1233 >> 12
	if v >= pow10[n] {
		n++
	}
	return n
}

// leading returns v without its last n decimal digits, by a multiplication: a
// division takes several times as long. v is at most 15 digits, n less.
func leading(v uint64, n int) uint64 {
	if n == 0 {
		return v
	}
	r := &reciprocals[n]
	hi, _ := bits.Mul64(v, r.factor)
	return hi >> r.shift
}

// reciprocals holds, for each power of ten, the factor ceil(2^(64+shift)/10^n)
// with shift = floor(log2(10^n)). The product's error stays below one for
// every v of 15 digits.
var reciprocals = [...]struct {
	factor uint64
	shift  uint8
}{
	{0x0, 0},
	{0xcccccccccccccccd, 3},
	{0xa3d70a3d70a3d70b, 6},
	{0x83126e978d4fdf3c, 9},
	{0xd1b71758e219652c, 13},
	{0xa7c5ac471b478424, 16},
	{0x8637bd05af6c69b6, 19},
	{0xd6bf94d5e57a42bd, 23},
	{0xabcc77118461cefd, 26},
	{0x89705f4136b4a598, 29},
	{0xdbe6fecebdedd5bf, 33},
	{0xafebff0bcb24aaff, 36},
	{0x8cbccc096f5088cc, 39},
	{0xe12e13424bb40e14, 43},
	{0xb424dc35095cd810, 46},
	{0x901d7cf73ab0acda, 49},
}
