package console_test

import (
	"strings"
	"testing"

	"concord/engine"
	"concord/jobs"

	"golang.org/x/net/html"
)

// mixedMatch has a call that is longer at the carrier, one missing at each side,
// and a row that is there twice.
func mixedMatch(missing, longer int64) *match {
	m := hostileMatch()
	call, twice := *m.cases[0].Microsoft, m.cases[0].Carrier[0]
	long := call
	long.DurationMS += longer
	alone := call
	alone.DurationMS = missing
	m.cases = []engine.Case{
		{ID: caseID(1), Class: engine.DurationOver, Microsoft: &call, Carrier: []engine.Leg{long}},
		{ID: caseID(2), Class: engine.MissingAtMicrosoft, Carrier: []engine.Leg{alone}},
		{ID: caseID(3), Class: engine.MissingAtCarrier, Microsoft: &call},
		{ID: caseID(4), Class: engine.Duplicate, Carrier: []engine.Leg{twice}},
	}
	s := &engine.Summary{Carrier: "fabrikam"}
	s.Classes[engine.Microsoft][engine.DurationOver] = engine.Tally{Records: 1, MS: 100_000}
	s.Classes[engine.Carrier][engine.DurationOver] = engine.Tally{Records: 1, MS: 100_000 + longer}
	s.Classes[engine.Carrier][engine.MissingAtMicrosoft] = engine.Tally{Records: 1, MS: missing}
	s.Classes[engine.Microsoft][engine.MissingAtCarrier] = engine.Tally{Records: 1, MS: 100_000}
	s.Classes[engine.Carrier][engine.Duplicate] = engine.Tally{Records: 1, MS: twice.DurationMS}
	for _, c := range m.cases {
		s.Discrepancies[c.Class]++
	}
	micro, carrier := engine.Tally{Records: 2, MS: 200_000}, engine.Tally{Records: 2, MS: 100_000 + longer + missing}
	s.Totals = engine.Balance{Microsoft: micro, Carrier: carrier, Verdict: engine.TotalsDispute}
	s.Files = [2][]engine.FileTally{{{Rows: 3, Accepted: 3, MS: micro.MS}}, {{Rows: 3, Accepted: 3, MS: carrier.MS + twice.DurationMS}}}
	s.Classes[engine.Microsoft][engine.OutsidePeriod] = engine.Tally{Records: 1}
	s.Days = []engine.Named{{Name: "2026-10-01", Balance: s.Totals}}
	s.Countries = []engine.Named{{Name: "DE", Balance: s.Totals}}
	m.sum = *s
	return m
}

// cells returns the texts of the row of a page whose first cell begins with a text.
func cells(t *testing.T, page, name string) (list []string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if n.Data != "tr" || list != nil {
			return
		}
		var row []string
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode {
				row = append(row, strings.TrimSpace(said(c)))
			}
		}
		if len(row) > 0 && strings.HasPrefix(row[0], name) {
			list = row
		}
	})
	return list
}

// What finance disputes is what the report says: a register that leaves out calls
// that one side lacks would understate it.
func TestTheRegisterComesToTheDifferenceOfTheReport(t *testing.T) {
	w := worldOf(t, mixedMatch(180_000, 60_000))
	b := w.as(t, "finance")
	sum, err := w.desk.Summary(t.Context(), w.report.ID)
	if err != nil || sum.Totals.DifferenceMS != 140_000 {
		t.Fatalf("the report's difference is %v, %v", sum, err)
	}
	_, page := b.get("/console/cases")
	if row := cells(t, page, "Together"); len(row) == 0 || row[len(row)-1] != "+2.3" {
		t.Errorf("the register comes to %q", row)
	}
	for id, want := range map[int]string{1: "+60", 2: "+180", 3: "−100", 4: "–"} {
		if row := cells(t, page, caseID(id)[:8]); len(row) == 0 {
			t.Error("there is no case")
		}
		list, err := w.desk.Cases(t.Context(), jobs.CasesFilter{Cases: []string{caseID(id)}})
		if err != nil || len(list.Cases) != 1 {
			t.Fatal(list, err)
		}
		_, page := b.get("/console/cases?class=" + list.Cases[0].Class)
		if row := cells(t, page, caseID(id)[:8]); row[9] != want {
			t.Errorf("%s: the effect is %s, not %s", list.Cases[0].Class, row[9], want)
		}
	}
	for class, want := range map[string]string{"": "+2.3", "missing_at_microsoft": "+3.0", "missing_at_carrier": "−1.7", "duplicate": "0.0"} {
		_, page = b.post("/console/cases/work", "carrier", "fabrikam", "class", class, "to_state", "disputed")
		if !strings.Contains(html.UnescapeString(page), "their effect on the difference is "+want+" min") {
			t.Errorf("the look at %q does not say %s", class, want)
		}
	}
}

func TestWhatChangedSinceSignOffComesToTheChangeOfTheTotals(t *testing.T) {
	w := worldOf(t, mixedMatch(180_000, 60_000))
	w.approve(t)
	w.another(t, "changed,"+caseID(1)+",duration_over,duration_over,60,90,,,100,190,carrier_seconds difference_seconds,,160\n"+
		"changed,"+caseID(2)+",missing_at_microsoft,missing_at_microsoft,,,,,,300,carrier_seconds,,180\n", mixedMatch(300_000, 90_000))
	_, page := w.as(t, "ops").get("/console/reports/" + w.report.ID + "/since")
	if row := cells(t, page, "Together they change"); len(row) == 0 || row[len(row)-1] != "+2.5" {
		t.Errorf("together: %q", row)
	}
	if !strings.Contains(html.UnescapeString(page), "The difference was +2.3 min and is +4.8 min: +2.5 min.</p>") {
		t.Error("it does not tie to the totals")
	}
}
