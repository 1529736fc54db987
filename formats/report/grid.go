package report

import (
	"fmt"
	"strings"
	"time"

	"concord/engine"
	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

// grid shows the rows of a table in a workbook, on as many sheets as they need.
// Its cells come in the order of the columns, then end. Each sheet says in its
// last row what it holds.
type grid struct {
	book *workbook
	name string // of the first sheet
	note string // below the title
	tab  int
	cols []column
	most int  // rows of a sheet; 0: as many as there can be
	skip bool // leaves the current row out

	sheet *xlsx.Sheet
	col   int
	time  [2]int64 // of the row, by engine.Side
	has   [2]bool
	rows  int64 // on all sheets
	sums  []int64
	held  []int64 // sums of all sheets
	parts []gridPart
	err   error
}

// gridPart is what one sheet holds.
type gridPart struct {
	name        string
	first, last int64
	sums        []int64
}

const (
	gridHead = 3 // rows above those of the table
	gridFoot = 2 // rows below
)

func newGrid(book *workbook, name, note string, tab int, cols []column) *grid {
	return &grid{book: book, name: name, note: note, tab: tab, cols: cols, sums: make([]int64, len(cols)), held: make([]int64, len(cols))}
}

// summed reports whether adding the cells of a column up means anything.
func (c *column) summed() bool {
	return c.kind == span || c.name == "calls" || c.name == "operator_sourced_calls"
}

// shown are the columns of a sheet that stand for one of a table: durations
// are shown twice.
func (c *column) shown() []string {
	side, ok := strings.CutSuffix(c.name, "_seconds")
	switch {
	case !ok:
		return []string{c.name}
	case side == "difference":
		return []string{"difference_minutes", "difference_seconds"}
	}
	return []string{side + "_time", side + "_minutes"}
}

// width is how wide a column is shown, in characters.
func (c *column) width() float64 {
	switch c.kind {
	case instant:
		return 22
	case span:
		return 12
	case count:
		return 9
	}
	switch c.name {
	case "case_id":
		return 27
	case "microsoft_record_id", "carrier_record_ids", "correlation_id", "tenant_id":
		return 37
	case "class":
		return 22
	case "rule":
		return 34
	case "flags":
		return 28
	case "action", "reason":
		return 36
	case "direction", "country", "carrier":
		return 10
	}
	return 16
}

// begin begins a cell, and a row and a sheet where it is the first. It reports
// whether the cell is wanted.
func (g *grid) begin() bool {
	if g.skip || g.err != nil {
		return false
	}
	if g.col == 0 {
		if g.sheet != nil && g.sheet.Full(gridFoot) {
			g.endSheet(false)
		}
		if g.sheet == nil {
			g.beginSheet()
		}
		if g.err != nil {
			return false
		}
		g.sheet.Row()
		g.rows++
	}
	g.col++
	return true
}

func (g *grid) beginSheet() {
	name := g.name
	if n := len(g.parts); n > 0 {
		name = fmt.Sprintf("%s %d", g.name, n+1)
	}
	l := xlsx.Layout{Name: name, Tab: g.tab, Frozen: gridHead, Keys: 1, Across: 3, Rows: g.most}
	for i := range g.cols {
		for range g.cols[i].shown() {
			l.Widths = append(l.Widths, g.cols[i].width())
		}
	}
	if g.sheet, g.err = g.book.book.Sheet(l); g.err != nil {
		return
	}
	g.parts = append(g.parts, gridPart{name: name, first: g.rows + 1})
	s := g.sheet
	s.Row()
	s.Text(xlsx.Title, name)
	s.Row()
	s.Text(xlsx.Note, g.note)
	s.Tall(2)
	for i := range g.cols {
		style := xlsx.Header
		if g.cols[i].kind == span || g.cols[i].kind == count {
			style = xlsx.Figures
		}
		for _, n := range g.cols[i].shown() {
			s.Text(style, n)
		}
	}
}

// endSheet says what the sheet holds, and whether it is the last one.
func (g *grid) endSheet(last bool) {
	s := g.sheet
	s.Filter(gridHead, s.Columns())
	s.Row()
	s.Row()
	of := ", more on the next sheet"
	if last {
		of = " of " + page.Count(g.rows)
	}
	p := &g.parts[len(g.parts)-1]
	p.last, p.sums = g.rows, append([]int64(nil), g.sums...)
	s.Text(xlsx.TotalText, fmt.Sprintf("Rows %s to %s%s", page.Count(min(p.first, g.rows)), page.Count(g.rows), of))
	for i := range g.cols[1:] {
		g.total(&g.cols[i+1], g.sums[i+1])
	}
	for i, v := range g.sums {
		g.held[i] += v
		g.sums[i] = 0
	}
	g.book.cut += s.Cut
	g.sheet, g.err = nil, s.Close()
}

func (g *grid) total(c *column, v int64) {
	s := g.sheet
	switch {
	case c.kind == span && c.name == "difference_seconds":
		s.Minutes(xlsx.TotalSigned, v)
		s.Seconds(xlsx.TotalSeconds, v)
	case c.kind == span:
		s.Time(xlsx.TotalSpan, v)
		s.Minutes(xlsx.TotalMinutes, v)
	case c.summed():
		s.Int(xlsx.TotalCount, v)
	default:
		s.Empty(xlsx.TotalText)
	}
}

// end ends the row.
func (g *grid) end() {
	g.col, g.time, g.has = 0, [2]int64{}, [2]bool{}
	if g.err == nil && g.sheet != nil && g.sheet.Failed() {
		g.err = errStopped
	}
}

// stopped reports whether writing has failed; close returns the error.
func (g *grid) stopped() bool { return g.err != nil }

// close ends the last sheet; a table without rows has one, too.
func (g *grid) close() error {
	if g.err == nil && g.sheet == nil {
		g.beginSheet()
	}
	if g.err == nil {
		g.endSheet(true)
	}
	if g.err == errStopped {
		g.err = g.sheet.Close()
	}
	return g.err
}

func (g *grid) null() {
	if ms, known := g.oneSided(); known {
		g.span(ms)
		return
	}
	if !g.begin() {
		return
	}
	g.sheet.Skip()
	if g.cols[g.col-1].kind == span { // shown twice
		g.sheet.Skip()
	}
}

// oneSided is the difference of a row that only one side has. Its cell is
// filled, so that the last row of a sheet adds up in both directions.
func (g *grid) oneSided() (ms int64, known bool) {
	if g.skip || g.has[engine.Microsoft] == g.has[engine.Carrier] || g.cols[g.col].name != "difference_seconds" {
		return 0, false
	}
	return g.time[engine.Carrier] - g.time[engine.Microsoft], true
}

// remember keeps the time of a side until the row ends.
func (g *grid) remember(column string, ms int64) {
	switch column {
	case "microsoft_seconds":
		g.time[engine.Microsoft], g.has[engine.Microsoft] = ms, true
	case "carrier_seconds":
		g.time[engine.Carrier], g.has[engine.Carrier] = ms, true
	}
}

// text shows a text, which may be of a file.
func (g *grid) text(s string) {
	switch {
	case s == "":
		g.null()
	case !g.begin():
	case g.cols[g.col-1].few:
		g.sheet.Shared(xlsx.Text, s)
	default:
		g.sheet.Text(xlsx.Text, s)
	}
}

func (g *grid) instant(us int64) {
	if g.begin() {
		g.sheet.Instant(xlsx.Instant, us)
	}
}

func (g *grid) span(ms int64) {
	if !g.begin() {
		return
	}
	g.sums[g.col-1] += ms
	g.remember(g.cols[g.col-1].name, ms)
	if g.cols[g.col-1].name == "difference_seconds" {
		g.sheet.Minutes(xlsx.Signed, ms)
		g.sheet.Seconds(xlsx.Seconds, ms)
		return
	}
	g.sheet.Time(xlsx.Precise, ms)
	g.sheet.Minutes(xlsx.Minutes, ms)
}

func (g *grid) count(v int64) {
	if g.begin() {
		g.sums[g.col-1] += v
		g.sheet.Int(xlsx.Count, v)
	}
}

// day shows a day such as 2026-10-01.
func (g *grid) day(s string) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		g.text(s)
	} else if g.begin() {
		g.sheet.Instant(xlsx.Day, d.UnixMicro())
	}
}
