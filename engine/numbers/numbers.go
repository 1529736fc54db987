// Package numbers knows who had which phone number when: the number assignments
// of Microsoft's side, each valid for an interval of time.
//
// Times are microseconds since 1970, UTC. An interval holds its beginning and
// not its end. What is known of one line in one source is a list of assignments
// that do not overlap; Learn says what a further listing makes of it, History
// which assignment was valid at the time of a call, and Changes what differs
// between two listings. The package has no clock, keeps nothing, and imports
// nothing but the standard library.
package numbers

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

const (
	// Open is the end of an assignment that is still valid.
	Open = math.MaxInt64
	// Unsaid is the beginning of an assignment of which is only said that it
	// is valid now.
	Unsaid = math.MinInt64
)

// Line is a phone number in E.164 and, where several lines share one number,
// the extension behind it.
type Line struct {
	Digits uint64 // after the plus
	Ext    string // digits; empty: the number itself
}

// Bounds of what makes a line.
const (
	maxDigits = 15
	maxExt    = 15
	extMark   = ";ext="
)

// ParseLine reads the canonical form: '+', up to 15 digits of which the first
// is not 0, and perhaps ";ext=" and up to 15 digits.
func ParseLine(s string) (Line, bool) {
	number, ext, has := strings.Cut(s, extMark)
	if len(number) < 2 || len(number) > maxDigits+1 || number[0] != '+' || number[1] == '0' || !areDigits(number[1:]) {
		return Line{}, false
	}
	if has && (ext == "" || len(ext) > maxExt || !areDigits(ext)) {
		return Line{}, false
	}
	v, err := strconv.ParseUint(number[1:], 10, 64)
	return Line{Digits: v, Ext: ext}, err == nil
}

func areDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// Full returns the line in its canonical form. It is personal data: only what
// is delivered may show it.
func (l Line) Full() string { return string(l.AppendFull(nil)) }

// AppendFull appends what Full returns to b.
func (l Line) AppendFull(b []byte) []byte {
	b = strconv.AppendUint(append(b, '+'), l.Digits, 10)
	if l.Ext != "" {
		b = append(append(b, extMark...), l.Ext...)
	}
	return b
}

// String hides the last four digits and the extension, so that a log or an
// error that prints a line gives nothing away.
func (l Line) String() string {
	s := strconv.FormatUint(l.Digits, 10)
	return "+" + s[:max(0, len(s)-4)] + strings.Repeat("*", min(4, len(s)))
}

// Compare orders lines by their numbers, and those of one number by their
// extensions, the number itself first.
func (l Line) Compare(m Line) int {
	return cmp.Or(cmp.Compare(l.Digits, m.Digits), strings.Compare(l.Ext, m.Ext))
}

// Facts are what is said of an assignment. Two of them that say the same are
// ==. Empty texts are unknown.
type Facts struct {
	NumberType       string `json:"number_type,omitempty"` // operatorConnect, directRouting, callingPlan …: an open list
	ActivationState  string `json:"activation_state,omitempty"`
	AssignmentStatus string `json:"assignment_status,omitempty"`
	TenantID         string `json:"tenant_id,omitempty"`
	Usage            string `json:"usage,omitempty"`
	Capabilities     string `json:"capabilities,omitempty"` // words, sorted, joined by spaces
	TargetID         string `json:"target_id,omitempty"`
	TargetType       string `json:"target_type,omitempty"`
	SIPURI           string `json:"sip_uri,omitempty"`
	CivicAddressID   string `json:"civic_address_id,omitempty"`
	LocationID       string `json:"location_id,omitempty"`
	ISOCountry       string `json:"iso_country,omitempty"`
	AcquiredOn       string `json:"acquired_on,omitempty"` // a date, or an instant, as ISO 8601
}

// FactNames are the canonical names of what Facts hold, in the order of
// Fields.
func FactNames() []string {
	return []string{
		"number_type", "activation_state", "assignment_status", "tenant_id", "usage", "capabilities", "target_id", "target_type",
		"sip_uri", "civic_address_id", "location_id", "iso_country", "acquired_on",
	}
}

// factCount is how many facts there are.
const factCount = 13

// Fields returns where each fact is, in the order of FactNames.
func (f *Facts) Fields() [factCount]*string {
	return [factCount]*string{
		&f.NumberType, &f.ActivationState, &f.AssignmentStatus, &f.TenantID, &f.Usage, &f.Capabilities, &f.TargetID, &f.TargetType,
		&f.SIPURI, &f.CivicAddressID, &f.LocationID, &f.ISOCountry, &f.AcquiredOn,
	}
}

// Assignment says that a line had these facts for a time, according to one
// source. Two of them that say the same are ==.
type Assignment struct {
	Line
	Facts
	Source   string // whose listings say so; empty: there is only one
	From, To int64  // Unsaid only in listings; Open
}

// Holds reports whether the assignment is valid at a time.
func (a *Assignment) Holds(at int64) bool { return a.From <= at && at < a.To }

// compare orders assignments by line, then by beginning, then by source.
func compare(a, b Assignment) int {
	return cmp.Or(a.Line.Compare(b.Line), cmp.Compare(a.From, b.From), strings.Compare(a.Source, b.Source), cmp.Compare(a.To, b.To))
}
