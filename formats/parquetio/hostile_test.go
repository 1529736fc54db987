package parquetio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
)

// known reports whether the error is one that this package explains.
func known(err error) bool {
	for _, e := range []error{ErrNotParquet, ErrTruncated, ErrCorrupt, ErrLimit, ErrUnsupported} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// smallFiles are valid files that the tests below break.
func smallFiles(t testing.TB) map[string][]byte {
	cols := []WriteColumn{
		{Column: Column{Name: "id", Physical: ByteArray, Logical: String}},
		{Column: Column{Name: "kind", Physical: ByteArray, Logical: String, Optional: true}, Dictionary: true},
		{Column: Column{Name: "start", Physical: Int64, Logical: Timestamp, Unit: Micros, UTC: true}},
	}
	var rows [][]cell
	for i := range 60 {
		row := []cell{fmt.Sprint("id", i), fmt.Sprint("kind", i%7), int64(i) * 1000}
		if i%4 == 1 {
			row[1] = nil
		}
		rows = append(rows, row)
	}
	files := map[string][]byte{"ours": writeCells(t, cols, WriterOptions{Codec: Snappy, PageBytes: 200, RowGroupRows: 30}, rows)}
	for i, l := range []layout{
		{1, 300, 70, &parquet.Uncompressed, true, 1}, {2, 300, 70, &parquet.Lz4Raw, true, 2},
		{2, 300, 70, &parquet.Zstd, false, 3}, {1, 300, 70, &parquet.Gzip, true, 0},
	} {
		_, files[fmt.Sprint("theirs", i)] = l.file(t)
	}
	return files
}

func readAll(b []byte) ([][]cell, error) {
	f, err := openBytes(b)
	if err != nil {
		return nil, err
	}
	return cellsOf(f, 50)
}

// A file that was cut off anywhere is refused with a reason.
func TestTruncatedFiles(t *testing.T) {
	for name, b := range smallFiles(t) {
		for i := range 50 {
			n := len(b) * i / 50
			if _, err := readAll(b[:n]); !known(err) {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(b), err)
			}
		}
	}
}

// One flipped bit in the pages of a file with checksums is noticed: it gives
// an error or changes nothing. In the footer, which has no checksum, it may
// change what values mean, but never takes the reader down. No bit makes a
// small file take much memory.
func TestFlippedBits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 5))
	files := smallFiles(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		want, err := readAll(b)
		if err != nil {
			t.Fatal(err)
		}
		footer := len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:]))
		for i := 0; i < len(b); i += 1 + rnd.IntN(len(b)/150) {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << rnd.IntN(8)
			before := allocated()
			got, err := readAll(bad)
			switch {
			case allocated()-before > 32<<20:
				t.Errorf("%s, byte %d of %d: it took %d MiB", name, i, len(b), (allocated()-before)>>20)
			case err != nil && !known(err):
				t.Errorf("%s, byte %d of %d: %v", name, i, len(b), err)
			case err == nil && i < footer && !cmp.Equal(want, got):
				t.Errorf("%s, byte %d of %d: other values and no error", name, i, len(b))
			}
		}
	}
}

// allocated returns how many bytes were allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// footerFile wraps a footer, or anything else, in what makes a file Parquet.
func footerFile(footer []byte) []byte {
	b := append([]byte(magic), footer...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(footer)))
	return append(b, magic...)
}

func built(fill func(t *thriftWriter)) []byte {
	var t thriftWriter
	t.element(func() { fill(&t) })
	return footerFile(t.b)
}

func leafElement(t *thriftWriter, name string) {
	t.element(func() {
		t.i32(1, int(Int64))
		t.i32(3, 0)
		t.string(4, name)
	})
}

func rootElement(t *thriftWriter, children int) {
	t.element(func() {
		t.string(4, "schema")
		t.i32(5, children)
	})
}

func TestHostileFooters(t *testing.T) {
	deep := func(typ byte) []byte { return bytes.Repeat([]byte{9<<4 | typ}, 5000) }
	for _, tc := range []struct {
		name string
		file []byte
		want error
		say  string
	}{
		{"an empty file", nil, ErrNotParquet, "0 bytes"},
		{"text", []byte("record_id,start\n1,2\n"), ErrNotParquet, "begin"},
		{"a head without an end", append([]byte(magic), make([]byte, 100)...), ErrTruncated, "end"},
		{"an encrypted footer", append(append([]byte(magic), make([]byte, 20)...), magicEncrypted...), ErrUnsupported, "encryption"},
		{"a footer longer than the file", append([]byte(magic), "\xff\xff\xff\x7fPAR1"...), ErrTruncated, "longer"},
		{"an empty footer", footerFile(nil), ErrCorrupt, "ends"},
		{"a list of two billion elements in 22 bytes", footerFile([]byte("\x15\x02\x19\xfc\xff\xff\xff\xff\x07\x00")), ErrCorrupt, "ends"},
		{"structs in structs without end", footerFile(deep(thriftStruct)), ErrCorrupt, "nested"},
		{"lists in lists without end", footerFile(append([]byte{9<<4 | thriftList}, bytes.Repeat([]byte{1<<4 | thriftList}, 5000)...)), ErrCorrupt, "nested"},
		{"a schema of two million elements", built(func(t *thriftWriter) {
			t.list(2, thriftStruct, 2_000_000)
			for range 2_000_000 {
				t.element(func() {})
			}
		}), ErrLimit, "elements"},
		{"a schema that names more children than it has", built(func(t *thriftWriter) {
			t.list(2, thriftStruct, 2)
			rootElement(t, 1<<30)
			leafElement(t, "start")
		}), ErrCorrupt, "schema"},
		{"a million levels of one child each", built(func(t *thriftWriter) {
			t.list(2, thriftStruct, 9_000)
			for range 8_999 {
				rootElement(t, 1)
			}
			leafElement(t, "start")
			t.i64(3, 0)
		}), nil, ""},
		{"rows without a row group", built(func(t *thriftWriter) {
			t.list(2, thriftStruct, 2)
			rootElement(t, 1)
			leafElement(t, "start")
			t.i64(3, 1000)
			t.list(4, thriftStruct, 0)
		}), ErrCorrupt, "not consistent"},
		{"a column far behind the end of the file", oneColumn(1<<40, 100, 5, 5), ErrCorrupt, "outside"},
		{"a column of a negative size", oneColumn(4, -1, 5, 5), ErrCorrupt, "outside"},
		{"a column of more values than rows", oneColumn(4, 0, 6, 5), ErrCorrupt, "not consistent"},
		{"negative rows", oneColumn(4, 0, -5, -5), ErrCorrupt, ""},
		{"a page where there are no bytes", oneColumn(4, 0, 5, 5), ErrCorrupt, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readAll(tc.file)
			if !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.say) {
				t.Fatalf("got %v, want %v that says %q", err, tc.want, tc.say)
			}
		})
	}
}

// oneColumn is a footer of one column and one row group.
func oneColumn(data, size, values, rows int64) []byte {
	return built(func(t *thriftWriter) {
		t.list(2, thriftStruct, 2)
		rootElement(t, 1)
		leafElement(t, "start")
		t.i64(3, rows)
		t.list(4, thriftStruct, 1)
		t.element(func() {
			t.list(1, thriftStruct, 1)
			t.element(func() {
				t.inner(3, func() {
					t.i32(1, int(Int64))
					t.i32(4, 0)
					t.i64(5, values)
					t.i64(7, size)
					t.i64(9, data)
				})
			})
			t.i64(3, rows)
		})
	})
}

// pageFile is a file of one Int64 column with one page, made by hand.
func pageFile(values int64, page []byte) []byte {
	b := append([]byte(magic), page...)
	f := oneColumn(4, int64(len(page)), values, values)
	return append(b, f[len(magic):]...)
}

func pageBytes(kind, size, packed, values, encoding int, body []byte) []byte {
	var t thriftWriter
	t.element(func() {
		t.i32(1, kind)
		t.i32(2, size)
		t.i32(3, packed)
		t.inner(5, func() {
			t.i32(1, values)
			t.i32(2, encoding)
			t.i32(3, encRLE)
			t.i32(4, encRLE)
		})
	})
	return append(t.b, body...)
}

func TestHostilePages(t *testing.T) {
	for _, tc := range []struct {
		name string
		page []byte
		want error
	}{
		{"a page of two gigabytes", pageBytes(pageData, 1<<31-1, 8, 1, encPlain, make([]byte, 8)), ErrLimit},
		{"a page of a negative size", pageBytes(pageData, -8, -8, 1, encPlain, make([]byte, 8)), ErrCorrupt},
		{"a page beyond its column", pageBytes(pageData, 1000, 1000, 1, encPlain, make([]byte, 8)), ErrCorrupt},
		{"fewer values than the page says", pageBytes(pageData, 8, 8, 1000, encPlain, make([]byte, 8)), ErrCorrupt},
		{"more values than the row group", pageBytes(pageData, 8, 8, 5000, encPlain, make([]byte, 8)), ErrCorrupt},
		{"positions in a dictionary that is not there", pageBytes(pageData, 3, 3, 1000, encRLEDictionary, []byte{1, 0xff, 0x7f}), ErrCorrupt},
		{"a delta of blocks that are too large", pageBytes(pageData, 8, 8, 1000, encDeltaBinary, []byte("\xff\xff\xff\x07\x01\x01\x00\x00")), ErrCorrupt},
		{"text in a column of numbers", pageBytes(pageData, 8, 8, 1000, encDeltaByteArray, make([]byte, 8)), ErrUnsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := readAll(pageFile(1000, tc.page)); !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// A few bytes can stand for a billion equal values: a page is decoded as a
// whole, so it is refused by the number of its values.
func TestRunLengthBombIsRefused(t *testing.T) {
	const values = 1 << 30
	var delta []byte
	for _, v := range []uint64{128, 1, values} {
		delta = binary.AppendUvarint(delta, v)
	}
	delta = append(delta, make([]byte, 2048)...)
	_, err := readAll(pageFile(values, pageBytes(pageData, len(delta), len(delta), values, encDeltaBinary, delta)))
	if !errors.Is(err, ErrLimit) {
		t.Fatalf("got %v, want %v", err, ErrLimit)
	}
}

// Bytes that follow from the text before them are counted before they are
// written out.
func TestSharedPrefixBombIsRefused(t *testing.T) {
	text := strings.Repeat("x", 4000)
	values := make([][]byte, 200)
	for i := range values {
		values[i] = []byte(text)
	}
	b, err := new(delta.ByteArrayEncoding).EncodeByteArray(nil, bytes.Join(values, nil), offsetsOf(values))
	if err != nil {
		t.Fatal(err)
	}
	c := &Column{Physical: ByteArray}
	if err := inspect(c, encDeltaByteArray, b, len(values), 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := inspect(c, encDeltaByteArray, b, len(values), 1<<19); !errors.Is(err, ErrLimit) {
		t.Fatalf("%d bytes that stand for %d: %v", len(b), len(text)*len(values), err)
	}
}

func offsetsOf(values [][]byte) []uint32 {
	o := []uint32{0}
	for _, v := range values {
		o = append(o, o[len(o)-1]+uint32(len(v)))
	}
	return o
}

func FuzzFooter(f *testing.F) {
	for _, b := range smallFiles(f) {
		n := int(binary.LittleEndian.Uint32(b[len(b)-8:]))
		f.Add(b[len(b)-8-n : len(b)-8])
	}
	f.Add(oneColumn(4, 0, 5, 5)[4:])
	f.Fuzz(func(t *testing.T, b []byte) {
		foot, err := readFooter(b, 1<<20, Limits{}.withDefaults())
		if err != nil && !known(err) {
			t.Fatal(err)
		}
		if err == nil && foot.leaves == 0 {
			t.Fatal("a footer without columns was accepted")
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(smallFiles(f)["ours"]) // the others are too large to be worth changing
	f.Add(pageFile(1, pageBytes(pageData, 8, 8, 1, encPlain, make([]byte, 8))))
	f.Add(pageFile(9, pageBytes(pageData, 3, 3, 9, encRLEDictionary, []byte{1, 0x12, 1})))
	f.Add(pageFile(3, pageBytes(pageData, 8, 8, 3, encDeltaBinary, []byte("\x80\x01\x04\x03\x02\x02\x00\x00\x00\x00"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(bytes.NewReader(b), int64(len(b)), Limits{Page: 1 << 20, Rows: 100_000})
		if err == nil {
			_, err = cellsOf(file, 100)
		}
		if err != nil && !known(err) {
			t.Fatal(err)
		}
	})
}
