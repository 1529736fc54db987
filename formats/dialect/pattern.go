package dialect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// NamePattern is how a carrier names its files: text with the parts {seq},
// {seq:06} (at least six digits), {date:20060102} (a Go layout) and {any}.
// The zero value fits every name.
type NamePattern struct {
	text string
	re   *regexp.Regexp
	// example is a name that fits.
	example string
	layout  string // of the date; empty: the names have none
	seq     int    // submatch of the sequence number; 0: none
	date    int
}

// NameParts is what a file's name says.
type NameParts struct {
	Seq     int64
	HasSeq  bool
	Date    time.Time // in UTC, as written
	HasDate bool
	// Correction says that the name marks a file that replaces the one of the
	// same sequence number.
	Correction bool
}

// String returns the pattern as the profile says it.
func (n NamePattern) String() string { return n.text }

// IsZero reports whether there is no pattern.
func (n NamePattern) IsZero() bool { return n.re == nil }

// HasSeq reports whether names hold a sequence number.
func (n NamePattern) HasSeq() bool { return n.seq > 0 }

// fits reports whether an ordinary name of other fits, too.
func (n NamePattern) fits(other NamePattern) bool {
	_, ok := n.Match(other.example)
	return ok
}

// ParseNamePattern reads a pattern.
func ParseNamePattern(s string) (NamePattern, error) {
	n := NamePattern{text: s}
	var re strings.Builder
	groups := 0
	for rest := s; rest != ""; {
		head, tail, found := strings.Cut(rest, "{")
		re.WriteString(regexp.QuoteMeta(head))
		n.example += head
		if !found {
			break
		}
		part, after, closed := strings.Cut(tail, "}")
		if !closed {
			return n, fmt.Errorf("the part {%s is not closed; end it with }", part)
		}
		expr, err := n.part(part, &groups)
		if err != nil {
			return n, err
		}
		re.WriteString(expr)
		rest = after
	}
	var err error
	if n.re, err = regexp.Compile("^" + re.String() + "$"); err != nil {
		return n, fmt.Errorf("the pattern is too long; use fewer parts")
	}
	return n, nil
}

// part returns the regular expression of one part in braces.
func (n *NamePattern) part(s string, groups *int) (string, error) {
	kind, arg, _ := strings.Cut(s, ":")
	switch {
	case kind == "any" && arg == "":
		n.example += "x"
		return ".*", nil
	case kind == "seq" && n.seq == 0:
		*groups++
		n.seq = *groups
		n.example += fmt.Sprintf("%018d", 7)
		return seqExpr(arg)
	case kind == "date" && n.date == 0:
		*groups++
		n.date, n.layout = *groups, arg
		n.example += time.Date(2037, time.November, 22, 0, 0, 0, 0, time.UTC).Format(arg)
		return dateExpr(arg)
	case kind == "seq" || kind == "date":
		return "", fmt.Errorf("{%s} is there twice; write {any} for the second", kind)
	}
	return "", fmt.Errorf("{%s} is no part of a name; there are {seq}, {seq:06}, {date:20060102} and {any}", s)
}

func seqExpr(width string) (string, error) {
	if width == "" {
		return `(\d{1,18})`, nil
	}
	w, err := strconv.Atoi(width)
	if err != nil || w < 1 || w > 18 {
		return "", fmt.Errorf("{seq:%s}: write how many digits, from 01 to 18", width)
	}
	return fmt.Sprintf(`(\d{%d,18})`, w), nil
}

func dateExpr(layout string) (string, error) {
	at := time.Date(2037, time.November, 22, 0, 0, 0, 0, time.UTC)
	text := at.Format(layout)
	back, err := time.Parse(layout, text)
	if layout == "" || err != nil || back.Year() != 2037 || back.YearDay() != at.YearDay() && back.Month() != at.Month() {
		return "", fmt.Errorf("{date:%s}: write a layout such as 20060102 or 2006-01", layout)
	}
	return fmt.Sprintf("(.{%d})", len(text)), nil
}

// Match reports whether a base name fits, and what it says.
func (n NamePattern) Match(name string) (NameParts, bool) {
	if n.re == nil {
		return NameParts{}, true
	}
	m := n.re.FindStringSubmatch(name)
	if m == nil {
		return NameParts{}, false
	}
	var p NameParts
	if n.seq > 0 {
		p.Seq, _ = strconv.ParseInt(m[n.seq], 10, 64)
		p.HasSeq = true
	}
	if n.date > 0 {
		var err error
		if p.Date, err = time.Parse(n.layout, m[n.date]); err != nil {
			return NameParts{}, false
		}
		p.HasDate = true
	}
	return p, true
}
