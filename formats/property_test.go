package formats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/engine"
	"concord/formats/dialect"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// readBeside reads a side with several goroutines at once and puts what they
// got in order.
func readBeside(files *Files, workers, size int) (calls []engine.Call, bad []engine.RowError, err error) {
	ctx := context.Background()
	parts := make(chan engine.Part)
	got := make([]read, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for p := range parts {
				errs[w] = errors.Join(errs[w], got[w].part(ctx, p, size))
			}
		})
	}
	for err == nil {
		var p engine.Part
		if p, err = files.Next(ctx); err == nil {
			parts <- p
		}
	}
	close(parts)
	wg.Wait()
	if !errors.Is(err, io.EOF) {
		errs = append(errs, err)
	}
	for _, g := range got {
		calls, bad = append(calls, g.calls...), append(bad, g.bad...)
	}
	slices.SortFunc(calls, func(a, b engine.Call) int { return int(a.Row - b.Row) })
	slices.SortFunc(bad, func(a, b engine.RowError) int { return int(a.Row - b.Row) })
	return calls, bad, errors.Join(append(errs, files.Finish(ctx), files.Close())...)
}

// hand is how somebody writes their files.
type hand struct {
	delimiter byte
	end       string
	quotes    int // 0 where needed, 1 always
	encoding  int
	packing   int
	blank     bool
}

func drawHand(t *rapid.T) hand {
	return hand{
		delimiter: rapid.SampledFrom([]byte(",;\t|")).Draw(t, "delimiter"),
		end:       rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end"),
		quotes:    rapid.IntRange(0, 1).Draw(t, "quotes"),
		encoding:  rapid.IntRange(0, 3).Draw(t, "encoding"),
		packing:   rapid.IntRange(0, 3).Draw(t, "packing"),
		blank:     rapid.Bool().Draw(t, "blank"),
	}
}

func (h hand) line(fields ...string) string {
	for i, f := range fields {
		if h.quotes == 1 || strings.ContainsAny(f, "\"\r\n"+string(h.delimiter)) {
			fields[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
	}
	s := strings.Join(fields, string(h.delimiter)) + h.end
	if h.blank {
		s += h.end
	}
	return s
}

func (h hand) pack(t testing.TB, text string) []byte {
	data := []byte(text)
	switch h.encoding {
	case 1:
		data = append([]byte("\xEF\xBB\xBF"), data...)
	case 2:
		data = utf16(t, unicode.LittleEndian, text)
	case 3:
		data = utf16(t, unicode.BigEndian, text)
	}
	switch h.packing {
	case 1:
		return packGzip(t, data)
	case 2:
		return packZstd(t, data)
	case 3:
		return packZip(t, []string{"a.csv"}, []string{string(data)})
	}
	return data
}

// drawRecord draws a record and the fields that stand for it; a bad one has a
// duration that is none.
func drawRecord(t *rapid.T, row int64) (c engine.Call, fields []string, bad bool) {
	text := rapid.StringMatching(`[a-zäß",;|\t \r\n-]{0,12}x`)
	c = engine.Call{
		RecordID:      text.Draw(t, "id"),
		CorrelationID: text.Draw(t, "correlation"),
		Caller:        engine.E164(rapid.Uint64Range(1_000_000, 999_999_999_999).Draw(t, "caller")),
		Callee:        engine.E164(rapid.Uint64Range(1_000_000, 999_999_999_999).Draw(t, "callee")),
		Start:         rapid.Int64Range(0, 4e15).Draw(t, "start"),
		DurationMS:    rapid.Int64Range(0, 1e8).Draw(t, "duration"),
		Row:           row,
	}
	fields = []string{
		c.RecordID, c.CorrelationID, c.Caller.Full(), c.Callee.Full(),
		time.UnixMicro(c.Start).UTC().Format("2006-01-02T15:04:05.999999Z07:00"), fmt.Sprint(c.DurationMS),
	}
	if bad = rapid.IntRange(0, 9).Draw(t, "bad") == 0; bad {
		fields[5] = "x"
	}
	return c, fields, bad
}

// TestEveryHandIsReadAlike writes records in any dialect and reads them back:
// the same, whoever reads them and wherever the parts are cut.
func TestEveryHandIsReadAlike(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHand(rt)
		text := h.line("record_id", "correlation_id", "caller", "callee", "start", "duration_ms")
		var want []engine.Call
		var bad []int64
		rows := rapid.IntRange(0, 40).Draw(rt, "rows")
		for row := range int64(rows) {
			c, fields, broken := drawRecord(rt, row+1)
			text += h.line(fields...)
			if broken {
				bad = append(bad, row+1)
			} else {
				want = append(want, c)
			}
		}
		opts := Options{Limits: dialect.Limits{MaxRejected: 1}, chunk: rapid.IntRange(1, 3000).Draw(rt, "chunk")}
		in := bytesInput("a", h.pack(t, text))
		files, err := Open(context.Background(), engine.Carrier, []Input{in}, opts)
		if err != nil {
			rt.Fatal(err)
		}
		calls, rejected, err := readBeside(files, rapid.IntRange(1, 4).Draw(rt, "workers"), rapid.IntRange(1, 9).Draw(rt, "size"))
		if err != nil && len(want) > 0 {
			rt.Fatal(err)
		}
		same := cmp.Comparer(func(a, b engine.Number) bool { return a == b })
		if d := cmp.Diff(want, calls, same); d != "" {
			rt.Fatal(d)
		}
		if len(rejected) != len(bad) || !slices.EqualFunc(rejected, bad, func(e engine.RowError, row int64) bool { return e.Row == row }) {
			rt.Fatalf("rejected %v, want rows %v", rejected, bad)
		}
		if i := files.Info()[0]; i.Rows != int64(rows) || i.Accepted+i.Rejected != i.Rows {
			rt.Fatalf("%+v", i)
		}
	})
}
