package engine

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Task is one reconciliation.
type Task struct {
	Carrier string
	Sources [2]Source   // by Side
	Files   [2][]string // base names by Side, in the order given
	Rules   Rules
	// From and To bound the period [From, To); both zero: every record is
	// inside.
	From, To time.Time
	// AsOf is when the run looks at the world; zero: nothing is pending.
	AsOf time.Time
	// Memory is what the run may hold at once, in bytes, readers' buffers
	// not included; 0 is 256 MiB.
	Memory int64
	// Workers is how many goroutines work; 0 is one a processor.
	Workers int
	// Scratch makes the files that hold what does not fit in Memory.
	Scratch Scratch
	// Verdicts asks for Result.Verdicts, Users for Result.UserUsage.
	Verdicts, Users bool
	Observer        Observer
}

// Scratch makes temporary files. They vanish when closed.
type Scratch interface {
	Create() (ScratchFile, error)
}

// ScratchFile is one temporary file.
type ScratchFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Observer is told what happens. Its funcs may be nil and may be called by
// several goroutines at once.
type Observer struct {
	// Stage is called when a stage begins: read, repeats, clock, match,
	// report.
	Stage func(name string)
	// Rows is called now and then with the rows read so far.
	Rows func(side Side, rows int64)
}

// Result is a finished run. Close releases its scratch files.
type Result struct{}

// Run reconciles. It closes neither the sources nor the scratch.
func Run(ctx context.Context, t Task) (*Result, error) { return nil, errors.New("engine: no run yet") }

// Summary returns the figures of the run.
func (r *Result) Summary() *Summary { return nil }

// Cases yields every discrepancy, by Microsoft start (else carrier start),
// then id. The Case is valid until the next one.
func (r *Result) Cases(ctx context.Context) iter.Seq2[*Case, error] { return nil }

// Usage yields the usage per tenant, day, direction, call type and country,
// in that order.
func (r *Result) Usage() iter.Seq[*UsageRow] { return nil }

// UserUsage yields the usage per tenant, user, month, direction, call type
// and country. It needs Task.Users.
func (r *Result) UserUsage() iter.Seq[*UsageRow] { return nil }

// Rejects yields the invalid rows of both sides: Microsoft's first, then by
// file and row.
func (r *Result) Rejects(ctx context.Context) iter.Seq2[Side, *RowError] { return nil }

// Verdicts yields the verdict on every record: Microsoft's first, then by
// file and row. It needs Task.Verdicts.
func (r *Result) Verdicts(ctx context.Context) iter.Seq2[*Verdict, error] { return nil }

// Close releases what the result holds.
func (r *Result) Close() error { return nil }
