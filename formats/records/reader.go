package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"concord/engine"
	"concord/formats"
	"concord/formats/parquetio"
)

// Files is one side of a run: the calls of several received files on the days
// that have a part in a span, and all their rejected rows. It implements
// engine.Source. Calls and rejected rows have the numbers of their rows in the
// received file, and every Place is the whole of it: what a report says of a
// row is what it would say had it been read from there. Parts of one file come
// in order of their days, not of their rows.
type Files struct {
	files []*file
	at    int
}

var _ engine.Source = (*Files)(nil)

// Open opens files of records of one side, for the calls that begin in [from,
// to) and all others of the same days; both zero: for all calls. The name of
// an input is used in messages and in Info. It returns the error of every file
// at once, which is ErrDamaged when the file is not as it was written. The
// inputs stay the caller's to close.
func Open(ctx context.Context, side engine.Side, inputs []formats.Input, from, to time.Time) (*Files, error) {
	s := spanOf(from, to)
	f := new(Files)
	var errs []error
	for i, in := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, err := openFile(side, in, i, s)
		if err != nil {
			err = fmt.Errorf("read %s: %w", in.Name, err)
		}
		f.files, errs = append(f.files, x), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return f, nil
}

// span is the days from first to last.
type span struct{ first, last int32 }

func spanOf(from, to time.Time) span {
	if from.IsZero() && to.IsZero() {
		return span{-1 << 31, 1<<31 - 1}
	}
	return span{dayOf(clamp(from)), dayOf(clamp(to.Add(-time.Microsecond)))}
}

// clamp returns an instant in microseconds, or the first or the last that a
// call may have.
func clamp(t time.Time) int64 {
	switch {
	case t.Before(time.UnixMicro(engine.MinStart)):
		return engine.MinStart
	case t.After(time.UnixMicro(engine.MaxStart)):
		return engine.MaxStart
	}
	return t.UnixMicro()
}

func (s span) has(day int32) bool   { return s.first <= day && day <= s.last }
func (s span) meets(g *group) bool  { return g.First <= s.last && s.first <= g.Last }
func (s span) covers(g *group) bool { return s.first <= g.First && g.Last <= s.last }

// file is one open file of records.
type file struct {
	name     string
	number   int // in the order given
	index    *index
	span     span
	calls    *parquetio.File
	rejected *parquetio.File // nil without any
	cols     []int
	groups   []int // to read, in order
	next     int   // of groups, and before them -1: the rejected rows
	accepted atomic.Int64
}

func openFile(side engine.Side, in formats.Input, number int, s span) (*file, error) {
	x, err := readIndex(in.R, in.Size)
	if err != nil {
		return nil, err
	}
	if of, ok := sideOf(x.Side); !ok || of != side {
		return nil, damaged("they are of the %s side, not of %s", x.Side, side)
	}
	f := &file{name: in.Name, number: number, index: x, span: s, next: -1}
	if f.calls, f.cols, err = openSection(in.R, &x.Calls, callColumns()); err != nil {
		return nil, err
	}
	if x.Received.Rejected > 0 {
		if f.rejected, _, err = openSection(in.R, &x.Rejected, rejectedColumns()); err != nil {
			return nil, err
		}
	}
	return f, f.agree()
}

// agree compares the sections with the index, and chooses what to read.
func (f *file) agree() error {
	if f.calls.Groups() != len(f.index.Groups) || f.rejected != nil && f.rejected.Rows() != f.index.Received.Rejected {
		return damaged("its parts do not have the rows that its index says")
	}
	for i := range f.index.Groups {
		g := &f.index.Groups[i]
		if f.calls.GroupRows(i) != g.Rows {
			return damaged("its parts do not have the rows that its index says")
		}
		if f.span.meets(g) {
			f.groups = append(f.groups, i)
		}
	}
	slices.SortStableFunc(f.groups, func(a, b int) int { return int(f.index.Groups[a].First) - int(f.index.Groups[b].First) })
	return nil
}

// openSection opens a Parquet file within the file, which has these columns.
func openSection(r io.ReaderAt, s *section, want []parquetio.WriteColumn) (*parquetio.File, []int, error) {
	f, err := parquetio.Open(io.NewSectionReader(r, s.Offset, s.Size), s.Size, parquetio.Limits{})
	if err != nil {
		return nil, nil, found(err)
	}
	have := f.Columns()
	if len(have) != len(want) {
		return nil, nil, damaged("it has %d columns, not %d", len(have), len(want))
	}
	cols := make([]int, len(want))
	for i, c := range want {
		if have[i].Name != c.Name || have[i].Physical != c.Physical {
			return nil, nil, damaged("column %d is not %s", i+1, c.Name)
		}
		cols[i] = i
	}
	return f, cols, nil
}

// found makes damage of what parquetio found, and leaves the errors of reading
// as they are.
func found(err error) error {
	for _, kind := range []error{parquetio.ErrNotParquet, parquetio.ErrTruncated, parquetio.ErrCorrupt, parquetio.ErrLimit, parquetio.ErrUnsupported} {
		if errors.Is(err, kind) {
			return damaged("%w", err)
		}
	}
	return err
}

// Next implements engine.Source.
func (f *Files) Next(ctx context.Context) (engine.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for ; f.at < len(f.files); f.at++ {
		if p := f.files[f.at].part(); p != nil {
			return p, nil
		}
	}
	return nil, io.EOF
}

// part returns the next part of a file; nil: there is none.
func (f *file) part() engine.Part {
	if f.next < 0 {
		f.next = 0
		if f.rejected != nil {
			return &rejectedPart{f: f}
		}
	}
	if f.next == len(f.groups) {
		return nil
	}
	n := f.groups[f.next]
	f.next++
	g := &f.index.Groups[n]
	return &callPart{f: f, group: g, rows: f.calls.Read(n, f.cols, 0, g.Rows)}
}

// place is the whole of the received file.
func (f *file) place() engine.Place {
	return engine.Place{File: f.number, First: 1, Rows: f.index.Received.Rows}
}

// Finish implements engine.Source. It is an error when a page that was read
// had no checksum.
func (f *Files) Finish(context.Context) error {
	var errs []error
	for _, x := range f.files {
		unsummed := len(x.groups) > 0 && !x.calls.Verified() || x.rejected != nil && !x.rejected.Verified()
		if unsummed {
			errs = append(errs, fmt.Errorf("read %s: %w", x.name, damaged("it has pages without a checksum")))
		}
	}
	return errors.Join(errs...)
}

// Info describes the files that were received, in the order given, by the
// names of the inputs.
func (f *Files) Info() []formats.FileInfo {
	list := make([]formats.FileInfo, len(f.files))
	for i, x := range f.files {
		list[i] = x.index.Received.info()
		list[i].Name = x.name
	}
	return list
}

// Accepted returns how many calls of each file were read; they are all of the
// days of the span once every part was closed.
func (f *Files) Accepted() []int64 {
	list := make([]int64, len(f.files))
	for i, x := range f.files {
		list[i] = x.accepted.Load()
	}
	return list
}

// Bytes returns about how much of the files the span is, in bytes.
func (f *Files) Bytes() (sum int64) {
	for _, x := range f.files {
		sum += x.index.Rejected.Size
		for _, g := range x.groups {
			sum += x.index.Calls.Size * x.index.Groups[g].Rows / x.index.Received.Accepted
		}
	}
	return sum
}
