package cli

import (
	"fmt"

	"concord/jobs"
	"concord/jobs/control"
)

type signOffCmd struct {
	List     signOffListCmd `cmd:"" default:"withargs" help:"List versions that are in review, approved or reopened."`
	Show     signOffShowCmd `cmd:"" help:"Show how far one version is."`
	Submit   stepCmd        `cmd:"" help:"Hand a version in for review."`
	Approve  stepCmd        `cmd:"" help:"Approve a version, which locks its period; not by the one who handed it in."`
	SendBack stepCmd        `cmd:"" help:"Send a version back from review, with --why."`
	Reopen   stepCmd        `cmd:"" help:"Reopen the period that an approved version locks, with --why."`
	Since    sinceCmd       `cmd:"" help:"Show what changed since the version that was approved last."`
}

type signOffListCmd struct {
	targetFlags
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	State   string `enum:",draft,in_review,approved,reopened" default:"" placeholder:"STATE" help:"Only those that are draft (sent back), in_review, approved or reopened."`
	Before  string `placeholder:"REPORT" help:"Only those published before this one, to page on."`
	Limit   uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Run lists sign-offs.
func (c *signOffListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.SignOffs(s.ctx, jobs.SignOffFilter{Carrier: c.Carrier, State: jobs.SignOffState(c.State), Before: c.Before, Limit: int(c.Limit)})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{right: []bool{2: true}}
		g.add("Carrier", "Period", "Version", "State", "Submitted by", "Approved by", "Report")
		for _, x := range list {
			g.add(x.Carrier, x.Period.Text, fmt.Sprint(x.Version), x.State, shown(x.SubmittedBy), shown(x.ApprovedBy), x.Report)
		}
		return s.printGrid(g, "no version is in review, approved or reopened")
	})
}

type signOffShowCmd struct {
	targetFlags
	Report string `arg:"" help:"The id of a report."`
}

// Run shows a sign-off.
func (c *signOffShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		x, err := t.SignOff(s.ctx, c.Report)
		if err != nil {
			return err
		}
		return s.printSignOff(&x, c.JSON)
	})
}

func (s *session) printSignOff(x *control.SignOff, asJSON bool) error {
	if asJSON {
		return printJSON(s.Out, x)
	}
	g := &grid{}
	g.add("report", x.Report)
	g.add("version", fmt.Sprintf("%d of %s of %s", x.Version, x.Period.Text, x.Carrier))
	state := x.State
	if x.Locked {
		state += ": the period is locked"
	}
	g.add("state", state)
	if x.Submitted != nil {
		g.add("submitted", clock(*x.Submitted)+" by "+shown(x.SubmittedBy))
	}
	if x.Approved != nil {
		g.add("approved", clock(*x.Approved)+" by "+shown(x.ApprovedBy))
	}
	if x.Reopened != nil {
		g.add("reopened", clock(*x.Reopened)+" by "+shown(x.ReopenedBy))
	}
	if x.Why != "" {
		g.add("why", shown(x.Why))
	}
	g.write(s.Out, "")
	return nil
}

type stepCmd struct {
	targetFlags
	Report string `arg:"" help:"The id of a report."`
	Why    string `placeholder:"TEXT" help:"For what reason."`
	step   string
}

// AfterApply says which step each command is.
func (c *signOffCmd) AfterApply() error {
	c.Submit.step, c.Approve.step = string(jobs.StepSubmit), string(jobs.StepApprove)
	c.SendBack.step, c.Reopen.step = string(jobs.StepSendBack), string(jobs.StepReopen)
	return nil
}

// Run does a step.
func (c *stepCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		x, err := t.StepSignOff(s.ctx, control.SignOffStep{Report: c.Report, Step: c.step, Why: c.Why, By: t.by})
		if err != nil {
			return err
		}
		return s.printSignOff(&x, c.JSON)
	})
}

type sinceCmd struct {
	targetFlags
	Report string `arg:"" help:"The id of any version of the period."`
	After  string `placeholder:"CASE" help:"Only cases beyond this one, to page on."`
	Limit  uint   `default:"50" help:"How many cases to list; 0 lists all."`
}

// Run shows what changed.
func (c *sinceCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		x, err := t.SinceSignOff(s.ctx, c.Report, c.After, int(c.Limit))
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, x)
		}
		return s.showSince(&x)
	})
}

func (s *session) showSince(x *control.SinceSignOff) error {
	fmt.Fprintf(s.Out, "version %d of %s of %s against version %d, approved %s by %s\n", x.Newest.Version, x.Newest.Period.Text, x.Newest.Carrier,
		x.Approved.Version, clock(*x.Approved.Approved), shown(x.Approved.ApprovedBy))
	g := &grid{right: []bool{1: true, 2: true, 3: true, 4: true}}
	g.add("", "Cases", "Microsoft min", "Carrier min", "Effect min")
	for _, r := range []struct {
		name string
		sums control.CaseSums
	}{{"opened", x.Opened}, {"closed", x.Closed}, {"changed, before", x.Before}, {"changed, now", x.Changed}} {
		g.add(r.name, grouped(r.sums.Cases), minutes(r.sums.MicrosoftMS), minutes(r.sums.CarrierMS), signedMinutes(r.sums.EffectMS))
	}
	g.write(s.Out, "")
	list := &grid{}
	for _, d := range x.Cases {
		list.add(d.Event, d.Case, figure(d.Before), figure(d.Now))
	}
	list.write(s.Out, "")
	if x.Next != "" {
		fmt.Fprintf(s.Out, "there are more: --after %s\n", x.Next)
	}
	return nil
}

func figure(f *control.CaseFigure) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%s %s/%s min", f.Class, minutes(f.MicrosoftMS), minutes(f.CarrierMS))
}
