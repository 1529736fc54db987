package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"concord/engine"
	"concord/fixtures"
	"concord/jobs"
)

// demoSeed makes every demonstration the same.
const demoSeed = 1

type demoCmd struct {
	Dir  string `default:"demo" placeholder:"DIR" help:"The folder for it; when it is there already, a temporary one is used."`
	Keep bool   `help:"Leave the carriers' and Microsoft's files there, too, to try other commands on. The reports stay in any case."`
}

// Run makes three carriers' files, reconciles each as match does, and shows
// the results.
func (c *demoCmd) Run(s *session) (err error) {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	files := filepath.Join(dir, "files")
	defer func() {
		if !c.Keep {
			err = errors.Join(err, os.RemoveAll(files))
		}
	}()
	fmt.Fprintln(s.Out, "Making three carriers' files …")
	carriers, err := fixtures.Demo(files, demoSeed)
	if err != nil {
		return fmt.Errorf("make the demonstration's files: %w", err)
	}
	reports := filepath.Join(dir, "reports")
	if err := os.Mkdir(reports, 0o777); err != nil {
		return fmt.Errorf("make the folder for reports: %w", err)
	}
	outcomes, err := c.reconcile(s, carriers, reports)
	if err != nil {
		return err
	}
	writeOverview(s.Out, outcomes)
	c.closing(s.Out, dir)
	return nil
}

// folder makes the folder, or a temporary one when it is taken.
func (c *demoCmd) folder() (string, error) {
	err := os.Mkdir(c.Dir, 0o777)
	if err == nil {
		return c.Dir, nil
	}
	dir, tempErr := os.MkdirTemp("", "concord-demo-")
	if tempErr != nil {
		return "", fmt.Errorf("make a folder for the demonstration: %w", errors.Join(err, tempErr))
	}
	return dir, nil
}

// reconcile runs the same job as match does for each carrier.
func (c *demoCmd) reconcile(s *session, carriers []fixtures.DemoCarrier, reports string) ([]*jobs.Outcome, error) {
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return nil, err
	}
	var outcomes []*jobs.Outcome
	for _, d := range carriers {
		fmt.Fprintf(s.Out, "Reconciling %s …\n", d.Name)
		p := startProgress(s.Err)
		o, err := w.Match(s.ctx, jobs.MatchOptions{
			Microsoft: d.Microsoft, Carrier: d.Carrier, Profile: d.Profile, CarrierName: d.Name,
			Period: d.Period, AsOf: d.AsOf, Out: filepath.Join(reports, strings.ToLower(d.Name)),
		}, p.observer())
		p.stop()
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// writeOverview shows each carrier's result and then all of them in a table.
func writeOverview(w io.Writer, outcomes []*jobs.Outcome) {
	for _, o := range outcomes {
		fmt.Fprintf(w, "\n%s\n", strings.Repeat("─", 72))
		writeSummary(w, o)
	}
	fmt.Fprintf(w, "\n%s\n", strings.Repeat("─", 72))
	g := grid{right: []bool{false, true, true, true, true, true}}
	g.add("Carrier", "Microsoft min", "carrier min", "difference", "", "discrepancies", "verdict")
	for _, o := range outcomes {
		b := o.Summary.Totals
		g.add(o.Summary.Carrier, minutes(b.Microsoft.MS), minutes(b.Carrier.MS), signedMinutes(b.DifferenceMS()), percent(b),
			grouped(listed(&o.Summary)), b.Verdict.String())
	}
	g.write(w, "")
}

// listed counts the discrepancies of a run.
func listed(s *engine.Summary) (n int64) {
	for _, c := range s.Discrepancies {
		n += c
	}
	return n
}

func (c *demoCmd) closing(w io.Writer, dir string) {
	fmt.Fprintf(w, "\nThe reports are in %s, a folder each; begin with discrepancies.csv.\n", filepath.Join(dir, "reports"))
	if c.Keep {
		fmt.Fprintf(w, "The files they were made from are in %s.\n", filepath.Join(dir, "files"))
		return
	}
	fmt.Fprintln(w, "With --keep the files they were made from stay as well, to try concord match on.")
}
