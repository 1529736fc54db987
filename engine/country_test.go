package engine

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCountryOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		number string
		want   string
	}{
		{"German mobile", "+4915112345678", "DE"},
		{"New York", "+12125550100", "US"},
		{"Toronto", "+14165550100", "CA"},
		{"Jamaica's second area code", "+16585550100", "JM"},
		{"Puerto Rico", "+17875550100", "PR"},
		{"an area code not opened yet", "+14905550100", "US"},
		{"toll-free belongs to no country", "+18005550100", ""},
		{"premium rate of +1 belongs to no country", "+19005550100", ""},
		{"Moscow", "+74951234567", "RU"},
		{"Almaty", "+77272581234", "KZ"},
		{"London", "+442079460000", "GB"},
		{"Jersey", "+441534123456", "JE"},
		{"Guernsey mobile", "+447911123456", "GG"},
		{"a British mobile next to Guernsey's", "+447911223456", "GB"},
		{"Isle of Man", "+441624756000", "IM"},
		{"Rome", "+390612345678", "IT"},
		{"the Vatican through Rome", "+390669812345", "VA"},
		{"Svalbard", "+4779021234", "SJ"},
		{"Oslo", "+4721012345", "NO"},
		{"Christmas Island", "+61891641234", "CX"},
		{"Cocos Islands", "+61891621234", "CC"},
		{"Western Sahara", "+212528812345", "EH"},
		{"Mayotte", "+262269601234", "YT"},
		{"Reunion", "+262262161234", "RE"},
		{"Åland", "+3581812345678", "AX"},
		{"Saint Martin", "+590590501234", "MF"},
		{"Bonaire", "+5997151234", "BQ"},
		{"Curaçao", "+59994351234", "CW"},
		{"Ascension is part of Saint Helena's code", "+24740123", "SH"},
		{"Antarctica", "+672101234", "AQ"},
		{"Kosovo", "+38328012345", "XK"},
		{"Inmarsat", "+870773111632", ""},
		{"Iridium", "+881612345678", ""},
		{"international network", "+883510012345", ""},
		{"international freephone", "+80012345678", ""},
		{"unassigned calling code", "+21012345678", ""},
		{"no more than the calling code", "+49", "DE"},
		{"withheld", "", ""},
		{"masked", "+49301234***", ""},
		{"short code", "110", ""},
	} {
		if got := CountryOf(ParseNumber(c.number)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCountryTableIsSortedAndUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for i, c := range countryPrefixes {
		if i > 0 && countryPrefixes[i-1].code >= c.code {
			t.Errorf("%s is out of order", c.code)
		}
		for p := range strings.FieldsSeq(c.prefixes) {
			if other, twice := seen[p]; twice {
				t.Errorf("%s is listed for %s and %s", p, other, c.code)
			}
			seen[p] = c.code
		}
	}
}

// The fast table and the plain longest prefix agree on every number of up to
// six digits and on both edges of every listed prefix.
func TestCountryIndexIsTheLongestPrefix(t *testing.T) {
	check := func(v uint64) {
		n := E164(v)
		if got, want := CountryOf(n), longestPrefix(n.Full()[1:]); got != want {
			t.Fatalf("%d: %q, want %q", v, got, want)
		}
	}
	for v := uint64(1000); v < 1_000_000; v += 53 {
		check(v)
	}
	for _, c := range countryPrefixes {
		for p := range strings.FieldsSeq(c.prefixes) {
			v := prefixDigits(p) * pow10[15-len(p)]
			check(v)
			check(v + pow10[15-len(p)] - 1)
			check(max(v, 1) - 1)
		}
	}
}

func longestPrefix(digits string) string {
	best, country := 0, ""
	for _, c := range countryPrefixes {
		for _, p := range strings.Fields(c.prefixes) {
			if len(p) > best && strings.HasPrefix(digits, p) {
				best, country = len(p), c.code
			}
		}
	}
	return country
}

func TestDecimalDigits(t *testing.T) {
	for d := 1; d <= 15; d++ {
		if got := decimalDigits(pow10[d] - 1); got != d {
			t.Errorf("%d: %d digits, want %d", pow10[d]-1, got, d)
		}
		if got := decimalDigits(pow10[d-1]); got != d {
			t.Errorf("%d: %d digits, want %d", pow10[d-1], got, d)
		}
	}
}

func BenchmarkCountryIndex(b *testing.B) {
	numbers := [...]uint64{4915112345678, 12125550100, 447911123456, 33612345678, 390669812345, 61412345678, 14165550100, 8613912345678}
	i := 0
	for b.Loop() {
		sink += countryIndex(numbers[i%len(numbers)])
		i++
	}
}

var sink uint16

func TestLeadingDividesByPowersOfTen(t *testing.T) {
	for n := range 15 {
		for _, v := range []uint64{0, 1, pow10[n] - 1, pow10[n], pow10[n] + 1, 7*pow10[n] - 1, maxE164, maxE164 - 1, 123456789012345} {
			if got, want := leading(v, n), v/pow10[n]; got != want {
				t.Errorf("%d without its last %d digits: %d, want %d", v, n, got, want)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v, n := r.Uint64N(maxE164+1)/pow10[r.IntN(15)], r.IntN(15)
		if got, want := leading(v, n), v/pow10[n]; got != want {
			t.Fatalf("%d without its last %d digits: %d, want %d", v, n, got, want)
		}
	}
}
