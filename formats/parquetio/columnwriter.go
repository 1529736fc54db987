package parquetio

import "github.com/parquet-go/parquet-go"

const (
	// batchValues is how many values go to parquet-go at once.
	batchValues = 512
	// maxPageBatches bounds the rows of a page of small values, so that a
	// reader of several columns finds pages of like length.
	maxPageBatches = 40
	// textBytes is how much memory the texts of a batch get at once.
	textBytes = 32 << 10
)

// ColumnWriter takes the values of one column, one a row.
type ColumnWriter struct {
	w        *Writer
	out      *parquet.ColumnWriter
	name     string
	physical Physical
	level    int // of a value that is not null
	index    int
	batch    []parquet.Value
	text     []byte // of the batch; never moved, as its values point into it
	batches  int    // of the page, at most
	rows     int    // of the row group
}

func newColumnWriter(w *Writer, out *parquet.ColumnWriter, c WriteColumn, index int) *ColumnWriter {
	cw := &ColumnWriter{w: w, out: out, name: c.Name, physical: c.Physical, index: index}
	cw.batch = make([]parquet.Value, 0, batchValues)
	if c.Optional {
		cw.level = 1
	}
	return cw
}

// Null adds a null to an optional column.
func (c *ColumnWriter) Null() { c.add(parquet.NullValue(), 0) }

// Int adds a value to an Int32, Int64 or (0 and 1) Boolean column.
func (c *ColumnWriter) Int(v int64) {
	switch c.physical {
	case Boolean:
		c.add(parquet.BooleanValue(v != 0), c.level)
	case Int32:
		c.add(parquet.Int32Value(int32(v)), c.level)
	default:
		c.add(parquet.Int64Value(v), c.level)
	}
}

// Bool adds a value to a Boolean column.
func (c *ColumnWriter) Bool(v bool) { c.add(parquet.BooleanValue(v), c.level) }

// Float adds a value to a Double column.
func (c *ColumnWriter) Float(v float64) { c.add(parquet.DoubleValue(v), c.level) }

// String adds a value to a ByteArray column.
func (c *ColumnWriter) String(s string) {
	c.reserve(len(s))
	from := len(c.text)
	c.text = append(c.text, s...)
	c.add(parquet.ByteArrayValue(c.text[from:]), c.level)
}

// Bytes is String for text in bytes, which are not kept.
func (c *ColumnWriter) Bytes(b []byte) {
	c.reserve(len(b))
	from := len(c.text)
	c.text = append(c.text, b...)
	c.add(parquet.ByteArrayValue(c.text[from:]), c.level)
}

// reserve makes room for n bytes of text, leaving the texts before where they
// are.
func (c *ColumnWriter) reserve(n int) {
	if cap(c.text)-len(c.text) < n {
		c.text = make([]byte, 0, max(textBytes, n))
	}
}

// add takes a value with its definition level: that of a null is 0, and it is
// the level, not the value, that makes a null.
func (c *ColumnWriter) add(v parquet.Value, level int) {
	if level > 0 {
		v = v.Level(0, level, c.index)
	}
	c.batch = append(c.batch, v)
	c.rows++
	if len(c.batch) == batchValues {
		c.flush()
	}
}

// flush hands the batch to parquet-go, and ends a page of many rows.
func (c *ColumnWriter) flush() {
	if len(c.batch) > 0 && c.w.err == nil {
		_, c.w.err = c.out.WriteRowValues(c.batch)
	}
	c.batch, c.text = c.batch[:0], c.text[:0]
	if c.batches++; c.batches >= maxPageBatches {
		c.batches = 0
		if c.w.err == nil {
			c.w.err = c.out.Flush()
		}
	}
}
