package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"concord/exchange/atrest"
	"concord/formats/yamltree"
	"concord/jobs"
	"concord/jobs/config"
)

// Queue is what a desk needs of jobs.Runs, where it is described.
type Queue interface {
	Enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error)
	Run(ctx context.Context, id string) (jobs.Run, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
}

// Pauses is what a desk needs of jobs.Schedules.
type Pauses interface {
	Paused(ctx context.Context) ([]jobs.Pause, error)
}

// Changes are what is done together with its row in the audit trail: both or
// neither.
type Changes interface {
	Cancel(ctx context.Context, id, by string, now time.Time) (jobs.Run, error)
	Pause(ctx context.Context, p jobs.Pause) error
	Resume(ctx context.Context, job string) (was bool, err error)
	PlaceHold(ctx context.Context, h jobs.Hold, country string) (jobs.Hold, jobs.Proof, error)
	ReleaseHold(ctx context.Context, id, by, why, country string, now time.Time) (jobs.Hold, jobs.Proof, error)
	WorkOnCases(ctx context.Context, w jobs.CaseWork, now time.Time) (jobs.CaseWorkDone, error)
	TakeStep(ctx context.Context, report string, step jobs.SignOffStep, by, why string, now time.Time) (jobs.SignOff, error)
}

// Archive is what a desk needs of jobs.Reports.
type Archive interface {
	Report(ctx context.Context, id string) (jobs.Report, error)
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
	Cases(ctx context.Context, f jobs.CaseFilter) ([]jobs.CaseEvent, error)
}

// Deliveries is what a desk needs of jobs.Calls.
type Deliveries interface {
	CallsDeliveries(ctx context.Context, f jobs.CallsFilter) ([]jobs.CallsDelivery, error)
	MicrosoftFiles(ctx context.Context, f jobs.MicrosoftFilter) ([]jobs.MicrosoftFile, error)
}

// AlertList is what a desk needs of jobs.Alerts.
type AlertList interface {
	Alerts(ctx context.Context, f jobs.AlertFilter) ([]jobs.Alert, error)
}

// Covering is what a desk needs of jobs.Coverage.
type Covering interface {
	Covering(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error)
}

// Desk does operations on the state. Its interfaces, Noting and Config are required;
// the other funcs may be nil. It is safe for concurrent use.
type Desk struct {
	Queue    Queue
	Pauses   Pauses
	Archive  Archive
	Ledger   jobs.FileList
	Alarms   AlertList
	Trail    jobs.Trail
	Coverage Covering
	// Deliveries knows what was delivered of calls; nil: nothing was.
	Deliveries Deliveries

	// Book and SignedOff remember what people make of cases and versions.
	Book      Book
	SignedOff SignedOff

	// Subjects finds and erases numbers, and Requests remembers what was; nil:
	// that needs the service, or its data folder for itself.
	Subjects Subjects
	Requests ErasureList
	// Chain has the proofs and the holds; required.
	Chain Privacy
	// Foresee says what a purge of carriers would do; nil: that is not known here.
	Foresee func(ctx context.Context, carriers []string) ([]jobs.PurgeLine, error)
	// WakeErase is called after something was asked to be erased.
	WakeErase func()

	// Noting returns the changes that are noted as a row says.
	Noting func(jobs.AuditRow) Changes

	Config func() *config.Config
	Now    func() time.Time
	// Folder is that of all reports.
	Folder string
	// Keys open what is in it; nil: it is in clear.
	Keys *atrest.Keys
	// Reach is how far beyond a period the records lie that a run reads.
	Reach func(carrier string) time.Duration
	// Wake is called after runs were enqueued.
	Wake func()
	// Reloading reads the configuration again and says what has changed.
	Reloading func(ctx context.Context) ([]string, error)
	// Reader decodes samples of carriers' files, and Scratch is the folder for
	// them; nil: none can be looked at.
	Reader  Reader
	Scratch string
	// Progress knows how far a run of this process is.
	Progress func(run string) (Progress, bool)
	// Trouble is told of a version of which the cases cannot be read; nil: somebody
	// else tells of it.
	Trouble func(error)
	// Waiting knows why files of a carrier lie in its inbox that nothing could be
	// decided of yet.
	Waiting func(carrier string) []WaitingFile
	// Log knows what a run of this process went through.
	Log func(run string) []Moment
}

var _ Operations = (*Desk)(nil)

func (d *Desk) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

func (d *Desk) wake() {
	if d.Wake != nil {
		d.Wake()
	}
}

func refuse(kind Kind, err error, format string, args ...any) error {
	return &Refusal{Kind: kind, Text: fmt.Sprintf(format, args...), Err: err}
}

// explain makes a refusal of the answers of the state, which concern what.
func explain(err error, what, id string) error {
	for _, gone := range []error{jobs.ErrNoRun, jobs.ErrNoFile, jobs.ErrNoReport, jobs.ErrNoErasure, jobs.ErrNoHold, jobs.ErrNoCase} {
		if errors.Is(err, gone) {
			return refuse(NotFound, err, "there is no %s %s; the list of %ss has their ids", what, id, what)
		}
	}
	switch {
	case errors.Is(err, jobs.ErrKey):
		return refuse(Conflict, err, "%v", jobs.ErrKey)
	case errors.Is(err, jobs.ErrOver):
		return refuse(Conflict, err, "run %s is over: there is nothing to cancel", id)
	case errors.Is(err, jobs.ErrSignOff), errors.Is(err, jobs.ErrStale), errors.Is(err, jobs.ErrExpected):
		return refuse(Conflict, err, "%v", err)
	case errors.Is(err, jobs.ErrAmbiguous):
		return refuse(Invalid, err, "%s %s: %v; name the period", what, id, err)
	case errors.Is(err, jobs.ErrFourEyes):
		return refuse(Forbidden, err, "%v", err)
	}
	return err
}

// job returns a job of the configuration.
func (d *Desk) job(name string) (*config.Job, error) {
	c := d.Config()
	if j, ok := c.Job(name); ok {
		return j, nil
	}
	var names []string
	for _, j := range c.Jobs {
		names = append(names, j.Name)
	}
	return nil, unknown("job", name, names)
}

func unknown(what, name string, names []string) error {
	switch like := yamltree.Nearest(name, names); {
	case like != "":
		return refuse(NotFound, nil, "there is no %s %q; did you mean %s?", what, name, like)
	case len(names) == 0:
		return refuse(NotFound, nil, "there is no %s %q: the configuration has none; add it there", what, name)
	}
	return refuse(NotFound, nil, "there is no %s %q; there are %s", what, name, strings.Join(names, ", "))
}

// carriers returns the names of the carriers of a job, or the subset that was
// asked for, each once.
func (d *Desk) carriers(j *config.Job, wanted []string) ([]string, error) {
	var all []string
	known := map[string]bool{}
	for _, c := range d.Config().CarriersOf(j) {
		all = append(all, c.Name)
		known[c.Name] = true
	}
	if len(wanted) == 0 {
		if len(all) == 0 {
			return nil, refuse(Conflict, nil, "job %s has no carriers; add them to the configuration", j.Name)
		}
		return all, nil
	}
	var some []string
	for _, name := range wanted {
		taken, ok := known[name]
		if !ok {
			return nil, unknown("carrier of job "+j.Name, name, all)
		}
		if taken {
			some = append(some, name)
			known[name] = false
		}
	}
	return some, nil
}

// unpaused refuses what a paused job must not do.
func (d *Desk) unpaused(ctx context.Context, job string) error {
	p, err := d.pause(ctx, job)
	if err != nil || p == nil {
		return err
	}
	return refuse(Paused, nil, "job %s is paused by %s since %s: %s; resume it first", job, orUnknown(p.By), p.Since.UTC().Format(time.RFC3339), p.Why)
}

func orUnknown(by string) string {
	if by == "" {
		return "somebody"
	}
	return by
}

// pause returns the pause of a job; nil: it is not paused.
func (d *Desk) pause(ctx context.Context, job string) (*jobs.Pause, error) {
	list, err := d.Pauses.Paused(ctx)
	for i := range list {
		if list[i].Job == job {
			return &list[i], err
		}
	}
	return nil, err
}

// noted returns the changes that are noted as done by somebody.
func (d *Desk) noted(by By, what, object, detail string) Changes {
	return d.Noting(d.row(by, what, object, detail))
}

func (d *Desk) row(by By, what, object, detail string) jobs.AuditRow {
	return jobs.AuditRow{Time: d.now().UTC(), Who: string(by), What: what, Object: object, Detail: detail}
}

// note appends to the audit trail what was done.
func (d *Desk) note(ctx context.Context, by By, what, object, detail string) error {
	if err := d.Trail.Note(context.WithoutCancel(ctx), d.row(by, what, object, detail)); err != nil {
		return fmt.Errorf("note %s in the audit trail: %w", what, err)
	}
	return nil
}

func (d *Desk) zone(j *config.Job) *time.Location {
	if j.Zone == nil {
		return time.UTC
	}
	return j.Zone
}
