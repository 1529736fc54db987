package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// GroupWriter writes a Parquet file row group by row group, each from one
// Buffer a column. It is what Writer is, for many files at once: it holds
// nothing between row groups but a line of the footer for each, and a row group
// is encoded by Group.Encode apart from the file, on any goroutine. Every page
// carries a checksum. The same buffers give the same bytes.
type GroupWriter struct {
	w      io.Writer
	cols   []WriteColumn
	codec  Codec
	name   string
	at     int64
	rows   int64
	groups []wroteGroup
	err    error
}

// NewGroupWriter begins a file. Close completes it and leaves w open.
func NewGroupWriter(w io.Writer, cols []WriteColumn, opt WriterOptions) (*GroupWriter, error) {
	opt = opt.withDefaults()
	for _, c := range cols {
		if _, err := leafOf(c); err != nil {
			return nil, fmt.Errorf("write column %q: %w", c.Name, err)
		}
	}
	if _, err := compressor(opt.Codec); err != nil {
		return nil, err
	}
	g := &GroupWriter{w: w, cols: slices.Clone(cols), codec: opt.Codec, name: opt.CreatedBy}
	g.write([]byte(magic))
	return g, g.err
}

func (w *GroupWriter) write(b []byte) {
	if w.err != nil {
		return
	}
	_, w.err = w.w.Write(b)
	w.at += int64(len(b))
}

// Rows returns the number of rows written so far.
func (w *GroupWriter) Rows() int64 { return w.rows }

// Write adds a row group that was encoded for the same columns. One without
// rows is left out.
func (w *GroupWriter) Write(g *Group) error {
	if g.rows == 0 || w.err != nil {
		return w.err
	}
	if len(g.meta.chunks) != len(w.cols) {
		w.err = fmt.Errorf("write row group: %d columns, the file has %d", len(g.meta.chunks), len(w.cols))
		return w.err
	}
	meta := wroteGroup{rows: g.rows, at: w.at, chunks: slices.Clone(g.meta.chunks)}
	for i := range meta.chunks {
		c := &meta.chunks[i]
		c.data += w.at
		if c.hasDict {
			c.dict += w.at
		}
	}
	w.write(g.out)
	w.rows += g.rows
	w.groups = append(w.groups, meta)
	return w.err
}

// Close writes the footer.
func (w *GroupWriter) Close() error {
	foot := w.footer()
	w.write(foot)
	w.write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(foot))), magic...))
	err := w.err
	w.err = errors.Join(err, errClosed)
	return err
}

// wroteGroup is what the footer says of a row group.
type wroteGroup struct {
	rows, at int64
	chunks   []wroteChunk
}

// wroteChunk is what the footer says of a column of a row group.
type wroteChunk struct {
	dict, data   int64 // where the pages begin
	hasDict      bool
	plain        bool  // some page is PLAIN
	raw, written int64 // bytes of all pages with their headers, before and after compression
	values       int64
}

// Numbers of the format.
const (
	repetitionRequired = 0
	repetitionOptional = 1
	convertedUTF8      = 0
	convertedDecimal   = 5
	convertedDate      = 6
	convertedMillis    = 9
	convertedMicros    = 10
)

func (w *GroupWriter) footer() []byte {
	t := &thriftWriter{}
	t.begin()
	t.i32(1, 1)
	t.list(2, thriftStruct, len(w.cols)+1)
	t.element(func() {
		t.string(4, "schema")
		t.i32(5, len(w.cols))
	})
	for i := range w.cols {
		t.element(func() { w.cols[i].element(t) })
	}
	t.i64(3, w.rows)
	t.list(4, thriftStruct, len(w.groups))
	for i := range w.groups {
		t.element(func() { w.group(t, &w.groups[i]) })
	}
	t.string(6, w.name)
	t.end()
	return t.b
}

// element writes the schema of a column.
func (c *WriteColumn) element(t *thriftWriter) {
	t.i32(1, int(c.Physical))
	if c.Optional {
		t.i32(3, repetitionOptional)
	} else {
		t.i32(3, repetitionRequired)
	}
	t.string(4, c.Name)
	switch c.Logical {
	case String:
		t.i32(6, convertedUTF8)
		t.inner(10, func() { t.empty(1) })
	case Date:
		t.i32(6, convertedDate)
		t.inner(10, func() { t.empty(6) })
	case Decimal:
		t.i32(6, convertedDecimal)
		t.i32(7, c.Scale)
		t.i32(8, c.digits())
		t.inner(10, func() { t.inner(5, func() { t.i32(1, c.Scale); t.i32(2, c.digits()) }) })
	case Timestamp:
		if c.UTC && c.Unit != Nanos { // what old readers take it for
			t.i32(6, map[Unit]int{Millis: convertedMillis, Micros: convertedMicros}[c.Unit])
		}
		t.inner(10, func() {
			t.inner(8, func() {
				t.bool(1, c.UTC)
				t.inner(2, func() { t.empty(int(c.Unit) + 1) })
			})
		})
	}
}

// group writes the metadata of a row group.
func (w *GroupWriter) group(t *thriftWriter, g *wroteGroup) {
	var raw, written int64
	t.list(1, thriftStruct, len(g.chunks))
	for i := range g.chunks {
		c := &g.chunks[i]
		raw, written = raw+c.raw, written+c.written
		t.element(func() {
			t.i64(2, 0)
			t.inner(3, func() { w.chunk(t, &w.cols[i], c) })
		})
	}
	t.i64(2, raw)
	t.i64(3, g.rows)
	t.i64(5, g.at)
	t.i64(6, written)
}

func (w *GroupWriter) chunk(t *thriftWriter, col *WriteColumn, c *wroteChunk) {
	encodings := []int{encRLE}
	if c.plain || c.hasDict { // dictionaries are PLAIN
		encodings = append(encodings, encPlain)
	}
	if c.hasDict {
		encodings = append(encodings, encRLEDictionary)
	}
	t.i32(1, int(col.Physical))
	t.list(2, thriftI32, len(encodings))
	for _, e := range encodings {
		t.b = binary.AppendVarint(t.b, int64(e))
	}
	t.list(3, thriftBinary, 1)
	t.rawString(col.Name)
	t.i32(4, int(w.codec))
	t.i64(5, c.values)
	t.i64(6, c.raw)
	t.i64(7, c.written)
	t.i64(9, c.data)
	if c.hasDict {
		t.i64(11, c.dict)
	}
}
