package formats

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"

	"concord/engine"
)

// endless is a file that is made while it is read: a head, then one text over
// and over.
type endless struct {
	head, body string
	size       int64
}

func (e endless) ReadAt(p []byte, at int64) (n int, err error) {
	if left := e.size - at; int64(len(p)) > left {
		p, err = p[:left], io.EOF
	}
	if at < int64(len(e.head)) {
		n = copy(p, e.head[at:])
	}
	if n == len(p) {
		return n, err
	}
	// One round of the body, and then copies of what is there.
	first := int(at+int64(n)-int64(len(e.head))) % len(e.body)
	end := n + copy(p[n:], e.body[first:]+e.body[:first])
	for end < len(p) {
		end += copy(p[end:], p[n:end])
	}
	return end, err
}

// heapPeak returns the largest heap seen while f runs and calls its step.
func heapPeak(f func(step func())) (grown int64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := int64(m.HeapAlloc), int64(0)
	n := 0
	f(func() {
		if n++; n%16 == 0 {
			runtime.ReadMemStats(&m)
			peak = max(peak, int64(m.HeapSys-m.HeapReleased), int64(m.HeapAlloc))
		}
	})
	runtime.ReadMemStats(&m)
	return max(peak, int64(m.HeapAlloc)) - before
}

// TestHugeNonsenseIsReadInLittleMemory reads files that a naive reader would
// hold whole.
func TestHugeNonsenseIsReadInLittleMemory(t *testing.T) {
	const size = 80 << 20
	for _, c := range []struct {
		name string
		side engine.Side
		in   endless
		want string
	}{
		{"an open quote and never a line end", engine.Carrier, endless{header + oneRow + "r2,\"", "x", size}, "line 3 goes on for more than 64 MiB: the quote opened on this line is not closed"},
		{"an open quote and doubled quotes", engine.Carrier, endless{header + oneRow + "r2,\"", `""`, size}, "line 3 goes on for more than 64 MiB"},
		{"an open quote and blank lines", engine.Carrier, endless{header + oneRow + "r2,\"", "\n", size}, ""},
		{"one line of delimiters", engine.Carrier, endless{header + oneRow, ",", size}, "line 3 goes on for more than 64 MiB: "},
		{"an open quote and text that is no rows", engine.Carrier, endless{header + oneRow + "\"", "xy\n", size}, "the first is line 3: the quote opened on this line is not closed"},
		{"nothing but an open quote", engine.Carrier, endless{header + "\"", "x", size}, "line 2 goes on for more than 64 MiB: the quote opened on this line is not closed"},
		{"a header without an end", engine.Carrier, endless{"start,", "x", size}, "the header cannot be read: line 1: "},
		{"JSON in one endless text", engine.Microsoft, endless{`{"value":[{"id":"`, "x", size}, "longer than"},
		{"JSON that only opens", engine.Microsoft, endless{``, `[`, size}, "JSON"},
		{"JSON in endless properties", engine.Microsoft, endless{`{"a":1`, `,"a":1`, size}, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			grown := heapPeak(func(step func()) { err = drain(c.side, Input{Name: "a", R: c.in, Size: c.in.size}, step) })
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if grown > 64<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

// drain reads a file to its end and drops what it holds.
func drain(side engine.Side, in Input, step func()) error {
	ctx := context.Background()
	f, err := Open(ctx, side, []Input{in}, Options{})
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	dst := make([]engine.Call, 64)
	for {
		step()
		p, err := f.Next(ctx)
		if err == io.EOF {
			return f.Finish(ctx)
		}
		if err != nil {
			return err
		}
		for err != io.EOF {
			_, err = p.Read(ctx, dst)
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
}

func FuzzOpen(f *testing.F) {
	text := header + oneRow
	for _, b := range [][]byte{
		[]byte(text), []byte(graphPSTN), []byte(graphDR), []byte(teamsPSTN), []byte(teamsDR),
		packGzip(f, []byte(text)), packZstd(f, []byte(text)), packZip(f, []string{"a.csv"}, []string{text}),
		[]byte("\xff\xfes\x00,\x00\n\x00"), []byte("start,duration_ms\n\"\n\r\"\"\n"),
	} {
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, microsoft bool) {
		if bytes.HasPrefix(b, magicParquet) {
			return
		}
		side := engine.Carrier
		if microsoft {
			side = engine.Microsoft
		}
		r := readSide(t, side, Options{}, 7, bytesInput("a", b))
		for _, i := range r.infos {
			if i.Rows != i.Accepted+i.Rejected+i.Filtered || i.Accepted != int64(len(r.calls)) || i.Rejected != int64(len(r.bad)) {
				t.Errorf("%d calls, %d bad: %+v", len(r.calls), len(r.bad), i)
			}
		}
	})
}
