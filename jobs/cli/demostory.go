package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"concord/engine"
	"concord/fixtures"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/console"
	"concord/jobs/control"
)

// demoOps is who gives the demonstration's commands.
const demoOps control.By = "demo"

// demoJob is the job of the demonstration.
const demoJob = "monthly"

// upload has the carriers send their records.
func (d *demo) upload() error {
	d.chapter("The carriers upload their records")
	if sftpProgram() == "" {
		d.say("There is no sftp on this machine (package openssh-client): concord's own client takes its place.")
	}
	for _, c := range d.carriers {
		if err := d.send(c, c.Carrier[0]); err != nil {
			return err
		}
	}
	return d.until("all of Microsoft's files", 100*time.Millisecond, func() (bool, error) {
		list, err := d.service.ops.Files(d.ctx, jobs.FileFilter{Side: engine.Microsoft.String(), Limit: 1000})
		return len(list) == d.microsoftFiles(), err
	})
}

func (d *demo) microsoftFiles() (n int) {
	for _, c := range d.carriers {
		n += len(c.Microsoft)
	}
	return n
}

// send uploads one file and shows its receipt.
func (d *demo) send(c fixtures.DemoCarrier, path string) error {
	began, name := time.Now(), filepath.Base(path)
	d.say("%s$ sftp -P %s %s@127.0.0.1 <<< 'put %s inbox/'", c.Name, d.service.port, c.Name, name)
	if err := d.put(c.Name, path); err != nil {
		return err
	}
	r, err := d.receipt(c.Name, name)
	if err != nil {
		return err
	}
	ms, err := r.Seconds.Float64()
	if err != nil {
		return err
	}
	d.say("    receipt after %s: %s; %s rows, %s rejected, %s minutes", time.Since(began).Round(100*time.Millisecond), r.Status,
		grouped(r.Rows), grouped(r.Rejected), minutes(int64(ms*1000)))
	return nil
}

// reconcile runs the job and shows the reports.
func (d *demo) reconcile() error {
	period := d.carriers[0].Period
	d.chapter("Operations run the job by its name: concord run %s --period %s --wait", demoJob, period)
	runs, err := d.run(demoJob, period)
	if err != nil {
		return err
	}
	g := grid{right: []bool{false, true, true, true, true, true}}
	g.add("Carrier", "Microsoft min", "carrier min", "difference", "", "discrepancies", "verdict", "report")
	var findings []string
	for _, r := range runs {
		p := r.Published
		if p == nil {
			return fmt.Errorf("run %s of %s has %s without a report: %s", r.ID, r.Carrier, r.State, r.Error)
		}
		diff := p.CarrierSide.DurationMS - p.Microsoft.DurationMS
		g.add(p.Carrier, minutes(p.Microsoft.DurationMS), minutes(p.CarrierSide.DurationMS), signedMinutes(diff),
			fmt.Sprintf("%+.2f %%", float64(p.DifferencePPM)/10_000), grouped(p.Discrepancies), p.Verdict, fmt.Sprintf("v%d", p.Version))
		list, err := d.findings(*p)
		if err != nil {
			return err
		}
		findings = append(findings, list...)
	}
	g.write(d.Out, "   ")
	for _, f := range findings {
		d.say("Finding: %s", f)
	}
	return nil
}

// run starts a job, for all carriers if none is named, and waits for the ends.
func (d *demo) run(job, period string, carriers ...string) (runs []control.RunDetail, err error) {
	list, err := d.service.ops.Start(d.ctx, control.Start{Job: job, Period: period, Carriers: carriers, By: demoOps})
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		var r control.RunDetail
		err := d.until("the end of a run", 50*time.Millisecond, func() (over bool, err error) {
			r, err = d.service.ops.Run(d.ctx, p.Run)
			return err == nil && jobs.RunState(r.State).Over(), err
		})
		if err == nil && jobs.RunState(r.State) != jobs.RunSucceeded {
			err = fmt.Errorf("run %s of %s has %s: %s", r.ID, r.Carrier, r.State, r.Error)
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// folder is where a version is.
func (d *demo) folder(r control.Report) string {
	return d.path("data", demoReports, r.Carrier, r.Period.Text, fmt.Sprintf("v%d", r.Version))
}

// findings are what the report of a carrier says in words.
func (d *demo) findings(r control.Report) (list []string, err error) {
	var doc struct {
		Findings []struct{ Text string } `json:"findings"`
	}
	b, err := os.ReadFile(filepath.Join(d.folder(r), "summary.json"))
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	for _, f := range doc.Findings {
		list = append(list, r.Carrier+": "+f.Text)
	}
	return list, err
}

// again does a run once more and gets the same bytes.
func (d *demo) again() error {
	c := d.carriers[0]
	d.chapter("Somebody doubts the figures of %s: concord rerun RUN", c.Name)
	list, err := d.service.ops.Runs(d.ctx, jobs.RunFilter{Job: demoJob, Carrier: c.Name, Limit: 1})
	if err != nil {
		return err
	}
	p, err := d.service.ops.Rerun(d.ctx, list[0].ID, demoOps)
	if err != nil {
		return err
	}
	return d.until("the end of a run", 50*time.Millisecond, func() (bool, error) {
		r, err := d.service.ops.Run(d.ctx, p.Run)
		over := err == nil && jobs.RunState(r.State).Over()
		if over {
			d.say("%s, %s", r.State, r.Error)
		}
		return over, err
	})
}

// correct has a carrier correct its records, which supersedes its report.
func (d *demo) correct() error {
	c := d.carriers[0]
	d.chapter("%s corrects some of its records; the report is made anew by itself", c.Name)
	if err := d.send(c, c.Carrier[1]); err != nil {
		return err
	}
	var r control.Report
	err := d.until("the second version", 100*time.Millisecond, func() (bool, error) {
		list, err := d.service.ops.Reports(d.ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: c.Name, Newest: true, Limit: 1})
		if err != nil || len(list) == 0 {
			return false, err
		}
		r = list[0]
		_, err = os.Stat(filepath.Join(d.folder(r), "manifest.json"))
		return r.Version == 2 && err == nil, nil
	})
	if err != nil {
		return err
	}
	d.say("Version 2 supersedes version 1: %s cases opened, %s changed, %s closed; changes.csv lists each.",
		grouped(r.Changes.Opened), grouped(r.Changes.Changed), grouped(r.Changes.Closed))
	d.say("%s minutes at Microsoft, %s at %s now: verdict %s.", minutes(r.Microsoft.DurationMS), minutes(r.CarrierSide.DurationMS), c.Name, r.Verdict)
	return nil
}

// close says where the reports are.
func (d *demo) close() {
	if d.keep {
		return
	}
	fmt.Fprintf(d.Out, "\nThe reports are in %s; begin with report.html. What the carriers fetched is in %s.\n",
		d.shown(d.path(demoReports)), d.shown(d.path(demoFetched)))
	fmt.Fprintln(d.Out, "With --keep the service goes on until Ctrl-C, to try other commands on.")
}

// stay keeps the service up if that is wanted.
func (d *demo) stay() error {
	if !d.keep {
		return nil
	}
	fmt.Fprintf(d.Out, "\nThe reports are in %s; begin with report.html. The service goes on until Ctrl-C. Try:\n\n", d.shown(d.path("data", demoReports)))
	for _, c := range []string{"jobs", "runs", "files", "reports", "doctor"} {
		fmt.Fprintf(d.Out, "  concord %s -c %s\n", c, d.shown(d.path("concord.yaml")))
	}
	fmt.Fprintf(d.Out, "\nThe console is at http://%s%s: log in as %s, %s or %s, each with the password %s\n",
		d.service.web, console.Root, config.Finance, config.Ops, config.Admin, d.password)
	<-d.ctx.Done()
	return nil
}

// shown is a path as a person would type it here.
func (d *demo) shown(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || len(short) > len(path) {
		return path
	}
	return short
}
