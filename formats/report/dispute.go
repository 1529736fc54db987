package report

import (
	"fmt"
	"strings"

	"concord/engine"
	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

// disputed reports whether somebody is asked to act on cases of the class.
func disputed(c engine.Class) bool {
	return c.Discrepancy() && (strings.HasPrefix(c.Action(), "carrier") || strings.HasPrefix(c.Action(), "finance"))
}

// ofOneFile reports whether a case of the class is about what one side has
// sent, and not about a call.
func ofOneFile(c engine.Class) bool { return c == engine.Invalid || c == engine.ConflictingDuplicate }

// asked reports whether the carrier is asked about a case. It cannot do
// anything about rows of Microsoft's that are at fault by themselves.
func asked(c *engine.Case) bool {
	return disputed(c.Class) && (!ofOneFile(c.Class) || len(c.Carrier) > 0)
}

// disputes adds up by class what the carrier is asked about.
func disputes(d *summaryDoc) (classes []page.Class) {
	for _, doc := range d.Classes {
		c, known := classOf(doc.Class)
		x := pageClass(doc)
		if ofOneFile(c) {
			x.Listed, x.Microsoft = x.Carrier.Records, page.Tally{}
		}
		if known && disputed(c) && x.Listed > 0 {
			classes = append(classes, x)
		}
	}
	return classes
}

// sumOf adds classes up.
func sumOf(classes []page.Class) (l list) {
	for _, c := range classes {
		l.cases += c.Listed
		l.ms[engine.Microsoft] += c.Microsoft.MS
		l.ms[engine.Carrier] += c.Carrier.MS
	}
	return l
}

// completeDispute adds to dispute.xlsx what a carrier needs to read it: what
// we ask, by what files and rules, and what the columns hold. Nothing else of
// the report is in it.
func (b *summaryBook) completeDispute(g *grid, classes []page.Class) error {
	return b.steps(
		func() error {
			return b.on(xlsx.Layout{Name: "Read me", Tab: summaryTab, Widths: summaryWidths}, func() { b.disputeSummary(g, classes) })
		},
		func() error { return b.inputs(inputsOf(b.page.Inputs, engine.Carrier)) },
		func() error { return b.columns(b.page.Columns[:disputeTables], nil) },
	)
}

// inputsOf are the files of one side: the other side's are not the carrier's
// business.
func inputsOf(all []page.Input, side engine.Side) (list []page.Input) {
	for _, in := range all {
		if in.Side == side.String() {
			list = append(list, in)
		}
	}
	return list
}

func (b *summaryBook) disputeSummary(g *grid, classes []page.Class) {
	p, l := b.page, sumOf(classes)
	b.title("Calls in dispute with "+p.Carrier, about(p))
	for _, text := range p.Lacking {
		b.sheet.Row()
		b.sheet.Text(xlsx.Bad, text)
		for range b.sheet.Columns() - 1 {
			b.sheet.Empty(xlsx.Bad)
		}
	}
	b.section("What we ask")
	if l.cases == 0 {
		b.wide("There is nothing in dispute.")
	} else {
		b.wide(fmt.Sprintf("We compared your call records with Microsoft’s and ask you to look at %s.", page.Counted(l.cases, "case", "cases")))
	}
	list := askedFor(classes)
	for i := range list {
		b.wide(list[i].says())
	}
	for _, text := range []string{
		"The sheet “Calls in dispute” lists each case with the ids, file and row of both records, so that either side finds them.",
		"carrier fixes: please check your record and send a correction. finance disputes: we do not accept the time that you bill. carrier and ops check the answer signal: both sides look.",
		"Quote the case_id when you answer: it stays the same in every later version. Times are UTC as sent; differences are your figure less Microsoft’s.",
	} {
		b.wide(text)
	}
	b.disputeClasses(list)
	b.held([]*grid{g})
	if len(p.OfCarrier) > 0 {
		b.section("About your data")
	}
	for _, text := range p.OfCarrier {
		b.wide(text)
	}
	b.section("By what rules")
	for _, x := range p.Settings {
		if x.Name == "profile" || strings.HasSuffix(x.Name, "_percent") || strings.HasSuffix(x.Name, "_sha256") {
			continue
		}
		b.sheet.Row()
		b.sheet.Text(xlsx.Strong, x.Name)
		b.sheet.Text(xlsx.Wrapped, x.Words)
		b.sheet.Text(xlsx.Text, x.Value)
	}
}

// disputeClasses lists the classes of the cases by what is asked about them.
func (b *summaryBook) disputeClasses(list []ask) {
	b.section("Cases by what we ask")
	b.header(texts("Class", "What it is"), amounts("Cases", "Minutes Microsoft", "Minutes carrier", "Difference"), asides("Who acts"))
	var apart int64
	for i := range list {
		for _, c := range list[i].classes {
			b.disputeClass(xlsx.Text, xlsx.Count, xlsx.Minutes, xlsx.Signed, c)
			b.sheet.Text(xlsx.Aside, c.Action)
		}
		all := list[i].sum()
		all.Name = list[i].name
		if !list[i].counted {
			all.Name, apart = all.Name+" (in no total)", all.Carrier.MS
		}
		b.disputeClass(xlsx.TotalText, xlsx.TotalCount, xlsx.TotalMinutes, xlsx.TotalSigned, all)
	}
	if apart > 0 {
		b.wide(fmt.Sprintf("The last row of the sheet “Calls in dispute” adds up everything that it lists: also %s minutes of rows that are in no total.", page.Minutes(apart)))
	}
}

func (b *summaryBook) disputeClass(name, count, minutes, signed xlsx.Style, c page.Class) {
	s := b.sheet
	s.Row()
	s.Text(name, c.Name)
	if c.Words == "" {
		s.Empty(name)
	} else {
		s.Text(xlsx.Wrapped, c.Words)
	}
	s.Int(count, c.Listed)
	s.Minutes(minutes, c.Microsoft.MS)
	s.Minutes(minutes, c.Carrier.MS)
	s.Minutes(signed, c.Carrier.MS-c.Microsoft.MS)
}
