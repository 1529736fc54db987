// Package dialect knows how one carrier writes its records: as data, a Profile
// in YAML that PROFILES.md describes, and compiled for the columns of one file,
// a Plan whose Decoders turn the fields of a row into an engine.Call.
//
// Parse tells everything that is wrong with a profile at once, and Infer
// proposes one from a sample. A row becomes a call, or an error that names field
// and reason and never the value, or is left out by the profile; the strings of
// a call may point into the fields it was made of. Profiles and finished Plans
// may be shared, a Decoder belongs to one goroutine. Memory does not grow with
// the rows. The package opens no files, has no clock and logs nothing.
package dialect

import (
	"slices"
	"time"

	"concord/engine"
)

// Profile is the dialect of one carrier's files, as data: which column is
// which canonical field and how its text is read, how numbers are written,
// and the rules that judge the carrier's records. Parse reads one and Canonical
// is the dialect of canonical files. A Profile is not changed once made and may
// be used by several goroutines at once.
type Profile struct {
	Name    string // of the file it was read from; empty for the default
	Carrier string
	Files   FileRules
	Trailer Trailer
	// Limits overrides the limits that the reader was given; zero fields do not.
	Limits Limits

	columns [numFields]*expr
	zone    *time.Location // of times that name none; nil when not given
	nulls   []string       // what stands for null besides an empty field
	where   []condition
	numbers numberRules
	rules   engine.Rules
	trim    bool // spaces around text are no part of it
}

// FileRules say how the carrier's files are named and laid out.
type FileRules struct {
	Pattern   NamePattern
	Format    string // csv or parquet; empty: seen from the file
	Delimiter byte   // 0: not said
	// Encoding is utf-8, utf-16 or windows-1252 and so on, in lower case;
	// empty: UTF-8, or UTF-16 with a byte order mark.
	Encoding string
	Quote    byte     // 0: '"'
	NoQuotes bool     // fields are never quoted
	NoHeader bool     // the first line is data, and Columns names its fields
	Columns  []string // names of the columns of a file without a header
	// SkipLines is how many physical lines stand before the header or, when
	// there is none, before the first row.
	SkipLines int
	Comment   string // lines that begin with it are no rows; empty: none
	// Corrections is how files are named that replace the file of the same
	// sequence number. The zero value: no name says that.
	Corrections NamePattern
	// ReuseCorrects says that a sequence number used again always marks a
	// correction.
	ReuseCorrects bool
	Policy        Policy
	Quiet         time.Duration // for how long a file must be unchanged; 0 unless Policy is PolicyQuiet
}

// Policy says how the carrier shows that it has sent a file to its end.
type Policy uint8

// Policies, by their words in a profile.
const (
	PolicyClose      Policy = iota // close: the upload ended with a close
	PolicyRename                   // rename: the file got its name by a rename
	PolicyDoneMarker               // done_marker: a file NAME.done was sent
	PolicyManifest                 // manifest: a file NAME.sha256 was sent, and agrees
	PolicyQuiet                    // quiet: the file has not changed for a while
)

func policyNames() []string {
	return []string{"close", "rename", "done_marker", "manifest", "quiet"}
}

// String returns the word of a profile.
func (p Policy) String() string { return policyNames()[p] }

// Trailer says where the control totals of a file are: in the one line that
// begins with Prefix. A field number counts from 1; 0 is absent.
type Trailer struct {
	Prefix  string // empty: the files have no trailer
	Count   int    // field that holds the number of rows
	Seconds int    // field that holds the sum of the durations, in seconds
}

// condition leaves out rows: it holds when the column has one of the values,
// or none of them when except is set. Rows must meet every condition.
type condition struct {
	column string
	values []string
	except bool
}

// Canonical returns the dialect of canonical files.
func Canonical() *Profile {
	p := &Profile{rules: engine.DefaultRules()}
	p.canonicalColumns()
	return p
}

// canonicalColumns binds every field to the column of its own name.
func (p *Profile) canonicalColumns() {
	for i, f := range canonicalFields() {
		id := Field(i)
		e := &expr{columns: []string{f.name}, optional: id != FieldStart && id != FieldDuration}
		e.unit = unitMS
		e.layouts = []string{layoutRFC3339}
		p.columns[id] = e
	}
}

// Rules returns the matching settings.
func (p *Profile) Rules() engine.Rules { return p.rules }

// CanonicalColumns reports whether the profile reads the canonical columns:
// it names none of its own.
func (p *Profile) CanonicalColumns() bool {
	for i, e := range p.columns {
		if e == nil || !slices.Equal(e.columns, []string{Field(i).String()}) {
			return false
		}
	}
	return true
}

// MatchName reports whether a base name fits files.pattern or
// files.corrections, and what it says. Without a pattern every name fits.
func (p *Profile) MatchName(name string) (NameParts, bool) {
	if !p.Files.Corrections.IsZero() {
		if parts, ok := p.Files.Corrections.Match(name); ok {
			parts.Correction = true
			return parts, true
		}
	}
	return p.Files.Pattern.Match(name)
}
