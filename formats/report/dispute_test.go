package report_test

import (
	"fmt"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/report"
)

// A carrier reads the last row of the sheet beside that of the first one: what
// it lacks must not be set off against what it bills too much, and a row must
// not say 10 minutes, nothing, and no difference.
func TestADisputeAddsUpInBothDirections(t *testing.T) {
	r := sampleResult()
	lacks, twice := leg("m9", noon, 600_000, 0, 2), leg("c1", noon, 36_000, 0, 3)
	r.cases = each(append(sampleCases(), engine.Case{ID: "a6", Class: engine.MissingAtCarrier, Microsoft: &lacks},
		engine.Case{ID: "a7", Class: engine.ConflictingDuplicate, Carrier: []engine.Leg{twice}}))
	s := &r.sum
	s.Discrepancies[engine.MissingAtCarrier], s.Discrepancies[engine.ConflictingDuplicate] = 1, 1
	s.Classes[engine.Microsoft][engine.MissingAtCarrier] = engine.Tally{MS: 600_000}
	s.Classes[engine.Carrier][engine.ConflictingDuplicate] = engine.Tally{Records: 1, MS: 36_000}
	s.Files[engine.Microsoft][0].MS += 600_000
	c := &s.Files[engine.Carrier][0]
	c.Rows, c.Accepted, c.MS = c.Rows+1, c.Accepted+1, c.MS+36_000
	r.balance()
	o := sampleOptions()
	o.Verdicts, o.Inputs[engine.Carrier][0].Rows = false, o.Inputs[engine.Carrier][0].Rows+1
	f := book(t, writeTo(t, r, o), "dispute.xlsx")
	l := listOf(t, f, "Calls in dispute")
	m, k, d := l.ms(t, l.total, "microsoft_time"), l.ms(t, l.total, "carrier_time"), l.ms(t, l.total, "difference_seconds")
	if d != k-m || d != l.sum(t, "difference_seconds") || d != l.ms(t, l.total, "difference_minutes") {
		t.Errorf("the last row says %d and %d ms, difference %d; the rows %d", m, k, d, l.sum(t, "difference_seconds"))
	}
	at := map[string][]string{}
	for _, row := range rows(t, f, "Read me") {
		if len(row) > 5 {
			at[row[0]] = row
		}
	}
	sums := list{head: []string{"", "", "", "microsoft_minutes", "carrier_minutes", "difference_minutes"}}
	for name, want := range map[string]int64{"Billed and not accepted": 3_250 + 1_010, "Calls that you lack": -600_000,
		"Records to correct": -20_001, "Rows to send anew (in no total)": 36_000} {
		if got := sums.ms(t, at[name], "difference_minutes"); got != want {
			t.Errorf("%s: %d ms, want %d", name, got, want)
		}
	}
	if at["All"] != nil {
		t.Error("one sum sets what the carrier lacks off against what it bills")
	}
}

// A dispute over calls that Microsoft has, on a page that nobody fetched, costs
// the carrier's trust: whoever is about to send it reads so first.
func TestWhatIsNotAllThereIsNotToBeSent(t *testing.T) {
	o := sampleOptions()
	o.Inputs[engine.Microsoft][0].Incomplete = true
	o.Inputs[engine.Microsoft][0].Notes = []string{"the last page says that more pages follow"}
	empty := manyCases(0)
	empty.sum.Findings = []engine.Finding{{Code: "no_data", Text: "neither side has a record"}}
	none := report.Options{Inputs: [2][]report.Input{{{Name: "m.csv"}}, {{Name: "c.csv"}}}}
	for want, out := range map[string]string{
		"Microsoft’s data is incomplete: 1 file tells of more that is not in what was read": writeTo(t, sampleResult(), o),
		"Neither side has a record": writeTo(t, empty, none),
	} {
		all := rows(t, book(t, out, "dispute.xlsx"), "Read me")
		if len(all) < 3 || len(all[2]) == 0 || !strings.HasPrefix(all[2][0], want) || !strings.Contains(all[2][0], "Do not send") {
			t.Errorf("%s: the third row of Read me is %q", want, all[2])
		}
		page := read(t, out, "report.html")
		if at := strings.Index(page, want); at < 0 || at > strings.Index(page, `class="verdict"`) {
			t.Errorf("%s: report.html says so at %d", want, at)
		}
	}
	out := writeTo(t, sampleResult(), sampleOptions())
	if text := read(t, out, "report.html") + fmt.Sprint(rows(t, book(t, out, "dispute.xlsx"), "Read me")) + read(t, out, "summary.json"); strings.Contains(text, "Do not send") || strings.Contains(text, `"incomplete"`) {
		t.Error("what is all there is said to be incomplete")
	}
}

// What Microsoft sent us is not the carrier's business: neither its files, nor
// what else we make of the comparison.
func TestTheDisputeNamesOnlyTheCarriersFiles(t *testing.T) {
	o := sampleOptions()
	o.Inputs[engine.Microsoft][0].Name, o.Inputs[engine.Microsoft][0].SHA256 = "tenant-contoso.csv", "0123abcd"
	f := book(t, writeTo(t, sampleResult(), o), "dispute.xlsx")
	inputs := fmt.Sprint(rows(t, f, "Inputs"))
	for _, want := range []string{"-one.csv", "two.parquet", "2 files"} {
		if !strings.Contains(inputs, want) {
			t.Errorf("the inputs lack %q", want)
		}
	}
	for _, never := range []string{"tenant-contoso", "0123abcd", "microsoft"} {
		if strings.Contains(inputs, never) {
			t.Errorf("the inputs tell %q", never)
		}
	}
	if text := fmt.Sprint(rows(t, f, "Columns")); strings.Contains(text, "summary.json") || strings.Contains(text, "verdicts") || strings.Contains(text, "Files of the report") {
		t.Error("the dictionary tells of files that the carrier does not get")
	}
}

// A carrier whose clock is fast sees starts that differ on every row, and cannot
// mend a clock of which nobody tells it.
func TestTheDisputeTellsTheCarrierAboutItsClock(t *testing.T) {
	text := fmt.Sprint(rows(t, book(t, writeTo(t, sampleResult(), sampleOptions()), "dispute.xlsx"), "Read me"))
	for _, want := range []string{"carrier clock +37 s", "We took +37 s off the starts of your records", "measured on 120 pairs"} {
		if !strings.Contains(text, want) {
			t.Errorf("the first sheet lacks %q", want)
		}
	}
}

// A carrier corrects a row if it knows what is wrong with it: rejected.csv is not
// in the mail.
func TestTheDisputeSaysWhyARowCouldNotBeRead(t *testing.T) {
	r := sampleResult()
	bad := engine.Case{ID: "a8", Class: engine.Invalid, Carrier: []engine.Leg{{File: 0, Call: engine.Call{Row: 5}}},
		Reject: &engine.RowError{Row: 5, Line: 6, Field: "duration", Reason: "is negative"}}
	r.cases = each(append(sampleCases(), bad))
	s := &r.sum
	s.Discrepancies[engine.Invalid]++
	s.Classes[engine.Carrier][engine.Invalid].Records++
	c := &s.Files[engine.Carrier][0]
	c.Rows, c.Rejected = c.Rows+1, c.Rejected+1
	r.rejects = append(r.rejects, sideReject{engine.Carrier, *bad.Reject})
	o := sampleOptions()
	o.Verdicts, o.Inputs[engine.Carrier][0].Rows = false, o.Inputs[engine.Carrier][0].Rows+1
	out := writeTo(t, r, o)
	l := listOf(t, book(t, out, "dispute.xlsx"), "Calls in dispute")
	last := l.rows[len(l.rows)-1]
	if l.cell(last, "field") != "duration" || l.cell(last, "reason") != "is negative" || l.cell(last, "carrier_row") != "5" {
		t.Errorf("the row says %q", last)
	}
	for _, row := range l.rows {
		if l.cell(row, "reason") == "is no time" {
			t.Error("the carrier is told what is wrong with Microsoft’s row")
		}
	}
	l = listOf(t, book(t, out, "report.xlsx"), "Discrepancies")
	if got := l.cell(l.rows[3], "field") + " " + l.cell(l.rows[3], "reason"); got != "start is no time" {
		t.Errorf("report.xlsx says %q", got)
	}
}

// Where the two numbers differ one has to see both; what programs read keeps its
// columns.
func TestSheetsShowBothNumbersWhereTheyDiffer(t *testing.T) {
	r := sampleResult()
	list := sampleCases()
	list[0].Class, list[0].Flags = engine.NumberMismatch, engine.NumberDiffers
	list[0].Carrier[0].Caller = engine.E164(4930999999)
	r.cases = each(list)
	s := &r.sum
	for side := range s.Classes {
		s.Classes[side][engine.NumberMismatch], s.Classes[side][engine.DurationOver] = s.Classes[side][engine.DurationOver], engine.Tally{}
	}
	s.Discrepancies[engine.NumberMismatch], s.Discrepancies[engine.DurationOver] = 1, 0
	out := writeTo(t, r, sampleOptions())
	for name, sheet := range map[string]string{"report.xlsx": "Discrepancies", "dispute.xlsx": "Calls in dispute"} {
		l := listOf(t, book(t, out, name), sheet)
		if row := l.rows[0]; l.cell(row, "caller") != "+4930123456" || l.cell(row, "carrier_caller") != "+4930999999" || l.cell(row, "carrier_callee") != "" {
			t.Errorf("%s: %q", name, row)
		}
		if l.cell(l.rows[1], "carrier_caller") != "" {
			t.Errorf("%s shows a second number where there is no difference", name)
		}
	}
	if head, _, _ := strings.Cut(read(t, out, "discrepancies.csv"), "\n"); strings.Contains(head, "carrier_caller") || strings.Contains(head, "reason") {
		t.Errorf("discrepancies.csv has other columns: %s", head)
	}
}
