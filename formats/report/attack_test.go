package report_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"concord/engine"
	"concord/formats/report"
)

// attacks are texts that do something in a spreadsheet or a browser.
var attacks = []string{
	`=cmd|' /C calc'!A0`, `+1+cmd|' /C calc'!A0`, `-1+1`, `@SUM(1+1)`, "\t=1+1", "\r=1+1", `=HYPERLINK("http://evil.example","x")`, `=IMPORTXML("http://evil.example","//a")`,
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><script>alert(1)</script>`, `</t></is></c><c><f>1+1</f></c>`, `javascript:alert(1)`, `{{.}}`, "\x00=1\x1b[31m",
	"a;=1+1;b", `a;"=1+1";b`, "a|@SUM(1)", "a\n-1+1", "a\t+1+1",
}

// attacked has the text in every field that a file may fill.
func attacked(text string) (*fakeResult, report.Options) {
	f, o := sampleResult(), sampleOptions()
	list := sampleCases()
	for i := range list {
		legs := list[i].Carrier
		if list[i].Microsoft != nil {
			legs = append(legs, *list[i].Microsoft)
		}
		for j := range legs {
			l := &legs[j]
			l.RecordID, l.CorrelationID, l.TenantID = text, text, text
			l.Caller, l.Callee = engine.OtherNumber(text), engine.OtherNumber(text)
		}
		if list[i].Microsoft != nil {
			*list[i].Microsoft = legs[len(legs)-1]
			list[i].Carrier = legs[:len(legs)-1]
		}
		if list[i].Reject != nil {
			list[i].Reject.Reason, list[i].Reject.Field = text, text
		}
	}
	f.cases = each(list)
	f.sum.Carrier = text
	f.sum.Findings = []engine.Finding{{Code: text, Text: text}}
	f.usage[0].TenantID, f.usage[0].CallType, f.usage[0].Country = text, text, text
	f.users[0].TenantID, f.users[0].UserID, f.users[0].CallType, f.users[0].Country = text, text, text, text
	f.rejects[0].err.Field, f.rejects[0].err.Reason = text, text
	f.verdicts[0].RecordID = text
	for side := range o.Inputs {
		for i := range o.Inputs[side] {
			in := &o.Inputs[side][i]
			in.Name, in.Format, in.Notes = text, text, []string{text}
		}
	}
	o.Profile = text
	return f, o
}

func TestTextsOfFilesAreInertEverywhere(t *testing.T) {
	for _, text := range attacks {
		f, o := attacked(text)
		out := writeTo(t, f, o)
		for _, name := range []string{"report.xlsx", "dispute.xlsx"} {
			f := book(t, out, name)
			for _, sheet := range f.GetSheetList() {
				inertSheet(t, f, sheet)
			}
		}
		for _, name := range []string{"discrepancies.csv", "usage.csv", "usage_users.csv", "rejected.csv", "verdicts.csv"} {
			inertCSV(t, read(t, out, name))
		}
		inertPage(t, read(t, out, "report.html"))
		l := listOf(t, book(t, out, "report.xlsx"), "Discrepancies")
		if got := l.cell(l.rows[0], "microsoft_record_id"); got != text {
			t.Errorf("the sheet shows %q, want %q", got, text)
		}
	}
}

func inertSheet(t *testing.T, f *excelize.File, sheet string) {
	t.Helper()
	for i, r := range rows(t, f, sheet) {
		for j := range r {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			formula, err1 := f.GetCellFormula(sheet, cell)
			link, _, err2 := f.GetCellHyperLink(sheet, cell)
			if formula != "" || link || errors.Join(err1, err2) != nil {
				t.Errorf("%s %s: formula %q, link %v, %v", sheet, cell, formula, link, errors.Join(err1, err2))
			}
		}
	}
}

func inertCSV(t *testing.T, text string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(";|\n\r", c) }) {
		if s := strings.TrimLeft(line, `"`); s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
			t.Errorf("for who splits elsewhere, a cell begins a formula: %q", line)
		}
	}
	for _, r := range all[1:] {
		for _, cell := range r {
			if cell != "" && strings.ContainsRune("=@\t\r", rune(cell[0])) || len(cell) > 1 && strings.ContainsRune("+-", rune(cell[0])) && strings.Trim(cell[1:], "0123456789.") != "" {
				t.Errorf("a cell begins a formula: %q", cell)
			}
		}
	}
}

func inertPage(t *testing.T, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img" || n.Data == "a") {
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
}
