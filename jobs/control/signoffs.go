package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/casework"
)

// SignedOff is what a desk needs of jobs.SignOffs.
type SignedOff interface {
	SignOff(ctx context.Context, report string) (jobs.SignOff, error)
	SignOffs(ctx context.Context, f jobs.SignOffFilter) ([]jobs.SignOff, error)
}

// SignOff is how far a version is on its way to be approved.
type SignOff struct {
	Report      string     `json:"report"`
	Carrier     string     `json:"carrier"`
	Period      Period     `json:"period"`
	Version     int        `json:"version"`
	State       string     `json:"state"`               // draft, in_review, approved or reopened
	Locked      bool       `json:"locked"`              // no further version is published
	HeldBack    bool       `json:"held_back,omitempty"` // something new waits for it to be reopened; of one sign-off only
	SubmittedBy string     `json:"submitted_by,omitempty"`
	Submitted   *time.Time `json:"submitted,omitempty"`
	ApprovedBy  string     `json:"approved_by,omitempty"`
	Approved    *time.Time `json:"approved,omitempty"`
	ReopenedBy  string     `json:"reopened_by,omitempty"`
	Reopened    *time.Time `json:"reopened,omitempty"`
	Why         string     `json:"why,omitempty"` // it was sent back, or reopened
}

// SignOffStep asks for a step: submit, approve, send_back or reopen. The last two
// need a reason.
type SignOffStep struct {
	Report string
	Step   string
	Why    string
	By     By
}

// SinceSignOff says how the newest version differs from the approved one. The
// sums of closed cases are those of before, of others those of now.
type SinceSignOff struct {
	Approved SignOff          `json:"approved"`
	Newest   Report           `json:"newest"`
	Opened   CaseSums         `json:"opened"`
	Closed   CaseSums         `json:"closed"`
	Changed  CaseSums         `json:"changed"`
	Before   CaseSums         `json:"changed_before"` // the changed ones, as they were
	Cases    []CaseDifference `json:"cases"`
	Next     string           `json:"next,omitempty"`
}

// CaseDifference is what became of one case.
type CaseDifference struct {
	Case   string      `json:"case"`
	Event  string      `json:"event"` // opened, changed or closed
	Before *CaseFigure `json:"before,omitempty"`
	Now    *CaseFigure `json:"now,omitempty"`
}

// CaseFigure is what one version says of a case.
type CaseFigure struct {
	Class        string `json:"class"`
	MicrosoftMS  int64  `json:"microsoft_ms"`
	CarrierMS    int64  `json:"carrier_ms"`
	DifferenceMS int64  `json:"difference_ms"`
	EffectMS     int64  `json:"effect_ms"` // on the difference of the totals
}

func signOffOf(s jobs.SignOff) SignOff {
	return SignOff{
		Report: s.Report, Carrier: s.Carrier, Period: *periodOf(s.Period), Version: s.Version, State: string(s.State), Locked: s.Locks(), Why: jobs.Mask(s.Why),
		SubmittedBy: s.SubmittedBy, Submitted: timeOrNil(s.Submitted), ApprovedBy: s.ApprovedBy, Approved: timeOrNil(s.Approved),
		ReopenedBy: s.ReopenedBy, Reopened: timeOrNil(s.Reopened),
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// SignOffs implements Operations.
func (d *Desk) SignOffs(ctx context.Context, f jobs.SignOffFilter) ([]SignOff, error) {
	list, err := d.SignedOff.SignOffs(ctx, f)
	return each(list, signOffOf), err
}

// SignOff implements Operations.
func (d *Desk) SignOff(ctx context.Context, report string) (SignOff, error) {
	s, err := d.SignedOff.SignOff(ctx, report)
	if err != nil {
		return SignOff{}, explain(err, "report", report)
	}
	x := signOffOf(s)
	x.HeldBack, err = d.heldBack(ctx, &s)
	return x, err
}

// heldBack reports whether a run had something new to say about a locked period.
func (d *Desk) heldBack(ctx context.Context, s *jobs.SignOff) (bool, error) {
	if !s.Locks() {
		return false, nil
	}
	open, err := d.Alarms.Alerts(ctx, jobs.AlertFilter{Open: true, Key: jobs.LockedKey(s.Carrier, s.Period)})
	return len(open) > 0, err
}

// StepSignOff implements Operations.
func (d *Desk) StepSignOff(ctx context.Context, s SignOffStep) (SignOff, error) {
	step := jobs.SignOffStep(s.Step)
	switch {
	case !slices.Contains([]jobs.SignOffStep{jobs.StepSubmit, jobs.StepApprove, jobs.StepSendBack, jobs.StepReopen}, step):
		return SignOff{}, refuse(Invalid, nil, "a version is submitted, approved, sent back or reopened: submit, approve, send_back, reopen")
	case s.Why == "" && (step == jobs.StepSendBack || step == jobs.StepReopen):
		return SignOff{}, refuse(Invalid, nil, "why: say for what reason")
	case !plain(s.Why, maxComment, true):
		return SignOff{}, refuse(Invalid, nil, "why: write up to %d signs of text", maxComment)
	}
	what := "report." + s.Step
	out, err := d.noted(s.By, what, s.Report, jobs.Mask(s.Why)).TakeStep(ctx, s.Report, step, d.person(s.By), s.Why, d.now())
	if errors.Is(err, jobs.ErrFourEyes) {
		err = errors.Join(err, d.note(ctx, s.By, what+".denied", s.Report, "submitted by the same person"))
	}
	if err != nil {
		return SignOff{}, explain(err, "report", s.Report)
	}
	d.wake()
	return signOffOf(out), nil
}

// person is who somebody is by whatever name they come: a token may be of a person
// that has a name of its own in the console.
func (d *Desk) person(by By) string {
	for _, t := range d.Config().HTTP.Tokens {
		if t.Name == string(by) && t.Person != "" {
			return t.Person
		}
	}
	return string(by)
}

// approved returns the version of a report's period that was approved last.
func (d *Desk) approved(ctx context.Context, id string) (jobs.SignOff, jobs.Report, error) {
	r, err := d.Archive.Report(ctx, id)
	if err != nil {
		return jobs.SignOff{}, r, explain(err, "report", id)
	}
	list, err := d.SignedOff.SignOffs(ctx, jobs.SignOffFilter{Carrier: r.Carrier, Period: &r.Period})
	if err != nil {
		return jobs.SignOff{}, r, err
	}
	i := slices.IndexFunc(list, func(s jobs.SignOff) bool { return !s.Approved.IsZero() })
	if i < 0 {
		return jobs.SignOff{}, r, refuse(NotFound, nil, "no version of %s of %s was ever approved", r.Period.Text, r.Carrier)
	}
	r, err = d.Archive.Report(ctx, list[i].Report)
	return list[i], r, err
}

// SinceSignOff implements Operations.
func (d *Desk) SinceSignOff(ctx context.Context, id, after string, limit int) (SinceSignOff, error) {
	s, r, err := d.approved(ctx, id)
	if err != nil {
		return SinceSignOff{}, err
	}
	x := SinceSignOff{Approved: signOffOf(s), Cases: []CaseDifference{}}
	newest, err := d.caseClerk().Since(ctx, r, func(c *casework.Difference) {
		x.add(c)
		switch {
		case c.CaseID <= after:
		case limit > 0 && len(x.Cases) == limit:
			x.Next = x.Cases[limit-1].Case
		default:
			x.Cases = append(x.Cases, differenceOf(c))
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return SinceSignOff{}, refuse(Unavailable, err, "a version of %s of %s is not in its place; concord alerts says if it is lost", r.Period.Text, r.Carrier)
	}
	if err != nil {
		return SinceSignOff{}, fmt.Errorf("compare with the approved version of %s of %s: %w", r.Period.Text, r.Carrier, err)
	}
	x.Newest = reportOf(newest)
	return x, nil
}

func (x *SinceSignOff) add(d *casework.Difference) {
	switch d.Event {
	case report.Opened:
		x.Opened.add(&d.Now)
	case report.Closed:
		x.Closed.add(&d.Before)
	default:
		x.Changed.add(&d.Now)
		x.Before.add(&d.Before)
	}
}

func differenceOf(d *casework.Difference) CaseDifference {
	return CaseDifference{Case: d.CaseID, Event: d.Event, Before: figureOf(&d.Before), Now: figureOf(&d.Now)}
}

func figureOf(f *jobs.CaseFacts) *CaseFigure {
	if f.Class == "" {
		return nil
	}
	return &CaseFigure{Class: f.Class, MicrosoftMS: f.MicrosoftMS, CarrierMS: f.CarrierMS, DifferenceMS: f.DiffMS, EffectMS: effectOf(f)}
}
