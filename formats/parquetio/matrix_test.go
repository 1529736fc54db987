package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
)

// sample is a column that another program wrote, and what it must read as.
type sample struct {
	node      parquet.Node
	encodings []encoding.Encoding
	value     func(i int) parquet.Value
	want      func(i int) cell
}

func int96Of(us int64) deprecated.Int96 {
	day := us / microsPerDay
	nanos := uint64(us%microsPerDay) * 1000
	return deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(day + julianEpoch)}
}

func samples() map[string]sample {
	ints := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.DeltaBinaryPacked, &parquet.ByteStreamSplit}
	texts := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.DeltaLengthByteArray, &parquet.DeltaByteArray}
	fixed := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.ByteStreamSplit}
	floats := []encoding.Encoding{&parquet.Plain, &parquet.RLEDictionary, &parquet.ByteStreamSplit}
	text := func(i int) string { return fmt.Sprintf("+49301%07d", i*i%977) }
	id := func(i int) [16]byte {
		var b [16]byte
		binary.BigEndian.PutUint64(b[8:], uint64(i%31)*0x9e3779b97f4a7c15)
		return b
	}
	start := func(i int) int64 { return 1_760_000_000_000_000 + int64(i)*1_234_567 }
	return map[string]sample{
		"int32":  {parquet.Leaf(parquet.Int32Type), ints, func(i int) parquet.Value { return parquet.Int32Value(int32(i-3) * 70_000_000) }, func(i int) cell { return int64(int32(i-3) * 70_000_000) }},
		"int64":  {parquet.Leaf(parquet.Int64Type), ints, func(i int) parquet.Value { return parquet.Int64Value(int64(i%7) * math.MaxInt32 * int64(1-i%2*2)) }, func(i int) cell { return int64(i%7) * math.MaxInt32 * int64(1-i%2*2) }},
		"uint32": {parquet.Uint(32), ints, func(i int) parquet.Value { return parquet.Int32Value(int32(-i)) }, func(i int) cell { return int64(uint32(-i)) }},
		"micros": {parquet.Timestamp(parquet.Microsecond), ints, func(i int) parquet.Value { return parquet.Int64Value(start(i)) }, func(i int) cell { return start(i) }},
		"int96":  {parquet.Leaf(parquet.Int96Type), floats[:2], func(i int) parquet.Value { return parquet.Int96Value(int96Of(start(i))) }, func(i int) cell { return start(i) }},
		"bool":   {parquet.Leaf(parquet.BooleanType), []encoding.Encoding{&parquet.Plain, &parquet.RLE}, func(i int) parquet.Value { return parquet.BooleanValue(i%3 == 0) }, func(i int) cell { return int64(map[bool]int{true: 1}[i%3 == 0]) }},
		"float":  {parquet.Leaf(parquet.FloatType), floats, func(i int) parquet.Value { return parquet.FloatValue(float32(i) / 4) }, func(i int) cell { return float64(i) / 4 }},
		"double": {parquet.Leaf(parquet.DoubleType), floats, func(i int) parquet.Value { return parquet.DoubleValue(float64(i) / 10) }, func(i int) cell { return float64(i) / 10 }},
		"text":   {parquet.String(), texts, func(i int) parquet.Value { return parquet.ByteArrayValue([]byte(text(i))) }, func(i int) cell { return text(i) }},
		"uuid":   {parquet.UUID(), fixed, func(i int) parquet.Value { b := id(i); return parquet.FixedLenByteArrayValue(b[:]) }, func(i int) cell { b := id(i); return string(b[:]) }},
	}
}

// layout is how the other program wrote the file.
type layout struct {
	version, page, group int
	codec                compress.Codec
	optional             bool
	choice               int // of the encodings
}

func (l layout) String() string {
	return fmt.Sprintf("page v%d of %d bytes, groups of %d, %v, optional %v, encoding %d", l.version, l.page, l.group, l.codec, l.optional, l.choice)
}

func layouts() []layout {
	codecs := []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd, &parquet.Brotli, &parquet.Lz4Raw}
	var all []layout
	for i, codec := range codecs {
		for choice := range 4 {
			for _, optional := range []bool{false, true} {
				all = append(all, layout{1 + (i+choice)%2, []int{64, 700, 1 << 20}[(i+choice)%3], []int{1000, 1, 37}[(i+choice/2)%3], codec, optional, choice})
				all = append(all, layout{2 - (i+choice)%2, 300, 200, codec, optional, choice})
			}
		}
	}
	return all
}

const matrixRows = 150

// nullAt says which rows of an optional column are null: some, and a stretch
// that fills whole pages.
func (l layout) nullAt(i int) bool { return l.optional && (i%5 == 2 || i > 60 && i < 110) }

// file writes all samples as parquet-go does it.
func (l layout) file(t testing.TB) (names []string, b []byte) {
	t.Helper()
	group := parquet.Group{}
	all := samples()
	for name, s := range all {
		n := parquet.Encoded(s.node, s.encodings[l.choice%len(s.encodings)])
		n = parquet.Compressed(n, l.codec)
		if l.optional {
			n = parquet.Optional(n)
		}
		group[name] = n
	}
	schema := parquet.NewSchema("sample", group)
	var out bytes.Buffer
	w := parquet.NewWriter(&out, schema, parquet.DataPageVersion(l.version), parquet.PageBufferSize(l.page), parquet.MaxRowsPerRowGroup(int64(l.group)))
	for _, f := range schema.Fields() {
		names = append(names, f.Name())
	}
	for i := range matrixRows {
		var row parquet.Row
		for j, name := range names {
			v, def := all[name].value(i), 0
			if l.optional {
				def = 1
			}
			if l.nullAt(i) {
				v, def = parquet.NullValue(), 0
			}
			row = append(row, v.Level(0, def, j))
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return names, out.Bytes()
}

func (l layout) want(names []string) (rows [][]cell) {
	all := samples()
	for i := range matrixRows {
		row := make([]cell, len(names))
		for j, name := range names {
			if !l.nullAt(i) {
				row[j] = all[name].want(i)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// However a sender's program lays its file out, the values are the same.
func TestFilesOfAnotherWriter(t *testing.T) {
	for _, l := range layouts() {
		t.Run(l.String(), func(t *testing.T) {
			names, b := l.file(t)
			f, err := openBytes(b)
			if err != nil {
				t.Fatal(err)
			}
			want := l.want(names)
			for _, batch := range []int{1, 13, 1000} {
				got, err := cellsOf(f, batch)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatal(d)
				}
			}
			if !f.Verified() {
				t.Error("checksums were there and are not reported")
			}
			rangesAgree(t, f, want)
		})
	}
}

// rangesAgree reads every row group in parts, as several workers do.
func rangesAgree(t *testing.T, f *File, want [][]cell) {
	t.Helper()
	var got [][]cell
	cols := make([]int, len(f.Columns()))
	for i := range cols {
		cols[i] = i
	}
	for g := range f.Groups() {
		for from := int64(0); from < f.GroupRows(g); from += 41 {
			rows, err := rangeCells(f, g, cols, from, min(41, f.GroupRows(g)-from), 10)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rows...)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// What is written here, another program reads.
func TestAnotherReaderReadsOurFiles(t *testing.T) {
	cols := []WriteColumn{
		{Column: Column{Name: "id", Physical: ByteArray, Logical: String}},
		{Column: Column{Name: "kind", Physical: ByteArray, Logical: String, Optional: true}, Dictionary: true},
		{Column: Column{Name: "start", Physical: Int64, Logical: Timestamp, Unit: Micros, UTC: true}},
		{Column: Column{Name: "n", Physical: Int32, Optional: true}, Dictionary: true},
		{Column: Column{Name: "ok", Physical: Boolean, Optional: true}},
	}
	var rows [][]cell
	for i := range 500 {
		row := []cell{fmt.Sprint("id", i), fmt.Sprint("kind", i%7), int64(i) * 1000, int64(i % 3), int64(i % 2)}
		if i%4 == 1 {
			row[1], row[3], row[4] = nil, nil, nil
		}
		rows = append(rows, row)
	}
	for _, codec := range []Codec{Uncompressed, Snappy, Zstd} {
		b := writeCells(t, cols, WriterOptions{Codec: codec, PageBytes: 600, RowGroupRows: 170}, rows)
		if d := cmp.Diff(rows, readByParquetGo(t, b)); d != "" {
			t.Error(d)
		}
	}
}

func readByParquetGo(t *testing.T, b []byte) (rows [][]cell) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	r := parquet.NewReader(f)
	defer r.Close()
	buf := make([]parquet.Row, 1)
	for {
		n, _ := r.ReadRows(buf)
		if n == 0 {
			return rows
		}
		var row []cell
		for _, v := range buf[0] {
			row = append(row, goValue(v))
		}
		rows = append(rows, row)
	}
}

func goValue(v parquet.Value) cell {
	switch {
	case v.IsNull():
		return nil
	case v.Kind() == parquet.Boolean:
		return int64(map[bool]int{true: 1}[v.Boolean()])
	case v.Kind() == parquet.Int32:
		return int64(v.Int32())
	case v.Kind() == parquet.Int64:
		return v.Int64()
	}
	return string(v.ByteArray())
}
