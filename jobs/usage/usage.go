// Package usage does runs of kind usage: it sums up what each customer has used
// in a period, from the newest versions of a carrier's reports, and publishes it
// as the next version.
//
// Each day of the period is taken from the report that was published last of
// those that cover all of it, and from no other one; days without a report are
// named. A version depends on the versions of the reports that it is made of
// and on the settings, and on nothing else: as long as those are the same there
// is no further version, and one that is made anew has the same bytes.
//
// As with reports, the transaction that records a version is the instant at
// which it is published; the folder gets its name after it, and
// reconcile.Reconciler's Recover does what a crash between the two has left.
package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/dispatch"
	"concord/jobs/reconcile"

	"github.com/google/uuid"
)

// State is what is remembered of runs and reports.
type State interface {
	Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error
	Publish(ctx context.Context, l jobs.Lease, r jobs.Report, events []jobs.CaseEvent, now time.Time) (jobs.Report, error)
	Sources
	Report(ctx context.Context, id string) (jobs.Report, error)
	Run(ctx context.Context, id string) (jobs.Run, error)
}

// Job is what a job's configuration says of its usage.
type Job struct {
	Users  bool
	Zone   *time.Location // of the days of its periods
	Memory int64          // bytes; 0: jobs.DefaultMemory
}

// Bookkeeper does runs. Every field but FS, Trouble and Published is required.
type Bookkeeper struct {
	State  State
	Job    func(name string) (Job, error)
	Folder string // of all reports
	// Keys open what is in Folder, and encrypt it; nil: it is in clear.
	Keys    *atrest.Keys
	Program string // the version of this program
	Now     func() time.Time
	FS      exchange.FS // nil: that of the system
	// Trouble is told of what will be tried again.
	Trouble func(err error)
	// Published is told of every version.
	Published func(r jobs.Report, s Summed)
}

// Summed is what a version came to.
type Summed struct {
	Calls    int64
	Missing  int      // days without a report
	Findings []string // what a person should know
}

// Do does one run.
func (b *Bookkeeper) Do(ctx context.Context, run jobs.Run) (jobs.Ending, error) {
	t, err := b.prepare(ctx, run)
	if err != nil {
		return jobs.Ending{}, err
	}
	if err := b.State.Snapshot(ctx, run.Lease(), t.settings.json(), t.choice.inputs()); err != nil {
		return jobs.Ending{}, err
	}
	switch {
	case t.latest == nil || t.latest.Basis != t.basis():
		return t.publish(ctx)
	case t.asked || !b.shelf().InPlace(*t.latest):
		return t.prove(ctx)
	}
	return jobs.Ending{State: jobs.RunSucceeded, Report: t.latest.ID}, nil
}

func (b *Bookkeeper) shelf() reconcile.Shelf { return reconcile.Shelf{Folder: b.Folder} }

// task is one run on its way.
type task struct {
	*Bookkeeper
	run      jobs.Run
	job      Job
	latest   *jobs.Report // of this carrier and period; nil: there is none
	asked    bool         // a person wants it to be made anew
	settings settings
	choice   *choice
}

func (b *Bookkeeper) prepare(ctx context.Context, run jobs.Run) (t *task, err error) {
	t = &task{Bookkeeper: b, run: run}
	if t.job, err = b.Job(run.Job); err != nil {
		return nil, err
	}
	before, err := reconcile.Attempts(ctx, b.State, run)
	if err != nil {
		return nil, err
	}
	origin := run
	if n := len(before); n > 0 {
		origin = before[n-1]
	}
	t.asked = origin.Trigger == jobs.TriggerManual || origin.Trigger == jobs.TriggerRerun
	if t.choice, err = choose(ctx, b.State, run.Carrier, run.Period, t.job.Zone); err != nil {
		return nil, err
	}
	newest, err := b.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportUsage, Carrier: run.Carrier, Period: &run.Period, Newest: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		t.latest = &newest[0]
	}
	if err := t.refusePurged(); err != nil {
		return nil, err
	}
	t.settings = settings{Program: b.Program, From: stamp(run.Period.From), To: stamp(run.Period.To), Zone: t.job.Zone.String(), Users: t.job.Users}
	return t, nil
}

// next is the version to come, without its figures.
func (t *task) next() (r jobs.Report, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return r, err
	}
	r = jobs.Report{
		ID: id.String(), Kind: jobs.ReportUsage, Carrier: t.run.Carrier, Period: t.run.Period, Version: 1, Job: t.run.Job, Run: t.run.ID,
		Basis: t.basis(), AsOf: t.choice.asOf(t.run.Period),
	}
	above := ""
	if l := t.latest; l != nil {
		r.Version, r.Supersedes, above = l.Version+1, l.ID, path.Dir(l.Folder)
	} else {
		above = t.shelf().PeriodFolder(path.Join(t.run.Carrier, jobs.ReportUsage), t.run.Period)
	}
	r.Folder = path.Join(above, "v"+strconv.Itoa(r.Version))
	return r, nil
}

// publish makes the next version.
func (t *task) publish(ctx context.Context) (jobs.Ending, error) {
	rep, err := t.next()
	if err != nil {
		return jobs.Ending{}, err
	}
	staging, place := t.shelf().Staging(rep.ID, t.run), t.shelf().Place(rep)
	written, err := t.write(ctx, rep.Version, t.latest, staging, place)
	if err != nil {
		return jobs.Ending{}, err
	}
	rep.Manifest = written.Manifest
	rep.Figures = jobs.Figures{
		Microsoft: jobs.Tally{Records: written.Total.Calls, DurationMS: written.Total.MicrosoftMS},
		Carrier:   jobs.Tally{DurationMS: written.Total.CarrierMS},
		Pending:   written.Pending,
	}
	if rep, err = t.State.Publish(ctx, t.run.Lease(), rep, nil, t.Now()); err != nil {
		return jobs.Ending{}, errors.Join(err, reconcile.GiveUp(err, staging))
	}
	if err := t.shelf().Settle(staging, rep); err != nil && t.Trouble != nil { // it is published; Recover goes on
		t.Trouble(fmt.Errorf("put version %d of the usage of %s of %s in its place: %w", rep.Version, rep.Period.Text, rep.Carrier, err))
	}
	if t.Published != nil {
		t.Published(rep, Summed{written.Total.Calls, t.choice.missing(), written.Findings})
	}
	return jobs.Ending{}, nil
}

// prove makes the latest version anew and compares. If that is not in its
// place, the new copy takes it.
func (t *task) prove(ctx context.Context) (e jobs.Ending, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return e, err
	}
	var before *jobs.Report
	if t.latest.Supersedes != "" {
		r, err := t.State.Report(ctx, t.latest.Supersedes)
		if err != nil {
			return e, err
		}
		before = &r
	}
	staging := t.shelf().Staging(id.String(), t.run)
	written, err := t.write(ctx, t.latest.Version, before, staging, staging+".never")
	if err != nil {
		return e, err
	}
	same, said := written.Manifest == t.latest.Manifest, "made anew: the same bytes as version %d"
	if same && !t.shelf().InPlace(*t.latest) {
		said = "version %d was lost, made anew with the same bytes, and is in its place again"
		if err = os.MkdirAll(filepath.Dir(t.shelf().Place(*t.latest)), 0o750); err == nil {
			err = t.shelf().Settle(staging, *t.latest)
		}
	} else {
		err = os.RemoveAll(staging)
	}
	switch {
	case err != nil:
		return e, fmt.Errorf("put the second copy of a usage away: %w", err)
	case !same:
		return e, dispatch.Permanent(fmt.Errorf("the same reports and settings gave other bytes than version %d, which stays as it is; please report this defect of concord", t.latest.Version))
	}
	return jobs.Ending{State: jobs.RunSucceeded, Report: t.latest.ID, Error: fmt.Sprintf(said, t.latest.Version)}, nil
}

// write makes the files of a version in a hidden folder, whole and lasting.
func (t *task) write(ctx context.Context, version int, before *jobs.Report, staging, place string) (_ *report.UsageWritten, err error) {
	for _, dir := range []string{filepath.Dir(staging), filepath.Dir(place)} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, fmt.Errorf("make the folder of a usage: %w", err)
		}
	}
	var fsys exchange.FS = exchange.OS{}
	if t.FS != nil {
		fsys = t.FS
	}
	folder, err := exchange.Begin(fsys, place, staging)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Abort()) }()
	o := t.options(version, before)
	o.Scratch = jobs.ScratchIn(staging, t.Keys)
	written, err := report.WriteUsage(ctx, func(name string) (report.File, error) { return t.create(folder, name) }, o)
	if errors.Is(err, report.ErrTieOut) || errors.Is(err, report.ErrAltered) || errors.Is(err, report.ErrDays) {
		err = dispatch.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	return written, folder.Seal()
}

// create makes a file of the version.
func (t *task) create(folder *exchange.Folder, name string) (report.File, error) {
	f, err := folder.Create(name)
	if err != nil {
		return nil, err
	}
	return t.Keys.Seal(f)
}

func (t *task) options(version int, before *jobs.Report) report.UsageOptions {
	o := report.UsageOptions{
		Carrier: t.run.Carrier, From: t.run.Period.From, To: t.run.Period.To, Zone: t.job.Zone, Days: t.choice.days,
		Astray: t.choice.astray, Users: t.job.Users, Version: version, Memory: t.job.Memory,
	}
	if o.Memory == 0 {
		o.Memory = jobs.DefaultMemory
	}
	for i, r := range t.choice.reports {
		o.Reports = append(o.Reports, report.UsageReport{
			ID: r.ID, Period: r.Period.Text, Version: r.Version, Manifest: r.Manifest, Whole: t.choice.whole[i], Folder: t.folder(r),
		})
	}
	if before != nil {
		o.Previous, o.PreviousManifest = before.Version, before.Manifest
	}
	return o
}
