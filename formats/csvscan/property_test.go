package csvscan

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestChunksChangeNothing cuts any text into chunks of many sizes: the rows,
// their lines and what is wrong with them stay the same.
func TestChunksChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{
			"a", "bb", ",", ",", "\n", "\n", "\r", "\r\n", `"`, `""`, `,"`, `",`, "#", "T;", "\"\n", strings.Repeat("x", 30), "ü",
		})).Draw(rt, "parts")
		text := strings.Join(parts, "")
		o := Options{
			Comment: "#", Trailer: "T;", MaxField: 24, MaxRecord: rapid.IntRange(24, 90).Draw(rt, "record"),
			NoQuotes: rapid.Bool().Draw(rt, "unquoted"), SkipLines: rapid.IntRange(0, 2).Draw(rt, "skip"),
		}
		o.ChunkSize = 1 << 20
		whole := NewReader(strings.NewReader(text), o)
		want := readAll(t, whole, 3)
		o.ChunkSize = rapid.IntRange(1, 60).Draw(rt, "chunk")
		cut := NewReader(iotest.HalfReader(strings.NewReader(text)), o)
		if d := cmp.Diff(want, readAll(t, cut, 3)); d != "" {
			rt.Fatal(d)
		}
		if d := cmp.Diff(whole.Counts(), cut.Counts()); d != "" {
			rt.Fatal(d)
		}
		if whole.Ended() != cut.Ended() {
			rt.Fatalf("ended %v, in small chunks %v", whole.Ended(), cut.Ended())
		}
		checkLines(rt, text, whole.Counts().Lines)
	})
}

// checkLines counts the physical lines in the plainest way.
func checkLines(t *rapid.T, text string, got int64) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	want := int64(strings.Count(text, "\n"))
	if text != "" && !strings.HasSuffix(text, "\n") {
		want++
	}
	if got != want {
		t.Fatalf("%d lines, want %d", got, want)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a,b,c\n\"x\ny\",,\r\n#\rT;1\n\""), byte(','), 7)
	f.Add([]byte(strings.Repeat("\"\"\r", 40)), byte(';'), 1)
	f.Fuzz(func(t *testing.T, text []byte, delimiter byte, size int) {
		if bytes.IndexByte([]byte("\"\r\n\x00"), delimiter) >= 0 {
			return
		}
		o := Options{Delimiter: delimiter, Comment: "#", Trailer: "T;", MaxField: 24, MaxRecord: 70, ChunkSize: size & 0xff}
		want := readAll(t, NewReader(bytes.NewReader(text), o), 3)
		got := readAll(t, NewReader(iotest.OneByteReader(bytes.NewReader(text)), o), 3)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestReadErrorsAreHandedOn(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("a,b\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), Options{})
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
}
