package qualityio

import (
	"fmt"
	"io"

	"concord/engine/quality"
	"concord/formats"
	"concord/formats/parquetio"
)

// Writer writes quality rows as a canonical file, from which Reader makes the
// same rows. The same rows give the same bytes. It holds one row group of
// Parquet, or one buffer of CSV.
type Writer struct {
	// Inert keeps spreadsheets from taking texts in CSV for formulas: those
	// that could be begin with an apostrophe, also when they are read again.
	Inert bool

	columns []column
	w       io.Writer
	buf     []byte
	out     *parquetio.Writer // nil for CSV
	rows    int64
	err     error
}

// csvBuffer is how much CSV is collected before it is written.
const csvBuffer = 64 << 10

// NewWriter begins a file. Close completes it and leaves w open.
func NewWriter(w io.Writer, format formats.CanonicalFormat) (*Writer, error) {
	q := &Writer{columns: columns(), w: w}
	if format == formats.CanonicalParquet {
		described := make([]parquetio.WriteColumn, len(q.columns))
		for i := range q.columns {
			described[i] = q.columns[i].parquet()
		}
		var err error
		q.out, err = parquetio.NewWriter(w, described, parquetio.WriterOptions{Codec: parquetio.Zstd, RowGroupRows: groupRows})
		return q, err
	}
	for i := range q.columns {
		q.sep(i)
		q.buf = append(q.buf, q.columns[i].name...)
	}
	q.buf = append(q.buf, '\n')
	return q, nil
}

// groupRows is how many rows a Parquet row group has.
const groupRows = 64 << 10

func (w *Writer) sep(i int) {
	if i > 0 {
		w.buf = append(w.buf, ',')
	}
}

// Write adds rows. It keeps nothing of them. A row that no reader would accept
// is an error, and so is every later call of Write. The class is written as
// Classify has it.
func (w *Writer) Write(rows []quality.Row) error {
	for i := range rows {
		if w.err != nil {
			return w.err
		}
		r := rows[i]
		w.rows++
		if field, reason := r.Check(); reason != "" {
			w.err = fmt.Errorf("write row %d: %s: %s", w.rows, field, reason)
			return w.err
		}
		r.Class = quality.Classify(&r.Metrics)
		if w.out != nil {
			w.err = w.parquetRow(&r)
		} else {
			w.err = w.csvRow(&r)
		}
	}
	return w.err
}

func (w *Writer) csvRow(r *quality.Row) error {
	for i := range w.columns {
		w.sep(i)
		if c := &w.columns[i]; c.text != nil && w.Inert {
			w.buf = formats.AppendInert(w.buf, *c.text(r))
		} else {
			w.buf = c.append(w.buf, r)
		}
	}
	w.buf = append(w.buf, '\n')
	if len(w.buf) < csvBuffer {
		return nil
	}
	return w.flush()
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *Writer) parquetRow(r *quality.Row) error {
	for i := range w.columns {
		w.columns[i].write(w.out.Column(i), r)
	}
	return w.out.EndRow()
}

// write adds the row's value to a Parquet column.
func (c *column) write(out *parquetio.ColumnWriter, r *quality.Row) {
	known := false
	switch {
	case c.text != nil:
		if s := *c.text(r); s != "" {
			out.String(s)
			return
		}
	case c.word != nil:
		out.String(c.word.get(r))
		return
	case c.whole != nil:
		out.Int(*c.whole(r))
		return
	case c.count != nil:
		known = writeInt(out, *c.count(r))
	case c.micros != nil:
		known = writeInt(out, *c.micros(r))
	case c.delay != nil:
		known = writeInt(out, *c.delay(r)) // nanoseconds are millionths of a millisecond
	case c.real != nil:
		if v := c.real(r); v.OK {
			out.Float(v.Value)
			return
		}
	case c.flag != nil:
		if v := c.flag(r); v.OK {
			out.Bool(v.Value)
			return
		}
	}
	if !known {
		out.Null()
	}
}

func writeInt[T interface {
	comparable
	~int64
}](out *parquetio.ColumnWriter, v quality.Opt[T]) bool {
	if v.OK {
		out.Int(int64(v.Value))
	}
	return v.OK
}

// Close completes the file.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.out != nil {
		w.err = w.out.Close()
	} else {
		w.err = w.flush()
	}
	return w.err
}
