package qualityio

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"concord/engine"
	"concord/engine/quality"
	"concord/formats"
	"concord/formats/csvscan"
	"concord/formats/parquetio"
)

// binding ties the columns of a file to the fields of a row.
type binding struct {
	columns []column // those that the file has
	at      []int    // where in the file, by column
	carrier string
	judged  *int64
}

// bind finds the canonical columns among names, and returns the others.
func bind(name string, names []string, o Options, judged *int64) (*binding, []string, error) {
	b := &binding{carrier: o.Carrier, judged: judged}
	var missing []string
	known := make([]bool, len(names))
	for _, c := range columns() {
		i := slices.Index(names, c.name)
		switch {
		case i >= 0:
			b.columns, b.at, known[i] = append(b.columns, c), append(b.at, i), true
		case c.required:
			missing = append(missing, c.name)
		}
	}
	if missing != nil {
		return nil, nil, fileErrorf(name, "a canonical file of quality rows has them", "it has no column %s", strings.Join(missing, ", "))
	}
	var unknown []string
	for i, n := range names {
		if !known[i] {
			unknown = append(unknown, n)
		}
	}
	return b, unknown, nil
}

// fill makes a row of its texts, which value returns by column. What the file
// says of the class is compared and not believed.
func (b *binding) fill(r *quality.Row, value func(i int) []byte) (field, reason string) {
	r.Carrier = b.carrier
	said := false
	for i := range b.columns {
		c := &b.columns[i]
		text := value(i)
		if reason := c.set(r, text); reason != "" {
			return c.name, reason
		}
		said = said || c.name == "classification" && len(text) > 0
	}
	if field, reason = r.Check(); reason != "" {
		return field, reason
	}
	class := quality.Classify(&r.Metrics)
	if said && class != r.Class {
		*b.judged++
	}
	r.Class = class
	return "", ""
}

// csvSource reads canonical CSV.
type csvSource struct {
	*binding
	in    formats.Input
	text  *formats.Text
	scan  *csvscan.Reader
	chunk *csvscan.Chunk
	split csvscan.Splitter
	want  int // fields of a row
}

func newCSVSource(in formats.Input, text *formats.Text, o Options, judged *int64) (_ source, unknown []string, err error) {
	s := &csvSource{in: in, text: text}
	s.scan = csvscan.NewReader(text, csvscan.Options{Delimiter: text.Delimiter(), MaxField: o.Limits.Field, MaxRecord: o.Limits.Record})
	names, total, err := s.scan.Header(o.Limits.Columns)
	switch {
	case err != nil:
		err = s.explain(err)
	case total > o.Limits.Columns:
		err = fileErrorf(in.Name, "", "the header has %d columns, more than the %d allowed", total, o.Limits.Columns)
	default:
		s.want = total
		s.binding, unknown, err = bind(in.Name, names, o, judged)
	}
	if err != nil {
		text.Close()
		return nil, nil, err
	}
	return s, unknown, nil
}

// explain makes the error that rejects the file.
func (s *csvSource) explain(err error) error {
	if _, ok := errors.AsType[*formats.FileError](err); ok {
		return err
	}
	return fileErrorf(s.in.Name, "check that it is a file of quality rows", "it cannot be read: %v", err)
}

// next implements source.
func (s *csvSource) next(ctx context.Context, r *quality.Row) (*engine.RowError, error) {
	for {
		if s.chunk != nil {
			if rec, ok := s.split.Next(); ok {
				return s.row(&rec, r), nil
			}
			s.chunk.Release()
			s.chunk = nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chunk, err := s.scan.Next()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, s.explain(err)
		}
		s.chunk = chunk
		s.split.Reset(chunk, s.want)
	}
}

func (s *csvSource) row(rec *csvscan.Row, r *quality.Row) *engine.RowError {
	bad := engine.RowError{Row: rec.Number, Line: rec.Line, Reason: string(rec.Reason)}
	if bad.Reason == "" {
		bad.Field, bad.Reason = s.fill(r, func(i int) []byte { return rec.Fields[s.at[i]] })
	}
	if bad.Reason == "" {
		return nil
	}
	bad.RecordID = r.CallRecordID
	return &bad
}

// finish implements source.
func (s *csvSource) finish(_ context.Context, i *formats.FileInfo) (err error) {
	i.SHA256, err = s.text.Finish()
	i.Format, i.OwnEnd, i.LastLineEnded = packedFormat("csv", s.text.Packed), s.text.Packed != "", s.scan.Ended()
	return err
}

// close implements source.
func (s *csvSource) close() error {
	if s.chunk != nil {
		s.chunk.Release()
	}
	s.text.Close()
	return nil
}

// parquetSource reads canonical Parquet.
type parquetSource struct {
	*binding
	in    formats.Input
	file  *parquetio.File
	texts []*formats.ColumnText
	group int
	rows  *parquetio.Reader // of the group; nil before it
	n, i  int               // rows of the batch, and how many of them are done
	row   int64
}

// batchRows is how many rows are decoded at once.
const batchRows = 1024

func newParquetSource(in formats.Input, o Options, judged *int64) (source, []string, error) {
	f, err := parquetio.Open(in.R, in.Size, parquetio.Limits{Footer: o.Limits.Footer, Page: o.Limits.Page, Rows: o.Limits.Rows, Columns: o.Limits.Columns})
	if err != nil {
		return nil, nil, fileErrorf(in.Name, "", "%v", err)
	}
	var names []string
	for _, c := range f.Columns() {
		names = append(names, c.Name)
	}
	b, unknown, err := bind(in.Name, names, o, judged)
	if err != nil {
		return nil, nil, err
	}
	s := &parquetSource{binding: b, in: in, file: f}
	for _, i := range b.at {
		s.texts = append(s.texts, formats.TextOf(f.Columns()[i]))
	}
	return s, unknown, nil
}

// next implements source.
func (s *parquetSource) next(ctx context.Context, r *quality.Row) (*engine.RowError, error) {
	for s.i == s.n {
		if err := s.batch(ctx); err != nil {
			return nil, err
		}
	}
	at := s.i
	s.i++
	s.row++
	field, reason := s.fill(r, func(i int) []byte { return s.texts[i].At(s.rows.Vector(i), at) })
	if reason == "" {
		return nil, nil
	}
	return &engine.RowError{Row: s.row, RowGroup: s.group, RecordID: r.CallRecordID, Field: field, Reason: reason}, nil
}

// batch decodes the next rows.
func (s *parquetSource) batch(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.rows == nil {
		if s.group == s.file.Groups() {
			return io.EOF
		}
		s.rows = s.file.Read(s.group, s.at, 0, s.file.GroupRows(s.group))
		s.group++
	}
	s.i = 0
	s.n, err = s.rows.Next(batchRows)
	switch {
	case errors.Is(err, io.EOF):
		s.rows.Close()
		s.rows = nil
		return nil
	case err != nil:
		return fileErrorf(s.in.Name, "ask for it again", "%v", err)
	}
	return nil
}

// finish implements source.
func (s *parquetSource) finish(ctx context.Context, i *formats.FileInfo) (err error) {
	i.Format, i.OwnEnd, i.IntegrityVerified = "parquet", true, s.file.Verified()
	i.SHA256, err = formats.HashInput(ctx, s.in)
	return err
}

// close implements source.
func (s *parquetSource) close() error {
	if s.rows != nil {
		s.rows.Close()
	}
	return nil
}
