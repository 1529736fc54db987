package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/formats/yamltree"
	"concord/jobs"
	"concord/jobs/config"
)

// nextTimes is how many times to come are shown of a job.
const nextTimes = 5

// Jobs implements Operations.
func (d *Desk) Jobs(ctx context.Context) ([]Job, error) {
	pauses, err := d.Pauses.Paused(ctx)
	if err != nil {
		return nil, err
	}
	list := []Job{}
	for _, j := range d.Config().Jobs {
		x, err := d.describe(ctx, j, pauses)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// Job implements Operations.
func (d *Desk) Job(ctx context.Context, name string) (Job, error) {
	j, err := d.job(name)
	if err != nil {
		return Job{}, err
	}
	pauses, err := d.Pauses.Paused(ctx)
	if err != nil {
		return Job{}, err
	}
	return d.describe(ctx, j, pauses)
}

func (d *Desk) describe(ctx context.Context, j *config.Job, pauses []jobs.Pause) (Job, error) {
	x := Job{Name: j.Name, Kind: string(j.Kind), Does: does(j), Schedule: j.Spec, Period: string(j.Period), Carriers: []string{}, Next: []time.Time{}}
	if j.Zone != nil {
		x.Zone = j.Zone.String()
	}
	for _, c := range d.Config().CarriersOf(j) {
		x.Carriers = append(x.Carriers, c.Name)
	}
	if i := slices.IndexFunc(pauses, func(p jobs.Pause) bool { return p.Job == j.Name }); i >= 0 {
		x.Paused = &Pause{Why: pauses[i].Why, By: pauses[i].By, Since: utc(pauses[i].Since)}
	}
	if j.Schedule != nil {
		for _, t := range j.Schedule.Upcoming(d.now(), nextTimes) {
			x.Next = append(x.Next, t.UTC())
		}
	}
	last, err := d.Queue.Runs(ctx, jobs.RunFilter{Job: j.Name, Limit: 1})
	if err == nil && len(last) > 0 {
		r := runOf(last[0])
		x.LastRun = &r
	}
	return x, err
}

// does says what a job does to someone who has not read the configuration.
func does(j *config.Job) string {
	switch j.Kind {
	case config.Purge:
		return "removes what is older than the configuration keeps it, and leaves a proof"
	case config.Collect:
		return "takes complete files from carriers and answers with receipts"
	case config.Numbers:
		return "delivers to the carrier the numbers that Microsoft's listings say are its own, and what changed"
	}
	span := "a period"
	switch j.Period {
	case "previous_day":
		span = "the day before"
	case "previous_month":
		span = "the month before"
	}
	if j.Kind == config.Usage {
		return "sums up what each customer has used in " + span + ", from the newest reports"
	}
	if j.Kind == config.Calls {
		return "delivers to the carrier the calls of " + span + " that Microsoft has recorded of it, their quality, and what changed"
	}
	return "compares the carrier's calls of " + span + " with Microsoft's and publishes a report"
}

// Pause implements Operations.
func (d *Desk) Pause(ctx context.Context, job, why string, by By) (Job, error) {
	j, err := d.job(job)
	if err != nil {
		return Job{}, err
	}
	why = jobs.Mask(strings.TrimSpace(why))
	if why == "" {
		return Job{}, refuse(Invalid, nil, "why: required; say why job %s is paused, for those who wonder", job)
	}
	p := jobs.Pause{Job: j.Name, Why: why, By: string(by), Since: d.now()}
	if err := d.noted(by, "job.pause", job, why).Pause(ctx, p); err != nil {
		return Job{}, err
	}
	return d.Job(ctx, job)
}

// Resume implements Operations. A pause outlives its job in the configuration,
// so that one can be ended of a job that is not there any more.
func (d *Desk) Resume(ctx context.Context, job string, by By) (Job, error) {
	pauses, err := d.Pauses.Paused(ctx)
	if err != nil {
		return Job{}, err
	}
	if !slices.ContainsFunc(pauses, func(p jobs.Pause) bool { return p.Job == job }) {
		x, err := d.Job(ctx, job)
		if err == nil {
			err = refuse(Conflict, nil, "job %s is not paused", job)
		}
		return x, err
	}
	if _, err := d.noted(by, "job.resume", job, "").Resume(ctx, job); err != nil {
		return Job{}, err
	}
	d.wake()
	if _, err := d.job(job); err != nil {
		return Job{Name: job, Does: "is not in the configuration any more", Carriers: []string{}, Next: []time.Time{}}, nil
	}
	return d.Job(ctx, job)
}

// Runs implements Operations.
func (d *Desk) Runs(ctx context.Context, f jobs.RunFilter) ([]Run, error) {
	list, err := d.Queue.Runs(ctx, f)
	return each(list, runOf), err
}

// Files implements Operations.
func (d *Desk) Files(ctx context.Context, f jobs.FileFilter) ([]File, error) {
	f.Name, f.Masked = jobs.Mask(f.Name), true
	list, err := d.Ledger.ListFiles(ctx, f)
	if err != nil {
		return nil, explain(err, "file", f.Before)
	}
	return each(list, fileOf), nil
}

// runsOfFile is how many runs are shown of a file.
const runsOfFile = 50

// File implements Operations.
func (d *Desk) File(ctx context.Context, id string) (FileDetail, error) {
	e, err := d.Ledger.File(ctx, id)
	if err != nil {
		return FileDetail{}, explain(err, "file", id)
	}
	x := FileDetail{File: fileOf(e), Days: each(e.Days, func(d jobs.Day) jobs.Day { return d })}
	if x.Runs, err = d.Runs(ctx, jobs.RunFilter{File: id, Limit: runsOfFile + 1}); err != nil {
		return x, err
	}
	if x.MoreRuns = len(x.Runs) > runsOfFile; x.MoreRuns {
		x.Runs = x.Runs[:runsOfFile]
	}
	if x.Reports, err = d.Reports(ctx, jobs.ReportFilter{File: id}); err != nil {
		return x, err
	}
	x.Purged, err = d.purged(ctx, map[jobs.Class]int64{jobs.ClassRaw: e.RawPurged, jobs.ClassRecords: e.RecordsPurged})
	return x, err
}

// Alerts implements Operations.
func (d *Desk) Alerts(ctx context.Context, f jobs.AlertFilter) ([]Alert, error) {
	list, err := d.Alarms.Alerts(ctx, f)
	return each(list, alertOf), err
}

// Audit implements Operations.
func (d *Desk) Audit(ctx context.Context, f jobs.AuditFilter) ([]AuditRow, error) {
	list, err := d.Trail.Audit(ctx, f)
	return each(list, auditOf), err
}

// Carriers implements Operations.
func (d *Desk) Carriers(ctx context.Context) ([]Carrier, error) {
	open, err := d.Alarms.Alerts(ctx, jobs.AlertFilter{Open: true})
	if err != nil {
		return nil, err
	}
	list := []Carrier{}
	for _, c := range d.Config().Carriers {
		x, err := d.carrier(ctx, c.Name)
		if err != nil {
			return nil, err
		}
		for _, a := range open {
			if a.Carrier == c.Name {
				x.OpenAlerts++
			}
		}
		list = append(list, x)
	}
	return list, nil
}

func (d *Desk) carrier(ctx context.Context, name string) (Carrier, error) {
	x := Carrier{Name: name}
	files, err := d.Ledger.ListFiles(ctx, jobs.FileFilter{Carrier: name, Side: "carrier", Limit: 1})
	if err != nil {
		return x, err
	}
	for _, e := range files {
		f := fileOf(e)
		f.Receipt = landing.Receipt{
			File: f.File, Status: e.Status, SHA256: e.SHA256, Bytes: e.Bytes, Rows: e.Rows, Accepted: e.Accepted, Rejected: e.Rejected,
			Seconds: f.Seconds, Received: e.Received, Time: e.Decided, Run: f.Run,
		}
		x.LastFile = &f
	}
	x.NewestReport, err = d.latestPeriod(ctx, name)
	return x, err
}

// Reload implements Operations.
func (d *Desk) Reload(ctx context.Context, by By) ([]string, error) {
	if d.Reloading == nil {
		return nil, refuse(Unavailable, nil, "no service runs on this data folder: a configuration is read when concord serve starts")
	}
	changes, err := d.Reloading(ctx)
	if _, isFault := errors.AsType[*yamltree.Fault](err); isFault {
		return nil, refuse(Invalid, err, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	if changes == nil {
		changes = []string{}
	}
	return changes, d.note(ctx, by, "config.reload", "", strings.Join(changes, "; "))
}
