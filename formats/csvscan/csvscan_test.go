package csvscan

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// got is a Row that outlives its chunk.
type got struct {
	Fields []string
	Number int64
	Line   int64
	Reason Reason
}

// readAll cuts text and checks that the chunks add up.
func readAll(t testing.TB, r *Reader, want int) []got {
	t.Helper()
	var rows []got
	var s Splitter
	for {
		ch, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if ch.FirstRow != int64(len(rows))+1 {
			t.Fatalf("chunk begins with row %d, want %d", ch.FirstRow, len(rows)+1)
		}
		before := len(rows)
		s.Reset(ch, want)
		for row, ok := s.Next(); ok; row, ok = s.Next() {
			rows = append(rows, keep(row))
		}
		if int64(len(rows)-before) != ch.Rows {
			t.Fatalf("chunk holds %d rows, says %d", len(rows)-before, ch.Rows)
		}
		ch.Release()
	}
	if r.Counts().Rows != int64(len(rows)) {
		t.Fatalf("counted %d rows, cut %d", r.Counts().Rows, len(rows))
	}
	return rows
}

func keep(r Row) got {
	g := got{Number: r.Number, Line: r.Line, Reason: r.Reason}
	if r.Reason == "" {
		for _, f := range r.Fields {
			g.Fields = append(g.Fields, string(f))
		}
	}
	return g
}

func TestRows(t *testing.T) {
	long := strings.Repeat("x", 101)
	for _, c := range []struct {
		name, text string
		want       []got
	}{
		{"plain lines", "a,b\nc,d\n", []got{{[]string{"a", "b"}, 1, 1, ""}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"no line end at the end", "a,b", []got{{[]string{"a", "b"}, 1, 1, ""}}},
		{"CRLF", "a,b\r\nc,d\r\n", []got{{[]string{"a", "b"}, 1, 1, ""}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"CR only", "a,b\rc,d\r", []got{{[]string{"a", "b"}, 1, 1, ""}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"mixed line ends", "a,b\rc,d\r\ne,f\ng,h", []got{
			{[]string{"a", "b"}, 1, 1, ""}, {[]string{"c", "d"}, 2, 2, ""}, {[]string{"e", "f"}, 3, 3, ""}, {[]string{"g", "h"}, 4, 4, ""}}},
		{"empty fields stay", ",\n,\n", []got{{[]string{"", ""}, 1, 1, ""}, {[]string{"", ""}, 2, 2, ""}}},
		{"quoted delimiters and quotes", "\"a,\"\"b\"\"\",\"\"\n", []got{{[]string{`a,"b"`, ""}, 1, 1, ""}}},
		{"CRLF inside quotes is kept", "\"a\r\nb\",c\nd,e\n", []got{{[]string{"a\r\nb", "c"}, 1, 1, ""}, {[]string{"d", "e"}, 2, 3, ""}}},
		{"blank lines are no rows", "a,b\n\n\r\nc,d\n", []got{{[]string{"a", "b"}, 1, 1, ""}, {[]string{"c", "d"}, 2, 4, ""}}},
		{"comments are no rows", "#x\"\na,b\n", []got{{[]string{"a", "b"}, 1, 2, ""}}},
		{"a line too short", "a\nc,d\n", []got{{nil, 1, 1, TooFewFields}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"a line too long by a field", "a,b,c\nc,d\n", []got{{nil, 1, 1, TooManyFields}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"a stray quote costs its line only", "a\"x,b\nc,d\n", []got{{nil, 1, 1, StrayQuote}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"text after a closing quote", "\"a\"x,\"b\nc,d\n", []got{{nil, 1, 1, StrayQuote}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"an unclosed quote costs its line only", "a,\"b\nc,d\ne,f", []got{
			{nil, 1, 1, Unclosed}, {[]string{"c", "d"}, 2, 2, ""}, {[]string{"e", "f"}, 3, 3, ""}}},
		{"an unclosed quote after a field of two lines", "\"a\nb\",\"c\nd,e\n", []got{
			{nil, 1, 2, Unclosed}, {[]string{"d", "e"}, 2, 3, ""}}},
		{"a quote closed too late", "\"" + long + "\n" + "\",b\nc,d\n", []got{
			{nil, 1, 1, Unclosed}, {nil, 2, 2, Unclosed}, {[]string{"c", "d"}, 3, 3, ""}}},
		{"a field too long", long + ",b\nc,d\n", []got{{nil, 1, 1, FieldTooLong}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"a record too long", strings.Repeat("x,", 101) + "\nc,d\n", []got{{nil, 1, 1, RecordTooLong}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"a record much too long", strings.Repeat("x,", 5000) + "\r\nc,d\n", []got{{nil, 1, 1, RecordTooLong}, {[]string{"c", "d"}, 2, 2, ""}}},
		{"an open quote and no line end any more", "a,b\n\"" + strings.Repeat("x", 5000), []got{
			{[]string{"a", "b"}, 1, 1, ""}, {nil, 2, 2, Unclosed}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size < 600; size = size*2 + 1 {
				o := Options{Comment: "#", MaxField: 100, MaxRecord: 200, ChunkSize: size}
				rows := readAll(t, NewReader(iotest.HalfReader(strings.NewReader(c.text)), o), 2)
				if d := cmp.Diff(c.want, rows); d != "" {
					t.Fatalf("chunk size %d: %s", size, d)
				}
			}
		})
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"first line", "a,b\n1,2\n", []string{"a", "b"}, ""},
		{"behind blank lines and comments", "\n# x\n\"a\",b\n1,2\n", []string{"a", "b"}, ""},
		{"nothing but the header", "a,b", []string{"a", "b"}, ""},
		{"nothing", "\n\n", nil, "EOF"},
		{"a broken header", "\na,\"b\n1,2\n", nil, "line 2: " + string(Unclosed)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(iotest.OneByteReader(strings.NewReader(c.text)), Options{Comment: "#", ChunkSize: 3})
			names, _, err := r.Header(10)
			if fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if d := cmp.Diff(c.want, names); d != "" {
				t.Fatal(d)
			}
		})
	}
}

func TestTrailersAreKept(t *testing.T) {
	r := NewReader(strings.NewReader("a,b\nT,1,2\r\n\n#c\n"), Options{Trailer: "T,", Comment: "#"})
	rows := readAll(t, r, 2)
	if len(rows) != 1 || cmp.Diff(r.Trailers(), []string{"T,1,2"}) != "" {
		t.Fatalf("rows %v, trailers %q", rows, r.Trailers())
	}
	if d := cmp.Diff(Counts{Rows: 1, Lines: 4, Blank: 1, Comments: 1, Trailers: 1}, r.Counts()); d != "" {
		t.Fatal(d)
	}
}

func benchText(quoted bool) string {
	var b strings.Builder
	for i := range 200_000 {
		f := fmt.Sprintf("8f14e45f-%08d,out,+4930%07d,+4420%07d,2026-10-01T10:%02d:%02dZ,%d,16,1", i, i, i*7%9999999, i%60, i%59, i*1000)
		if quoted {
			f = `"` + strings.ReplaceAll(f, ",", `","`) + `"`
		}
		b.WriteString(f + "\n")
	}
	return b.String()
}

func BenchmarkScan(b *testing.B) {
	for _, quoted := range []bool{false, true} {
		text := benchText(quoted)
		b.Run(fmt.Sprintf("quoted=%v", quoted), func(b *testing.B) {
			rows := 0
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				rows += scanOnce(b, text)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
		})
		b.Run(fmt.Sprintf("boundaries/quoted=%v", quoted), func(b *testing.B) {
			rows := int64(0)
			for b.Loop() {
				rows += cutOnce(b, text)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
		})
	}
}

func scanOnce(b *testing.B, text string) (rows int) {
	r := NewReader(strings.NewReader(text), Options{})
	var s Splitter
	for {
		ch, err := r.Next()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			b.Fatal(err)
		}
		s.Reset(ch, 8)
		for row, ok := s.Next(); ok; row, ok = s.Next() {
			if row.Reason != "" {
				b.Fatal(row.Reason)
			}
			rows++
		}
		ch.Release()
	}
}

func cutOnce(b *testing.B, text string) int64 {
	r := NewReader(strings.NewReader(text), Options{})
	for {
		ch, err := r.Next()
		if err != nil {
			return r.Counts().Rows
		}
		ch.Release()
	}
}
