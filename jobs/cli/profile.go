package cli

import (
	"fmt"

	"concord/jobs"
)

type profileCmd struct {
	Check profileCheckCmd `cmd:"" help:"Check a carrier's profile and tell every fault at once."`
	Infer profileInferCmd `cmd:"" help:"Propose a profile from a sample of a carrier's file."`
}

type profileCheckCmd struct {
	File string `arg:"" help:"The profile."`
}

// Run checks a profile and says what it means.
func (c *profileCheckCmd) Run(s *session) error {
	p, err := jobs.LoadProfile(c.File)
	if err != nil {
		return err
	}
	r := p.Rules()
	offset := "measured by each run"
	if !r.AutoOffset {
		offset = r.ClockOffset.String()
	}
	fmt.Fprintf(s.Out, "%s: good\n", c.File)
	fmt.Fprintf(s.Out, "  carrier: %s\n", p.Carrier)
	fmt.Fprintf(s.Out, "  durations agree: %s\n", r.Words())
	fmt.Fprintf(s.Out, "  start times agree: within %s\n", r.StartTolerance)
	fmt.Fprintf(s.Out, "  carrier's clock: %s\n", offset)
	fmt.Fprintf(s.Out, "  periods and days: in %s\n", r.Zone)
	return nil
}

type profileInferCmd struct {
	Sample string `arg:"" help:"A file of the carrier, or its first part."`
}

// Run prints the proposal, and beside it what a person must settle.
func (c *profileInferCmd) Run(s *session) error {
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	p, err := w.Infer(s.ctx, c.Sample)
	if err != nil {
		return err
	}
	for i, d := range p.Doubts {
		if i == 0 {
			fmt.Fprintln(s.Err, "Check before use:")
		}
		fmt.Fprintf(s.Err, "  %s\n", d)
	}
	_, err = s.Out.Write(p.Text)
	return err
}
