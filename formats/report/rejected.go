package report

import (
	"context"

	"concord/engine"
)

// Rejected writes the rows of one file that could not be read, in the form of
// a report's rejected.csv. Memory does not grow with them.
type Rejected struct {
	w    *writer
	t    *table
	side engine.Side
}

// NewRejected begins rejected.csv for a file of a side. Close or Abandon ends
// it.
func NewRejected(create Create, side engine.Side, file string) (*Rejected, error) {
	w := &writer{folder: &files{create: create}}
	w.opts.Inputs[side] = []Input{{Name: file}}
	t, err := w.folder.table("rejected", rejectedColumns, false)
	if err != nil {
		return nil, err
	}
	return &Rejected{w: w, t: t, side: side}, nil
}

// Add writes one row. e.File is the index of the only file, 0.
func (r *Rejected) Add(ctx context.Context, e *engine.RowError) error {
	r.w.writeReject(r.t, r.side, e)
	return r.t.end(ctx)
}

// Close completes, syncs and closes the file.
func (r *Rejected) Close() error { return r.t.close() }

// Abandon closes the file, which is then of no use, because of err; it
// returns every error there was.
func (r *Rejected) Abandon(err error) error { return r.t.abandon(err) }
