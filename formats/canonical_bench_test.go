package formats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"concord/engine"
	"concord/formats/parquetio"
)

// benchColumns are what a typical canonical file of a carrier's calls has.
func benchColumns() []string {
	return []string{"record_id", "correlation_id", "tenant_id", "call_type", "direction", "caller", "callee", "start", "duration_ms"}
}

// benchCalls makes n calls like those of a busy month: unique ids, 40
// tenants, numbers that come again.
func benchCalls(n int) []engine.Call {
	calls := make([]engine.Call, n)
	x := uint64(88172645463325252)
	next := func() uint64 { x ^= x << 13; x ^= x >> 7; x ^= x << 17; return x }
	for i := range calls {
		a, b := next(), next()
		calls[i] = engine.Call{
			RecordID:      fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a), uint16(b), a>>52, uint16(b>>16), a>>16),
			CorrelationID: fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(b), uint16(a), b>>52, uint16(a>>16), b>>16),
			TenantID:      fmt.Sprintf("00000000-0000-4000-8000-%012d", a%40),
			CallType:      []string{"user_in", "user_out", "conf_in", "dr_out"}[b%4],
			Direction:     engine.Direction(1 + b%2),
			Caller:        engine.E164(493000000000 + a%2_000_000),
			Callee:        engine.E164(442000000000 + b%50_000_000),
			Start:         1_760_000_000_000_000 + int64(i)*250_000 + int64(a%1000)*1000,
			DurationMS:    int64(b % 600_000),
		}
	}
	return calls
}

func benchRead(b *testing.B, file []byte, rows int, opts Options) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	dst := make([]engine.Call, 1024)
	for b.Loop() {
		f, err := Open(context.Background(), engine.Carrier, []Input{{Name: "bench", R: bytes.NewReader(file), Size: int64(len(file))}}, opts)
		if err != nil {
			b.Fatal(err)
		}
		if n := countCalls(b, f, dst); n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func countCalls(b *testing.B, f *Files, dst []engine.Call) (rows int) {
	ctx := context.Background()
	for {
		p, err := f.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			var n int
			n, err = p.Read(ctx, dst)
			rows += n
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(f.Finish(ctx), f.Close()); err != nil {
		b.Fatal(err)
	}
	return rows
}

func BenchmarkRead(b *testing.B) {
	const rows = 400_000
	calls := benchCalls(rows)
	for name, format := range map[string]CanonicalFormat{"parquet": CanonicalParquet, "csv": CanonicalCSV} {
		file, err := written(engine.Carrier, format, CanonicalOptions{Columns: benchColumns()}, calls)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) { benchRead(b, file, rows, Options{}) })
		b.Run(name+"-details", func(b *testing.B) { benchRead(b, file, rows, Options{Details: true}) })
	}
}

func BenchmarkWrite(b *testing.B) {
	const rows = 200_000
	calls := benchCalls(rows)
	for name, opts := range map[string]CanonicalOptions{"nine-columns": {Columns: benchColumns()}, "all-columns": {}} {
		for format, f := range map[string]CanonicalFormat{"parquet": CanonicalParquet, "csv": CanonicalCSV} {
			b.Run(format+"/"+name, func(b *testing.B) {
				for b.Loop() {
					w, err := NewCanonicalWriter(io.Discard, engine.Carrier, f, opts)
					if err == nil {
						err = errors.Join(w.Write(calls), w.Close())
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}

// BenchmarkWriteGroups writes the same as Parquet by way of buffers, as a
// delivery does.
func BenchmarkWriteGroups(b *testing.B) {
	const rows, group = 200_000, 128 << 10
	calls := benchCalls(rows)
	for name, columns := range map[string][]string{"nine-columns": benchColumns(), "all-columns": nil} {
		b.Run(name, func(b *testing.B) {
			c, err := NewCallColumns(columns)
			if err != nil {
				b.Fatal(err)
			}
			g, bufs := new(parquetio.Group), make([]parquetio.Buffer, len(c.Parquet()))
			for b.Loop() {
				if err := writeGroups(io.Discard, c, g, bufs, calls, group); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

func writeGroups(out io.Writer, c *CallColumns, g *parquetio.Group, bufs []parquetio.Buffer, calls []engine.Call, group int) error {
	w, err := parquetio.NewGroupWriter(out, c.Parquet(), parquetio.WriterOptions{Codec: parquetio.Snappy})
	if err != nil {
		return err
	}
	enc := c.Encoder()
	for len(calls) > 0 {
		n := min(group, len(calls))
		for i := range calls[:n] {
			enc.Append(bufs, &calls[i])
		}
		if err := errors.Join(g.Encode(c.Parquet(), bufs, parquetio.Snappy), w.Write(g)); err != nil {
			return err
		}
		for i := range bufs {
			bufs[i].Reset()
		}
		calls = calls[n:]
	}
	return w.Close()
}
