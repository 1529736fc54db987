// Package csvscan cuts delimiter-separated text into chunks of whole records
// and records into fields. It knows bytes only, not what they mean.
//
// Work is done in two stages. A Reader walks the stream once, in order, and
// hands out chunks; it knows the first row and the first physical line of
// each. A Splitter cuts the records of one chunk into fields; several may work
// on different chunks at once. Both find the same records whatever the size of
// the chunks.
//
// A line ends with LF, CRLF or CR, mixed at will. A field that begins with a
// quote ends at the next quote that is not doubled, and may hold delimiters
// and line ends, which are kept as they are. Blank lines are no rows; they are
// counted. A bad row never takes the following ones with it: when a quote is
// out of place, is not closed within Options.MaxField bytes or by the end of
// the input, or when the record is too long, the row ends with the physical
// line on which that was found, and reading goes on with the next line.
//
// The one exception is a line that is passed over and goes on for more than
// Options.MaxLine bytes: that is no row, however bad, and what it swallowed may
// have been thousands of them. Reading ends there with an *EndlessLineError.
//
// Memory is bounded by a few chunks of Options.ChunkSize plus one record of
// Options.MaxRecord bytes, however long a line or an open quote is.
package csvscan

import "fmt"

// Reason says in a fixed phrase why a row is bad. It is empty for a good row.
type Reason string

// Why rows are bad.
const (
	Unclosed      Reason = "the quote opened on this line is not closed"
	StrayQuote    Reason = "a quote is out of place"
	FieldTooLong  Reason = "a field is too long"
	RecordTooLong Reason = "the record is too long"
	TooFewFields  Reason = "too few fields"
	TooManyFields Reason = "too many fields"
)

// EndlessLineError says that a line goes on beyond any row.
type EndlessLineError struct {
	Line   int64  // from 1
	Max    int64  // bytes
	Reason Reason // why the row that it begins with was passed over; may be empty
}

// Error implements error.
func (e *EndlessLineError) Error() string {
	s := fmt.Sprintf("line %d goes on for more than %d MiB", e.Line, e.Max>>20)
	if e.Reason != "" {
		s += ": " + string(e.Reason)
	}
	return s
}

// Options describe the text. The zero value is comma-separated with the
// default limits.
type Options struct {
	Delimiter byte   // [,]
	Quote     byte   // ['"']
	NoQuotes  bool   // quotes mean nothing
	SkipLines int    // physical lines to pass over first; they are counted
	Comment   string // lines that begin with it are ignored and counted; "" is none
	Trailer   string // lines that begin with it are kept apart; "" is none
	MaxField  int    // bytes of one field, as written [64 KiB]
	MaxRecord int    // bytes of one record [1 MiB]
	MaxLine   int64  // bytes of a line that is passed over; more end the reading [64 MiB]
	ChunkSize int    // bytes to aim at [512 KiB]

	prefixes bool // there is a Comment or a Trailer
}

func (o Options) orDefault() Options {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.Quote == 0 {
		o.Quote = '"'
	}
	if o.MaxField <= 0 {
		o.MaxField = 64 << 10
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = 1 << 20
	}
	if o.MaxLine <= 0 {
		o.MaxLine = 64 << 20
	}
	if o.ChunkSize <= 0 {
		o.ChunkSize = 512 << 10
	}
	o.prefixes = o.Comment != "" || o.Trailer != ""
	o.MaxRecord = max(o.MaxRecord, o.MaxField)
	return o
}
