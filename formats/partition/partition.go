// Package partition deals the records of one side out to many carriers, in one
// pass over the input: a canonical Parquet and a CSV file for each.
//
// A carrier's files hold its own rows of the period, in the order of the input,
// and only the columns that it may see. A row that names no carrier or an
// unknown one is counted and goes nowhere else. Every row of the input is
// accounted for, and a delivery that does not tie out is an error. Memory is
// bounded by Options.Memory, whatever the input, and by two open files a
// carrier. The bytes depend on the rows and the carriers, not on the number of
// workers nor on the memory.
//
// It writes to files that its caller makes and publishes; when it succeeds,
// every one of them is synced and closed, and when it does not, none may be
// published.
package partition

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"

	"concord/engine"
	"concord/formats"
)

// File is one file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Create makes a new file for a carrier. It may be called by several
// goroutines at once.
type Create func(carrier, name string) (File, error)

// Carrier is who gets files.
type Carrier struct {
	ID    string
	Names []string // in the records' carrier column, in any case; nil is the ID
}

// Options say what to deliver to whom.
type Options struct {
	Carriers []Carrier
	// Foreign are names of carriers that get nothing now, and Rest is the ID of
	// the one that gets the rows which name none of all these; empty: nobody
	// does.
	Foreign []string
	Rest    string
	// From and To bound Start, in microseconds since 1970: From is in the
	// period, To is not. A zero To is no bound.
	From, To int64
	// Callers say whose a quality row is that names no carrier; nil: nobody's.
	// Of such a row whose call nobody has, Waiting is the ID of the carrier
	// that stands for those who may have it yet; empty: nobody.
	Callers *Callers
	Waiting string
	// Columns of the calls; nil is DeliveredColumns.
	Columns []string
	// Memory bounds, in bytes, about what is held [192 MiB]; below 128 MiB
	// nothing is gained.
	Memory  int64
	Workers int // [runtime.GOMAXPROCS]
	// Skip says that a data row of a file, both as in engine.Place and
	// engine.Call, is superseded and goes nowhere; nil: none is. It may be
	// called by several goroutines at once. Calls only.
	Skip func(file int, row int64) bool
	// Rejected is told of every row that could not be read, in the order of
	// the input, if it is not nil.
	Rejected func(*engine.RowError)

	gather int // gatherBytes, but for tests
}

const defaultMemory = 192 << 20

func (o Options) withDefaults() Options {
	if o.To == 0 {
		o.To = math.MaxInt64
	}
	if o.From == 0 {
		o.From = math.MinInt64
	}
	if o.Columns == nil {
		o.Columns = DeliveredColumns()
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.gather == 0 {
		o.gather = gatherBytes
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
}

// owners say which carrier a name in a record stands for.
type owners struct {
	names map[string]int // in lower case; foreign: it gets nothing
	rest  int            // who gets the rows of all other names
}

const foreign = -1

// of returns the carrier of a row that has a name.
func (o *owners) of(name string) (at int, known bool) {
	at, known = o.names[strings.ToLower(name)]
	if !known {
		at = o.rest
	}
	return at, at != foreign
}

// byName returns the owners.
func (o *Options) byName() (*owners, error) {
	if len(o.Carriers) == 0 {
		return nil, errors.New("deliver records: no carrier is named")
	}
	all := &owners{names: map[string]int{}, rest: foreign}
	for i, c := range o.Carriers {
		called := c.Names
		if called == nil {
			called = []string{c.ID}
		}
		if c.ID == o.Rest && o.Rest != "" {
			all.rest = i
		}
		for _, n := range called {
			n = strings.ToLower(n)
			if at, taken := all.names[n]; taken || n == "" || c.ID == "" {
				return nil, fmt.Errorf("deliver records: the name %q of carrier %q is empty or also that of carrier %q", n, c.ID, o.Carriers[at].ID)
			}
			all.names[n] = i
		}
	}
	for _, n := range o.Foreign {
		n = strings.ToLower(n)
		if at, taken := all.names[n]; taken && at != foreign {
			return nil, fmt.Errorf("deliver records: the name %q is that of carrier %q and of another one", n, o.Carriers[at].ID)
		}
		all.names[n] = foreign
	}
	return all, nil
}

// DeliveredColumns returns the columns that a carrier may see of the calls that
// went through it: not the user's id in the customer's directory, not what
// Microsoft charges its customer, and nothing that only carriers send.
func DeliveredColumns() []string {
	return slices.DeleteFunc(formats.WrittenColumns(), func(name string) bool {
		switch name {
		case "user_id", "charge", "connection_charge", "currency", "cause", "revision", "clock_untrusted", "caller_raw", "callee_raw":
			return true
		}
		return false
	})
}

// Result says what became of every row.
type Result struct {
	Carriers []Delivered `json:"carriers"`          // as in the options
	Unknown  []Unknown   `json:"unknown,omitempty"` // by name
	Outside  int64       `json:"outside"`           // accepted rows of another period
	Rejected int64       `json:"rejected"`          // rows that could not be read
	Rows     int64       `json:"rows"`              // all rows of the input
	// Superseded rows were skipped, or are older versions of streams; Altered
	// are those that differ from another of the same version, of quality
	// rows only.
	Superseded int64 `json:"superseded"`
	Altered    int64 `json:"altered"`
}

// Delivered is what one carrier gets.
type Delivered struct {
	Carrier    string    `json:"carrier"`
	Rows       int64     `json:"rows"`
	DurationMS int64     `json:"duration_ms"` // of calls
	Files      []Written `json:"files"`
}

// Written is one file.
type Written struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Unknown counts the rows of a carrier that nobody knows. An empty name stands
// for the rows that name none, MoreUnknown for those beyond a thousand names.
type Unknown struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// MoreUnknown is the name under which rows are counted when there are too many
// unknown names to list.
const MoreUnknown = "(other names)"

// maxUnknown bounds how many unknown names are kept.
const maxUnknown = 1000

// countUnknown adds rows to the count of a name.
func countUnknown(counts map[string]int64, name string, rows int64) {
	if _, known := counts[name]; !known && len(counts) >= maxUnknown {
		name = MoreUnknown
	}
	counts[name] += rows
}

// unknownOf lists the counts by name.
func unknownOf(counts map[string]int64) (list []Unknown) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Unknown{name, counts[name]})
	}
	return list
}

// tieOut checks that every row of the input went somewhere.
func (r *Result) tieOut(accepted, rejected int64) error {
	sum := r.Outside + r.Superseded
	for _, c := range r.Carriers {
		sum += c.Rows
	}
	for _, u := range r.Unknown {
		sum += u.Rows
	}
	r.Rows = sum + r.Rejected
	if sum != accepted || r.Rejected != rejected {
		return fmt.Errorf("deliver records: %d rows accepted and %d rejected, but %d and %d accounted for", accepted, rejected, sum, r.Rejected)
	}
	return nil
}

// stopped returns why the context ended, if it did.
func stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
