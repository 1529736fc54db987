package cli

import (
	"fmt"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

type runsCmd struct {
	List runsListCmd `cmd:"" default:"withargs" help:"List runs, the newest first."`
	Show runsShowCmd `cmd:"" help:"Show one run with its files, its report, and its other attempts."`
}

type runsListCmd struct {
	targetFlags
	Job     string `placeholder:"JOB" help:"Only those of one job."`
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	State   string `enum:",queued,running,succeeded,failed,cancelled" default:"" placeholder:"STATE" help:"Only those that are queued, running, succeeded, failed or cancelled."`
	Before  string `placeholder:"RUN" help:"Only those older than this one, to page on."`
	Limit   uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Help has examples.
func (runsListCmd) Help() string {
	return "Examples:\n  concord runs --state failed\n  concord runs --job daily --carrier fabrikam --json\n  concord runs show 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e"
}

// Run lists runs.
func (c *runsListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Runs(s.ctx, jobs.RunFilter{Job: c.Job, Carrier: c.Carrier, State: jobs.RunState(c.State), Before: c.Before, Limit: int(c.Limit)})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{right: []bool{5: true}}
		g.add("Created (UTC)", "Job", "Carrier", "Period", "State", "Attempt", "Asked for by", "Run", "Why")
		for i := range list {
			g.run(&list[i])
		}
		return s.printGrid(g, "no runs")
	})
}

func (g *grid) run(r *control.Run) {
	why, _, _ := strings.Cut(r.Error, "\n")
	g.add(clock(r.Created), r.Job, r.Carrier, r.Period.String(), r.State, fmt.Sprint(r.Attempt), asker(r), r.ID, shown(why))
}

// asker says who or what asked for a run.
func asker(r *control.Run) string {
	if r.By == "" {
		return r.Trigger
	}
	return shown(r.By) + " (" + r.Trigger + ")"
}

type runsShowCmd struct {
	targetFlags
	RunID string `arg:"" name:"run" help:"The id of a run."`
}

// Run shows a run.
func (c *runsShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		r, err := t.Run(s.ctx, c.RunID)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, r)
		}
		s.showRun(&r)
		return nil
	})
}

func (s *session) showRun(r *control.RunDetail) {
	g := &grid{}
	row := func(name, value string) {
		if value != "" {
			g.add(name, value)
		}
	}
	row("run", r.ID)
	row("job", r.Job+" ("+r.Kind+")")
	row("carrier", r.Carrier)
	row("period", r.Period.String())
	row("state", r.State)
	if r.CancelAsked {
		row("", "it was told to end")
	}
	row("attempt", fmt.Sprint(r.Attempt))
	row("asked for by", asker(&r.Run))
	row("scheduled for", clock(r.ScheduledFor))
	row("created", clock(r.Created))
	row("started", clock(r.Started))
	row("finished", clock(r.Finished))
	row("why", shown(r.Error))
	if p := r.Progress; p != nil {
		row("progress", fmt.Sprintf("%s: %s of Microsoft's rows, %s of the carrier's", inWords(p.Stage), grouped(p.MicrosoftRows), grouped(p.CarrierRows)))
	}
	if p := r.Published; p != nil {
		row("report", fmt.Sprintf("%s, version %d, %s", p.ID, p.Version, p.Verdict))
	}
	g.write(s.Out, "")
	s.showInputs(r.Inputs)
	s.showRuns("Before", r.Before)
	s.showRuns("After", r.After)
}

func (s *session) showInputs(list []control.Input) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(s.Out, "\nFiles that were read")
	g := &grid{}
	for _, f := range list {
		g.add(f.Role, shown(f.Name), f.File, "sha256 "+f.SHA256)
	}
	g.write(s.Out, "  ")
}

func (s *session) showRuns(title string, list []control.Run) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(s.Out, "\n"+title)
	g := &grid{}
	for i := range list {
		g.run(&list[i])
	}
	g.write(s.Out, "  ")
}
