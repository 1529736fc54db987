package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

// standingsData is where every period of every carrier stands.
type standingsData struct {
	listData[control.Standing]
	States []jobs.SignOffState
}

var signOffStates = []jobs.SignOffState{jobs.SignOffDraft, jobs.SignOffReview, jobs.SignOffApproved, jobs.SignOffReopened}

func (v *visit) signOffs() error {
	f := v.filters("carrier", "state", "before")
	list, err := v.Desk.Standings(v.r.Context(), jobs.SignOffFilter{Carrier: f["carrier"], State: jobs.SignOffState(f["state"]), Before: f["before"], Limit: pageSize + 1})
	if err != nil {
		return err
	}
	d := listOf(v, f, list, func(s control.Standing) string { return s.Report })
	return v.page("signoffs", "Sign-offs", standingsData{d, signOffStates})
}

// signOff takes a step on the way of a version to its approval.
func (v *visit) signOff() error {
	if err := v.form(); err != nil {
		return err
	}
	id, f := v.r.PathValue("id"), v.r.PostForm
	if f.Get("step") == string(jobs.StepReopen) && !control.Administer.Has(v.who.Role) {
		return v.deny(control.Administer)
	}
	_, err := v.Desk.StepSignOff(v.r.Context(), control.SignOffStep{Report: id, Step: f.Get("step"), Why: strings.TrimSpace(f.Get("why")), By: v.by()})
	if r, is := errors.AsType[*control.Refusal](err); is && statuses[r.Kind] != 0 {
		return v.showReport(statuses[r.Kind], r.Text)
	}
	if err != nil {
		return err
	}
	return v.to(Root + "reports/" + id)
}

// sinceData is how the newest version of a period differs from the one that was
// approved last.
type sinceData struct {
	control.SinceSignOff
	FirstPage, NextPage string           // addresses; empty: there is none
	Old, New            *control.Balance // the totals of both; nil: a version is not in its place
}

// Effect is what all that changed adds to the difference of the totals.
func (d *sinceData) Effect() int64 {
	return d.Opened.EffectMS - d.Closed.EffectMS - d.Before.EffectMS + d.Changed.EffectMS
}

// Grown is by how much the difference of the totals has become larger.
func (d *sinceData) Grown() int64 { return d.New.DifferenceMS - d.Old.DifferenceMS }

// Rest is what of that is of no case.
func (d *sinceData) Rest() int64 { return d.Grown() - d.Effect() }

// total fills in the totals of both versions, if they can be read.
func (d *sinceData) total(v *visit) error {
	then, err := v.Desk.Summary(v.r.Context(), d.Approved.Report)
	if err != nil {
		return unlessRefused(err)
	}
	now, err := v.Desk.Summary(v.r.Context(), d.Newest.ID)
	if err == nil {
		d.Old, d.New = &then.Totals, &now.Totals
	}
	return unlessRefused(err)
}

func unlessRefused(err error) error {
	if _, is := errors.AsType[*control.Refusal](err); is {
		return nil
	}
	return err
}

func (v *visit) since() error {
	after := v.r.URL.Query().Get("after")
	x, err := v.Desk.SinceSignOff(v.r.Context(), v.r.PathValue("id"), after, pageSize)
	if err != nil {
		return err
	}
	d := sinceData{SinceSignOff: x}
	if err := d.total(v); err != nil {
		return err
	}
	if after != "" {
		d.FirstPage = v.r.URL.Path
	}
	if x.Next != "" {
		d.NextPage = with(v.r.URL, "after", x.Next)
	}
	v.hurry() // the versions between may be large
	return v.show(http.StatusOK, "since", "What changed in "+x.Approved.Carrier+" "+x.Approved.Period.Text+" since its sign-off", &d)
}

// sinceShort is what a report says of it.
type sinceShort struct {
	Approved control.SignOff
	Sums     *control.SinceSignOff // nil: they take long to add up, or files are not in their place
}

// mostAddedUp is how many changes are added up while a report is shown.
const mostAddedUp = 20_000

// sinceSignOff says what changed since a version of the period was approved; nil:
// that is the newest one, or there is none.
func (v *visit) sinceSignOff(r *control.ReportDetail) (*sinceShort, error) {
	ctx := v.r.Context()
	list, err := v.Desk.SignOffs(ctx, jobs.SignOffFilter{Carrier: r.Carrier, Period: &jobs.Period{From: r.Period.From, To: r.Period.To, Text: r.Period.Text}})
	i := slices.IndexFunc(list, func(s control.SignOff) bool { return s.Approved != nil })
	if err != nil || i < 0 {
		return nil, err
	}
	s, changes, later := &sinceShort{Approved: list[i]}, int64(0), false
	for _, version := range r.Versions {
		if version.Version > s.Approved.Version {
			later = true
			changes += version.Changes.Opened + version.Changes.Changed + version.Changes.Closed
		}
	}
	if !later {
		return nil, nil
	}
	if changes > mostAddedUp {
		return s, nil
	}
	x, err := v.Desk.SinceSignOff(ctx, r.ID, "", 1)
	if _, is := errors.AsType[*control.Refusal](err); is {
		return s, nil
	}
	s.Sums = &x
	return s, err
}
