package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// WriteColumn is a column to be written. Physical is Boolean, Int32, Int64,
// Double or ByteArray.
type WriteColumn struct {
	Column
	Dictionary bool // few distinct values are expected
}

// WriterOptions say how a file is laid out. A zero field has the default.
type WriterOptions struct {
	Codec        Codec  // Uncompressed, Snappy or Zstd
	RowGroupRows int    // rows of a row group [131,072]
	PageBytes    int    // bytes of a page before compression [256 KiB]
	CreatedBy    string // name of the writing program ["concord"]
}

func (o WriterOptions) withDefaults() WriterOptions {
	if o.RowGroupRows == 0 {
		o.RowGroupRows = 128 << 10
	}
	if o.PageBytes == 0 {
		o.PageBytes = 256 << 10
	}
	if o.CreatedBy == "" {
		o.CreatedBy = "concord"
	}
	return o
}

// maxPageRows bounds the rows of a page of small values, so that a reader of
// several columns finds pages of like length.
const maxPageRows = 20_000

// Writer writes a Parquet file as a stream: it holds one row group,
// compressed. Every page carries a checksum. The same values give the same
// bytes. A row is one value for each column, then EndRow.
type Writer struct {
	w      io.Writer
	opt    WriterOptions
	cols   []*ColumnWriter
	packer packer
	at     int64 // bytes written
	rows   int   // of the current row group
	total  int64
	groups []writtenGroup
	err    error
}

type writtenGroup struct {
	rows   int
	chunks []writtenChunk
}

type writtenChunk struct {
	start, dict, data int64 // offsets; dict is 0 when there is none
	size, unpacked    int64
}

// NewWriter begins a file. Close completes it and leaves w open.
func NewWriter(w io.Writer, cols []WriteColumn, opt WriterOptions) (*Writer, error) {
	opt = opt.withDefaults()
	out := &Writer{w: w, opt: opt}
	for _, c := range cols {
		switch c.Physical {
		case Boolean, Int32, Int64, Double, ByteArray:
		default:
			return nil, fmt.Errorf("write column %q: %w: this type", c.Name, ErrUnsupported)
		}
		out.cols = append(out.cols, &ColumnWriter{w: out, col: c.Column, dict: newDictWriter(c)})
	}
	if err := out.packer.open(opt.Codec); err != nil {
		return nil, err
	}
	return out, out.write([]byte(magic))
}

// Column returns column i, for its values.
func (w *Writer) Column(i int) *ColumnWriter { return w.cols[i] }

// Rows returns the number of rows written so far.
func (w *Writer) Rows() int64 { return w.total }

func (w *Writer) write(b []byte) error {
	if w.err == nil {
		_, w.err = w.w.Write(b)
		w.at += int64(len(b))
	}
	return w.err
}

// EndRow completes a row, and a row group when it is full.
func (w *Writer) EndRow() error {
	w.rows++
	w.total++
	if w.rows < w.opt.RowGroupRows {
		return w.err
	}
	return w.flush()
}

// flush writes the current row group.
func (w *Writer) flush() error {
	g := writtenGroup{rows: w.rows}
	for _, c := range w.cols {
		if c.rows != w.rows && w.err == nil {
			w.err = fmt.Errorf("write column %q: %d values in %d rows", c.col.Name, c.rows, w.rows)
		}
		g.chunks = append(g.chunks, c.flush())
	}
	w.groups = append(w.groups, g)
	w.rows = 0
	return w.err
}

// Close writes what is left and the footer.
func (w *Writer) Close() error {
	if w.rows > 0 {
		w.flush()
	}
	b := w.footer()
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	w.write(append(b, magic...))
	w.packer.close()
	err := w.err
	w.err = errors.Join(err, errClosed)
	return err
}

var errClosed = errors.New("the Parquet writer is closed")

func (w *Writer) footer() []byte {
	var t thriftWriter
	t.begin()
	t.i32(1, 2)
	t.list(2, thriftStruct, len(w.cols)+1)
	t.element(func() {
		t.string(4, "schema")
		t.i32(5, len(w.cols))
	})
	for _, c := range w.cols {
		t.element(func() { writeElement(&t, &c.col) })
	}
	t.i64(3, w.total)
	t.list(4, thriftStruct, len(w.groups))
	for _, g := range w.groups {
		t.element(func() { w.writeGroup(&t, g) })
	}
	t.string(6, w.opt.CreatedBy)
	t.end()
	return t.b
}

func (w *Writer) writeGroup(t *thriftWriter, g writtenGroup) {
	var packed, unpacked int64
	t.list(1, thriftStruct, len(g.chunks))
	for i, c := range g.chunks {
		packed += c.size
		unpacked += c.unpacked
		t.element(func() {
			t.i64(2, c.start)
			t.inner(3, func() { w.writeChunk(t, w.cols[i], c, g.rows) })
		})
	}
	t.i64(2, unpacked)
	t.i64(3, int64(g.rows))
	if len(g.chunks) > 0 {
		t.i64(5, g.chunks[0].start)
	}
	t.i64(6, packed)
}

func (w *Writer) writeChunk(t *thriftWriter, c *ColumnWriter, at writtenChunk, rows int) {
	t.i32(1, int(c.col.Physical))
	encodings := []int64{encPlain, encRLE}
	if at.dict > 0 {
		encodings = append(encodings, encRLEDictionary)
	}
	t.list(2, thriftI32, len(encodings))
	for _, e := range encodings {
		t.b = binary.AppendVarint(t.b, e)
	}
	t.list(3, thriftBinary, 1)
	t.rawString(c.col.Name)
	t.i32(4, int(w.opt.Codec))
	t.i64(5, int64(rows))
	t.i64(6, at.unpacked)
	t.i64(7, at.size)
	t.i64(9, at.data)
	if at.dict > 0 {
		t.i64(11, at.dict)
	}
}

func writeElement(t *thriftWriter, c *Column) {
	t.i32(1, int(c.Physical))
	optional := 0
	if c.Optional {
		optional = 1
	}
	t.i32(3, optional)
	t.string(4, c.Name)
	switch {
	case c.Logical == String:
		t.i32(6, 0)
		t.inner(10, func() { t.inner(1, func() {}) })
	case c.Logical == Date:
		t.i32(6, 6)
		t.inner(10, func() { t.inner(6, func() {}) })
	case c.Logical == Timestamp:
		if c.UTC && c.Unit != Nanos {
			t.i32(6, 9+int(c.Unit))
		}
		t.inner(10, func() {
			t.inner(8, func() {
				t.bool(1, c.UTC)
				t.inner(2, func() { t.inner(1+int(c.Unit), func() {}) })
			})
		})
	}
}
