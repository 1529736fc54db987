package console

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/control"
)

// registerData is the register of cases, with what somebody wants to do to those
// that the filter selects.
type registerData struct {
	Filter map[string]string
	Narrow bool // the filter leaves something out, so its cases can be worked on at once
	Ages   ageTable
	control.CasePage
	FirstPage, NextPage string // addresses; empty: there is none
	Classes             []string
	Days                []string
	States              []jobs.CaseState

	Said    string // what was done
	Problem string // why something was not done
	Form    url.Values
	Look    *control.CaseWorkDone // what the form would do; nil: nobody has asked
	Passed  []passedOver          // what it would leave as it is
	Key     string                // makes doing it a request that can be repeated
}

// caseFields name the filter of the register, in its address and in forms.
var caseFields = []string{"carrier", "period", "class", "state", "owner", "nobody", "days", "gone"}

// openFor are the days that the filter knows.
var openFor = []string{"7", "30", "60", "90"}

func (v *visit) register() error {
	d := registerData{Filter: v.filters(append(caseFields, "after")...)}
	d.Said = v.told.take(v.who.Name, v.r.URL.Query().Get("done"))
	return v.showRegister(http.StatusOK, &d)
}

func countedCases(n int64) string {
	if n == 1 {
		return "1 case was"
	}
	return count(n) + " cases were"
}

func (v *visit) showRegister(status int, d *registerData) error {
	d.Classes, d.Days, d.States = report.Listed(), openFor, jobs.CaseStates
	d.Narrow = slices.ContainsFunc(caseFields, func(n string) bool { return n != "gone" && d.Filter[n] != "" })
	if d.Form == nil {
		d.Form = url.Values{}
	}
	f, err := v.selected(d.Filter)
	if err != nil {
		return err
	}
	ages, err := v.Desk.CaseAges(v.r.Context(), f)
	if err != nil {
		return err
	}
	d.Ages = ageTableOf(ages.Buckets)
	f.After, f.Limit = d.Filter["after"], pageSize
	if d.CasePage, err = v.Desk.Cases(v.r.Context(), f); err != nil {
		return err
	}
	if f.After != "" {
		d.FirstPage = registerAddress(d.Filter)
	}
	if d.Next != "" {
		d.NextPage = registerAddress(d.Filter, "after", d.Next)
	}
	v.hurry() // a large version may have been taken over
	return v.show(status, "register", "Cases", d)
}

// registerAddress is that of the register with a filter.
func registerAddress(filter map[string]string, pairs ...string) string {
	q := url.Values{}
	for _, n := range caseFields {
		if filter[n] != "" {
			q.Set(n, filter[n])
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if len(q) == 0 {
		return Root + "cases"
	}
	return Root + "cases?" + q.Encode()
}

// selected returns what a filter selects. A form says since when cases are to be
// open, so that it means the same cases when it is sent again.
func (v *visit) selected(filter map[string]string) (jobs.CasesFilter, error) {
	f := jobs.CasesFilter{
		Carrier: filter["carrier"], Period: filter["period"], Classes: some([]string{filter["class"]}), Owner: filter["owner"], Unowned: filter["nobody"] != "", Gone: filter["gone"] != "",
	}
	if s := filter["state"]; s != "" {
		f.States = []jobs.CaseState{jobs.CaseState(s)}
	}
	days := filter["days"]
	if days == "" {
		return f, nil
	}
	n, err := strconv.Atoi(days)
	if err == nil && !slices.Contains(openFor, days) {
		err = errors.New("it is none of the list")
	}
	if err == nil {
		f.Before = control.OpenFor(v.Now(), n)
	}
	if err == nil && filter["before"] != "" {
		f.Before, err = time.Parse(time.RFC3339Nano, filter["before"])
	}
	if err != nil {
		return f, &control.Refusal{Kind: control.Invalid, Text: "Cases are open for " + strings.Join(openFor, ", ") + " days or more; choose one of these.", Err: err}
	}
	return f, nil
}

// workOnMany shows how many cases a form would change and what they come to, and
// changes them when told to after that, if there are still as many.
func (v *visit) workOnMany() error {
	if err := v.form(); err != nil {
		return err
	}
	d := registerData{Filter: map[string]string{}, Form: v.r.PostForm}
	for _, n := range append(caseFields, "before") {
		d.Filter[n] = strings.TrimSpace(d.Form.Get(n))
	}
	f, err := v.selected(d.Filter)
	if err != nil {
		return err
	}
	if !f.Before.IsZero() {
		d.Filter["before"] = f.Before.UTC().Format(time.RFC3339Nano)
	}
	w, err := v.bulk(f)
	if err != nil {
		return err
	}
	done, err := v.Desk.WorkOnCases(v.r.Context(), w)
	v.hurry() // many cases take longer than an answer may
	if r, is := errors.AsType[*control.Refusal](err); is && statuses[r.Kind] != 0 {
		d.Problem = r.Text
		return v.showRegister(statuses[r.Kind], &d)
	}
	if err != nil {
		return err
	}
	if w.DryRun {
		d.Look, d.Key = &done, rand.Text()
		ages, err := v.Desk.CaseAges(v.r.Context(), f)
		if err != nil {
			return err
		}
		d.Passed = passedBy(jobs.CaseState(w.State), ageTableOf(ages.Buckets).Rows, done.Matched-done.Applied.Cases)
		return v.showRegister(http.StatusOK, &d)
	}
	return v.to(registerAddress(d.Filter, "done", v.told.leave(v.who.Name, countedCases(done.Applied.Cases)+" changed.")))
}

// bulk is the work that a form asks for.
func (v *visit) bulk(f jobs.CasesFilter) (control.CaseWork, error) {
	form := v.r.PostForm
	w := control.CaseWork{
		Filter: f, State: form.Get("to_state"), Comment: strings.TrimSpace(strings.ReplaceAll(form.Get("comment"), "\r\n", "\n")), DryRun: form.Get("sure") == "", By: v.by(),
	}
	owner := strings.TrimSpace(form.Get("to_owner"))
	if nobody := form.Get("to_nobody") != ""; nobody && owner != "" {
		return w, &control.Refusal{Kind: control.Invalid, Text: "The cases are to have an owner or nobody; go back and choose one."}
	} else if nobody || owner != "" {
		w.Owner = &owner
	}
	if w.DryRun {
		return w, nil
	}
	n, err := strconv.ParseInt(form.Get("expect"), 10, 64)
	if w.Key = form.Get("key"); err != nil || w.Key == "" {
		return w, &control.Refusal{Kind: control.Invalid, Text: "The form is none of this page; open the list of cases again.", Err: err}
	}
	w.Expect = &n
	return w, nil
}

// workOnCase changes what people make of a case, as it was seen in the form.
func (v *visit) workOnCase() error {
	if err := v.form(); err != nil {
		return err
	}
	ctx, f := v.r.Context(), v.r.PostForm
	id, name := v.r.PathValue("id"), v.r.PathValue("case")
	rep, err := v.Desk.Report(ctx, id)
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(f.Get("revision"), 10, 64)
	if err != nil {
		return &control.Refusal{Kind: control.Invalid, Text: "The form is none of this page; open the case again.", Err: err}
	}
	owner := strings.TrimSpace(f.Get("owner"))
	w := control.CaseWork{
		Filter: jobs.CasesFilter{Carrier: rep.Carrier, Period: edges(rep.Period), Cases: []string{name}}, State: f.Get("state"),
		Comment: strings.TrimSpace(strings.ReplaceAll(f.Get("comment"), "\r\n", "\n")), Revision: revision, By: v.by(),
	}
	if owner != f.Get("was_owner") {
		w.Owner = &owner
	}
	_, err = v.Desk.WorkOnCases(ctx, w)
	if r, is := errors.AsType[*control.Refusal](err); is && statuses[r.Kind] != 0 {
		return v.showCase(statuses[r.Kind], caseData{Refused: r.Text, Form: f})
	}
	if err != nil {
		return err
	}
	return v.to(Root + "reports/" + id + "/cases/" + name)
}

// evidenceOf leads to the evidence of a case, in the newest version that has it.
func (v *visit) evidenceOf() error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	c, err := v.Desk.Case(ctx, v.r.PathValue("case"), jobs.CasesFilter{Carrier: q.Get("carrier"), Period: q.Get("period")})
	f := jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: q.Get("carrier")}
	switch r, is := errors.AsType[*control.Refusal](err); {
	case err == nil:
		f.Carrier, f.Period = c.Carrier, &jobs.Period{From: c.Period.From, To: c.Period.To, Text: c.Period.Text}
	case is && r.Kind == control.NotFound && f.Carrier != "" && q.Get("period") != "":
		// it was over before the register was begun: an older version may have it
		c.ID, c.Carrier, c.Period.Text = v.r.PathValue("case"), f.Carrier, q.Get("period")
	default:
		return err
	}
	versions, err := v.Desk.Reports(ctx, f)
	if err != nil {
		return err
	}
	versions = slices.DeleteFunc(versions, func(r control.Report) bool { return r.Period.Text != c.Period.Text })
	missing := error(&control.Refusal{Kind: control.NotFound, Text: fmt.Sprintf("No version of %s of %s is left.", c.Period.Text, c.Carrier)})
	for _, r := range versions {
		_, err := v.Desk.CaseEvidence(ctx, r.ID, c.ID, false, v.by())
		if err == nil {
			return v.to(Root + "reports/" + url.PathEscape(r.ID) + "/cases/" + url.PathEscape(c.ID))
		}
		if _, is := errors.AsType[*control.Refusal](err); !is {
			return err
		}
		missing = err
	}
	return missing
}
