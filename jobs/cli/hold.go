package cli

import (
	"fmt"

	"concord/jobs/control"
)

type holdCmd struct {
	Add     holdAddCmd     `cmd:"" help:"Keep what is about a period of a carrier until it is released."`
	List    holdListCmd    `cmd:"" default:"withargs" help:"List holds, the latest placed first."`
	Release holdReleaseCmd `cmd:"" help:"End a hold."`
}

type holdAddCmd struct {
	targetFlags
	Carrier given `required:"" placeholder:"NAME" help:"The carrier."`
	Period  given `required:"" placeholder:"PERIOD" help:"A day (2026-10-01), a month (2026-10) or FROM/TO, in the zone of the carrier's reports."`
	Why     given `required:"" placeholder:"TEXT" help:"What the dispute is about."`
}

// Help has an example.
func (holdAddCmd) Help() string {
	return `Raw files, records, cases, reports and deliveries about the period survive every purge until the hold is released. Both leave a proof.

Example:
  concord hold add --carrier fabrikam --period 2026-09 --why "invoice 4711 is disputed"`
}

// Run places a hold.
func (c *holdAddCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		h, err := t.Hold(s.ctx, control.NewHold{Carrier: string(c.Carrier), Period: string(c.Period), Why: string(c.Why), By: t.by})
		return s.sayHold(&h, err, c.JSON)
	})
}

type holdListCmd struct {
	targetFlags
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	All     bool   `help:"Also those that were released."`
}

// Run lists holds.
func (c *holdListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Holds(s.ctx, c.Carrier, !c.All)
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{}
		g.add("Placed (UTC)", "Carrier", "Period", "By", "Hold", "Why", "Released", "By", "Why")
		for _, h := range list {
			g.add(clock(h.Placed), h.Carrier, h.Period.String(), shown(h.By), h.ID, shown(h.Why), clock(h.Released), shown(h.ReleasedBy), shown(h.ReleasedWhy))
		}
		return s.printGrid(g, "no holds")
	})
}

type holdReleaseCmd struct {
	targetFlags
	HoldID string `arg:"" name:"hold" help:"The id of a hold."`
	Why    given  `required:"" placeholder:"TEXT" help:"How the dispute ended."`
}

// Help has an example.
func (holdReleaseCmd) Help() string {
	return "What it has kept goes with the next purge, if its time is over.\n\nExample:\n  concord hold release 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e --why \"settled\""
}

// Run releases a hold.
func (c *holdReleaseCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		h, err := t.Release(s.ctx, c.HoldID, string(c.Why), t.by)
		return s.sayHold(&h, err, c.JSON)
	})
}

func (s *session) sayHold(h *control.Hold, err error, asJSON bool) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return printJSON(s.Out, h)
	}
	done := "holds what is about"
	if !h.Released.IsZero() {
		done = "does not hold any more what is about"
	}
	_, err = fmt.Fprintf(s.Out, "%s %s %s of %s (proof %d)\n", h.ID, done, h.Period.String(), h.Carrier, h.Proof)
	return err
}
