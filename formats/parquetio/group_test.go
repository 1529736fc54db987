package parquetio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// groupColumns are of every type that a GroupWriter writes.
func groupColumns() []WriteColumn {
	col := func(name string, p Physical, l Logical, optional, dict bool) WriteColumn {
		c := WriteColumn{Dictionary: dict}
		c.Name, c.Physical, c.Logical, c.Optional = name, p, l, optional
		c.Unit, c.UTC = Micros, l == Timestamp
		if l == Decimal {
			c.Scale, c.Precision = 6, 18
		}
		return c
	}
	var cols []WriteColumn
	for _, optional := range []bool{false, true} {
		for _, dict := range []bool{false, true} {
			cols = append(cols, col(fmt.Sprintf("text-%v-%v", optional, dict), ByteArray, String, optional, dict))
		}
		cols = append(cols,
			col(fmt.Sprintf("time-%v", optional), Int64, Timestamp, optional, false),
			col(fmt.Sprintf("delay-%v", optional), Int64, Decimal, optional, false),
			col(fmt.Sprintf("whole-%v", optional), Int64, None, optional, true),
			col(fmt.Sprintf("small-%v", optional), Int32, None, optional, false),
			col(fmt.Sprintf("flag-%v", optional), Boolean, None, optional, false),
			col(fmt.Sprintf("real-%v", optional), Double, None, optional, false))
	}
	return cols
}

// put adds a random value, and returns it as a reader hands it out.
func put(r *rand.Rand, c *WriteColumn, b *Buffer, nulls float64, words int) cell {
	if c.Optional && r.Float64() < nulls {
		b.Null()
		return nil
	}
	v := r.Int64() >> r.IntN(64)
	switch c.Physical {
	case ByteArray:
		s := strings.Repeat("ab", r.IntN(words)%40) + fmt.Sprint(r.IntN(words))
		if r.IntN(2) == 0 {
			b.String(s)
		} else {
			b.Bytes([]byte(s))
		}
		return s
	case Int64:
		b.Int64(v)
	case Int32:
		b.Int32(int32(v))
		return int64(int32(v))
	case Boolean:
		b.Bool(v&1 != 0)
		return v & 1
	case Double:
		b.Double(float64(v))
		return float64(v)
	}
	return v
}

// What is written is read back, by the guarded reader and by parquet-go alone,
// whatever nulls there are, however many values differ, and in how many pieces
// the buffers were filled.
func TestGroupsAreReadBack(t *testing.T) {
	cols := groupColumns()
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 7))
		var file bytes.Buffer
		codec := []Codec{Uncompressed, Snappy, Zstd}[seed%3]
		w, err := NewGroupWriter(&file, cols, WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		var want [][]cell
		var g Group
		for range r.IntN(4) {
			bufs := make([]Buffer, len(cols))
			for range 1 + r.IntN(3) {
				piece := make([]Buffer, len(cols))
				nulls := []float64{0, 1, 0.3}[r.IntN(3)]
				words := []int{1, 2, 300, 1 << 30}[r.IntN(4)]
				for range r.IntN([]int{3, 300, 30_000}[r.IntN(3)]) {
					row := make([]cell, len(cols))
					for i := range cols {
						row[i] = put(r, &cols[i], &piece[i], nulls, words)
					}
					want = append(want, row)
				}
				for i := range bufs {
					bufs[i].Append(&piece[i])
				}
			}
			if err := g.Encode(cols, bufs, codec); err != nil {
				t.Fatal(err)
			}
			if err := w.Write(&g); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || w.Rows() != int64(len(want)) {
			t.Fatal(err, w.Rows())
		}
		sameCells(t, seed, file.Bytes(), want)
		sameAsParquetGo(t, file.Bytes(), want, cols)
	}
}

// sameCells compares the rows of a file.
func sameCells(t *testing.T, seed uint64, file []byte, want [][]cell) {
	t.Helper()
	f, err := openBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cellsOf(f, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("seed %d: %d rows, want %d", seed, len(got), len(want))
	}
	for i := range got {
		if d := cmp.Diff(want[i], got[i]); d != "" {
			t.Fatalf("seed %d, row %d: %s", seed, i, d)
		}
	}
	if len(want) > 0 && !f.Verified() {
		t.Error("pages without checksums")
	}
}

// sameAsParquetGo counts the values that another reader finds.
func sameAsParquetGo(t *testing.T, file []byte, want [][]cell, cols []WriteColumn) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if f.NumRows() != int64(len(want)) {
		t.Fatalf("parquet-go finds %d rows, want %d", f.NumRows(), len(want))
	}
	for i, c := range f.Schema().Columns() {
		if c[0] != cols[i].Name {
			t.Errorf("column %d is %v", i, c)
		}
	}
	at := 0
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		buf := make([]parquet.Row, 500)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				for i, v := range row {
					if v.IsNull() != (want[at][i] == nil) {
						t.Fatalf("row %d, column %s: null is %v", at, cols[i].Name, v.IsNull())
					}
				}
				at++
			}
			if err != nil {
				break
			}
		}
		rows.Close()
	}
	if at != len(want) {
		t.Errorf("parquet-go reads %d rows of %d", at, len(want))
	}
}

func TestGroupRefusesWhatDoesNotFit(t *testing.T) {
	cols := groupColumns()[:2]
	var g Group
	bufs := make([]Buffer, 2)
	bufs[0].String("x")
	if err := g.Encode(cols, bufs, Snappy); err == nil {
		t.Error("columns of different lengths were accepted")
	}
	bufs[1].Null()
	if err := g.Encode(cols, bufs, Snappy); err == nil {
		t.Error("a null was accepted where there is none")
	}
}
