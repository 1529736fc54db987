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
		lead = e164 / pow10[d-leadDigits]
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
		if p.length <= d && e164/pow10[d-p.length] == p.digits {
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
