package cli

import (
	"fmt"
	"strings"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

// waitFlags say whether a command waits for its runs.
type waitFlags struct {
	Wait   bool   `help:"Wait until the runs are over, and show how they ended. Without a running service that is always so."`
	FailOn string `enum:"never,dispute" default:"never" help:"With --wait, exit with 3 when a published totals verdict is as named (dispute)."`
}

const exitCodes = "\n\nExit codes: 0 done, 1 a run failed or was cancelled, 2 the command or the configuration is wrong, 3 the verdict is dispute and --fail-on asked."

type runCmd struct {
	targetFlags
	waitFlags
	Job     string   `arg:"" help:"The job."`
	Carrier []string `sep:"none" placeholder:"NAME" help:"Only for this carrier; repeat for several. Default: all of the job's."`
	Period  given    `placeholder:"PERIOD" help:"A day (2026-10-01), a month (2026-10) or FROM/TO, in the job's zone. Default: what a scheduled run would be about now."`
	DryRun  bool     `help:"Only say which runs would be made, of which files."`
	Key     given    `placeholder:"KEY" help:"Makes the command one that can be given again: the same key leads to the same runs."`
}

// Help has examples.
func (runCmd) Help() string {
	return `Starts a job now, one run for each carrier. A run of the same job, carrier and period that is queued or running stands in for a new one.

Examples:
  concord run daily --carrier fabrikam --period 2026-10-01 --wait
  concord run monthly --period 2026-10 --dry-run
  concord run daily --wait --fail-on dispute --json` + exitCodes
}

// Run starts a job.
func (c *runCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Start(s.ctx, control.Start{
			Job: c.Job, Carriers: c.Carrier, Period: string(c.Period), DryRun: c.DryRun, Key: string(c.Key), By: t.by,
		})
		if err != nil {
			return err
		}
		return s.settle(t, list, c.DryRun, c.waitFlags, c.JSON)
	})
}

type rerunCmd struct {
	targetFlags
	waitFlags
	RunID string `arg:"" name:"run" help:"The id of a run."`
}

// Help has examples.
func (rerunCmd) Help() string {
	return `Does a run's job again for the same carrier and period, with the files that there are now. The same files give the same bytes; other ones a new version.

Example:
  concord rerun 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e --wait` + exitCodes
}

// Run does a run again.
func (c *rerunCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		p, err := t.Rerun(s.ctx, c.RunID, t.by)
		if err != nil {
			return err
		}
		return s.settle(t, []control.Planned{p}, false, c.waitFlags, c.JSON)
	})
}

type backfillCmd struct {
	targetFlags
	waitFlags
	Job     string   `arg:"" help:"The job."`
	From    given    `required:"" placeholder:"DAY" help:"The first day, or month."`
	To      given    `required:"" placeholder:"DAY" help:"The last day, or month."`
	Only    string   `enum:"missing,failed,all" default:"missing" help:"Which ones: missing have no report or delivery, of failed the latest run failed and there is none since, or all [missing]."`
	Carrier []string `sep:"none" placeholder:"NAME" help:"Only for this carrier; repeat for several. Default: all of the job's."`
	DryRun  bool     `help:"Only say which runs would be made, of which files."`
}

// Help has examples.
func (backfillCmd) Help() string {
	return `Asks for the runs of a span of days, or of months for a monthly job, the oldest first. Other runs go before them.

Examples:
  concord backfill daily --from 2026-09-01 --to 2026-09-30 --dry-run
  concord backfill daily --from 2026-09 --to 2026-09 --only failed --wait` + exitCodes
}

// Run fills a span.
func (c *backfillCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Backfill(s.ctx, control.Backfill{
			Job: c.Job, From: string(c.From), To: string(c.To), Only: control.Only(c.Only), Carriers: c.Carrier, DryRun: c.DryRun, By: t.by,
		})
		if err != nil {
			return err
		}
		if len(list) == 0 && !c.JSON {
			fmt.Fprintln(s.Out, "nothing to do: no period of the span is "+c.Only)
		}
		return s.settle(t, list, c.DryRun, c.waitFlags, c.JSON)
	})
}

// settle shows what became of a request for runs, and waits for them if asked.
func (s *session) settle(t *target, list []control.Planned, dry bool, w waitFlags, asJSON bool) error {
	if dry || !w.Wait && !t.alone {
		return s.showPlan(list, asJSON)
	}
	if !asJSON {
		if err := s.showPlan(list, false); err != nil {
			return err
		}
	}
	var ids []string
	for _, p := range list {
		ids = append(ids, p.Run)
	}
	done, err := s.await(t, ids)
	if err != nil {
		return err
	}
	return s.showEnds(done, w.FailOn, asJSON)
}

func (s *session) showPlan(list []control.Planned, asJSON bool) error {
	if asJSON {
		return printLines(s, list)
	}
	for i := range list {
		p := &list[i]
		fmt.Fprintf(s.Out, "%s: %s\n", strings.TrimSpace(p.Carrier+" "+p.Period.String()), planInWords(p))
		for _, w := range p.Warnings {
			fmt.Fprintf(s.Out, "  warning: %s\n", w)
		}
		for _, f := range p.Files {
			fmt.Fprintf(s.Out, "  %s: %s\n", f.Role, shown(f.Name))
		}
	}
	return nil
}

func planInWords(p *control.Planned) string {
	switch p.Outcome {
	case control.Enqueued:
		return "run " + p.Run
	case control.Active:
		return "run " + p.Run + " is queued or running, and stands in for a new one"
	case control.Repeated:
		return "run " + p.Run + ", of the same request before"
	}
	words := "would be run with " + count(len(p.Files), "file")
	switch {
	case p.Period == nil:
		words = "would be run"
	case p.Delivery > 0:
		words += fmt.Sprintf("; the newest delivery of it is number %d", p.Delivery)
	case p.Kind == string(config.Calls):
		words += "; nothing of it was delivered yet"
	case p.Report != "":
		words += "; the newest report is " + p.Report
	default:
		words += "; there is no report yet"
	}
	return words
}

// showEnds shows how runs ended, and sets the exit code by it.
func (s *session) showEnds(done []control.RunDetail, failOn string, asJSON bool) error {
	for i := range done {
		r := &done[i]
		switch {
		case r.State != "succeeded":
			s.code = exitFailed
		case s.code == exitDone && failOn == "dispute" && r.Published != nil && r.Published.Verdict == "dispute":
			s.code = exitDispute
		}
	}
	if asJSON {
		return printLines(s, done)
	}
	for i := range done {
		s.showEnd(&done[i])
	}
	return nil
}

func (s *session) showEnd(r *control.RunDetail) {
	fmt.Fprintf(s.Out, "%s: %s", strings.TrimSpace(r.Carrier+" "+r.Period.String()), r.State)
	if r.Error != "" {
		fmt.Fprintf(s.Out, ": %s", shown(r.Error))
	}
	fmt.Fprintln(s.Out)
	switch p := r.Published; {
	case p == nil:
	case p.Kind == jobs.ReportUsage:
		fmt.Fprintf(s.Out, "  usage %s, version %d: %s, %s minutes at Microsoft\n", p.ID, p.Version, count(int(p.Microsoft.Records), "call"), minutes(p.Microsoft.DurationMS))
	default:
		fmt.Fprintf(s.Out, "  report %s, version %d: %s, %s minutes' difference, %s\n", p.ID, p.Version, strings.ToUpper(p.Verdict),
			signedMinutes(p.CarrierSide.DurationMS-p.Microsoft.DurationMS), count(int(p.Discrepancies), "discrepancy case"))
	}
}

type cancelCmd struct {
	targetFlags
	RunID string `arg:"" name:"run" help:"The id of a run."`
}

// Help has an example.
func (cancelCmd) Help() string {
	return "Cancels a run. One under way ends within seconds and leaves nothing half done; it can be started again.\n\nExample:\n  concord cancel 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e"
}

// Run cancels a run.
func (c *cancelCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		r, err := t.Cancel(s.ctx, c.RunID, t.by)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, r)
		case !r.Over():
			fmt.Fprintf(s.Out, "run %s is told to end\n", r.ID)
		default:
			fmt.Fprintf(s.Out, "run %s is cancelled\n", r.ID)
		}
		return nil
	})
}
