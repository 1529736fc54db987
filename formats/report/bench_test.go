package report_test

import (
	"context"
	"fmt"
	"testing"

	"concord/engine"
	"concord/formats/report"
)

// manyCases yields n cases of two classes, each with ids of its own.
func manyCases(n int) *fakeResult {
	ids := make([][4]string, 4096)
	for i := range ids {
		for j := range ids[i] {
			ids[i][j] = fmt.Sprintf("%08x-%04x-4b1d-9c3a-%012x", i*2654435761&0xffffffff, j, i*7919+j)
		}
	}
	f := &fakeResult{}
	f.cases = func(yield func(*engine.Case) bool) {
		c := engine.Case{Carrier: make([]engine.Leg, 1)}
		var m engine.Leg
		for i := range n {
			id := &ids[i%len(ids)]
			c.ID = id[3][:16]
			c.Class = engine.DurationOver
			m = engine.Leg{Call: engine.Call{RecordID: id[0], CorrelationID: id[2], TenantID: ids[i%8][0],
				Start: noon + int64(i)*1_234_567, DurationMS: int64(i % 3600_000), Row: int64(i), Caller: engine.E164(4930_000000 + uint64(i*7919%1000000)), Callee: engine.E164(3314_000000 + uint64(i)*31%1000000)}}
			c.Carrier[0] = m
			c.Carrier[0].RecordID = id[1]
			c.Carrier[0].DurationMS += 3000
			c.Microsoft = &m
			if i%3 == 0 {
				c.Class, c.Microsoft = engine.MissingAtMicrosoft, nil
			}
			if !yield(&c) {
				return
			}
		}
	}
	f.sum.Carrier = "fabrikam"
	f.sum.Files = [2][]engine.FileTally{{{}}, {{}}}
	f.sum.Discrepancies[engine.MissingAtMicrosoft] = int64((n + 2) / 3)
	f.sum.Discrepancies[engine.DurationOver] = int64(n - (n+2)/3)
	f.tie()
	return f
}

// BenchmarkDiscrepancies writes 300,000 discrepancies as CSV and Parquet.
func BenchmarkDiscrepancies(b *testing.B) {
	opts := report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv.gz"}}}, Rules: engine.DefaultRules()}
	f := manyCases(300_000)
	dir := b.TempDir()
	for b.Loop() {
		if _, err := report.Write(context.Background(), into(dir), f, opts); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerdicts writes the verdicts on 500,000 records of each side.
func BenchmarkVerdicts(b *testing.B) {
	const n = 500_000
	f := &fakeResult{}
	f.cases = func(func(*engine.Case) bool) {}
	for side := range engine.Side(2) {
		f.sum.Files[side] = []engine.FileTally{{Rows: n, Accepted: n}}
		f.sum.Classes[side][engine.Matched].Records = n
		for i := range n {
			f.verdicts = append(f.verdicts, engine.Verdict{Side: side, Row: int64(i + 1), RecordID: fmt.Sprintf("%036x", i*7919),
				Class: engine.Matched, CaseID: fmt.Sprintf("%024x", i*104729), Pass: engine.PassID, HasPartner: true, PartnerRow: int64(n - i)})
		}
	}
	opts := report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet", Rows: n}}, {{Name: "carrier.csv.gz", Rows: n}}}, Verdicts: true}
	dir := b.TempDir()
	for b.Loop() {
		if _, err := report.Write(context.Background(), into(dir), f, opts); err != nil {
			b.Fatal(err)
		}
	}
}
