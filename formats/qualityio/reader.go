// Package qualityio reads and writes quality rows: Microsoft Graph's
// callRecords, and canonical CSV and Parquet files. formats/FORMATS.md describes
// them.
//
// A Reader streams: it holds one call record of JSON, one chunk of CSV or one
// batch of Parquet, whatever the size of the file. Every audio stream ends as a
// row or as an *engine.RowError with its place, field and reason; a file that
// cannot be read as a whole is a *formats.FileError. Who is who in a call is
// never read: no names, no addresses, no devices.
package qualityio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"concord/engine"
	"concord/engine/quality"
	"concord/formats"
	"concord/formats/dialect"
)

// Options say how files are read. The zero value has the default limits.
type Options struct {
	Carrier string // given to rows that name none
	Limits  dialect.Limits
	Record  int // bytes of one call record of JSON [32 MiB]
}

// defaultRecord is enough for a meeting of a thousand people.
const defaultRecord = 32 << 20

// source is a file of some format. next fills a row, or says what is wrong
// with it, then io.EOF.
type source interface {
	next(ctx context.Context, r *quality.Row) (*engine.RowError, error)
	finish(ctx context.Context, i *formats.FileInfo) error
	close() error
}

// Reader reads the quality rows of one file. It is not safe for concurrent use.
type Reader struct {
	in     formats.Input
	limits dialect.Limits
	src    source
	info   formats.FileInfo
	judged int64            // rows whose file says another class
	first  *engine.RowError // the first bad row
	done   bool
}

// Open looks at the head of a file: its format and, where it has columns, that
// the required ones are there. The input stays the caller's to close, after
// Close.
func Open(in formats.Input, o Options) (*Reader, error) {
	o.Limits = o.Limits.Or(dialect.DefaultLimits())
	r := &Reader{in: in, limits: o.Limits, info: formats.FileInfo{Name: in.Name, Bytes: in.Size}}
	var err error
	r.src, r.info.UnknownColumns, err = open(in, o, &r.judged)
	return r, err
}

// open tells the formats apart by what the file holds.
func open(in formats.Input, o Options, judged *int64) (source, []string, error) {
	var head [4]byte
	if n, err := in.R.ReadAt(head[:], 0); n == len(head) && string(head[:]) == "PAR1" {
		return newParquetSource(in, o, judged)
	} else if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read %s: %w", in.Name, err)
	}
	limits := o.Limits
	if limits.Record = o.Record; o.Record == 0 {
		limits.Record = defaultRecord
	}
	text, err := formats.OpenText(in, limits)
	if err != nil {
		return nil, nil, err
	}
	if text.IsJSON() {
		return newGraphSource(text, o.Carrier), nil, nil
	}
	return newCSVSource(in, text, o, judged)
}

// Read fills dst and returns how many rows it wrote, then io.EOF once the file
// was read to its end and found good. An *engine.RowError describes one bad
// row; reading may go on after it. Rows are the caller's to keep.
func (r *Reader) Read(ctx context.Context, dst []quality.Row) (n int, err error) {
	for n < len(dst) {
		if r.done {
			return n, io.EOF
		}
		dst[n] = quality.Row{}
		bad, err := r.src.next(ctx, &dst[n])
		switch {
		case errors.Is(err, io.EOF):
			if err := r.finish(ctx); err != nil {
				return n, err
			}
			continue
		case errors.Is(err, errNotRecords):
			return n, fileErrorf(r.in.Name, hintGraph, "%v", err)
		case err != nil:
			return n, err
		}
		if r.info.Rows++; r.info.Rows > r.limits.Rows {
			return n, fileErrorf(r.in.Name, "", "it has more than %d rows", r.limits.Rows)
		}
		if bad != nil {
			r.info.Rejected++
			if r.first == nil {
				r.first = bad
			}
			return n, bad
		}
		r.info.Accepted++
		n++
	}
	return n, nil
}

// fewRejected is the number of bad rows from which on their share decides.
const fewRejected = 10

// finish judges the whole file.
func (r *Reader) finish(ctx context.Context) error {
	if err := r.src.finish(ctx, &r.info); err != nil {
		return err
	}
	i := &r.info
	i.Notes = note(i.Notes, r.judged, "rows whose classification is not what their metrics say: the metrics count")
	if i.Rows == 0 {
		i.Notes = append(i.Notes, "no rows: nothing to report")
	}
	few := i.Rejected < fewRejected && i.Accepted > 0
	if i.Rejected > 0 && !few && float64(i.Rejected) > r.limits.MaxRejected*float64(i.Rows) {
		return fileErrorf(r.in.Name, "", "more than %.4g %% of its rows could not be read; the first is %v", r.limits.MaxRejected*100, r.first)
	}
	r.done = true
	return nil
}

// Info returns what is known of the file. It is complete when Read has
// returned io.EOF. Rows are audio streams; a call record that is bad as a whole
// counts as one.
func (r *Reader) Info() formats.FileInfo { return r.info }

// Close releases what is held.
func (r *Reader) Close() error { return r.src.close() }

func fileErrorf(name, hint, format string, args ...any) error {
	return &formats.FileError{File: name, Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// note adds how many of something there were, if there were any.
func note(notes []string, n int64, what string) []string {
	if n == 0 {
		return notes
	}
	return append(notes, fmt.Sprintf("%d %s", n, what))
}

func packedFormat(name, packed string) string {
	if packed == "" {
		return name
	}
	return name + "+" + packed
}

// Holds reports whether a file holds quality rows, by its head.
func Holds(in formats.Input) bool {
	r, err := Open(in, Options{})
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }() // it was only looked at
	g, isGraph := r.src.(*graphSource)
	if !isGraph {
		return true
	}
	raw, err := g.rows.Next()
	return errors.Is(err, io.EOF) || err == nil && looksLikeRecord(raw)
}
