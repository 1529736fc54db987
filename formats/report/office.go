package report

import (
	"errors"
	"fmt"

	"concord/engine"
	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

// office is what people open in a spreadsheet: report.xlsx with everything,
// and dispute.xlsx with what the carrier is asked to look at, and no more.
type office struct {
	report, dispute *workbook
	cases, usage    *grid // of report
	disputes        *grid // of dispute
}

// The places of the sheets.
const (
	summaryTab = iota
	listTab
	usageTab
	inputsTab
	columnsTab
)

// begin begins the workbooks, with what the summary says.
func (w *shown) begin() error {
	about := w.doc.Carrier + ", " + w.doc.Period.words()
	r, err := w.workbook("report.xlsx", "Reconciliation of "+about)
	if err != nil {
		return err
	}
	d, err := w.workbook("dispute.xlsx", "Calls in dispute with "+about)
	if err != nil {
		return err
	}
	all, some := listed(w.doc), sumOf(disputes(w.doc))
	w.office = office{
		report: r, dispute: d,
		cases:    newGrid(r, "Discrepancies", all.note("discrepancies"), listTab, sheetColumns),
		usage:    newGrid(r, "Usage", "The sheet says in its last row what it holds. "+usageNote, usageTab, usageColumns),
		disputes: newGrid(d, "Calls in dispute", some.note("calls and records that we ask you to look at"), listTab, sheetColumns),
	}
	return nil
}

const usageNote = "Calls of Microsoft’s records; the sheet Columns says what each column holds."

// list is what a list of cases holds.
type list struct {
	cases int64
	ms    [2]int64 // by engine.Side
}

// listed adds up what the list of discrepancies holds.
func listed(d *summaryDoc) (l list) {
	for _, x := range d.Classes {
		if c, ok := classOf(x.Class); ok && c.Discrepancy() {
			l.cases += x.Listed
			l.ms[engine.Microsoft] += x.Microsoft.MS
			l.ms[engine.Carrier] += x.Carrier.MS
		}
	}
	return l
}

func (l list) note(what string) string {
	return fmt.Sprintf("%s %s in all, with %s at Microsoft and %s at the carrier. Each sheet says in its last row how much of that it holds.",
		page.Count(l.cases), what, page.Span(l.ms[engine.Microsoft]), page.Span(l.ms[engine.Carrier]))
}

// tie checks that the sheets hold the time that the classes hold.
func (o *office) tie(d *summaryDoc) error {
	return errors.Join(o.cases.tie(listed(d)), o.disputes.tie(sumOf(disputes(d))))
}

func (g *grid) tie(want list) error {
	return errors.Join(
		sameCount("rows of sheet "+g.name, g.rows, want.cases),
		sameCount("milliseconds of Microsoft in sheet "+g.name, g.sum("microsoft_seconds"), want.ms[engine.Microsoft]),
		sameCount("milliseconds of the carrier in sheet "+g.name, g.sum("carrier_seconds"), want.ms[engine.Carrier]),
	)
}

// sum is the total of a column over all sheets.
func (g *grid) sum(name string) int64 {
	for i := range g.cols {
		if g.cols[i].name == name {
			return g.held[i]
		}
	}
	return 0
}

// write writes what people read, once every row was seen: they read the summary
// first, which is known last.
func (w *shown) write() error {
	p := w.page()
	if err := w.html(p); err != nil {
		return err
	}
	b := &summaryBook{workbook: w.office.report, page: p}
	if err := b.complete(w.office.cases, w.office.usage); err != nil {
		return err
	}
	if err := w.office.report.close(w.folder); err != nil {
		return err
	}
	d := &summaryBook{workbook: w.office.dispute, page: p}
	if err := d.completeDispute(w.office.disputes, disputes(w.doc)); err != nil {
		return err
	}
	return w.office.dispute.close(w.folder)
}

// words of a cell that was cut.
func (b *workbook) cutWords() string {
	if b.cut == 0 {
		return "No text was cut."
	}
	return fmt.Sprintf("%s texts were longer than the %s characters that a cell holds; the CSV files have the whole.", page.Count(b.cut), page.Count(xlsx.MaxText))
}
