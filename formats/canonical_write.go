package formats

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/inert"
	"concord/formats/parquetio"
)

// CanonicalFormat is how a canonical file is encoded.
type CanonicalFormat uint8

// Formats of canonical files.
const (
	CanonicalCSV CanonicalFormat = iota
	CanonicalParquet
)

// CanonicalOptions say how a canonical file is written. The zero value writes
// every column.
type CanonicalOptions struct {
	// Columns are the columns to write, in this order; nil is all of
	// WrittenColumns. What a call holds beyond them is not written.
	Columns []string
	// Zstd compresses the pages of a Parquet file with zstd, not snappy.
	Zstd bool
	// RowGroupRows is the number of rows of a Parquet row group [131,072].
	RowGroupRows int
}

// CanonicalWriter writes calls of one side as a canonical file, in CSV or
// Parquet. With every column, Files with Details reads back the same calls.
// The same calls give the same bytes. It holds one Parquet row group, or one
// buffer of CSV. Parquet pages carry checksums.
type CanonicalWriter struct {
	side   engine.Side
	fields []outField
	out    callEncoder
	none   engine.Details // of calls without
	rows   int64
	err    error
}

// callEncoder is the format of a canonical file.
type callEncoder interface {
	encode(c *engine.Call, d *engine.Details) error
	finish() error
}

// NewCanonicalWriter begins a file. Close completes it and leaves w open. An
// unknown or repeated column is an error.
func NewCanonicalWriter(w io.Writer, side engine.Side, format CanonicalFormat, opts CanonicalOptions) (*CanonicalWriter, error) {
	fields, err := chosenFields(opts.Columns)
	if err != nil {
		return nil, err
	}
	c := &CanonicalWriter{side: side, fields: fields}
	if format == CanonicalParquet {
		c.out, err = newParquetEncoder(w, side, fields, opts)
	} else {
		c.out, err = newCSVEncoder(w, fields)
	}
	return c, err
}

// chosenFields looks up columns by their names.
func chosenFields(names []string) ([]outField, error) {
	all := outFields()
	if names == nil {
		return all, nil
	}
	var fields []outField
	for i, name := range names {
		at := slices.IndexFunc(all, func(f outField) bool { return f.name == name })
		if at < 0 || slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("write canonical file: column %q is unknown or named twice", name)
		}
		fields = append(fields, all[at])
	}
	return fields, nil
}

// Write adds calls. It keeps nothing of them. A call that no reader would
// accept is an error, and so is every later call of Write.
func (w *CanonicalWriter) Write(calls []engine.Call) error {
	for i := range calls {
		if w.err != nil {
			return w.err
		}
		c := &calls[i]
		d := c.Details
		if d == nil {
			d = &w.none
		}
		w.rows++
		if w.err = w.check(c); w.err == nil {
			w.err = w.out.encode(c, d)
		}
	}
	return w.err
}

func (w *CanonicalWriter) check(c *engine.Call) error {
	switch {
	case c.RecordID == "" && w.side == engine.Microsoft:
		return fmt.Errorf("write row %d: record_id: %s", w.rows, dialect.ReasonEmpty)
	case c.Start < engine.MinStart || c.Start >= engine.MaxStart:
		return fmt.Errorf("write row %d: start: %s", w.rows, dialect.ReasonYears)
	case c.DurationMS < 0:
		return fmt.Errorf("write row %d: duration_ms: %s", w.rows, dialect.ReasonNegative)
	case c.DurationMS > engine.MaxDuration:
		return fmt.Errorf("write row %d: duration_ms: %s", w.rows, dialect.ReasonLong)
	}
	return nil
}

// Close completes the file.
func (w *CanonicalWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = w.out.finish()
	return w.err
}

// parquetEncoder writes calls as Parquet.
type parquetEncoder struct {
	w      *parquetio.Writer
	fields []outField
	buf    []byte
}

func newParquetEncoder(w io.Writer, side engine.Side, fields []outField, opts CanonicalOptions) (*parquetEncoder, error) {
	cols := make([]parquetio.WriteColumn, len(fields))
	for i, f := range fields {
		cols[i] = f.column(side)
	}
	codec := parquetio.Snappy
	if opts.Zstd {
		codec = parquetio.Zstd
	}
	out, err := parquetio.NewWriter(w, cols, parquetio.WriterOptions{Codec: codec, RowGroupRows: opts.RowGroupRows})
	return &parquetEncoder{w: out, fields: fields}, err
}

// column describes the field's column. What every call has is not optional.
func (f *outField) column(side engine.Side) parquetio.WriteColumn {
	c := parquetio.WriteColumn{Dictionary: f.few}
	c.Name, c.Optional = f.name, !f.always && (f.name != dialect.FieldRecordID.String() || side != engine.Microsoft)
	switch f.kind {
	case dialect.KindTime:
		c.Physical, c.Logical, c.Unit, c.UTC = parquetio.Int64, parquetio.Timestamp, parquetio.Micros, true
	case dialect.KindDuration:
		c.Physical = parquetio.Int64
	case dialect.KindInt:
		c.Physical = parquetio.Int32
	case dialect.KindBool:
		c.Physical = parquetio.Boolean
	default:
		c.Physical, c.Logical = parquetio.ByteArray, parquetio.String
	}
	return c
}

func (e *parquetEncoder) encode(c *engine.Call, d *engine.Details) error {
	for i := range e.fields {
		f, col := &e.fields[i], e.w.Column(i)
		switch {
		case f.kind == dialect.KindNumber:
			e.buf = f.number(c).AppendFull(e.buf[:0])
			if len(e.buf) == 0 {
				col.Null()
			} else {
				col.Bytes(e.buf)
			}
		case f.text != nil:
			if s := f.text(c, d); s == "" {
				col.Null()
			} else {
				col.String(s)
			}
		default:
			if v, ok := f.int(c, d); ok {
				col.Int(v)
			} else {
				col.Null()
			}
		}
	}
	return e.w.EndRow()
}

func (e *parquetEncoder) finish() error { return e.w.Close() }

// csvEncoder writes calls as CSV: commas, LF, UTF-8, a header, quotes where
// they are needed.
type csvEncoder struct {
	w      io.Writer
	fields []outField
	inert  bool
	buf    []byte
	day    int64  // that date is of
	date   []byte // 2006-01-02T
}

// csvBuffer is how much CSV is collected before it is written.
const csvBuffer = 64 << 10

func newCSVEncoder(w io.Writer, fields []outField) (*csvEncoder, error) {
	e := &csvEncoder{w: w, fields: fields, buf: make([]byte, 0, csvBuffer+4096)}
	for i, f := range fields {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(e.buf, f.name...)
	}
	e.buf = append(e.buf, '\n')
	return e, nil
}

func (e *csvEncoder) encode(c *engine.Call, d *engine.Details) error {
	e.row(c, d)
	if len(e.buf) < csvBuffer {
		return nil
	}
	return e.flush()
}

// row appends a line.
func (e *csvEncoder) row(c *engine.Call, d *engine.Details) {
	empty := len(e.buf)
	for i := range e.fields {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.field(&e.fields[i], c, d)
	}
	if len(e.buf) == empty { // a blank line would be no row
		e.buf = append(e.buf, `""`...)
	}
	e.buf = append(e.buf, '\n')
}

func (e *csvEncoder) flush() error {
	_, err := e.w.Write(e.buf)
	e.buf = e.buf[:0]
	return err
}

func (e *csvEncoder) field(f *outField, c *engine.Call, d *engine.Details) {
	switch {
	case f.kind == dialect.KindNumber:
		if n := f.number(c); n.E164Digits() > 0 {
			e.buf = n.AppendFull(e.buf)
		} else {
			e.text(n.Full())
		}
		return
	case f.text != nil:
		e.text(f.text(c, d))
		return
	}
	v, ok := f.int(c, d)
	switch {
	case !ok:
	case f.kind == dialect.KindTime:
		e.time(v)
	case f.kind == dialect.KindBool:
		e.buf = strconv.AppendBool(e.buf, v != 0)
	default:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	}
}

func (e *csvEncoder) text(s string) {
	if e.inert {
		s = inert.Text(s)
	}
	e.buf = AppendCSV(e.buf, s)
}

// time writes RFC 3339 in UTC, with microseconds when there are any.
func (e *csvEncoder) time(us int64) {
	const day = 86400_000_000
	d, rest := us/day, us%day
	if rest < 0 {
		d, rest = d-1, rest+day
	}
	if e.date == nil || e.day != d {
		e.day = d
		e.date = time.Unix(d*86400, 0).UTC().AppendFormat(e.date[:0], "2006-01-02T")
	}
	sec, frac := rest/1_000_000, rest%1_000_000
	e.buf = append(e.buf, e.date...)
	e.pair(sec/3600, ':')
	e.pair(sec/60%60, ':')
	e.pair(sec%60, '.')
	if frac == 0 {
		e.buf[len(e.buf)-1] = 'Z'
		return
	}
	for by := int64(100_000); by > 0; by /= 10 {
		e.buf = append(e.buf, byte('0'+frac/by%10))
	}
	e.buf = append(e.buf, 'Z')
}

// pair writes two digits and a mark.
func (e *csvEncoder) pair(v int64, mark byte) {
	e.buf = append(e.buf, byte('0'+v/10), byte('0'+v%10), mark)
}

func (e *csvEncoder) finish() error { return e.flush() }
