package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// numbers reads how the carrier writes telephone numbers.
func (r *profileReader) numbers() {
	n := &r.p.numbers
	v, ok := r.root.get("numbers")
	if !ok {
		n.set = r.p.trim
		return
	}
	if !v.isObject(`{country: DE, national_prefix: "0", international_prefix: "00"}`) {
		return
	}
	n.set = true
	v.each(map[string]func(*yamlNode){
		"country":              func(y *yamlNode) { n.country, n.code = y.country() },
		"national_prefix":      func(y *yamlNode) { n.national = y.prefix(`"0"`) },
		"international_prefix": func(y *yamlNode) { n.international = y.prefixes() },
		"keep_short":           func(y *yamlNode) { n.keepShort = y.boolean() },
		"strip":                func(y *yamlNode) { n.strip = y.strips() },
		"bare":                 func(y *yamlNode) { n.bare = y.bare() },
	})
	if _, given := v.get("country"); given {
		return
	}
	if n.national != "" || n.bare == bareNational {
		v.reportAt("country", "required: national numbers need the country they are in, such as DE")
	}
}

// country returns an ISO code and its calling code.
func (y *yamlNode) country() (iso, code string) {
	s, ok := y.word("DE")
	if !ok {
		return "", ""
	}
	c := phonenumbers.GetCountryCodeForRegion(s)
	if c == 0 {
		y.report("%q is no country; write its two letters in capitals, such as DE or GB", s)
		return "", ""
	}
	return s, strconv.Itoa(c)
}

// prefix returns digits, or nothing.
func (y *yamlNode) prefix(example string) string {
	s, ok := y.anyText(example)
	if ok && (len(s) > 8 || strings.Trim(s, "0123456789") != "") {
		y.report("%q is no prefix; write digits in quotes, such as %s", s, example)
		return ""
	}
	return s
}

// prefixes returns one or several, the longest first.
func (y *yamlNode) prefixes() []string {
	var out []string
	one := []yamlNode{*y}
	if y.kind == yamlList {
		one = y.items
	}
	for i := range one {
		if s := one[i].prefix(`"00"`); s != "" {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// strips returns prefixes that are no part of a number.
func (y *yamlNode) strips() []string {
	var out []string
	for _, s := range y.texts(`["p:"]`) {
		if s != "" {
			out = append(out, strings.ToLower(s))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

func (y *yamlNode) bare() bareForm {
	return bareForm(max(slices.Index([]string{"auto", "national", "international"}, y.oneOf("auto", "national", "international")), 0))
}
