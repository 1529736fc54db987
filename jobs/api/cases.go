package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

// casesParams select cases.
var casesParams = []string{"carrier", "period", "from", "to", "class", "state", "case", "owner", "unowned", "before", "gone"}

// workBody asks for work on cases.
type workBody struct {
	Of       casesBody `json:"of"`
	State    string    `json:"state,omitempty"`
	Owner    *string   `json:"owner,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Revision int64     `json:"revision,omitempty"`
	Expect   *int64    `json:"expect,omitempty"`
	DryRun   bool      `json:"dry_run,omitempty"`
}

// casesBody selects cases.
type casesBody struct {
	Carrier string           `json:"carrier,omitempty"`
	Period  string           `json:"period,omitempty"`
	From    time.Time        `json:"from,omitzero"`
	To      time.Time        `json:"to,omitzero"`
	Classes []string         `json:"classes,omitempty"`
	States  []jobs.CaseState `json:"states,omitempty"`
	Cases   []string         `json:"cases,omitempty"`
	Owner   string           `json:"owner,omitempty"`
	Unowned bool             `json:"unowned,omitempty"`
	Before  time.Time        `json:"before,omitzero"`
	Gone    bool             `json:"gone,omitempty"`
}

func (b *casesBody) filter() jobs.CasesFilter {
	return jobs.CasesFilter{
		Carrier: b.Carrier, Period: b.Period, From: b.From, To: b.To, Classes: b.Classes, States: b.States, Cases: b.Cases,
		Owner: b.Owner, Unowned: b.Unowned, Before: b.Before, Gone: b.Gone,
	}
}

func bodyOf(f *jobs.CasesFilter) casesBody {
	return casesBody{
		Carrier: f.Carrier, Period: f.Period, From: f.From, To: f.To, Classes: f.Classes, States: f.States, Cases: f.Cases,
		Owner: f.Owner, Unowned: f.Unowned, Before: f.Before, Gone: f.Gone,
	}
}

// stepBody asks for a step of a sign-off.
type stepBody struct {
	Step string `json:"step"`
	Why  string `json:"why,omitempty"`
}

type signOffList struct {
	SignOffs []control.SignOff `json:"signoffs"`
	Next     string            `json:"next,omitempty"`
}

// list returns the words of a parameter, between which there are commas.
func (q *query) list(name string) []string {
	if q.text(name) == "" {
		return nil
	}
	return strings.Split(q.text(name), ",")
}

func (q *query) cases() jobs.CasesFilter {
	f := jobs.CasesFilter{
		Carrier: q.text("carrier"), Period: q.text("period"), From: q.time("from"), To: q.time("to"), Classes: q.list("class"), Cases: q.list("case"),
		Owner: q.text("owner"), Unowned: q.boolean("unowned"), Before: q.time("before"), Gone: q.boolean("gone"), After: q.text("after"),
	}
	for _, s := range q.list("state") {
		f.States = append(f.States, jobs.CaseState(s))
	}
	return f
}

func casesQuery(f *jobs.CasesFilter) url.Values {
	var states []string
	for _, s := range f.States {
		states = append(states, string(s))
	}
	return params("carrier", f.Carrier, "period", f.Period, "from", when(f.From), "to", when(f.To), "class", strings.Join(f.Classes, ","), "state", strings.Join(states, ","),
		"case", strings.Join(f.Cases, ","), "owner", f.Owner, "unowned", yes(f.Unowned), "before", when(f.Before), "gone", yes(f.Gone), "after", f.After)
}

func (c *call) cases() error {
	f := c.q.cases()
	f.Limit = c.q.limit()
	if err := c.q.err(); err != nil {
		return err
	}
	p, err := c.Operations.Cases(c.r.Context(), f)
	if err != nil {
		return err
	}
	c.w.hurry() // a large version may have been taken over
	return c.w.json(http.StatusOK, p)
}

func (c *call) oneCase() error {
	x, err := c.Operations.Case(c.r.Context(), c.r.PathValue("id"), jobs.CasesFilter{Carrier: c.q.text("carrier"), Period: c.q.text("period")})
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, x)
}

func (c *call) workOnCases() error {
	var b workBody
	key, err := c.key()
	if err == nil {
		err = c.body(&b)
	}
	if err != nil {
		return err
	}
	done, err := c.Operations.WorkOnCases(c.r.Context(), control.CaseWork{
		Filter: b.Of.filter(), State: b.State, Owner: b.Owner, Comment: b.Comment, Revision: b.Revision, Expect: b.Expect, DryRun: b.DryRun, Key: key, By: c.by,
	})
	if err != nil {
		return err
	}
	c.w.hurry() // a million cases take longer than an answer may
	return c.w.json(http.StatusOK, done)
}

func (c *call) caseAges() error {
	f := c.q.cases()
	if err := c.q.err(); err != nil {
		return err
	}
	a, err := c.Operations.CaseAges(c.r.Context(), f)
	if err != nil {
		return err
	}
	c.w.hurry()
	return c.w.json(http.StatusOK, a)
}

func (c *call) signOffs() error {
	q, n := c.q, c.q.limit()
	f := jobs.SignOffFilter{
		Carrier: q.text("carrier"), Before: q.text("before"), Limit: n + 1,
		State: jobs.SignOffState(q.oneOf("state", string(jobs.SignOffDraft), string(jobs.SignOffReview), string(jobs.SignOffApproved), string(jobs.SignOffReopened))),
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.SignOffs(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(s control.SignOff) string { return s.Report })
	return c.w.json(http.StatusOK, signOffList{items, next})
}

func (c *call) signOff() error {
	s, err := c.Operations.SignOff(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, s)
}

func (c *call) stepSignOff() error {
	var b stepBody
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Step == string(jobs.StepReopen) && c.role != config.Admin {
		c.deny("reopen "+c.r.PathValue("id"), "the role "+string(c.role)+" may not reopen a period; use a token of "+string(config.Admin))
		return nil
	}
	s, err := c.Operations.StepSignOff(c.r.Context(), control.SignOffStep{Report: c.r.PathValue("id"), Step: b.Step, Why: b.Why, By: c.by})
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, s)
}

func (c *call) sinceSignOff() error {
	n := c.q.limit()
	if err := c.q.err(); err != nil {
		return err
	}
	x, err := c.Operations.SinceSignOff(c.r.Context(), c.r.PathValue("id"), c.q.text("after"), n)
	if err != nil {
		return err
	}
	c.w.hurry()
	return c.w.json(http.StatusOK, x)
}

// Cases implements control.Operations.
func (c *Client) Cases(ctx context.Context, f jobs.CasesFilter) (all control.CasePage, err error) {
	after := ""
	all.Cases, err = pages(f.Limit, casesQuery(&f), "after", func(q url.Values) ([]control.Case, string, error) {
		var p control.CasePage
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/cases", query: q}, &p)
		after, all.Waiting = p.Next, p.Waiting
		return p.Cases, p.Next, err
	})
	all.Next = after
	return all, err
}

// Case implements control.Operations.
func (c *Client) Case(ctx context.Context, id string, f jobs.CasesFilter) (x control.CaseDetail, err error) {
	return x, c.do(ctx, request{method: http.MethodGet, path: at("/v1/cases/%s", id), query: params("carrier", f.Carrier, "period", f.Period)}, &x)
}

// WorkOnCases implements control.Operations.
func (c *Client) WorkOnCases(ctx context.Context, w control.CaseWork) (done control.CaseWorkDone, err error) {
	return done, c.do(ctx, request{method: http.MethodPost, path: "/v1/cases", key: w.Key, body: workBody{
		Of: bodyOf(&w.Filter), State: w.State, Owner: w.Owner, Comment: w.Comment, Revision: w.Revision, Expect: w.Expect, DryRun: w.DryRun,
	}}, &done)
}

// CaseAges implements control.Operations.
func (c *Client) CaseAges(ctx context.Context, f jobs.CasesFilter) (a control.CaseAges, err error) {
	return a, c.do(ctx, request{method: http.MethodGet, path: "/v1/case-ages", query: casesQuery(&f)}, &a)
}

// SignOffs implements control.Operations. A Period and drafts are not among what
// a service can be asked.
func (c *Client) SignOffs(ctx context.Context, f jobs.SignOffFilter) ([]control.SignOff, error) {
	if f.Period != nil || f.Newest {
		return nil, invalid("sign-offs of one period exactly, and those of drafts, cannot be asked for")
	}
	return pages(f.Limit, params("carrier", f.Carrier, "state", string(f.State), "before", f.Before), "before", func(q url.Values) ([]control.SignOff, string, error) {
		var list signOffList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/signoffs", query: q}, &list)
		return list.SignOffs, list.Next, err
	})
}

// SignOff implements control.Operations.
func (c *Client) SignOff(ctx context.Context, report string) (s control.SignOff, err error) {
	return s, c.get(ctx, at("/v1/reports/%s/signoff", report), &s)
}

// StepSignOff implements control.Operations.
func (c *Client) StepSignOff(ctx context.Context, s control.SignOffStep) (out control.SignOff, err error) {
	return out, c.post(ctx, at("/v1/reports/%s/signoff", s.Report), stepBody{s.Step, s.Why}, &out)
}

// SinceSignOff implements control.Operations.
func (c *Client) SinceSignOff(ctx context.Context, report, after string, limit int) (all control.SinceSignOff, err error) {
	var cases []control.CaseDifference
	next := ""
	cases, err = pages(limit, params("after", after), "after", func(q url.Values) ([]control.CaseDifference, string, error) {
		var x control.SinceSignOff
		err := c.do(ctx, request{method: http.MethodGet, path: at("/v1/reports/%s/since-signoff", report), query: q}, &x)
		all, next = x, x.Next
		return x.Cases, x.Next, err
	})
	all.Cases, all.Next = cases, next
	return all, err
}
