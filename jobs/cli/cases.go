package cli

import (
	"fmt"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

type casesCmd struct {
	List  casesListCmd  `cmd:"" default:"withargs" help:"List cases of the newest versions."`
	Show  casesShowCmd  `cmd:"" help:"Show one case with its trail."`
	Work  casesWorkCmd  `cmd:"" help:"Change the state or the owner of cases, or comment on them: of one, or of all that are selected."`
	Aging casesAgingCmd `cmd:"" help:"Count cases by state and by how long they have been open."`
}

// caseFlags select cases.
type caseFlags struct {
	Carrier string   `placeholder:"NAME" help:"Only those of one carrier."`
	Period  string   `placeholder:"PERIOD" help:"Only those of a period as it was asked for, such as 2026-10-01 or 2026-10, or by its ends: FROM/TO as times."`
	From    string   `placeholder:"DAY" help:"Only those of periods that have a part since this day, in UTC."`
	To      string   `placeholder:"DAY" help:"Only those of periods that have a part before this day, in UTC."`
	Class   []string `placeholder:"CLASS" help:"Only those of a class, such as duration_over; repeats."`
	State   []string `placeholder:"STATE" help:"Only those that are open, disputed, accepted or resolved; repeats."`
	Owner   string   `placeholder:"NAME" help:"Only those of an owner."`
	Unowned bool     `help:"Only those of nobody."`
	Older   uint     `placeholder:"DAYS" help:"Only those that have been open since so many days ago or longer, by days in UTC."`
	Gone    bool     `help:"Also those that the newest version has no more."`
}

func (c *caseFlags) filter(ids []string) (f jobs.CasesFilter, err error) {
	f = jobs.CasesFilter{Carrier: c.Carrier, Period: c.Period, Classes: c.Class, Cases: ids, Owner: c.Owner, Unowned: c.Unowned, Gone: c.Gone}
	for _, s := range c.State {
		f.States = append(f.States, jobs.CaseState(s))
	}
	if c.Older > 0 {
		f.Before = control.OpenFor(time.Now(), int(c.Older))
	}
	for flag, at := range map[string]struct {
		text string
		into *time.Time
	}{"--from": {c.From, &f.From}, "--to": {c.To, &f.To}} {
		if at.text == "" {
			continue
		}
		if *at.into, err = time.Parse(time.DateOnly, at.text); err != nil {
			return f, usageFailure("%s: write a day such as 2026-10-01", flag)
		}
	}
	return f, nil
}

type casesListCmd struct {
	targetFlags
	caseFlags
	After string `placeholder:"NEXT" help:"What the page before said to go on with."`
	Limit uint   `default:"50" help:"How many to list; 0 lists all."`
}

// Help has examples.
func (casesListCmd) Help() string {
	return "Examples:\n  concord cases --carrier fabrikam --period 2026-10 --state open\n  concord cases show 0da4a127261e3602ae1cf7ef\n" +
		"  concord cases work --carrier fabrikam --class duration_over --state open --dispute --comment 'sent on Monday' --dry-run"
}

// Run lists cases.
func (c *casesListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		f, err := c.filter(nil)
		if err != nil {
			return err
		}
		f.After, f.Limit = c.After, int(c.Limit)
		p, err := t.Cases(s.ctx, f)
		if err != nil {
			return err
		}
		s.tellWaiting(p.Waiting)
		if c.JSON {
			return printLines(s, p.Cases)
		}
		g := &grid{right: []bool{3: true, 4: true, 5: true}}
		g.add("Carrier", "Period", "Class", "Microsoft min", "Carrier min", "Effect min", "Since (UTC)", "State", "Owner", "Case")
		for _, x := range p.Cases {
			g.add(x.Carrier, x.Period.Text, x.Class, minutes(x.MicrosoftMS), minutes(x.CarrierMS), signedMinutes(x.EffectMS), clock(x.Since), x.State, shown(x.Owner), x.ID)
		}
		if err := s.printGrid(g, "no cases"); err != nil || p.Next == "" {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "there are more: --after %s\n", p.Next)
		return err
	})
}

// tellWaiting says what a list does not know of yet.
func (s *session) tellWaiting(list []string) {
	if len(list) > 0 {
		fmt.Fprintf(s.Err, "concord: not in here yet, for their files are not in their place or cannot be read: %s\n", strings.Join(list, ", "))
	}
}

type casesShowCmd struct {
	targetFlags
	Case    string `arg:"" help:"The id of a case."`
	Carrier string `placeholder:"NAME" help:"Its carrier."`
	Period  string `placeholder:"PERIOD" help:"Its period, when several have it."`
}

// Run shows a case.
func (c *casesShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		x, err := t.Case(s.ctx, c.Case, jobs.CasesFilter{Carrier: c.Carrier, Period: c.Period})
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, x)
		}
		s.showCase(&x)
		return nil
	})
}

func (s *session) showCase(x *control.CaseDetail) {
	g := &grid{}
	g.add("case", x.ID)
	g.add("of", x.Carrier+", "+x.Period.Text)
	g.add("class", x.Class)
	g.add("minutes", fmt.Sprintf("%s at Microsoft, %s at the carrier, difference %s", minutes(x.MicrosoftMS), minutes(x.CarrierMS), signedMinutes(x.DifferenceMS)))
	state := x.State
	if !x.Present {
		state += ", and no discrepancy any more"
	}
	g.add("state", state)
	g.add("since", clock(x.Since))
	g.add("owner", shown(x.Owner))
	g.add("revision", fmt.Sprint(x.Revision))
	g.write(s.Out, "")
	for _, n := range x.Trail {
		by := shown(n.By)
		if n.Version > 0 {
			by = fmt.Sprintf("version %d", n.Version)
		}
		line := clock(n.At) + "  " + by
		if n.Before != n.After {
			line += ": " + n.Before + " → " + n.After
		}
		if n.Owner != nil {
			line += fmt.Sprintf(", owner %q", shown(*n.Owner))
		}
		if n.Comment != "" {
			line += ": " + shown(n.Comment)
		}
		fmt.Fprintln(s.Out, line)
	}
}

type casesWorkCmd struct {
	targetFlags
	caseFlags
	Cases    []string `arg:"" optional:"" name:"case" help:"Ids of cases; none: all that the flags select."`
	Reopen   bool     `xor:"to" help:"They become open again; say why with --comment."`
	Dispute  bool     `xor:"to" help:"They become disputed."`
	Accept   bool     `xor:"to" help:"They become accepted."`
	Resolve  bool     `xor:"to" help:"They become resolved."`
	Assign   string   `placeholder:"NAME" help:"They get an owner."`
	Unassign bool     `help:"They have no owner any more."`
	Comment  string   `placeholder:"TEXT" help:"What the trail of each is to say."`
	Revision uint     `placeholder:"N" help:"Only as long as the one case is at this revision."`
	Expect   int64    `default:"-1" placeholder:"N" help:"Only if so many cases are changed, as --dry-run has said."`
	Key      string   `placeholder:"KEY" help:"The same key again does nothing again."`
	DryRun   bool     `help:"Only say how many that would be."`
}

// Run works on cases.
func (c *casesWorkCmd) Run(s *session) error {
	f, err := c.filter(c.Cases)
	if err != nil {
		return err
	}
	return c.with(s, func(t *target) error {
		w := control.CaseWork{Filter: f, State: c.to(), Comment: c.Comment, Revision: int64(c.Revision), DryRun: c.DryRun, Key: c.Key, By: t.by}
		if c.Assign != "" || c.Unassign {
			w.Owner = &c.Assign
		}
		if c.Expect >= 0 {
			w.Expect = &c.Expect
		}
		done, err := t.WorkOnCases(s.ctx, w)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, done)
		}
		return s.showWork(&done)
	})
}

func (c *casesWorkCmd) to() string {
	switch {
	case c.Reopen:
		return string(jobs.CaseOpen)
	case c.Dispute:
		return string(jobs.CaseDisputed)
	case c.Accept:
		return string(jobs.CaseAccepted)
	case c.Resolve:
		return string(jobs.CaseResolved)
	}
	return ""
}

func (s *session) showWork(d *control.CaseWorkDone) error {
	does := "changed"
	switch {
	case d.DryRun:
		does = "would be changed"
	case d.Repeated:
		does = "were changed before by this key"
	}
	_, err := fmt.Fprintf(s.Out, "%s of %s cases %s: %s minutes at Microsoft, %s at the carrier, difference %s\n",
		grouped(d.Applied.Cases), grouped(d.Matched), does, minutes(d.Applied.MicrosoftMS), minutes(d.Applied.CarrierMS), signedMinutes(d.Applied.DifferenceMS))
	return err
}

type casesAgingCmd struct {
	targetFlags
	caseFlags
}

// Run counts cases.
func (c *casesAgingCmd) Run(s *session) error {
	f, err := c.filter(nil)
	if err != nil {
		return err
	}
	return c.with(s, func(t *target) error {
		a, err := t.CaseAges(s.ctx, f)
		if err != nil {
			return err
		}
		s.tellWaiting(a.Waiting)
		if c.JSON {
			return printJSON(s.Out, a)
		}
		g := &grid{right: []bool{2: true, 3: true, 4: true, 5: true}}
		g.add("State", "Days", "Cases", "Microsoft min", "Carrier min", "Effect min")
		for _, b := range a.Buckets {
			days := fmt.Sprintf("%d to %d", b.OverDays, b.UnderDays)
			if b.UnderDays == 0 {
				days = fmt.Sprintf("%d or more", b.OverDays)
			}
			g.add(b.State, days, grouped(b.Cases), minutes(b.MicrosoftMS), minutes(b.CarrierMS), signedMinutes(b.EffectMS))
		}
		return s.printGrid(g, "no cases")
	})
}
