package parquetio

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// WriteColumn is a column to be written. Physical is Boolean, Int32, Int64,
// Double or ByteArray; Logical is None, String, Date, Timestamp or Decimal of
// what can hold it.
type WriteColumn struct {
	Column
	Precision  int  // of Decimal: digits [9 for Int32, 18 for Int64]
	Dictionary bool // few distinct values are expected
}

// WriterOptions say how a file is laid out. A zero field has the default.
type WriterOptions struct {
	Codec        Codec  // Uncompressed, Snappy or Zstd
	RowGroupRows int    // rows of a row group [131,072]
	PageBytes    int    // bytes of a page before compression, about [256 KiB]
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

// maxDictBytes is where a dictionary stops to pay: the rest of the row group
// goes on without it.
const maxDictBytes = 1 << 20

// Writer writes a Parquet file as a stream: it holds one row group,
// compressed. Every page carries a checksum. The same values give the same
// bytes. A row is one value for each column, then EndRow.
type Writer struct {
	w     *parquet.GenericWriter[any]
	opt   WriterOptions
	cols  []*ColumnWriter
	rows  int // of the current row group
	total int64
	err   error
}

// NewWriter begins a file. Close completes it and leaves w open.
func NewWriter(w io.Writer, cols []WriteColumn, opt WriterOptions) (*Writer, error) {
	opt = opt.withDefaults()
	root := &schemaRoot{}
	conf := parquet.DefaultWriterConfig()
	for _, c := range cols {
		n, err := nodeOf(c)
		if err != nil {
			return nil, fmt.Errorf("write column %q: %w", c.Name, err)
		}
		root.fields = append(root.fields, schemaField{n, c.Name})
		// The lowest and highest phone numbers do not belong into a footer.
		conf.SkipPageBounds = append(conf.SkipPageBounds, []string{c.Name})
	}
	var err error
	if conf.Compression, err = compressor(opt.Codec); err != nil {
		return nil, err
	}
	conf.Schema = parquet.NewSchema("schema", root)
	conf.CreatedBy = opt.CreatedBy
	conf.DataPageVersion = 1 // what every reader knows
	conf.DataPageStatistics = false
	conf.PageBufferSize = opt.PageBytes
	conf.DictionaryMaxBytes = maxDictBytes
	out := &Writer{w: parquet.NewGenericWriter[any](w, conf), opt: opt}
	for i, c := range out.w.ColumnWriters() {
		out.cols = append(out.cols, newColumnWriter(out, c, cols[i], i))
	}
	return out, nil
}

// compressor returns the codec. Speed matters more than the last percent of
// size.
func compressor(c Codec) (compress.Codec, error) {
	switch c {
	case Uncompressed:
		return &parquet.Uncompressed, nil
	case Snappy:
		return new(fastSnappy), nil
	case Zstd:
		return &zstd.Codec{Level: zstd.SpeedFastest}, nil
	}
	return nil, fmt.Errorf("%w: writing with codec %d", ErrUnsupported, c)
}

// fastSnappy writes a few percent more than parquet-go's Snappy, in a third of
// the time.
type fastSnappy struct{ snappy.Codec }

// Encode implements compress.Codec.
func (*fastSnappy) Encode(dst, src []byte) ([]byte, error) {
	return s2.EncodeSnappy(dst[:cap(dst)], src), nil
}

// Column returns column i, for its values.
func (w *Writer) Column(i int) *ColumnWriter { return w.cols[i] }

// Rows returns the number of rows written so far.
func (w *Writer) Rows() int64 { return w.total }

// EndRow completes a row, and a row group when it is full.
func (w *Writer) EndRow() error {
	w.rows++
	w.total++
	if w.rows < w.opt.RowGroupRows {
		return w.err
	}
	return w.flush()
}

// EndGroup completes the current row group before it is full. Without a row it
// does nothing.
func (w *Writer) EndGroup() error {
	if w.rows == 0 {
		return w.err
	}
	return w.flush()
}

// flush writes the current row group.
func (w *Writer) flush() error {
	for _, c := range w.cols {
		if c.rows != w.rows && w.err == nil {
			w.err = fmt.Errorf("write column %q: %d values in %d rows", c.name, c.rows, w.rows)
		}
		c.flush()
		c.rows = 0
	}
	w.rows = 0
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Close writes what is left and the footer.
func (w *Writer) Close() error {
	if w.err == nil {
		w.flush()
	}
	if w.err == nil {
		w.err = w.w.Close()
	}
	err := w.err
	w.err = errors.Join(err, errClosed)
	return err
}

var errClosed = errors.New("the Parquet writer is closed")

// nodeOf describes a column to parquet-go.
func nodeOf(c WriteColumn) (parquet.Node, error) {
	n, err := leafOf(c)
	if err != nil {
		return nil, err
	}
	if c.Dictionary && c.Physical != Boolean && c.Physical != Double {
		n = parquet.Encoded(n, &parquet.RLEDictionary)
	} else {
		n = parquet.Encoded(n, &parquet.Plain)
	}
	if c.Optional {
		n = parquet.Optional(n)
	} else {
		n = parquet.Required(n)
	}
	return n, nil
}

func leafOf(c WriteColumn) (parquet.Node, error) {
	units := [...]parquet.TimeUnit{Millis: parquet.Millisecond, Micros: parquet.Microsecond, Nanos: parquet.Nanosecond}
	types := map[Physical]parquet.Type{
		Boolean: parquet.BooleanType, Int32: parquet.Int32Type, Int64: parquet.Int64Type,
		Double: parquet.DoubleType, ByteArray: parquet.ByteArrayType,
	}
	switch typ := types[c.Physical]; {
	case typ == nil:
	case c.Logical == None:
		return parquet.Leaf(typ), nil
	case c.Logical == String && c.Physical == ByteArray:
		return parquet.String(), nil
	case c.Logical == Date && c.Physical == Int32:
		return parquet.Date(), nil
	case c.Logical == Timestamp && c.Physical == Int64 && int(c.Unit) < len(units):
		return parquet.TimestampAdjusted(units[c.Unit], c.UTC), nil
	case c.Logical == Decimal && (c.Physical == Int32 || c.Physical == Int64):
		return parquet.Decimal(c.Scale, c.digits(), typ), nil
	}
	return nil, fmt.Errorf("%w: this type", ErrUnsupported)
}

// digits returns the precision of a decimal column.
func (c *WriteColumn) digits() int {
	switch {
	case c.Precision > 0:
		return c.Precision
	case c.Physical == Int32:
		return 9
	}
	return 18
}

// schemaRoot is a group whose columns keep their order; parquet.Group sorts
// them by name.
type schemaRoot struct {
	parquet.Group
	fields []parquet.Field
}

func (r *schemaRoot) Fields() []parquet.Field { return r.fields }

type schemaField struct {
	parquet.Node
	name string
}

func (f schemaField) Name() string { return f.name }

// Value implements parquet.Field. Values are written by column, never by
// reflection.
func (f schemaField) Value(reflect.Value) reflect.Value { return reflect.Value{} }
