package parquetio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// cell is a value in a form that tests can compare: nil, int64, float64 or
// string.
type cell any

// cellsOf reads every row of the given columns, in batches of at most batch.
func cellsOf(f *File, batch int) ([][]cell, error) {
	var rows [][]cell
	all := make([]int, len(f.Columns()))
	for i := range all {
		all[i] = i
	}
	for g := range f.Groups() {
		more, err := rangeCells(f, g, all, 0, f.GroupRows(g), batch)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func rangeCells(f *File, group int, cols []int, from, n int64, batch int) (rows [][]cell, err error) {
	r := f.Read(group, cols, from, n)
	defer r.Close()
	for {
		k, err := r.Next(batch)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range k {
			row := make([]cell, len(cols))
			for j := range cols {
				row[j] = cellAt(r.Vector(j), i)
			}
			rows = append(rows, row)
		}
	}
}

func cellAt(v *Vector, i int) cell {
	if v.Nulls != nil && v.Nulls[i] {
		return nil
	}
	vals := &v.Values
	if v.Dict != nil {
		vals, i = &v.Dict.Values, int(v.Index[i])
	}
	switch {
	case len(vals.Ints) > 0:
		return vals.Ints[i]
	case len(vals.Floats) > 0:
		return vals.Floats[i]
	}
	return string(append([]byte(nil), vals.Spans[i].In(vals.Data)...))
}

func openBytes(b []byte) (*File, error) { return Open(bytes.NewReader(b), int64(len(b)), Limits{}) }

// fataler is testing.T as well as rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func writeCells(t fataler, cols []WriteColumn, opt WriterOptions, rows [][]cell) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for j, v := range row {
			switch v := v.(type) {
			case nil:
				w.Column(j).Null()
			case int64:
				w.Column(j).Int(v)
			case float64:
				w.Column(j).Float(v)
			case string:
				w.Column(j).String(v)
			}
		}
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func drawColumns(t *rapid.T) []WriteColumn {
	n := rapid.IntRange(1, 5).Draw(t, "columns")
	cols := make([]WriteColumn, n)
	for i := range cols {
		cols[i].Name = fmt.Sprintf("c%d", i)
		cols[i].Physical = rapid.SampledFrom([]Physical{Boolean, Int32, Int64, Double, ByteArray}).Draw(t, "type")
		cols[i].Optional = rapid.Bool().Draw(t, "optional")
		cols[i].Dictionary = rapid.Bool().Draw(t, "dictionary")
	}
	return cols
}

func drawCell(t *rapid.T, c WriteColumn, sparse int) cell {
	if c.Optional && rapid.IntRange(0, 9).Draw(t, "null") < sparse {
		return nil
	}
	switch c.Physical {
	case Boolean:
		return int64(rapid.IntRange(0, 1).Draw(t, "bool"))
	case Int32:
		return int64(rapid.SampledFrom([]int32{0, 1, -1, 7, math.MaxInt32, math.MinInt32}).Draw(t, "int32"))
	case Int64:
		return rapid.Int64().Draw(t, "int64")
	case Double:
		return rapid.Float64().Draw(t, "double")
	}
	return rapid.SampledFrom([]string{"", "a", "bb", "+491234", "\x00\xff", "a longer text"}).Draw(t, "string")
}

// What was written is read back: zeros stay zeros and nulls stay nulls.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := drawColumns(t)
		opt := WriterOptions{
			Codec:        rapid.SampledFrom([]Codec{Uncompressed, Snappy, Zstd}).Draw(t, "codec"),
			RowGroupRows: rapid.SampledFrom([]int{1, 3, 50, 1000}).Draw(t, "group"),
			PageBytes:    rapid.SampledFrom([]int{1, 20, 100, 4096}).Draw(t, "page"),
		}
		rows := make([][]cell, rapid.IntRange(0, 120).Draw(t, "rows"))
		sparse := rapid.SampledFrom([]int{0, 3, 10}).Draw(t, "sparse")
		for i := range rows {
			for _, c := range cols {
				rows[i] = append(rows[i], drawCell(t, c, sparse))
			}
		}
		b := writeCells(t, cols, opt, rows)
		f, err := openBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cellsOf(f, rapid.IntRange(1, 130).Draw(t, "batch"))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			rows = nil
		}
		if d := cmp.Diff(rows, got); d != "" {
			t.Fatal(d)
		}
		if f.Verified() != (len(rows) > 0) {
			t.Fatal("pages with checksums are not reported as verified")
		}
	})
}

// A dictionary that grows too large is given up in the middle of a row group,
// and the next row group has one again.
func TestLargeDictionary(t *testing.T) {
	cols := []WriteColumn{{Column: Column{Name: "tenant_id", Physical: ByteArray, Logical: String, Optional: true}, Dictionary: true}}
	var rows [][]cell
	for i := range 30_000 {
		row := []cell{fmt.Sprintf("%0100d", i%20_000)}
		if i%50 == 0 {
			row[0] = nil
		}
		rows = append(rows, row)
	}
	opt := WriterOptions{Codec: Snappy, RowGroupRows: 20_000, PageBytes: 4096}
	b := writeCells(t, cols, opt, rows)
	got, err := readAll(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, got); d != "" {
		t.Fatal(d)
	}
	if !bytes.Equal(b, writeCells(t, cols, opt, rows)) {
		t.Fatal("the same rows give other bytes")
	}
}

// What a column means is read back, and its order in the file is kept.
func TestMeaningOfColumns(t *testing.T) {
	want := []Column{
		{Name: "zone", Physical: ByteArray, Logical: String, Optional: true},
		{Name: "charge", Physical: Int64, Logical: Decimal, Scale: 3},
		{Name: "day", Physical: Int32, Logical: Date},
		{Name: "start", Physical: Int64, Logical: Timestamp, Unit: Micros, UTC: true},
		{Name: "local", Physical: Int64, Logical: Timestamp, Unit: Nanos},
		{Name: "calls", Physical: Int64},
		{Name: "answered", Physical: Boolean, Optional: true},
	}
	var cols []WriteColumn
	for _, c := range want {
		cols = append(cols, WriteColumn{Column: c})
	}
	f, err := openBytes(writeCells(t, cols, WriterOptions{CreatedBy: "test"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, f.Columns(), cmpopts.IgnoreUnexported(Column{})); d != "" {
		t.Fatal(d)
	}
	if f.CreatedBy() != "test" {
		t.Fatalf("written by %q", f.CreatedBy())
	}
}

// A type that cannot be written is refused before a byte is.
func TestUnknownTypesAreRefused(t *testing.T) {
	for _, c := range []Column{{Physical: Int96}, {Physical: FixedLen, Width: 16}, {Physical: ByteArray, Logical: Date}} {
		if _, err := NewWriter(io.Discard, []WriteColumn{{Column: c}}, WriterOptions{}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
