package console

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/control"
)

// pageSize is how many lines a list has.
const pageSize = 50

// reportsData is the list of reports.
type reportsData struct {
	Carrier, Verdict string
	All              bool // also those that were superseded
	List             []control.Report
	Next             string // address of the next page
}

func (v *visit) reports() error {
	q := v.r.URL.Query()
	d := reportsData{Carrier: q.Get("carrier"), Verdict: q.Get("verdict"), All: q.Get("all") != ""}
	list, err := v.Desk.Reports(v.r.Context(), jobs.ReportFilter{
		Carrier: d.Carrier, Verdict: d.Verdict, Newest: !d.All, Before: q.Get("before"), Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	more := false
	if d.List, more = cut(list); more {
		d.Next = with(v.r.URL, "before", d.List[len(d.List)-1].ID)
	}
	return v.page("reports", "Reports", d)
}

// cut returns the first page of a list that was asked for with one item more,
// and whether there are more.
func cut[T any](list []T) ([]T, bool) {
	if len(list) > pageSize {
		return list[:pageSize], true
	}
	return list, false
}

// reportData is the page of one version.
type reportData struct {
	control.ReportDetail
	Sum     *control.Summary // nil: it is a usage, or the folder is not in its place
	Problem string           // why not
	Parts   []part
	Other   []control.ClassTotal // classes that are no part of the totals
	Largest []report.Discrepancy
	Listed  int64
	Chart   dayChart

	Customers []control.CustomerUsage // of a usage
	Sources   []source                // the reports that it was summed up from
	SignOff   control.SignOff
	Since     *sinceShort // the sign-off of an older version; nil: there is none
	Refused   string      // why a step of the sign-off was not taken
}

// part is what one class adds to the difference.
type part struct {
	control.ClassTotal
	Bar bar
}

const (
	largest       = 10
	mostCustomers = 200
)

func (v *visit) report() error { return v.showReport(http.StatusOK, "") }

func (v *visit) showReport(status int, refused string) error {
	ctx, id := v.r.Context(), v.r.PathValue("id")
	rep, err := v.Desk.Report(ctx, id)
	if err != nil {
		return err
	}
	d := reportData{ReportDetail: rep, Refused: refused}
	if d.SignOff, err = v.Desk.SignOff(ctx, id); err != nil {
		return err
	}
	if rep.Kind == jobs.ReportReconcile {
		if d.Since, err = v.sinceSignOff(&d.ReportDetail); err != nil {
			return err
		}
		err = v.sumUp(&d)
	} else {
		if d.Sources, err = v.sources(rep.Inputs); err != nil {
			return err
		}
		d.Customers, err = v.Desk.Customers(ctx, id, mostCustomers)
	}
	if r, is := errors.AsType[*control.Refusal](err); is {
		d.Sum, d.Problem = nil, r.Text
	} else if err != nil {
		return err
	}
	title := rep.Carrier + " " + rep.Period.Text
	if rep.Kind == jobs.ReportUsage {
		title = "Usage of " + title
	}
	return v.show(status, "report", title, &d)
}

// source is a report that a usage was summed up from.
type source struct {
	control.Input
	Version int
	Newest  *control.Report // there is a newer version; nil: there is none
}

// sources says what a usage was summed up from, and what has replaced that since.
func (v *visit) sources(inputs []control.Input) (list []source, err error) {
	for _, in := range inputs {
		if in.Role != "report" {
			continue
		}
		s := source{Input: in}
		r, err := v.Desk.Report(v.r.Context(), in.File)
		if _, is := errors.AsType[*control.Refusal](err); err != nil && !is {
			return nil, err
		}
		if s.Version = r.Version; len(r.Versions) > 0 && r.SupersededBy != "" {
			s.Newest = &r.Versions[len(r.Versions)-1]
		}
		list = append(list, s)
	}
	return list, nil
}

// sumUp fills in what the files of a report say.
func (v *visit) sumUp(d *reportData) (err error) {
	ctx := v.r.Context()
	if d.Sum, err = v.Desk.Summary(ctx, d.ID); err != nil {
		return err
	}
	d.Parts, d.Other = partsOf(d.Sum)
	for _, c := range d.Sum.Classes {
		d.Listed += c.Listed
	}
	d.Chart = chartOf(d.Sum.Days)
	a, err := v.Desk.Discrepancies(ctx, control.Question{Report: d.ID, Question: report.Question{Order: report.ByEffect, Limit: largest}})
	d.Largest = slices.DeleteFunc(a.Rows, func(x report.Discrepancy) bool { return x.EffectMS() == nil || *x.EffectMS() == 0 })
	return err
}

// partsOf returns the classes that the totals are made of, those first that add
// most to the difference, and the others that have records.
func partsOf(s *control.Summary) (parts []part, other []control.ClassTotal) {
	most := int64(0)
	for _, c := range s.Classes {
		empty := c.Microsoft.Records+c.Carrier.Records+c.Listed == 0
		switch {
		case empty:
		case c.Counts():
			parts = append(parts, part{ClassTotal: c})
			most = max(most, c.DifferenceMS(), -c.DifferenceMS())
		default:
			other = append(other, c)
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		x, y := a.DifferenceMS(), b.DifferenceMS()
		return cmp.Compare(max(y, -y), max(x, -x))
	})
	for i := range parts {
		parts[i].Bar = barOf(parts[i].DifferenceMS(), most)
	}
	return parts, other
}

// casesData is the list of discrepancies.
type casesData struct {
	Report control.ReportDetail
	report.Question
	report.Answer
	Classes, Actions []string // that the report has
	Unmasked         bool
	First, Last      int64  // of the lines shown, from 1
	Before, After    string // addresses of the pages beside this one
	Query            string // of this page
}

// classNames are those that a report lists as discrepancies, in the order of reports.
func classNames(s *control.Summary) (classes, actions []string) {
	for _, c := range s.Classes {
		if c.Listed == 0 {
			continue
		}
		classes = append(classes, c.Class)
		if !slices.Contains(actions, c.Action) {
			actions = append(actions, c.Action)
		}
	}
	return classes, actions
}

// cases shows discrepancies, with numbers when they are asked for by a form.
func (v *visit) cases() error {
	ctx, id, q := v.r.Context(), v.r.PathValue("id"), v.r.URL.Query()
	d := casesData{Unmasked: v.r.Method == http.MethodPost, Question: report.Question{
		Class: q.Get("class"), Action: q.Get("action"), Flag: q.Get("flag"), Text: q.Get("text"), Order: report.Order(q.Get("order")), Limit: pageSize,
	}}
	var err error
	if d.Offset, err = offset(q.Get("offset")); err != nil {
		return err
	}
	if d.Report, err = v.Desk.Report(ctx, id); err != nil {
		return err
	}
	s, err := v.Desk.Summary(ctx, id)
	if err != nil {
		return err
	}
	d.Classes, d.Actions = classNames(s)
	if d.Answer, err = v.Desk.Discrepancies(ctx, control.Question{Report: id, Question: d.Question, Unmask: d.Unmasked, By: v.by()}); err != nil {
		return err
	}
	d.First, d.Last = int64(d.Offset)+1, int64(d.Offset+len(d.Rows))
	d.Query = v.r.URL.Path + "?" + q.Encode()
	if d.Offset > 0 {
		d.Before = with(v.r.URL, "offset", strconv.Itoa(max(0, d.Offset-pageSize)))
	}
	if d.Last < d.Total {
		d.After = with(v.r.URL, "offset", strconv.FormatInt(d.Last, 10))
	}
	return v.page("cases", "Discrepancies of "+d.Report.Carrier+" "+d.Report.Period.Text, d)
}

const maxOffset = 1 << 31

func offset(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxOffset {
		return 0, &control.Refusal{Kind: control.Invalid, Text: "The address of this page is none; begin with the first page."}
	}
	return n, nil
}

// with returns the address of the same list with another value.
func with(u *url.URL, name, value string) string {
	q := u.Query()
	q.Set(name, value)
	return u.Path + "?" + q.Encode()
}

// caseData is the page of one case.
type caseData struct {
	control.CaseEvidence
	Unmasked bool
	Work     *control.CaseDetail // what people made of it; nil: no version has it now
	Refused  string              // why that was not changed
	Form     url.Values          // what was to be changed then
}

// NewOwner is what the form has as the owner: what was typed when that was not
// saved, or else the owner that there is.
func (d *caseData) NewOwner(now string) string {
	if typed := d.Form.Get("owner"); d.Form.Has("owner") && typed != d.Form.Get("was_owner") {
		return typed
	}
	return now
}

func (v *visit) oneCase() error {
	return v.showCase(http.StatusOK, caseData{Unmasked: v.r.Method == http.MethodPost})
}

func (v *visit) showCase(status int, d caseData) (err error) {
	if d.CaseEvidence, err = v.Desk.CaseEvidence(v.r.Context(), v.r.PathValue("id"), v.r.PathValue("case"), d.Unmasked, v.by()); err != nil {
		return err
	}
	work, err := v.Desk.Case(v.r.Context(), d.ID, jobs.CasesFilter{Carrier: d.Report.Carrier, Period: edges(d.Report.Period)})
	if r, is := errors.AsType[*control.Refusal](err); is && r.Kind == control.NotFound {
		err = nil
	} else if err == nil {
		d.Work = &work
	}
	if err != nil {
		return err
	}
	return v.show(status, "case", "Case "+d.ID, &d)
}

// changesData is what changed since the version before.
type changesData struct {
	Report control.ReportDetail
	List   []control.Change
	Next   string
}

func (v *visit) changes() (err error) {
	ctx, id := v.r.Context(), v.r.PathValue("id")
	var d changesData
	if d.Report, err = v.Desk.Report(ctx, id); err != nil {
		return err
	}
	list, err := v.Desk.Changes(ctx, id, v.r.URL.Query().Get("after"), pageSize+1)
	if err != nil {
		return err
	}
	more := false
	if d.List, more = cut(list); more {
		d.Next = with(v.r.URL, "after", d.List[len(d.List)-1].Case)
	}
	return v.page("changes", fmt.Sprintf("What version %d changed", d.Report.Version), d)
}

// reportFile sends a file of a report, which a browser keeps and does not show.
func (v *visit) reportFile() (err error) {
	ctx, id, name := v.r.Context(), v.r.PathValue("id"), v.r.PathValue("name")
	hidden := control.Evidence(name)
	if !hidden && !control.Numbers.Has(v.who.Role) {
		rep, err := v.Desk.Report(ctx, id)
		if err != nil {
			return err
		}
		hidden = len(rep.Inputs) == 0 || slices.ContainsFunc(rep.Inputs, func(i control.Input) bool { return jobs.Masked(i.Name) })
	}
	if hidden && !control.Numbers.Has(v.who.Role) {
		return v.deny(control.Numbers)
	}
	f, size, err := v.Desk.OpenReportFile(ctx, id, name, v.by())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(name))) // it is in the manifest, so it is a plain name
	h.Set("Content-Security-Policy", "sandbox")
	v.began = true
	return v.send(f, size)
}

// send copies a file to a browser that takes some of it in time.
func (v *visit) send(f io.Reader, size int64) error {
	for size > 0 {
		v.hurry()
		n, err := io.CopyN(v.w, f, min(size, 256<<10))
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
}
