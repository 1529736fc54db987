package cli

import (
	"fmt"
	"strings"
	"time"

	"concord/jobs/control"
)

type jobsCmd struct {
	targetFlags
}

// Help has examples.
func (jobsCmd) Help() string {
	return `Shows what each job does, how its last run went, and the next five times it is due.

Examples:
  concord jobs
  concord jobs --json | jq -r .name
  CONCORD_TOKEN=… concord jobs --url https://concord.example.com`
}

// Run lists the jobs.
func (c *jobsCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Jobs(s.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		if len(list) == 0 {
			fmt.Fprintln(s.Out, "no jobs; add some under jobs in the configuration")
		}
		for i := range list {
			s.showJob(&list[i])
		}
		return nil
	})
}

func (s *session) showJob(j *control.Job) {
	fmt.Fprintf(s.Out, "%s: %s\n", j.Name, j.Does)
	fmt.Fprintf(s.Out, "  for %s\n", orNone(strings.Join(j.Carriers, ", ")))
	if j.Paused != nil {
		fmt.Fprintf(s.Out, "  PAUSED by %s since %s: %s\n", j.Paused.By, clock(j.Paused.Since), shown(j.Paused.Why))
	}
	if r := j.LastRun; r != nil {
		fmt.Fprintf(s.Out, "  last run: %s\n", runInWords(r))
	}
	if j.Schedule == "" {
		fmt.Fprintln(s.Out, "  runs only when asked for: concord run "+j.Name)
		return
	}
	fmt.Fprintf(s.Out, "  schedule: %s (%s); next (UTC):", j.Schedule, j.Zone)
	for i, at := range j.Next {
		if i > 0 {
			fmt.Fprint(s.Out, ",")
		}
		fmt.Fprint(s.Out, " "+at.UTC().Format("2006-01-02 15:04"))
	}
	fmt.Fprintln(s.Out)
}

// runInWords says in one line how a run stands.
func runInWords(r *control.Run) string {
	words := strings.TrimSpace(r.Carrier+" "+r.Period.String()) + " " + r.State
	at := r.Finished
	if at.IsZero() {
		at = r.Created
	}
	return words + " " + at.UTC().Format(time.DateTime) + " (" + r.ID + ")"
}

type pauseCmd struct {
	targetFlags
	Job string `arg:"" help:"The job."`
	Why given  `required:"" placeholder:"TEXT" help:"Why, for those who wonder."`
}

// Help has examples.
func (pauseCmd) Help() string {
	return `No run of the job starts until it is resumed. Runs under way come to their end. What its schedule fires meanwhile waits.

Example:
  concord pause daily --why "the carrier sends its files again"`
}

// Run pauses a job.
func (c *pauseCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		j, err := t.Pause(s.ctx, c.Job, string(c.Why), t.by)
		return s.sayJob(j, err, c.JSON)
	})
}

type resumeCmd struct {
	targetFlags
	Job string `arg:"" help:"The job."`
}

// Help has an example.
func (resumeCmd) Help() string {
	return "Lets a paused job start runs again, those that wait first.\n\nExample:\n  concord resume daily"
}

// Run resumes a job.
func (c *resumeCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		j, err := t.Resume(s.ctx, c.Job, t.by)
		return s.sayJob(j, err, c.JSON)
	})
}

func (s *session) sayJob(j control.Job, err error, asJSON bool) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return printJSON(s.Out, j)
	}
	s.showJob(&j)
	return nil
}
