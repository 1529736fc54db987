package cli

import (
	"fmt"

	"concord/jobs"
)

type alertsCmd struct {
	targetFlags
	All     bool   `help:"Also those that are resolved."`
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	Kind    string `placeholder:"KIND" help:"Only those of one kind, such as file_missing, gap, run_failed or run_late."`
	Before  string `placeholder:"ALERT" help:"Only those raised before this one, to page on."`
	Limit   uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Help has examples.
func (alertsCmd) Help() string {
	return "Lists the alerts that are open.\n\nExamples:\n  concord alerts\n  concord alerts --all --carrier fabrikam --json"
}

// Run lists alerts.
func (c *alertsCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Alerts(s.ctx, jobs.AlertFilter{
			Open: !c.All, Kind: jobs.AlertKind(c.Kind), Carrier: c.Carrier, Before: c.Before, Limit: int(c.Limit),
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{}
		g.add("Raised (UTC)", "Resolved (UTC)", "Kind", "Carrier", "Subject", "What and what to do", "Alert")
		for _, a := range list {
			g.add(clock(a.Raised), clock(a.Resolved), a.Kind, a.Carrier, shown(a.Subject), shown(a.Text), a.ID)
		}
		return s.printGrid(g, "no alerts")
	})
}

type auditCmd struct {
	targetFlags
	Who    string `placeholder:"NAME" help:"Only what this one did."`
	What   string `placeholder:"DEED" help:"Only this, such as run.cancel or report.evidence."`
	Object string `placeholder:"ID" help:"Only what was done to this, such as the id of a run."`
	Before int64  `placeholder:"ROW" help:"Only rows before this one, to page on."`
	Limit  uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Help has examples.
func (auditCmd) Help() string {
	return "Lists who did what. Nothing in it is ever changed.\n\nExamples:\n  concord audit --what report.evidence\n  concord audit --who local:ann --json"
}

// Run lists the audit trail.
func (c *auditCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Audit(s.ctx, jobs.AuditFilter{Who: c.Who, What: c.What, Object: c.Object, Before: c.Before, Limit: int(c.Limit)})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{right: []bool{0: true}}
		g.add("Row", "Time (UTC)", "Who", "What", "To what", "Detail")
		for _, r := range list {
			g.add(fmt.Sprint(r.ID), clock(r.Time), shown(r.Who), r.What, shown(r.Object), shown(r.Detail))
		}
		return s.printGrid(g, "nothing was done")
	})
}

type reloadCmd struct {
	targetFlags
}

// Help has an example.
func (reloadCmd) Help() string {
	return "Has the running service read its configuration again, and says what has changed. A configuration with a fault changes nothing.\n\nExample:\n  concord config check && concord reload"
}

// Run reloads the configuration of the running service.
func (c *reloadCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		changes, err := t.Reload(s.ctx, t.by)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, map[string][]string{"changes": changes})
		case len(changes) == 0:
			fmt.Fprintln(s.Out, "nothing has changed")
		}
		for _, line := range changes {
			fmt.Fprintln(s.Out, line)
		}
		return nil
	})
}
