package formats

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/dialect"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

const header = "record_id,start,duration_ms,caller,callee\n"

const oneRow = "r1,2026-10-01T10:00:00Z,60000,+493012345678,+442071234567\n"

func packGzip(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packZstd(t testing.TB, text []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll(text, nil)
}

func packZip(t testing.TB, names, texts []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, n := range names {
		f, err := w.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(texts[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func utf16(t testing.TB, order unicode.Endianness, text string) []byte {
	t.Helper()
	b, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWrappings(t *testing.T) {
	text := header + oneRow
	for _, c := range []struct {
		name, format string
		data         []byte
	}{
		{"plain", "csv", []byte(text)},
		{"UTF-8 with a byte order mark", "csv", []byte("\xEF\xBB\xBF" + text)},
		{"UTF-16, little end first", "csv+utf-16", utf16(t, unicode.LittleEndian, text)},
		{"UTF-16, big end first", "csv+utf-16", utf16(t, unicode.BigEndian, text)},
		{"gzip", "csv+gzip", packGzip(t, []byte(text))},
		{"gzip in two members", "csv+gzip", append(packGzip(t, []byte(header)), packGzip(t, []byte(oneRow))...)},
		{"zstd", "csv+zstd", packZstd(t, []byte(text))},
		{"gzip of UTF-16", "csv+utf-16+gzip", packGzip(t, utf16(t, unicode.LittleEndian, text))},
		{"zip", "csv+zip", packZip(t, []string{"a.csv"}, []string{text})},
		{"semicolons", "csv", []byte(strings.ReplaceAll(text, ",", ";"))},
		{"tabs", "csv", []byte(strings.ReplaceAll(text, ",", "\t"))},
		{"bars", "csv", []byte(strings.ReplaceAll(text, ",", "|"))},
		{"CR", "csv", []byte(strings.ReplaceAll(text, "\n", "\r"))},
		{"CRLF and no end", "csv", []byte(strings.TrimSpace(strings.ReplaceAll(text, "\n", "\r\n")))},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readSide(t, engine.Carrier, Options{}, 10, bytesInput("a.csv", c.data))
			if r.err != nil || len(r.calls) != 1 || len(r.bad) > 0 {
				t.Fatalf("%+v", r)
			}
			if got := r.calls[0]; got.RecordID != "r1" || got.DurationMS != 60000 {
				t.Errorf("%+v", got)
			}
			i := r.infos[0]
			if i.Format != c.format || i.Rows != 1 || i.Bytes != int64(len(c.data)) || len(i.SHA256) != 64 {
				t.Errorf("%+v", i)
			}
			if sum, err := hashInput(context.Background(), bytesInput("", c.data)); err != nil || sum != i.SHA256 {
				t.Errorf("hash %s, want %s, %v", i.SHA256, sum, err)
			}
		})
	}
}

func TestBrokenFiles(t *testing.T) {
	many := header + strings.Repeat(oneRow, 2000)
	packed, packedZ := packGzip(t, []byte(many)), packZstd(t, []byte(many))
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "it is empty"},
		{"blank lines only", []byte("\n\r\n\n"), "has no header"},
		{"a required column is missing", []byte("record_id,start,caller\n"), `column "duration_ms" is missing`},
		{"the columns found are named", []byte("record_id,start,caller\n"), `the file has the columns record_id, start, caller`},
		{"no header: numbers stay unseen", []byte("r1,2026-10-01T10:00:00Z,60000,+493012345678\n"), "looks like data"},
		{"no header: numbers in groups stay unseen", []byte("r1,a,6,+49 (0) 30 12 34 56\n"), "looks like data"},
		{"no header: short numbers stay unseen", []byte("a,01.10.26,10:00,60,12 34 56\n"), "looks like data"},
		{"no header: other digits stay unseen", []byte("a,b,c,tel ٠٣٠ ١٢٣٤ ٥٦٧\n"), "looks like data"},
		{"one column only", []byte("start duration_ms\n1 2\n"), "only one column"},
		{"a gzip cut short", packed[:len(packed)/2], "truncated: the gzip stream ends too early"},
		{"a gzip with a wrong checksum", flipped, "damaged: the gzip checksum does not agree"},
		{"a gzip with something behind it", append(bytes.Clone(packed), "garbage......"...), "damaged"},
		{"a zstd cut short", packedZ[:len(packedZ)/2], "truncated: the zstd stream ends too early"},
		{"a zip cut short", packZip(t, []string{"a.csv"}, []string{many})[:60], "truncated: the zip has no end"},
		{"a zip without files", packZip(t, nil, nil), "the zip holds no file"},
		{"UTF-16 without a mark", utf16(t, unicode.LittleEndian, many)[2:], "not text"},
		{"an old Excel sheet", []byte("\xd0\xcf\x11\xe0....................."), "it is a document"},
		{"a record of nothing but zero bytes", make([]byte, 100), "not text"},
		{"an open quote in the header", []byte("start,\"duration_ms\n1,2\n"), "the header cannot be read: line 1: the quote"},
		{"JSON for a carrier", []byte(" [\n{\"a\":1}]"), "it is JSON"},
		{"an error page instead of a file", []byte("<!DOCTYPE html>\n<p>Sign in"), "it is HTML or XML"},
		{"every row bad", []byte(header + "r1,x,60000,,\n"), "more than 5 % of its rows could not be read; the first is line 2: start"},
		{"a gigabyte in a kilobyte", packGzip(t, []byte(header+strings.Repeat("\n", 40<<20))), "in decompression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readSide(t, engine.Carrier, Options{}, 100, bytesInput("a.csv", c.data))
			var file *FileError
			if !errors.As(r.err, &file) || !strings.Contains(r.err.Error(), c.want) {
				t.Fatalf("error %v, want %q", r.err, c.want)
			}
			if strings.Contains(r.err.Error(), "+4930") {
				t.Error("the error shows a number")
			}
		})
	}
}

func TestEveryBrokenFileIsNamedAtOnce(t *testing.T) {
	_, err := Open(context.Background(), engine.Carrier, []Input{textInput("a.csv", ""), textInput("b.csv", header), textInput("c.csv", "x,y\n")}, Options{})
	if err == nil || !strings.Contains(err.Error(), "read a.csv: ") || !strings.Contains(err.Error(), "read c.csv: ") {
		t.Fatal(err)
	}
}

func TestAFileThatShrinksIsTruncated(t *testing.T) {
	in := textInput("a.csv", header+oneRow)
	in.Size += 10
	r := readSide(t, engine.Carrier, Options{}, 10, in)
	if r.err == nil || !strings.Contains(r.err.Error(), "truncated: it ends after") {
		t.Fatal(r.err)
	}
}

func TestWrongDelimiterIsNamed(t *testing.T) {
	p := dialect.Canonical()
	p.Files.Delimiter = ';'
	r := readSide(t, engine.Carrier, Options{Profile: p}, 10, textInput("a.csv", header+oneRow))
	if r.err == nil || !strings.Contains(r.err.Error(), `looks like it is delimited by ","`) {
		t.Fatal(r.err)
	}
}

func TestFewBadRowsDoNotRejectAFile(t *testing.T) {
	bad := "r,x,1,,\n"
	for _, c := range []struct {
		name      string
		good, bad int
		ok        bool
	}{
		{"one of three", 2, 1, true},
		{"nine of ten", 1, 9, true},
		{"ten of eleven", 1, 10, false},
		{"ten of two hundred", 190, 10, true},
		{"eleven of two hundred", 189, 11, false},
		{"all", 0, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readSide(t, engine.Carrier, Options{}, 100, textInput("a.csv", header+strings.Repeat(bad, c.bad)+strings.Repeat(oneRow, c.good)))
			if (r.err == nil) != c.ok {
				t.Fatal(r.err)
			}
			if len(r.bad) != c.bad || len(r.calls) != c.good {
				t.Fatalf("%d bad, %d good", len(r.bad), len(r.calls))
			}
			if r.err != nil && !strings.Contains(r.err.Error(), "the first is line 2: start: ") {
				t.Error(r.err)
			}
		})
	}
}

func TestHeaderOnlyIsNothingToReport(t *testing.T) {
	r := readSide(t, engine.Carrier, Options{}, 10, textInput("a.csv", header))
	if r.err != nil || len(r.calls) != 0 || len(r.infos[0].Notes) != 1 {
		t.Fatalf("%+v", r)
	}
}

func TestTrailers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		verified   bool
		want       string
	}{
		{"agrees", oneRow + oneRow + "T,2,120\n", true, ""},
		{"is absent", oneRow, false, ""},
		{"a row was lost", oneRow + "T,2,120\n", false, "the trailer says 2 rows, the file has 1"},
		{"a duration was changed", oneRow + oneRow + "T,2,121\n", false, "the trailer says 121 seconds, the rows add up to 120"},
		{"cannot be read", oneRow + "T,x,60\n", false, "is not a number"},
		{"is short", oneRow + "T,1\n", false, "the trailer has 2 fields, not 3"},
		{"twice", oneRow + "T,1,60\nT,1,60\n", false, "more than one trailer"},
		{"a bad row is a row", oneRow + "r2,x,60000,,\nT,2,60\n", true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dialect.Canonical()
			p.Trailer = dialect.Trailer{Prefix: "T,", Count: 2, Seconds: 3}
			r := readSide(t, engine.Carrier, Options{Profile: p}, 10, textInput("a.csv", header+c.text))
			if c.want == "" && r.err != nil || c.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", r.err, c.want)
			}
			if r.infos[0].IntegrityVerified != c.verified {
				t.Errorf("verified %v", r.infos[0].IntegrityVerified)
			}
		})
	}
}

func TestZipOfSeveralFilesCountsOn(t *testing.T) {
	data := packZip(t, []string{"x/", "x/a.csv", "__MACOSX/a.csv", "x/b.csv"}, []string{"", header + oneRow + oneRow, "junk", header + "r9,x,1,,\n" + oneRow})
	r := readSide(t, engine.Carrier, Options{}, 10, bytesInput("a.zip", data))
	if r.err != nil || len(r.calls) != 3 || len(r.bad) != 1 {
		t.Fatalf("%+v", r)
	}
	if r.bad[0].Row != 3 || r.bad[0].Line != 2 || r.calls[2].Row != 4 || r.infos[0].Rows != 4 {
		t.Errorf("%+v", r)
	}
}

func TestLinesThatAreNoRowsAreTold(t *testing.T) {
	p := dialect.Canonical()
	p.Files.Comment, p.Files.SkipLines = "#", 2
	r := readSide(t, engine.Carrier, Options{Profile: p}, 10, textInput("a.csv", "Report\n\"of\n"+header+"\n\n# x\n"+oneRow))
	want := []string{"2 blank lines skipped", "1 comment line skipped", "2 lines before the header skipped"}
	if d := cmp.Diff(want, r.infos[0].Notes); d != "" || len(r.calls) != 1 || r.err != nil {
		t.Fatal(d, r.err)
	}
}

func TestEncodings(t *testing.T) {
	row := "r1,2026-10-01T10:00:00Z,60000,+493012345678,J\xfcrgen\n"
	for _, c := range []struct {
		name, encoding string
		want           string
		bad            int
	}{
		{"said to be Windows-1252", "windows-1252", "Jürgen", 0},
		{"said to be ISO 8859-1", "iso-8859-1", "Jürgen", 0},
		{"not said: the row is bad, not garbled", "", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dialect.Canonical()
			p.Files.Encoding = c.encoding
			r := readSide(t, engine.Carrier, Options{Profile: p}, 10, textInput("a.csv", header+oneRow+row))
			if r.err != nil || len(r.bad) != c.bad {
				t.Fatalf("%+v", r)
			}
			if c.bad == 0 && r.calls[1].Callee.Full() != c.want {
				t.Errorf("%+v", r.calls[1])
			}
		})
	}
}

func TestAnIgnoredColumnMayHoldAnyBytes(t *testing.T) {
	r := readSide(t, engine.Carrier, Options{}, 10, textInput("a.csv", "start,duration_ms,name\n2026-10-01T10:00:00Z,1,J\xfcrgen\n"))
	if r.err != nil || len(r.calls) != 1 {
		t.Fatalf("%+v", r)
	}
}
