package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

func (b *summaryBook) classes() {
	s := b.sheet
	b.section("Every record by class")
	b.header(texts("Class", "What it is"), amounts("Microsoft", "Minutes", "Carrier", "Minutes", "Discrepancies"), asides("In the totals", "Who acts"))
	for _, c := range b.page.Classes {
		s.Row()
		s.Text(xlsx.Strong, c.Name)
		s.Text(xlsx.Wrapped, c.Words)
		s.Int(xlsx.Count, c.Microsoft.Records)
		s.Minutes(xlsx.Minutes, c.Microsoft.MS)
		s.Int(xlsx.Count, c.Carrier.Records)
		s.Minutes(xlsx.Minutes, c.Carrier.MS)
		s.Int(xlsx.Count, c.Listed)
		s.Text(xlsx.Aside, map[bool]string{true: "yes", false: "no"}[c.Compared])
		s.Text(xlsx.Aside, c.Action)
	}
	t := b.page.ClassTotal()
	s.Row()
	s.Text(xlsx.TotalText, "All")
	s.Empty(xlsx.TotalText)
	s.Int(xlsx.TotalCount, t.Microsoft.Records)
	s.Minutes(xlsx.TotalMinutes, t.Microsoft.MS)
	s.Int(xlsx.TotalCount, t.Carrier.Records)
	s.Minutes(xlsx.TotalMinutes, t.Carrier.MS)
	s.Int(xlsx.TotalCount, t.Listed)
}

func (b *summaryBook) balanceHeader(what string) {
	b.header(texts(what, ""), amounts("Records Microsoft", "Records carrier", "Minutes Microsoft", "Minutes carrier", "Difference", "%"), asides("Verdict"))
}

func (b *summaryBook) balance(x page.Balance, total bool) {
	s, count, minutes, signed, percent := b.sheet, xlsx.Count, xlsx.Minutes, xlsx.Signed, xlsx.Percent
	if total {
		count, minutes, signed, percent = xlsx.TotalCount, xlsx.TotalMinutes, xlsx.TotalSigned, xlsx.TotalPercent
		s.Empty(xlsx.TotalText)
	} else {
		s.Skip()
	}
	s.Int(count, x.Microsoft.Records)
	s.Int(count, x.Carrier.Records)
	s.Minutes(minutes, x.Microsoft.MS)
	s.Minutes(minutes, x.Carrier.MS)
	s.Minutes(signed, x.DifferenceMS())
	b.share(percent, x)
	s.Text(verdictStyle(x.Verdict), x.Verdict)
}

// named lists days or countries.
func (b *summaryBook) named(title, what string, list []page.Named) {
	if len(list) == 0 {
		return
	}
	s := b.sheet
	b.section(title)
	b.balanceHeader(what)
	for _, n := range list {
		s.Row()
		name := n.Name
		if name == "" {
			name = "unknown"
		}
		s.Text(xlsx.Strong, name)
		b.balance(n.Balance, false)
	}
	s.Row()
	s.Text(xlsx.TotalText, "All")
	b.balance(b.page.Totals, true)
}

// top lists the discrepancies with the most time at stake.
func (b *summaryBook) top() {
	s, p := b.sheet, b.page
	b.section("Top discrepancies")
	b.wide(fmt.Sprintf("%d of %s, those with the most time at stake, first of the classes that the totals compare. Numbers show their last four digits; the sheet Discrepancies has the evidence, by the case id.", len(p.Top), page.Count(p.Listed)))
	b.header(texts("Case", "Class, caller and callee", "Start (UTC)", ""), amounts("Microsoft, min", "Carrier, min", "Difference, min"), asides("", "Who acts"))
	for _, c := range p.Top {
		s.Row()
		s.Text(xlsx.Text, c.ID)
		s.Text(xlsx.Text, caseWords(c))
		s.Text(xlsx.Text, c.Start)
		s.Skip()
		b.side(c.HasMicrosoft, c.Microsoft)
		b.side(c.HasCarrier, c.Carrier)
		s.Minutes(xlsx.Signed, c.DifferenceMS())
		s.Skip()
		s.Text(xlsx.Aside, c.Action)
	}
}

// caseWords says in a line what a case is.
func caseWords(c page.Case) string {
	words := c.Class
	if c.Caller != "" {
		words += ", " + c.Caller + " to " + c.Callee
	}
	if c.Flags != "" {
		words += ", " + c.Flags
	}
	return words
}

func (b *summaryBook) side(has bool, ms int64) {
	if has {
		b.sheet.Minutes(xlsx.Minutes, ms)
	} else {
		b.sheet.Skip()
	}
}

// held says what the sheets with lists hold.
func (b *summaryBook) held(grids []*grid) {
	s := b.sheet
	b.section("What the sheets hold")
	b.header(texts("Sheet", ""), amounts("First row", "Last row", "Rows of all", "Microsoft", "of all", "Carrier", "of all"))
	for _, g := range grids {
		b.rows += g.rows
		for _, p := range g.parts {
			s.Row()
			s.Text(xlsx.Strong, p.name)
			s.Skip()
			s.Int(xlsx.Count, min(p.first, p.last))
			s.Int(xlsx.Count, p.last)
			s.Int(xlsx.Count, g.rows)
			for i := range g.cols {
				if n := g.cols[i].name; n == "microsoft_seconds" || n == "carrier_seconds" {
					s.Time(xlsx.Precise, p.sums[i])
					s.Time(xlsx.Precise, g.held[i])
				}
			}
		}
	}
	b.wide(b.cutWords())
}

func (b *summaryBook) settings() {
	s := b.sheet
	b.section("Settings")
	for _, x := range b.page.Settings {
		s.Row()
		s.Text(xlsx.Strong, x.Name)
		s.Text(xlsx.Wrapped, x.Words)
		s.Text(xlsx.Text, x.Value)
	}
}

// inputColumns are those of the sheet Inputs, of inputWidths.
var inputColumns = []string{"side", "name", "sha256", "bytes", "format", "rows", "file_rows", "accepted", "rejected", "filtered", "time", "integrity", "notes"}

var inputWidths = []float64{12, 40, 68, 14, 12, 12, 12, 12, 12, 12, 16, 12, 40}

func (b *summaryBook) inputs(list []page.Input) error {
	return b.on(xlsx.Layout{Name: "Inputs", Tab: inputsTab, Widths: inputWidths, Frozen: gridHead}, func() {
		s := b.sheet
		b.title("Inputs", page.Counted(int64(len(list)), "file", "files")+" that were compared, all of them. Verified: control totals or checksums in the file agree with what was read.")
		b.header(texts(inputColumns[:3]...), amounts(inputColumns[3]), asides(inputColumns[4]), amounts(inputColumns[5:11]...), asides(inputColumns[11:]...))
		for _, in := range list {
			b.input(in)
		}
		var all page.Input
		for _, in := range list {
			all.Rows, all.Accepted, all.Rejected = all.Rows+in.Rows, all.Accepted+in.Accepted, all.Rejected+in.Rejected
			all.Filtered, all.MS = all.Filtered+in.Filtered, all.MS+in.MS
		}
		s.Row()
		s.Text(xlsx.TotalText, "All")
		for range 4 {
			s.Empty(xlsx.TotalText)
		}
		s.Int(xlsx.TotalCount, all.Rows)
		s.Empty(xlsx.TotalText)
		s.Int(xlsx.TotalCount, all.Accepted)
		s.Int(xlsx.TotalCount, all.Rejected)
		s.Int(xlsx.TotalCount, all.Filtered)
		s.Time(xlsx.TotalSpan, all.MS)
	})
}

func (b *summaryBook) input(in page.Input) {
	s, notes := b.sheet, strings.Join(in.Notes, "\n")
	s.Tall(max(lines(notes, 40), lines(in.Name, 40)))
	s.Text(xlsx.Text, in.Side)
	s.Text(xlsx.Wrapped, in.Name)
	s.Text(xlsx.Text, in.SHA256)
	s.Int(xlsx.Count, in.Bytes)
	s.Text(xlsx.Aside, in.Format)
	s.Int(xlsx.Count, in.Rows)
	if in.FileRows >= 0 {
		s.Int(xlsx.Count, in.FileRows)
	} else {
		s.Skip()
	}
	s.Int(xlsx.Count, in.Accepted)
	s.Int(xlsx.Count, in.Rejected)
	s.Int(xlsx.Count, in.Filtered)
	s.Time(xlsx.Precise, in.MS)
	s.Text(xlsx.Aside, in.Integrity)
	s.Text(xlsx.Wrapped, notes)
}

// maxLines is how many lines of a text are shown; the cell has all.
const maxLines = 12

// lines estimates how many lines a text takes in so many characters.
func lines(text string, width int) int {
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		n += 1 + utf8.RuneCountInString(l)*11/10/width
	}
	return min(n, maxLines)
}

// wordsWidth is that of explanations.
const wordsWidth = 90

// columns is the dictionary of every column.
func (b *summaryBook) columns(tables []page.Table, files []page.File) error {
	return b.on(xlsx.Layout{Name: "Columns", Tab: columnsTab, Widths: []float64{34, 26, wordsWidth}, Upright: true}, func() {
		b.title("Columns", "What each column holds. Columns that end in _utc are in UTC; times are hours, minutes, seconds; minutes are decimal.")
		b.header(texts("Sheet", "Column", "What it holds"))
		for _, t := range tables {
			for _, c := range t.Columns {
				b.sheet.Tall(lines(c.Words, wordsWidth))
				b.sheet.Text(xlsx.Text, t.Name)
				b.sheet.Text(xlsx.Strong, c.Name)
				b.sheet.Text(xlsx.Wrapped, c.Words)
			}
		}
		if len(files) == 0 {
			return
		}
		b.section("Files of the report")
		for _, f := range files {
			b.sheet.Row()
			b.sheet.Text(xlsx.Text, "")
			b.sheet.Text(xlsx.Strong, f.Name)
			b.sheet.Text(xlsx.Wrapped, f.Words)
		}
	})
}
