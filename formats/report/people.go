package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"concord/engine"
	"concord/formats/report/page"
)

// shown is what people are shown of a report, as a page and as workbooks. It is
// made of the report's own documents and rows, so that it says what they say.
type shown struct {
	folder  *files
	doc     *summaryDoc
	version *versionDoc // nil: the report is no version
	top     topCases
	office  office
	books   []*workbook
}

// look looks at a case whose cells come next.
func (w *shown) look(c *engine.Case) {
	w.top.add(c)
	w.office.disputes.skip = !asked(c)
}

// html writes report.html.
func (w *shown) html(p *page.Page) error {
	f, err := w.folder.open("report.html")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err = page.Write(&b, p); err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err != nil {
		return errors.Join(err, f.f.Close())
	}
	return w.folder.finish(f, -1)
}

func (w *shown) page() *page.Page {
	d := w.doc
	p := &page.Page{
		Carrier: d.Carrier, Period: d.Period.words(), AsOf: asOfWords(d.AsOf), Version: pageVersion(w.version),
		Totals: pageBalance(d.Totals), WarnAt: d.Settings.WarnAt.String(), DisputeAt: d.Settings.DisputeAt.String(),
		Findings: d.findings(), Lacking: d.lacking(), OfCarrier: d.ofCarrier(), Days: d.everyDay(), Countries: pageNamed(d.Countries),
		Top: w.top.cases(), Inputs: pageInputs(d.Inputs), Settings: pageSettings(d.Settings), Columns: dictionary(),
	}
	all := listed(d)
	p.Listed, p.ListedMS = all.cases, all.ms
	p.TieOut.Agrees = d.TieOut.Agrees
	for _, x := range d.TieOut.Sides {
		p.TieOut.Sides = append(p.TieOut.Sides, page.Side{Name: x.Side, Rows: x.Rows, Accepted: x.Accepted, Rejected: x.Rejected,
			Read: page.Tally(x.Read), Classed: page.Tally(x.Classed)})
	}
	pageClasses(p, d)
	for _, f := range fileWords {
		p.Files = append(p.Files, page.File{Name: f.name, Words: f.words})
	}
	return p
}

// pageClasses adds the classes, and those that the totals compare as the steps
// from one side's time to the other's.
func pageClasses(p *page.Page, d *summaryDoc) {
	for _, doc := range d.Classes {
		c := pageClass(doc)
		if c.Microsoft == (page.Tally{}) && c.Carrier == (page.Tally{}) {
			continue
		}
		p.Classes = append(p.Classes, c)
		if c.Compared {
			p.Steps = append(p.Steps, page.Step{Name: c.Name, Words: c.Words, Microsoft: c.Microsoft.Records, Carrier: c.Carrier.Records, MS: c.Carrier.MS - c.Microsoft.MS})
		}
	}
}

func pageClass(d classDoc) page.Class {
	x := page.Class{Name: d.Class, Action: d.Action, Microsoft: page.Tally(d.Microsoft), Carrier: page.Tally(d.Carrier), Listed: d.Listed}
	if c, ok := classOf(d.Class); ok {
		x.Words, x.Compared = classWords[c], compared(c)
	}
	return x
}

// classOf returns the class of a name.
func classOf(name string) (engine.Class, bool) {
	for i := range engine.NumClasses {
		if c := engine.Class(i); c.String() == name {
			return c, true
		}
	}
	return 0, false
}

// words say what a report is about.
func (d *periodDoc) words() string {
	if d == nil {
		return "everything in the files"
	}
	from, err1 := time.Parse(time.RFC3339Nano, d.From)
	to, err2 := time.Parse(time.RFC3339Nano, d.To)
	zone, err3 := time.LoadLocation(d.Zone)
	if errors.Join(err1, err2, err3) != nil {
		return d.From + " up to " + d.To
	}
	if words := wholeDays(from.In(zone), to.In(zone)); words != "" {
		return words + " (" + d.Zone + ")"
	}
	if words := wholeDays(from, to); words != "" {
		return words + " (UTC, its days in " + d.Zone + ")"
	}
	const layout = "2006-01-02 15:04:05"
	return from.In(zone).Format(layout) + " up to " + to.In(zone).Format(layout) + " (" + d.Zone + ")"
}

// wholeDays names a month, a day or several; "" if it is not of whole days.
func wholeDays(from, to time.Time) string {
	last := to.AddDate(0, 0, -1)
	switch {
	case !midnight(from) || !midnight(to):
		return ""
	case last.Equal(from):
		return from.Format(time.DateOnly)
	case from.Day() == 1 && from.AddDate(0, 1, 0).Equal(to):
		return from.Format("2006-01")
	}
	return from.Format(time.DateOnly) + " to " + last.Format(time.DateOnly)
}

func midnight(t time.Time) bool {
	h, m, s := t.Clock()
	return h+m+s+t.Nanosecond() == 0
}

func asOfWords(utc *string) string {
	if utc == nil {
		return ""
	}
	t, err := time.Parse(time.RFC3339Nano, *utc)
	if err != nil {
		return *utc
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

func pageBalance(b balanceDoc) page.Balance {
	return page.Balance{Microsoft: page.Tally(b.Microsoft), Carrier: page.Tally(b.Carrier), Verdict: b.Verdict}
}

func pageNamed(docs []namedDoc) (list []page.Named) {
	for _, d := range docs {
		list = append(list, page.Named{Name: d.Name, Balance: pageBalance(d.balanceDoc)})
	}
	return list
}

func pageInputs(docs []inputDoc) (list []page.Input) {
	for _, d := range docs {
		in := page.Input{Side: d.Side, Name: d.Name, SHA256: d.SHA256, Format: d.Format, Bytes: d.Bytes, Rows: d.Rows, FileRows: -1,
			Accepted: d.Accepted, Rejected: d.Rejected, Filtered: d.Filtered, MS: msOf(d.Seconds), Integrity: d.Integrity, Notes: d.Notes}
		if d.FileRows != nil {
			in.FileRows = *d.FileRows
		}
		list = append(list, in)
	}
	return list
}

// msOf reads seconds with up to three decimals.
func msOf(seconds json.Number) int64 {
	r, ok := new(big.Rat).SetString(seconds.String())
	if !ok {
		return 0
	}
	r.Mul(r, big.NewRat(1000, 1))
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64()
}

// pageSettings lists the settings in the order of summary.json.
func pageSettings(s settingsDoc) (list []page.Setting) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil { // the brace
		return nil
	}
	for dec.More() {
		name, err1 := dec.Token()
		value, err2 := dec.Token()
		if errors.Join(err1, err2) != nil {
			return list
		}
		n := fmt.Sprint(name)
		if value == nil {
			value = "none"
		}
		list = append(list, page.Setting{Name: n, Value: fmt.Sprint(value), Words: settingWords[n]})
	}
	return list
}

// dictionary explains the columns of the lists, once each. Those of what a
// carrier gets come first: disputeTables of them.
func dictionary() []page.Table {
	tables := []page.Table{tableOf("Discrepancies and calls in dispute", shownOf(sheetColumns)), tableOf("Inputs", inputColumns)}
	return append(tables, tableOf("Usage", shownOf(usageColumns)), tableOf("rejected.csv", shownOf(rejectedColumns)),
		tableOf("verdicts.csv, .parquet", shownOf(verdictColumns)), tableOf("usage_users.csv", shownOf(userColumns)))
}

// disputeTables is how many tables of the dictionary are about dispute.xlsx.
const disputeTables = 2

func shownOf(cols []column) (names []string) {
	for i := range cols {
		names = append(names, cols[i].shown()...)
	}
	return names
}

func tableOf(name string, columns []string) page.Table {
	t := page.Table{Name: name}
	for _, n := range columns {
		t.Columns = append(t.Columns, page.Column{Name: n, Words: columnWords[n]})
	}
	return t
}

func pageVersion(v *versionDoc) *page.Version {
	if v == nil {
		return nil
	}
	p := &page.Version{Number: v.Version}
	if v.Supersedes == nil || v.Totals.Before == nil || v.Totals.Now == nil {
		return p
	}
	p.Supersedes = v.Supersedes.Version
	p.Opened, p.Changed, p.Closed = v.Cases.Opened.Cases, v.Cases.Changed.Cases, v.Cases.Closed.Cases
	p.Before, p.Now = pageBalance(*v.Totals.Before), pageBalance(*v.Totals.Now)
	for _, in := range v.Inputs.Added {
		p.Added = append(p.Added, in.Name)
	}
	for _, in := range v.Inputs.Removed {
		p.Removed = append(p.Removed, in.Name)
	}
	for _, s := range v.Settings {
		p.Settings = append(p.Settings, page.Changed{Name: s.Name, Before: settingText(s.Before), Now: settingText(s.Now)})
	}
	return p
}

// settingText shows a value without the marks of JSON.
func settingText(v json.RawMessage) string { return strings.Trim(string(v), `"`) }
