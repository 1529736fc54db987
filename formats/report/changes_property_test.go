package report_test

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"concord/engine"
	"concord/formats/report"
)

var drawnTexts = rapid.SampledFrom([]string{"", "x", "=1+1", "a,b", "line\r\nend", `q"`, "-5", "\xff"})

// drawCases draws cases of few ids, so that two versions share some.
func drawCases(t *rapid.T, label string) (list []engine.Case) {
	for _, id := range rapid.SliceOfDistinct(rapid.IntRange(0, 15), rapid.ID).Draw(t, label) {
		c := drawCase(t)
		c.ID = fmt.Sprintf("%024x", id*2654435761)
		list = append(list, c)
	}
	return list
}

func drawCase(t *rapid.T) (c engine.Case) {
	draw := func() *engine.Leg {
		l := leg(drawnTexts.Draw(t, "id"), 0, 0, 0, 1)
		for field := range legFields {
			drawField(t, &l, field)
		}
		return &l
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		c.Class, c.Microsoft = engine.MissingAtCarrier, draw()
	case 1:
		c.Class, c.Carrier = engine.MissingAtMicrosoft, []engine.Leg{*draw(), *draw()}
	case 2:
		c.Class, c.Microsoft, c.Reject = engine.Invalid, draw(), &engine.RowError{}
	default:
		c.Class, c.Microsoft, c.Carrier = engine.DurationOver, draw(), []engine.Leg{*draw()}
	}
	return c
}

const legFields = 7

// drawField gives one field of a leg a new value.
func drawField(t *rapid.T, l *engine.Leg, field int) {
	switch field {
	case 0:
		l.RecordID = drawnTexts.Draw(t, "id")
	case 1:
		l.CorrelationID = drawnTexts.Draw(t, "correlation")
	case 2:
		l.Caller = engine.OtherNumber(drawnTexts.Draw(t, "caller"))
	case 3:
		l.Callee = engine.OtherNumber(drawnTexts.Draw(t, "callee"))
	case 4:
		l.Start = noon + int64(rapid.IntRange(0, 3).Draw(t, "start"))*1_000_000
	case 5:
		l.DurationMS = int64(rapid.IntRange(0, 1).Draw(t, "ms"))
	case 6:
		l.Row = int64(rapid.IntRange(1, 9).Draw(t, "row"))
	}
}

// drawNext draws what became of cases: some went, some came, some say
// something else, and most are as they were.
func drawNext(t *rapid.T, old []engine.Case) (list []engine.Case) {
	taken := make(map[string]bool)
	for _, c := range old {
		taken[c.ID] = true
		switch rapid.IntRange(0, 3).Draw(t, "fate") {
		case 0:
			continue
		case 1:
			c = altered(t, c)
		}
		list = append(list, c)
	}
	for _, c := range drawCases(t, "new") {
		if !taken[c.ID] {
			list = append(list, c)
		}
	}
	return list
}

// altered changes one thing of a case, but not that of which it was drawn.
func altered(t *rapid.T, c engine.Case) engine.Case {
	field := rapid.IntRange(-2, legFields-1).Draw(t, "field")
	switch {
	case field == -2:
		c.Flags ^= engine.CutOff
	case field == -1:
		id := c.ID
		c = drawCase(t)
		c.ID = id
	case c.Microsoft != nil:
		m := *c.Microsoft
		drawField(t, &m, field)
		c.Microsoft = &m
	default:
		c.Carrier = slices.Clone(c.Carrier)
		drawField(t, &c.Carrier[0], field)
	}
	return c
}

// inOrder sorts cases as reports do, or leaves them as they are: the order
// makes a comparison quick, but it must not depend on it.
func inOrder(t *rapid.T, list []engine.Case) []engine.Case {
	if rapid.Bool().Draw(t, "in order") {
		slices.SortFunc(list, func(a, b engine.Case) int { return strings.Compare(orderOf(&a), orderOf(&b)) })
	}
	return list
}

// orderOf is a text by which cases sort as reports do.
func orderOf(c *engine.Case) string {
	switch {
	case c.Reject != nil:
		return c.ID
	case c.Microsoft != nil:
		return fmt.Sprintf("%d %s", c.Microsoft.Start, c.ID)
	}
	return fmt.Sprintf("%d %s", c.Carrier[0].Start, c.ID)
}

// The slow reference: both lists as maps, cell by cell.
func TestChangesAreThoseOfASlowComparison(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := version{inputs: someInputs, cases: inOrder(t, drawCases(t, "old"))}
		now := version{inputs: someInputs, cases: inOrder(t, drawNext(t, old.cases))}
		first, _, err := old.write(nil, report.Release{Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		second, w, err := now.write(first, report.Release{Version: 2, PreviousVersion: 1})
		if err != nil {
			t.Fatal(err)
		}
		was, is := table(t, first, "discrepancies.csv"), table(t, second, "discrepancies.csv")
		want, counts := slowChanges(was, is)
		var got []report.Change
		for c, err := range report.ReadChanges(strings.NewReader(second.text("changes.csv"))) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(counts, [3]int64{w.Changes.Opened.Cases, w.Changes.Changed.Cases, w.Changes.Closed.Cases}); diff != "" {
			t.Fatal(diff)
		}
		if moved, apart := net(w.Changes), total(is)-total(was); moved != apart {
			t.Fatalf("the changes come to %d ms, the versions are %d ms apart", moved, apart)
		}
	})
}

// table reads a CSV as maps of its cells.
func table(t rapid.TB, m *memory, name string) (rows []map[string]string) {
	// Go's reader makes LF of CRLF in a cell, which is all the same here.
	all, err := csv.NewReader(strings.NewReader(m.text(name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all[1:] {
		row := make(map[string]string)
		for i, cell := range r {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

var figureColumns = []string{"class", "action", "flags", "microsoft_record_id", "carrier_record_ids", "caller", "callee",
	"microsoft_start_utc", "carrier_start_utc", "microsoft_seconds", "carrier_seconds"}

func slowChanges(was, is []map[string]string) (list []report.Change, counts [3]int64) {
	old := make(map[string]map[string]string)
	for _, r := range was {
		old[r["case_id"]] = r
	}
	order := make(map[string]string)
	add := func(kind int, r, before, now map[string]string) {
		counts[kind]++
		start := r["microsoft_start_utc"]
		if start == "" {
			start = r["carrier_start_utc"]
		}
		order[r["case_id"]] = start + " " + r["case_id"]
		list = append(list, report.Change{
			Event: []string{report.Opened, report.Changed, report.Closed}[kind], CaseID: r["case_id"],
			Class: now["class"], Before: before["class"], DiffMS: millis(now["difference_seconds"]), BeforeMS: millis(before["difference_seconds"]),
		})
	}
	for _, r := range is {
		before, both := old[r["case_id"]]
		delete(old, r["case_id"])
		switch {
		case !both:
			add(0, r, nil, r)
		case slices.ContainsFunc(figureColumns, func(c string) bool { return before[c] != r[c] }):
			add(1, r, before, r)
		}
	}
	for _, r := range old {
		add(2, r, r, nil)
	}
	slices.SortFunc(list, func(a, b report.Change) int { return strings.Compare(order[a.CaseID], order[b.CaseID]) })
	return list, counts
}

// millis reads the few milliseconds of the drawn cases.
func millis(s string) int64 {
	return map[string]int64{"": 0, "0": 0, "0.001": 1, "-0.001": -1}[s]
}

func total(rows []map[string]string) (ms int64) {
	for _, r := range rows {
		ms += millis(r["difference_seconds"])
	}
	return ms
}

func net(c *report.Changes) (ms int64) {
	for _, k := range c.Classes {
		for _, m := range []report.Moved{k.Opened, k.Changed, k.Closed} {
			ms += m.Now.DifferenceMS - m.Before.DifferenceMS
		}
	}
	return ms
}
