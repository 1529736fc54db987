package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"concord/formats/yamltree"
)

// numbers reads how the carrier writes telephone numbers.
func (r *profileReader) numbers() {
	n := &r.p.numbers
	v, ok := r.root.Get("numbers")
	if !ok {
		n.set = r.p.trim
		return
	}
	if !v.IsObject(`{country: DE, national_prefix: "0", international_prefix: "00"}`) {
		return
	}
	n.set = true
	v.Each(map[string]func(*yamltree.Node){
		"country":              func(y *yamltree.Node) { n.country, n.code = readCountry(y) },
		"national_prefix":      func(y *yamltree.Node) { n.national = readPrefix(y, `"0"`) },
		"international_prefix": func(y *yamltree.Node) { n.international = readPrefixes(y) },
		"keep_short":           func(y *yamltree.Node) { n.keepShort = y.Boolean() },
		"strip":                func(y *yamltree.Node) { n.strip = readStrips(y) },
		"bare":                 func(y *yamltree.Node) { n.bare = readBare(y) },
	})
	if _, given := v.Get("country"); given {
		return
	}
	if n.national != "" || n.bare == bareNational {
		v.ReportAt("country", "required: national numbers need the country they are in, such as DE")
	}
}

// readCountry returns an ISO code and its calling code.
func readCountry(y *yamltree.Node) (iso, code string) {
	s, ok := y.Word("DE")
	if !ok {
		return "", ""
	}
	c := phonenumbers.GetCountryCodeForRegion(s)
	if c == 0 {
		y.Report("%q is no country; write its two letters in capitals, such as DE or GB", s)
		return "", ""
	}
	return s, strconv.Itoa(c)
}

// readPrefix returns digits, or nothing.
func readPrefix(y *yamltree.Node, example string) string {
	s, ok := y.AnyText(example)
	if ok && (len(s) > 8 || strings.Trim(s, "0123456789") != "") {
		y.Report("%q is no prefix; write digits in quotes, such as %s", s, example)
		return ""
	}
	return s
}

// readPrefixes returns one or several, the longest first.
func readPrefixes(y *yamltree.Node) []string {
	var out []string
	one := []*yamltree.Node{y}
	if y.Kind == yamltree.List {
		one = y.Items
	}
	for _, n := range one {
		if s := readPrefix(n, `"00"`); s != "" {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// readStrips returns prefixes that are no part of a number.
func readStrips(y *yamltree.Node) []string {
	var out []string
	for _, s := range y.Texts(`["p:"]`) {
		if s != "" {
			out = append(out, strings.ToLower(s))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

func readBare(y *yamltree.Node) bareForm {
	return bareForm(max(slices.Index([]string{"auto", "national", "international"}, y.OneOf("auto", "national", "international")), 0))
}

// Country returns the country that national numbers are in, as its ISO 3166
// code of two letters; empty: the profile names none.
func (p *Profile) Country() string { return p.numbers.country }

// IsCountry reports whether a text is the ISO 3166 code of a country, of two
// capital letters.
func IsCountry(code string) bool {
	return len(code) == 2 && phonenumbers.GetCountryCodeForRegion(code) != 0
}
