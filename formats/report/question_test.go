package report_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/report"
)

// openCases opens the discrepancies of a report of a folder.
func openCases(t testing.TB, dir string) *report.Cases {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "discrepancies.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c, err := report.OpenCases(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func written(t testing.TB, f *fakeResult, o report.Options) *report.Cases {
	t.Helper()
	dir := t.TempDir()
	if _, err := report.Write(context.Background(), into(dir), f, o); err != nil {
		t.Fatal(err)
	}
	return openCases(t, dir)
}

func TestARowIsReadAsItWasWritten(t *testing.T) {
	c := written(t, sampleResult(), sampleOptions())
	got, err := c.Find(t.Context(), report.Question{Limit: 10})
	if err != nil || got.Total != 4 || len(got.Rows) != 4 {
		t.Fatalf("got %+v, %v", got, err)
	}
	over, evil, invalid := got.Rows[0], got.Rows[2], got.Rows[3]
	if over.ID != "a1" || over.Class != "duration_over" || over.Caller != "+4930123456" || *over.DifferenceMS != 3250 || *over.MicrosoftMS != 60_000 ||
		over.CarrierFile != "-one.csv" || over.CarrierRow != 2 || over.MicrosoftRow != 1 || over.CarrierStart.Sub(over.MicrosoftStart).Milliseconds() != 1500 {
		t.Errorf("the first row is %+v", over)
	}
	if evil.CarrierIDs != `=cmd|' /C calc'!A0` || evil.TenantID != "@SUM(A1)" || evil.Callee != "" || evil.MicrosoftMS != nil || evil.DifferenceMS != nil || !evil.MicrosoftStart.IsZero() {
		t.Errorf("the third row is %+v", evil)
	}
	if invalid.Class != "invalid" || invalid.MicrosoftRow != 4 || invalid.MicrosoftMS != nil {
		t.Errorf("the last row is %+v", invalid)
	}
	if d, ok, err := c.Case(t.Context(), "a2"); err != nil || !ok || d.CarrierIDs != "c2 c3" || d.Flags != "cut_off time_differs" {
		t.Errorf("the case a2 is %+v, %v, %v", d, ok, err)
	}
	if _, ok, err := c.Case(t.Context(), "zz"); err != nil || ok {
		t.Errorf("a case that is not there: %v, %v", ok, err)
	}
}

// scattered are cases of all kinds in no order but that of their starts.
func scattered(n int, r *rand.Rand) *fakeResult {
	f := &fakeResult{}
	var list []engine.Case
	kinds := []engine.Class{engine.DurationOver, engine.DurationUnder, engine.MissingAtCarrier, engine.MissingAtMicrosoft, engine.Invalid}
	for i := range n {
		k := kinds[r.IntN(len(kinds))]
		m := leg(fmt.Sprintf("m%06d", r.IntN(1_000_000)), noon+int64(i)*1000, r.Int64N(5000), 0, int64(i+1))
		c := leg(fmt.Sprintf("c%06d", r.IntN(1_000_000)), noon+int64(i)*1000, r.Int64N(5000), 0, int64(i+1))
		m.Caller = engine.E164(4930_000000 + r.Uint64N(20_000))
		x := engine.Case{ID: fmt.Sprintf("%08x", r.Uint32()), Class: k, Flags: engine.Flags(r.IntN(8)), Microsoft: &m, Carrier: []engine.Leg{c}}
		switch k {
		case engine.MissingAtCarrier:
			x.Carrier = nil
		case engine.MissingAtMicrosoft:
			x.Microsoft = nil
		case engine.Invalid:
			x.Microsoft, x.Carrier, x.Reject = &engine.Leg{Call: engine.Call{Row: int64(i + 1)}}, nil, &engine.RowError{}
		}
		f.sum.Discrepancies[k]++
		list = append(list, x)
	}
	f.cases = each(list)
	f.sum.Files = [2][]engine.FileTally{{{}}, {{}}}
	f.tie()
	return f
}

// slowly answers a question from all rows.
func slowly(all []report.Discrepancy, q report.Question) report.Answer {
	var hits []report.Discrepancy
	for _, d := range all {
		ids := []string{d.ID, d.MicrosoftID, d.CarrierIDs, d.CorrelationID, d.TenantID, d.MicrosoftFile, d.CarrierFile}
		text := q.Text == "" || slices.ContainsFunc(ids, func(s string) bool { return strings.Contains(s, q.Text) })
		if len(q.Text) == 4 && strings.Trim(q.Text, "0123456789") == "" {
			text = text || strings.HasSuffix(d.Caller, q.Text) || strings.HasSuffix(d.Callee, q.Text)
		}
		if text && (q.Class == "" || d.Class == q.Class) && (q.Action == "" || d.Action == q.Action) &&
			(q.Flag == "" || slices.Contains(strings.Fields(d.Flags), q.Flag)) {
			hits = append(hits, d)
		}
	}
	key := func(d report.Discrepancy) int64 {
		v := map[report.Order]*int64{report.ByEffect: d.EffectMS(), report.ByMicrosoft: d.MicrosoftMS, report.ByCarrier: d.CarrierMS}[q.Order]
		if v == nil {
			return -1
		}
		return max(*v, -*v)
	}
	if q.Order != report.ByStart {
		slices.SortStableFunc(hits, func(a, b report.Discrepancy) int { return cmp.Compare(key(b), key(a)) })
	}
	total := len(hits)
	hits = hits[min(q.Offset, total):min(q.Offset+q.Limit, total)]
	return report.Answer{Rows: hits, Total: int64(total)}
}

// TestAnswersAreThoseOfALookAtEveryRow compares with a slow search, over more
// than one row group and more than one page.
func TestAnswersAreThoseOfALookAtEveryRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := written(t, scattered(70_000, r), report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv"}}}, Rules: engine.DefaultRules()})
	whole, err := c.Find(t.Context(), report.Question{Limit: int(c.Rows())})
	if err != nil || whole.Total != 70_000 || len(whole.Rows) != 70_000 {
		t.Fatalf("%d of %d rows, %v", len(whole.Rows), whole.Total, err)
	}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range 60 {
		q := report.Question{
			Class: pick("", "", "duration_over", "missing_at_carrier", "matched"), Action: pick("", "", "carrier fixes", "finance disputes"),
			Flag: pick("", "", "cut_off", "off"), Text: pick("", "", "m0012", "77", "0042", "1999", whole.Rows[r.IntN(70_000)].ID, "nowhere"),
			Order: report.Order(pick("", "effect", "microsoft", "carrier")), Offset: r.IntN(200), Limit: 1 + r.IntN(60),
		}
		if r.IntN(4) == 0 {
			q.Offset = 9000
		}
		got, err := c.Find(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		want := slowly(whole.Rows, q)
		if got.Total != want.Total || fmt.Sprint(ids(got.Rows)) != fmt.Sprint(ids(want.Rows)) {
			t.Fatalf("%+v:\ngot  %d %v\nwant %d %v", q, got.Total, ids(got.Rows), want.Total, ids(want.Rows))
		}
	}
}

func ids(list []report.Discrepancy) (all []string) {
	for _, d := range list {
		all = append(all, d.ID)
	}
	return all
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	c := written(t, sampleResult(), sampleOptions())
	for _, q := range []report.Question{{Order: "caller"}, {Order: report.ByEffect, Offset: report.MostOrdered, Limit: 1}} {
		if _, err := c.Find(t.Context(), q); err == nil {
			t.Errorf("%+v was answered", q)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Find(ctx, report.Question{Order: report.ByEffect, Limit: 1}); err == nil {
		t.Error("a search goes on for nobody")
	}
	for _, b := range [][]byte{nil, []byte("PAR1"), bytes.Repeat([]byte{0}, 1000)} {
		if _, err := report.OpenCases(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%d bytes are a table", len(b))
		}
	}
}

func TestWhatCountsInTotals(t *testing.T) {
	for class, want := range map[string]bool{"matched": true, "duration_over": true, "missing_at_carrier": true, "invalid": false, "duplicate": false, "pending_late": false, "": false} {
		if report.Counts(class) != want {
			t.Errorf("%s counts: %v", class, !want)
		}
	}
}

// BenchmarkFind asks what a page of the console asks of a million discrepancies.
func BenchmarkFind(b *testing.B) {
	c := written(b, manyCases(1_000_000), report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv.gz"}}}, Rules: engine.DefaultRules()})
	for name, q := range map[string]report.Question{
		"first page": {}, "last page": {Offset: 999_950}, "class": {Class: "duration_over"}, "class, deep": {Class: "duration_over", Offset: 500_000},
		"effect": {Order: report.ByEffect}, "class by difference, deep": {Class: "duration_over", Order: report.ByMicrosoft, Offset: 5000},
		"longest": {Order: report.ByMicrosoft}, "text": {Text: "nowhere"}, "case": {Case: "nowhere"},
	} {
		q.Limit = 50
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Find(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
