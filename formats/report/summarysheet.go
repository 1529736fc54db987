package report

import (
	"fmt"
	"strings"

	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

// summaryBook writes the sheets of a workbook that say what its lists come to.
type summaryBook struct {
	*workbook
	page  *page.Page
	sheet *xlsx.Sheet
}

// complete adds the sheets Summary, Inputs and Columns to report.xlsx.
func (b *summaryBook) complete(grids ...*grid) error {
	return b.steps(
		func() error {
			return b.on(xlsx.Layout{Name: "Summary", Tab: summaryTab, Widths: summaryWidths}, func() { b.summary(grids) })
		},
		func() error { return b.inputs(b.page.Inputs) },
		func() error { return b.columns(b.page.Columns, b.page.Files) },
	)
}

func (b *summaryBook) steps(list ...func() error) error {
	for _, step := range list {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// on writes one sheet.
func (b *summaryBook) on(l xlsx.Layout, fill func()) (err error) {
	if b.sheet, err = b.book.Sheet(l); err != nil {
		return err
	}
	fill()
	b.cut += b.sheet.Cut
	return b.sheet.Close()
}

var summaryWidths = []float64{34, 66, 13, 13, 13, 14, 14, 14, 36}

func (b *summaryBook) summary(grids []*grid) {
	p := b.page
	b.title(p.Carrier+": calls reconciled with Microsoft", about(p))
	b.tieOut()
	b.totals()
	b.section("Findings")
	for _, f := range p.Findings {
		b.wide(f)
	}
	b.version()
	b.way()
	b.classes()
	b.named("Minutes per day", "Day", p.Days)
	b.named("Difference by country", "Country", p.Countries)
	b.top()
	b.held(grids)
	b.settings()
}

// about says in a line what the report is.
func about(p *page.Page) string {
	parts := []string{"Period: " + p.Period}
	if p.AsOf != "" {
		parts = append(parts, "as of "+p.AsOf)
	}
	if v := p.Version; v != nil {
		parts = append(parts, fmt.Sprintf("version %d", v.Number))
		if v.Supersedes > 0 {
			parts = append(parts, fmt.Sprintf("supersedes version %d", v.Supersedes))
		}
	}
	return strings.Join(parts, ", ")
}

func (b *summaryBook) title(title, note string) {
	b.sheet.Row()
	b.sheet.Text(xlsx.Title, title)
	b.sheet.Row()
	b.sheet.Text(xlsx.Note, note)
}

// section begins a part of the sheet below an empty row.
func (b *summaryBook) section(title string) {
	b.sheet.Row()
	b.sheet.Row()
	for i := range b.sheet.Columns() {
		if i == 0 {
			b.sheet.Text(xlsx.Heading, title)
		} else {
			b.sheet.Empty(xlsx.Heading)
		}
	}
}

// head is the header of a column.
type head struct {
	name  string
	style xlsx.Style
}

func texts(names ...string) []head   { return heads(xlsx.Header, names) }
func asides(names ...string) []head  { return heads(xlsx.Beside, names) }
func amounts(names ...string) []head { return heads(xlsx.Figures, names) }

func heads(style xlsx.Style, names []string) (list []head) {
	for _, n := range names {
		list = append(list, head{n, style})
	}
	return list
}

func (b *summaryBook) header(groups ...[]head) {
	b.sheet.Tall(2)
	for _, group := range groups {
		for _, h := range group {
			b.sheet.Text(h.style, h.name)
		}
	}
}

// wide writes a text across the sheet.
func (b *summaryBook) wide(text string) {
	b.sheet.Row()
	b.sheet.Text(xlsx.Text, text)
}

func verdictStyle(verdict string) xlsx.Style {
	switch verdict {
	case "ok", "agrees":
		return xlsx.Good
	case "warning":
		return xlsx.Warning
	}
	return xlsx.Bad
}

func (b *summaryBook) tieOut() {
	s := b.sheet
	b.section("Tie-out")
	b.header(texts("Side", "Agrees"), amounts("Rows", "Accepted", "Rejected", "Time read", "Records in classes", "Time in classes"))
	for _, x := range b.page.TieOut.Sides {
		s.Row()
		s.Text(xlsx.Strong, x.Name)
		word := "does not agree"
		if x.Read == x.Classed && x.Rows == x.Accepted+x.Rejected {
			word = "agrees"
		}
		s.Text(verdictStyle(word), word)
		s.Int(xlsx.Count, x.Rows)
		s.Int(xlsx.Count, x.Accepted)
		s.Int(xlsx.Count, x.Rejected)
		s.Time(xlsx.Precise, x.Read.MS)
		s.Int(xlsx.Count, x.Classed.Records)
		s.Time(xlsx.Precise, x.Classed.MS)
	}
}

func (b *summaryBook) totals() {
	s, t := b.sheet, b.page.Totals
	b.section("Totals over paired and missing records")
	b.header(texts("Side", ""), amounts("Records", "h:mm:ss", "Minutes", "%"))
	for _, x := range []struct {
		name string
		t    page.Tally
	}{{"Microsoft", t.Microsoft}, {b.page.Carrier, t.Carrier}} {
		s.Row()
		s.Text(xlsx.Strong, x.name)
		s.Skip()
		s.Int(xlsx.Count, x.t.Records)
		s.Time(xlsx.Span, x.t.MS)
		s.Minutes(xlsx.Minutes, x.t.MS)
	}
	s.Row()
	s.Text(xlsx.TotalText, "Difference, carrier less Microsoft")
	s.Text(verdictStyle(t.Verdict), fmt.Sprintf("%s (warning from %s %%, dispute from %s %%)", t.Verdict, b.page.WarnAt, b.page.DisputeAt))
	s.Int(xlsx.TotalCount, t.Carrier.Records-t.Microsoft.Records)
	s.Empty(xlsx.TotalText) // a spreadsheet has no negative times
	s.Minutes(xlsx.TotalSigned, t.DifferenceMS())
	b.share(xlsx.TotalPercent, t)
}

func (b *summaryBook) share(style xlsx.Style, x page.Balance) {
	if share, ok := x.Share(); ok {
		b.sheet.Float(style, share)
	} else {
		b.sheet.Skip()
	}
}

func (b *summaryBook) version() {
	v, s := b.page.Version, b.sheet
	if v == nil || v.Supersedes == 0 {
		return
	}
	b.section(fmt.Sprintf("What version %d changes", v.Number))
	b.wide(fmt.Sprintf("%s cases opened, %s changed, %s closed; changes.csv lists each.", page.Count(v.Opened), page.Count(v.Changed), page.Count(v.Closed)))
	b.balanceHeader("Version")
	for i, x := range []page.Balance{v.Before, v.Now} {
		s.Row()
		s.Text(xlsx.Strong, fmt.Sprintf("Version %d", []int{v.Supersedes, v.Number}[i]))
		b.balance(x, false)
	}
	for _, name := range v.Added {
		b.wide("New input: " + name)
	}
	for _, name := range v.Removed {
		b.wide("No longer an input: " + name)
	}
	for _, c := range v.Settings {
		b.wide(fmt.Sprintf("%s: %s before, %s now", c.Name, c.Before, c.Now))
	}
}

// way is the waterfall: from Microsoft's minutes to the carrier's.
func (b *summaryBook) way() {
	s, p := b.sheet, b.page
	b.section("From Microsoft’s minutes to the carrier’s")
	b.header(texts("Step", "What it is"), amounts("Records Microsoft", "Records carrier", "Minutes", "Minutes so far"))
	line := func(style, minutes xlsx.Style, name, words string, ms, level int64, records ...int64) {
		s.Row()
		s.Text(style, name)
		s.Text(xlsx.Wrapped, words)
		for _, n := range records {
			s.Int(xlsx.Count, n)
		}
		if len(records) == 1 {
			s.Skip()
		}
		s.Minutes(minutes, ms)
		s.Minutes(xlsx.Minutes, level)
	}
	level := p.Totals.Microsoft.MS
	line(xlsx.Strong, xlsx.Minutes, "Microsoft", "", level, level, p.Totals.Microsoft.Records)
	for _, x := range p.Steps {
		level += x.MS
		line(xlsx.Text, xlsx.Signed, x.Name, x.Words, x.MS, level, x.Microsoft, x.Carrier)
	}
	s.Row()
	s.Text(xlsx.TotalText, p.Carrier)
	s.Empty(xlsx.TotalText)
	s.Empty(xlsx.TotalText)
	s.Int(xlsx.TotalCount, p.Totals.Carrier.Records)
	s.Minutes(xlsx.TotalMinutes, p.Totals.Carrier.MS)
	s.Minutes(xlsx.TotalMinutes, level)
}
