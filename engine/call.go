// Package engine decides, for one carrier, which of Microsoft's call records
// and the carrier's duration records are the same call, and what is wrong
// with those that are not.
//
// The rules are in MATCHING.md beside this file. They fix the answer
// completely: neither the number of workers, the memory budget nor the order
// of files (beyond what the rules say of repeats) changes it. Memory follows
// the budget, not the input; what does not fit is spilled to scratch files
// that the caller provides. The package reads no files, knows no formats, has
// no clock and logs nothing.
package engine

import (
	"context"
	"fmt"
	"strings"
)

// Side says who reported a record.
type Side uint8

// The two sides of a reconciliation.
const (
	Microsoft Side = iota
	Carrier
)

// String returns the name used in reports.
func (s Side) String() string {
	if s == Microsoft {
		return "microsoft"
	}
	return "carrier"
}

// Direction of a call as seen by the Teams user.
type Direction uint8

// Directions.
const (
	DirectionUnknown Direction = iota
	In
	Out
)

// String returns in, out or unknown.
func (d Direction) String() string {
	return [...]string{"unknown", "in", "out"}[d]
}

// DurationSource says who measured the duration of a Microsoft record.
type DurationSource uint8

// Duration sources.
const (
	SourceUnknown DurationSource = iota
	SourceMicrosoft
	SourceOperator
)

// String returns microsoft, operator or unknown.
func (s DurationSource) String() string {
	return [...]string{"unknown", "microsoft", "operator"}[s]
}

// Limits of what a record may hold; readers reject rows beyond them.
const (
	// MinStart and MaxStart bound Call.Start: the years 1900 to 2261, in
	// microseconds since 1970.
	MinStart = -2208988800_000000
	MaxStart = 9214646400_000000
	// MaxDuration is ten years, in milliseconds.
	MaxDuration = 10 * 366 * 86400_000
)

// Call is one record of either side, normalised.
//
// A reader fills it in place. Its strings may point into the reader's buffers
// and are valid only until the next Read or Close of the Part they came from.
type Call struct {
	RecordID      string // the sender's row id; empty when there is none
	CorrelationID string // Microsoft's id as the carrier echoes it; empty when there is none
	TenantID      string
	UserID        string
	CallType      string
	Carrier       string // as Microsoft's record names it; matching does not look at it
	Caller        Number
	Callee        Number
	Start         int64 // microseconds since 1970-01-01T00:00:00Z
	DurationMS    int64 // milliseconds; more than 0 means answered
	Row           int64 // data row in its file, counted from 1, rejected rows included
	Revision      int32
	HasRevision   bool
	Direction     Direction
	Source        DurationSource
	// ClockUntrusted is set when the local time of the record is ambiguous or
	// does not exist (a clock change) and Start is the reader's best choice.
	ClockUntrusted bool
	// Details holds the fields that matching does not need. It is nil unless
	// the reader was asked for them, and is valid as long as the strings.
	Details *Details
}

// Details are the canonical fields of a record that do not take part in
// matching. A nil pointer or an empty string is null.
type Details struct {
	CallerRaw        string // as sent, when that differs from Call.Caller
	CalleeRaw        string
	Invite           *int64 // microseconds since 1970
	End              *int64 // microseconds since 1970
	Answered         *bool
	SIPCode          *int32
	SIPSubcode       *int32
	Cause            *int32 // Q.850
	NumberType       string
	Capability       string
	ConferenceID     string
	CountryUsage     string // ISO 3166-1 alpha-2
	CountryTenant    string
	Charge           string // a decimal, as text
	ConnectionCharge string
	Currency         string // ISO 4217
}

// RowError describes one row that could not be read. It never holds the
// offending value: that may be a phone number.
type RowError struct {
	File     int    // index in the order given
	Row      int64  // data row in the file, from 1
	Line     int64  // physical line of a text file, from 1; 0 when the file has no lines
	RowGroup int    // row group of a Parquet file, from 1; 0 when there are none
	RecordID string // when it could be read
	Field    string // canonical field name
	Reason   string // a fixed phrase
}

// Error implements error.
func (e *RowError) Error() string {
	var b strings.Builder
	switch {
	case e.Line > 0:
		fmt.Fprintf(&b, "line %d", e.Line)
	case e.RowGroup > 0:
		fmt.Fprintf(&b, "row group %d, row %d", e.RowGroup, e.Row)
	default:
		fmt.Fprintf(&b, "row %d", e.Row)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, ": %s", e.Field)
	}
	return b.String() + ": " + e.Reason
}

// A Source is one side of a run: its files, in the order received.
type Source interface {
	// Next returns the next part, in the order of the files, then io.EOF.
	// Calls of Next do not overlap; parts are read beside each other and
	// beside Next.
	Next(ctx context.Context) (Part, error)
	// Finish is called once after every part was read to its end and closed.
	// It reports what only a whole file can tell, such as control totals
	// that do not agree.
	Finish(ctx context.Context) error
}

// A Part is some rows of one file, in their order. Parts of one file may come
// in any order and between each other's rows, and need not be all of it.
type Part interface {
	// Place says which rows these are.
	Place() Place
	// Read fills dst and returns how many calls it wrote, then io.EOF. A
	// *RowError describes one bad row; reading may go on after it. n may be
	// more than 0 with any error.
	Read(ctx context.Context, dst []Call) (n int, err error)
	Close() error
}

// Place locates a Part in its side: its rows are among those that it names.
// The last part of a file names the file's last row, if another file follows.
type Place struct {
	File  int   // index of the file in the order given
	First int64 // data row from which on the part has rows, from 1
	Rows  int64 // data rows from there to its last, rejected and others' included
}
