package cli

import (
	"cmp"
	"fmt"
	"strings"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

type purgeCmd struct {
	targetFlags
	waitFlags
	Carrier []string `sep:"none" placeholder:"NAME" help:"Only for this carrier; repeat for several. Default: all of the job's."`
	Job     given    `placeholder:"JOB" help:"The job of kind purge to start, where there are several."`
	DryRun  bool     `help:"Only list what would be removed, and what is kept though its time is over."`
	Verify  bool     `help:"Compute the chain of proofs anew instead, as concord proofs verify does."`
}

// Help has examples.
func (purgeCmd) Help() string {
	return `Removes what is older than the configuration keeps it (retention), one run for each carrier. What is held for a dispute stays, and what a run or a receipt needs.

Examples:
  concord purge --dry-run
  concord purge --carrier fabrikam --wait
  concord purge --verify` + exitCodes
}

// Run purges.
func (c *purgeCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		if c.Verify {
			return s.verifyProofs(t, c.JSON, 0, "")
		}
		job, err := c.job(s, t)
		if err != nil {
			return err
		}
		if c.DryRun {
			return c.foresee(s, t, job)
		}
		list, err := t.Start(s.ctx, control.Start{Job: job.Name, Carriers: c.Carrier, By: t.by})
		if err != nil {
			return err
		}
		return s.settle(t, list, false, c.waitFlags, c.JSON)
	})
}

// job finds the job of kind purge.
func (c *purgeCmd) job(s *session, t *target) (control.Job, error) {
	list, err := t.Jobs(s.ctx)
	if err != nil {
		return control.Job{}, err
	}
	var found []control.Job
	var names []string
	for _, j := range list {
		if j.Kind == string(config.Purge) && (c.Job == "" || j.Name == string(c.Job)) {
			found, names = append(found, j), append(names, j.Name)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return control.Job{}, usageFailure("--job: there are %s; name one", strings.Join(names, ", "))
	case c.Job != "":
		return control.Job{}, usageFailure("--job %s: there is no job of kind purge of this name", c.Job)
	}
	return control.Job{}, usageFailure("there is no job of kind purge, so nothing is ever removed; add one under jobs, such as\n  purge: {kind: purge, schedule: \"30 3 * * *\"}\nand say under retention how long what is kept")
}

func (c *purgeCmd) foresee(s *session, t *target, j control.Job) error {
	carriers := c.Carrier
	if len(carriers) == 0 {
		carriers = j.Carriers
	}
	lines, err := t.ForeseePurge(s.ctx, carriers)
	if err != nil {
		return err
	}
	if c.JSON {
		return printLines(s, lines)
	}
	g := &grid{right: []bool{3: true, 4: true}}
	g.add("Would be", "Class", "Carrier", "Things", "Bytes", "Oldest", "Newest (UTC)", "Country", "Rule", "Why")
	for i := range lines {
		g.purge(&lines[i])
	}
	return s.printGrid(g, "nothing is older than it is kept: nothing would be removed")
}

func (g *grid) purge(l *jobs.PurgeLine) {
	fate := map[string]string{jobs.FatePurge: "purged", jobs.FateHold: "kept, on hold", jobs.FateWait: "kept for now"}[l.Fate]
	why := l.Why
	if l.Hold != "" {
		why += " (hold " + l.Hold + ")"
	}
	g.add(fate, string(l.Class), cmp.Or(l.Carrier, "(several)"), grouped(l.Count), grouped(l.Bytes), clock(l.Oldest), clock(l.Newest), orNone(l.Country), l.Rule, why)
}

// purgedInWords says what was removed, when and by which proof.
func purgedInWords(p control.Purged) string {
	return fmt.Sprintf("%s, %s, by %s: proof %d", p.Class, clock(p.At), p.Rule, p.Proof)
}
