package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/schedule"
)

// Start implements Operations.
func (d *Desk) Start(ctx context.Context, s Start) ([]Planned, error) {
	j, err := d.job(s.Job)
	if err != nil {
		return nil, err
	}
	carriers, err := d.carriers(j, s.Carriers)
	if err != nil {
		return nil, err
	}
	period, err := d.period(j, s.Period)
	if err != nil {
		return nil, err
	}
	if err := d.unpaused(ctx, j.Name); err != nil {
		return nil, err
	}
	var wanted []jobs.Run
	for _, c := range carriers {
		r := jobs.Run{Job: j.Name, Kind: string(j.Kind), Carrier: c, Period: period, Trigger: jobs.TriggerManual, By: string(s.By)}
		if s.Key != "" {
			r.Key = s.Key + "/" + c
		}
		wanted = append(wanted, r)
	}
	if s.DryRun {
		return d.foresee(ctx, wanted)
	}
	return d.enqueue(ctx, wanted, s.By, "run.start", j.Name)
}

// period is what a run is about: as typed, or as the job's schedule would have
// it now.
func (d *Desk) period(j *config.Job, typed string) (jobs.Period, error) {
	switch {
	case !j.Kind.HasPeriod() && typed != "":
		return jobs.Period{}, refuse(Invalid, nil, "job %s takes what is there and has no period; leave it out", j.Name)
	case !j.Kind.HasPeriod():
		return jobs.Period{}, nil
	case typed != "":
		p, err := schedule.ParsePeriod(typed, d.zone(j))
		if err != nil {
			return jobs.Period{}, refuse(Invalid, err, "the period: %v", err)
		}
		return fromSchedule(p), nil
	}
	relative := j.Period
	if relative == "" {
		relative = schedule.PreviousDay
	}
	return fromSchedule(relative.Resolve(d.now(), d.zone(j))), nil
}

func fromSchedule(p schedule.Period) jobs.Period {
	return jobs.Period{From: p.From, To: p.To, Text: p.String()}
}

// enqueue enqueues runs in their order, and notes them as one deed.
func (d *Desk) enqueue(ctx context.Context, wanted []jobs.Run, by By, what, object string) (list []Planned, err error) {
	list = []Planned{}
	for _, r := range wanted {
		p, eerr := d.enqueueOne(ctx, r)
		if eerr != nil {
			err = eerr
			break
		}
		list = append(list, p)
	}
	if anyNew(list) {
		d.wake()
		err = errors.Join(err, d.note(ctx, by, what, object, inShort(list)))
	}
	return list, err
}

func (d *Desk) enqueueOne(ctx context.Context, r jobs.Run) (Planned, error) {
	p := Planned{Job: r.Job, Carrier: r.Carrier, Period: periodOf(r.Period), Outcome: Enqueued}
	now := d.now().UTC().Truncate(time.Microsecond)
	out, err := d.Queue.Enqueue(ctx, r, now)
	switch {
	case errors.Is(err, jobs.ErrActive):
		p.Outcome = Active
	case err != nil:
		return p, explain(err, "run", "")
	case !out.Created.Equal(now):
		p.Outcome = Repeated
	}
	p.Run = out.ID
	return p, nil
}

func anyNew(list []Planned) bool {
	for _, p := range list {
		if p.Outcome == Enqueued {
			return true
		}
	}
	return false
}

// inShort says in one line what was enqueued.
func inShort(list []Planned) string {
	const most = 5
	var parts []string
	var n int
	for _, p := range list {
		if p.Outcome != Enqueued {
			continue
		}
		if n++; n > most {
			continue
		}
		parts = append(parts, strings.TrimSpace(p.Carrier+" "+p.Period.String())+" as "+p.Run)
	}
	if n > most {
		parts = append(parts, fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(parts, ", ")
}

// String is the period as it was asked for; empty: none.
func (p *Period) String() string {
	if p == nil {
		return ""
	}
	if p.Text == "" {
		return p.From.Format(time.RFC3339) + "/" + p.To.Format(time.RFC3339)
	}
	return p.Text
}

// foresee says what would become of runs.
func (d *Desk) foresee(ctx context.Context, wanted []jobs.Run) ([]Planned, error) {
	list := make([]Planned, 0, len(wanted))
	for _, r := range wanted {
		p := Planned{Job: r.Job, Carrier: r.Carrier, Period: periodOf(r.Period), Outcome: Dry, Kind: r.Kind}
		active, err := d.active(ctx, r)
		if err != nil {
			return nil, err
		}
		if active != "" {
			p.Outcome, p.Run = Active, active
		}
		if p.Period != nil {
			if err := d.foreseeReport(ctx, r, &p); err != nil {
				return nil, err
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// foreseeReport fills in what a reconciliation would read and supersede.
func (d *Desk) foreseeReport(ctx context.Context, r jobs.Run, p *Planned) error {
	var reach time.Duration
	if d.Reach != nil {
		reach = d.Reach(r.Carrier)
	}
	if r.Kind == jobs.ReportUsage {
		return d.foreseeUsage(ctx, r, p)
	}
	entries, err := d.Coverage.Covering(ctx, r.Carrier, r.Period.From.Add(-reach), r.Period.To.Add(reach))
	if err != nil {
		return err
	}
	p.Files = each(entries, inputOf)
	if r.Kind == string(config.Calls) {
		return d.foreseeDelivery(ctx, r, p)
	}
	if r.Kind == jobs.ReportReconcile {
		p.Warnings = d.warnings(r.Period, entries)
		if err := d.foreseeLock(ctx, r, p); err != nil {
			return err
		}
	}
	return d.foreseeVersion(ctx, r, p)
}

// foreseeVersion fills in which version a run would supersede.
func (d *Desk) foreseeVersion(ctx context.Context, r jobs.Run, p *Planned) error {
	newest, err := d.Archive.Reports(ctx, jobs.ReportFilter{Kind: r.Kind, Carrier: r.Carrier, Period: &r.Period, Newest: true, Limit: 1})
	if err == nil && len(newest) > 0 {
		p.Report = newest[0].ID
	}
	return err
}

// foreseeUsage fills in which reports a usage would be summed up from, or some
// of which, and what it would supersede.
func (d *Desk) foreseeUsage(ctx context.Context, r jobs.Run, p *Planned) error {
	list, err := d.Archive.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: r.Carrier, From: r.Period.From, To: r.Period.To, Newest: true})
	if err != nil {
		return err
	}
	p.Files = each(list, func(r jobs.Report) Input {
		return reportInput(r, jobs.RunInput{File: r.ID, SHA256: r.Manifest})
	})
	return d.foreseeVersion(ctx, r, p)
}

// foreseeDelivery fills in what a delivery would be made of, and the one that
// it would supersede.
func (d *Desk) foreseeDelivery(ctx context.Context, r jobs.Run, p *Planned) error {
	p.Files = slices.DeleteFunc(p.Files, func(i Input) bool { return i.Role != sideOf(jobs.Entry{Microsoft: true}) })
	if d.Deliveries == nil {
		return nil
	}
	files, err := d.Deliveries.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Carrier: r.Carrier, From: r.Period.From, To: r.Period.To})
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Usable() {
			p.Files = append(p.Files, Input{Role: jobs.HoldsQuality, Name: jobs.Mask(f.Name), SHA256: f.SHA256})
		}
	}
	newest, err := d.Deliveries.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: r.Carrier, Period: &r.Period, Newest: true, Limit: 1})
	if err == nil && len(newest) > 0 {
		p.Delivery = newest[0].Sequence
	}
	return err
}

// active returns the run of the same job, carrier and period that is queued
// or running; empty: there is none.
func (d *Desk) active(ctx context.Context, r jobs.Run) (string, error) {
	for _, state := range []jobs.RunState{jobs.RunRunning, jobs.RunQueued} {
		list, err := d.Queue.Runs(ctx, jobs.RunFilter{Job: r.Job, Carrier: r.Carrier, State: state, From: r.Period.From, To: r.Period.To})
		if err != nil {
			return "", err
		}
		for _, x := range list {
			if samePeriod(x.Period, r.Period) {
				return x.ID, nil
			}
		}
	}
	return "", nil
}

func samePeriod(a, b jobs.Period) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }

// Rerun implements Operations.
func (d *Desk) Rerun(ctx context.Context, run string, by By) (Planned, error) {
	r, err := d.Queue.Run(ctx, run)
	if err != nil {
		return Planned{}, explain(err, "run", run)
	}
	j, err := d.job(r.Job)
	if err != nil {
		return Planned{}, err
	}
	if _, err := d.carriers(j, []string{r.Carrier}); err != nil {
		return Planned{}, err
	}
	if err := d.unpaused(ctx, r.Job); err != nil {
		return Planned{}, err
	}
	again := jobs.Run{
		Job: r.Job, Kind: string(j.Kind), Carrier: r.Carrier, Period: r.Period,
		Trigger: jobs.TriggerRerun, By: string(by), RerunOf: r.ID,
	}
	list, err := d.enqueue(ctx, []jobs.Run{again}, by, "run.rerun", r.ID)
	if len(list) == 0 {
		return Planned{}, err
	}
	return list[0], err
}

// Cancel implements Operations.
func (d *Desk) Cancel(ctx context.Context, run string, by By) (Run, error) {
	r, err := d.noted(by, "run.cancel", run, "").Cancel(ctx, run, string(by), d.now())
	if err != nil {
		return Run{}, explain(err, "run", run)
	}
	return runOf(r), nil
}
