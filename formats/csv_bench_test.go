package formats

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"concord/engine"
)

// BenchmarkCSV reads a canonical file of eight columns, whole: hashed, cut,
// split and decoded, by one goroutine.
func BenchmarkCSV(b *testing.B) {
	const rows = 200_000
	var text strings.Builder
	text.WriteString("record_id,correlation_id,caller,callee,start,duration_ms,cause,revision\n")
	for i := range rows {
		fmt.Fprintf(&text, "r%08d,8f14e45f-%08d,+4930%07d,+4420%07d,2026-10-01T10:%02d:%02dZ,%d,16,1\n", i, i, i, i*7%9999999, i/60%60, i%60, i*1000)
	}
	in := textInput("a.csv", text.String())
	b.SetBytes(in.Size)
	b.ReportAllocs()
	for b.Loop() {
		if got := drainCSV(b, in); got != rows {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func drainCSV(b *testing.B, in Input) (n int) {
	ctx := context.Background()
	f, err := Open(ctx, engine.Carrier, []Input{in}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]engine.Call, 256)
	for {
		p, err := f.Next(ctx)
		if err == io.EOF {
			break
		}
		for err != io.EOF {
			if err != nil {
				b.Fatal(err)
			}
			var k int
			k, err = p.Read(ctx, dst)
			n += k
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Finish(ctx); err != nil {
		b.Fatal(err)
	}
	return n
}
