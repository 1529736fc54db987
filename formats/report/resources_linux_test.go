package report_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"concord/engine"
	"concord/formats/report"
)

// BenchmarkMillion writes the whole report of a million discrepancies, and says
// how much processor time and memory that takes. Its cases are made as they
// are read.
func BenchmarkMillion(b *testing.B) {
	opts := report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv.gz"}}}, Rules: engine.DefaultRules()}
	f := manyCases(1_000_000)
	dir := b.TempDir()
	for b.Loop() {
		before := processorTime(b)
		if _, err := report.Write(context.Background(), into(dir), f, opts); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((processorTime(b) - before).Seconds(), "cpu-s/op")
	}
	b.ReportMetric(float64(peakMemory(b))/(1<<20), "peak-MiB")
}

func resources(t testing.TB) (u syscall.Rusage) {
	t.Helper()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// processorTime is what this process has used.
func processorTime(t testing.TB) time.Duration {
	u := resources(t)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the most that this process has held, in bytes.
func peakMemory(t testing.TB) int64 { return resources(t).Maxrss << 10 }
