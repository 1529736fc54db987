package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"concord/engine"
	"concord/formats/report"
)

// book opens a workbook of a report with another program's reader.
func book(t *testing.T, parts ...string) *excelize.File {
	t.Helper()
	f, err := excelize.OpenFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// rows are the cells of a sheet as they are, not as they are shown.
func rows(t *testing.T, f *excelize.File, sheet string) [][]string {
	t.Helper()
	list, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// figures of summary.json that sheets must agree with.
type figures struct {
	Totals struct {
		Microsoft, Carrier struct{ Records, Milliseconds int64 }
	}
	Classes []struct {
		Class              string
		Discrepancies      int64
		Microsoft, Carrier struct{ Records, Milliseconds int64 }
	}
	Inputs []struct{ Name, SHA256 string }
}

func summaryOf(t *testing.T, out string) (f figures) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, out, "summary.json")), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// list is a sheet with rows of a table: its header is the third row, its
// totals are the last one.
type list struct {
	head, total []string
	rows        [][]string
}

func listOf(t *testing.T, f *excelize.File, sheet string) list {
	t.Helper()
	all := rows(t, f, sheet)
	if len(all) < 5 || len(all[len(all)-2]) != 0 {
		t.Fatalf("sheet %s has %d rows, or no empty one above its totals", sheet, len(all))
	}
	return list{all[2], all[len(all)-1], all[3 : len(all)-2]}
}

func (l list) column(name string) int {
	for i, n := range l.head {
		if n == name {
			return i
		}
	}
	return -1
}

func (l list) cell(row []string, name string) string {
	if i := l.column(name); i >= 0 && i < len(row) {
		return row[i]
	}
	return ""
}

// ms reads a cell in days, minutes or seconds.
func (l list) ms(t *testing.T, row []string, name string) int64 {
	t.Helper()
	v := l.cell(row, name)
	if v == "" {
		return 0
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	unit := map[string]float64{"time": 86_400_000, "minutes": 60_000, "seconds": 1000}[name[strings.LastIndex(name, "_")+1:]]
	if f < 0 {
		return int64(f*unit - 0.5)
	}
	return int64(f*unit + 0.5)
}

func (l list) sum(t *testing.T, name string) (ms int64) {
	for _, row := range l.rows {
		ms += l.ms(t, row, name)
	}
	return ms
}

func TestEverySheetTiesToTheSummary(t *testing.T) {
	for name, c := range map[string]struct {
		r report.Result
		o report.Options
	}{
		"every kind of row": {sampleResult(), sampleOptions()},
		"many rows":         {manyCases(5_000), report.Options{Inputs: [2][]report.Input{{{}}, {{}}}}},
		"no row":            {manyCases(0), report.Options{Inputs: [2][]report.Input{{{}}, {{}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			out := writeTo(t, c.r, c.o)
			want := summaryOf(t, out)
			f := book(t, out, "report.xlsx")
			if got := strings.Join(f.GetSheetList(), ", "); got != "Summary, Discrepancies, Usage, Inputs, Columns" {
				t.Errorf("sheets %s", got)
			}
			var cases, m, k int64
			for _, c := range want.Classes {
				if c.Discrepancies > 0 {
					cases, m, k = cases+c.Discrepancies, m+c.Microsoft.Milliseconds, k+c.Carrier.Milliseconds
				}
			}
			l := listOf(t, f, "Discrepancies")
			if int64(len(l.rows)) != cases {
				t.Errorf("%d rows, want %d", len(l.rows), cases)
			}
			for _, unit := range []string{"time", "minutes"} {
				for side, want := range map[string]int64{"microsoft_": m, "carrier_": k} {
					if got, total := l.sum(t, side+unit), l.ms(t, l.total, side+unit); got != want || total != want {
						t.Errorf("%s%s: rows %d, total %d, summary %d ms", side, unit, got, total, want)
					}
				}
			}
			if got := l.sum(t, "difference_seconds"); got != l.ms(t, l.total, "difference_seconds") || got != l.sum(t, "difference_minutes") {
				t.Errorf("difference %d ms", got)
			}
			if !strings.HasSuffix(l.total[0], fmt.Sprint(" of ", commas(cases))) {
				t.Errorf("the last row says %q", l.total[0])
			}
			sameTotals(t, f, want)
		})
	}
}

func commas(n int64) string {
	s := strconv.FormatInt(n, 10)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// sameTotals compares the first sheet with summary.json: the tie-out comes
// first, and the steps lead from one side's minutes to the other's.
func sameTotals(t *testing.T, f *excelize.File, want figures) {
	t.Helper()
	all := rows(t, f, "Summary")
	var sections []string
	at := map[string][]string{}
	for i, r := range all {
		if len(r) == 0 && i+1 < len(all) && len(all[i+1]) > 0 {
			sections = append(sections, all[i+1][0])
		}
		if len(r) > 0 && len(sections) > 0 {
			at[sections[len(sections)-1]+"/"+r[0]] = r
		}
	}
	if len(sections) < 6 || sections[0] != "Tie-out" {
		t.Errorf("sections %q", sections)
	}
	way := "From Microsoft’s minutes to the carrier’s/"
	steps := list{head: []string{"", "", "", "", "minutes", "so far_minutes"}}
	last := at[way]
	for key, r := range at {
		if strings.HasPrefix(key, way) && r[0] != "Microsoft" && len(r) > 4 && r[1] == "" {
			last = r
		}
	}
	if got := steps.ms(t, at[way+"Microsoft"], "minutes"); got != want.Totals.Microsoft.Milliseconds {
		t.Errorf("the steps begin at %d ms, want %d", got, want.Totals.Microsoft.Milliseconds)
	}
	var records [2]int64
	for key, r := range at {
		if strings.HasPrefix(key, way) && len(r) > 3 && r[0] != "Microsoft" && r[1] != "What it is" && r[1] != "" {
			for side := range records {
				n, _ := strconv.ParseInt(r[2+side], 10, 64)
				records[side] += n
			}
		}
	}
	if want := [2]int64{want.Totals.Microsoft.Records, want.Totals.Carrier.Records}; want[1] > 0 && records != want {
		t.Errorf("the records of the steps come to %d, want %d", records, want)
	}
	if got := steps.ms(t, last, "so far_minutes"); got != want.Totals.Carrier.Milliseconds {
		t.Errorf("the steps lead to %d ms, want %d", got, want.Totals.Carrier.Milliseconds)
	}
}

func TestTheDisputeHoldsWhatTheCarrierIsAskedAboutAndNoMore(t *testing.T) {
	f := book(t, writeTo(t, disputeResult(), sampleOptions()), "dispute.xlsx")
	if got := strings.Join(f.GetSheetList(), ", "); got != "Read me, Calls in dispute, Inputs, Columns" {
		t.Errorf("sheets %s", got)
	}
	l := listOf(t, f, "Calls in dispute")
	var ids []string
	for _, r := range l.rows {
		ids = append(ids, l.cell(r, "case_id"))
	}
	// Not the duplicate, on which nobody acts, nor Microsoft's own bad row.
	if got := strings.Join(ids, " "); got != "a1 a2 a3" {
		t.Errorf("cases %s", got)
	}
	if r := l.rows[0]; l.cell(r, "caller") != "+4930123456" || l.cell(r, "microsoft_file") != "calls.csv" || l.cell(r, "carrier_row") != "2" || l.cell(r, "action") != "finance disputes" {
		t.Errorf("row %q", r)
	}
	if got := l.ms(t, l.total, "carrier_time"); got != 63_250+30_000+1_010 {
		t.Errorf("%d ms in dispute", got)
	}
	text := fmt.Sprint(rows(t, f, "Read me"))
	for _, want := range []string{"look at 3 cases", "Billed and not accepted, 2 cases: ", ": 0.07 minutes", "Records to correct, 1 case: ", ": 0.33 minutes apart", "Quote the case_id", "start_tolerance"} {
		if !strings.Contains(text, want) {
			t.Errorf("the first sheet lacks %q", want)
		}
	}
	if strings.Contains(text, "duplicate") || strings.Contains(text, "warn_at") {
		t.Error("the first sheet tells more than the carrier is to know")
	}
}

// disputeResult is the sample with a duplicate, on which nobody acts.
func disputeResult() *fakeResult {
	f := sampleResult()
	again := leg("c1", noon+1_500_000, 63_250, 0, 2)
	f.cases = each(append(sampleCases(), engine.Case{ID: "a5", Class: engine.Duplicate, Carrier: []engine.Leg{again}}))
	s := &f.sum
	s.Discrepancies[engine.Duplicate] = 1
	s.Classes[engine.Carrier][engine.Duplicate] = engine.Tally{MS: 63_250}
	s.Files[engine.Carrier][0].MS += 63_250
	return f
}

// The page may be seen by people who may not see numbers.
func TestThePageAndTheFirstSheetsHoldNoWholeNumber(t *testing.T) {
	f := sampleResult()
	list := sampleCases()
	for i := range list {
		if m := list[i].Microsoft; m != nil {
			m.RecordID, m.CorrelationID, m.TenantID = "id-+4930123456", "+33145678900", "4930123456"
		}
	}
	list[2].Carrier[0].Caller, list[2].Carrier[0].Callee = engine.OtherNumber("sip:4930123456@example.com"), engine.OtherNumber("1234")
	f.cases = each(list)
	out := writeTo(t, f, sampleOptions())
	x, d := book(t, out, "report.xlsx"), book(t, out, "dispute.xlsx")
	for name, text := range map[string]string{
		"report.html": read(t, out, "report.html"), "Summary": fmt.Sprint(rows(t, x, "Summary")), "Read me": fmt.Sprint(rows(t, d, "Read me")),
	} {
		for _, number := range []string{"4930123456", "30123456", "33145678900", "331456789", "1234 ", ">1234<"} {
			if strings.Contains(text, number) {
				t.Errorf("%s shows %s", name, number)
			}
		}
		if name != "Read me" && (!strings.Contains(text, "…3456") || !strings.Contains(text, "a1")) {
			t.Errorf("%s shows no top discrepancy", name)
		}
	}
}

func TestTheTopDiscrepanciesAreThoseWithTheMostTimeAtStake(t *testing.T) {
	f := manyCases(500)
	text := read(t, writeTo(t, f, report.Options{Inputs: [2][]report.Input{{{}}, {{}}}}), "report.html")
	if got := strings.Count(text, `<code class="one">`) - strings.Count(text, `<th scope="row"><code`); got != 20 || !strings.Contains(text, "20 of 500, those with") {
		t.Errorf("%d top discrepancies", got)
	}
}

func TestAWorkbookThatCannotBeWrittenEndsTheReport(t *testing.T) {
	for _, name := range []string{"report.xlsx", "dispute.xlsx", "report.html"} {
		files := &faulty{}
		create := func(n string) (report.File, error) {
			if n == name {
				return nil, errInjected
			}
			return files.create(n)
		}
		if _, err := report.Write(context.Background(), create, sampleResult(), sampleOptions()); !errors.Is(err, errInjected) || files.open != 0 {
			t.Errorf("%s: error %v with %d files open", name, err, files.open)
		}
	}
}
