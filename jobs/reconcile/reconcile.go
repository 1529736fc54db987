// Package reconcile does runs of kind reconcile: it finds the files that hold
// a carrier's period, has them matched in a child process, and publishes what
// comes of it as the next version.
//
// What a version depends on is noted before the work begins: its inputs, its
// settings, the program. As long as none of that differs there is no further
// version: a run that nobody asked for ends at once, and one that somebody
// asked for makes the report anew and proves that it has the same bytes. Time
// alone makes a version only when it can change one, that is while calls are
// pending.
//
// A report is finished in a hidden folder first. The transaction that records
// it is the instant at which it is published; then the folder gets its name.
// Recover does what a crash between the two has left.
package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/jobs"
	"concord/jobs/dispatch"

	"github.com/google/uuid"
)

// State is what is remembered of files, runs and reports.
type State interface {
	Covering(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error)
	Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error
	Publish(ctx context.Context, l jobs.Lease, r jobs.Report, events []jobs.CaseEvent, now time.Time) (jobs.Report, error)
	Report(ctx context.Context, id string) (jobs.Report, error)
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
	Run(ctx context.Context, id string) (jobs.Run, error)
	File(ctx context.Context, id string) (jobs.Entry, error)
	ReportErasures(ctx context.Context, report string) ([]jobs.Erasure, error)
	Lock(ctx context.Context, carrier string, p jobs.Period) (*jobs.SignOff, error)
}

// Profile is a carrier's profile as it was when it was asked for.
type Profile struct {
	Path   string // of a copy that is never changed; empty: there is none
	Name   string // in reports
	SHA256 string // in hex
	Rules  engine.Rules
}

// Job is what a job's configuration says of its reports.
type Job struct {
	Verdicts, Users bool
	Deliver         bool  // each version goes to its carrier
	Memory          int64 // bytes; 0: jobs.DefaultMemory
}

// Reconciler does runs. Every field but Numbers, Watch, Held, Empty and
// Trouble is required.
type Reconciler struct {
	State State
	// Records returns the path of the records of an entry.
	Records func(ctx context.Context, e jobs.Entry) (string, error)
	// Numbers writes what is known of a carrier's numbers in a period into a
	// file; nil: nothing is.
	Numbers func(ctx context.Context, carrier string, p jobs.Period, path string) (*jobs.Assigned, error)
	Match   func(ctx context.Context, o jobs.MatchOptions, watch engine.Observer) (*jobs.Outcome, error)
	Profile func(carrier string) (Profile, error)
	// Others returns what Microsoft's records call other carriers; nil: there are
	// none.
	Others func(carrier string) []string
	// Kept returns where the profile of a SHA-256 is kept.
	Kept   func(sha256 string) string
	Job    func(name string) Job
	Folder string // of all reports
	// Keys open what is in Folder, as Match has encrypted it; nil: it is in
	// clear.
	Keys    *atrest.Keys
	Program string // the version of this program
	Now     func() time.Time
	// Watch returns who is told of a run's progress.
	Watch func(run string) engine.Observer
	// Held is told of a run that had something new to say about a locked period.
	Held func(ctx context.Context, run jobs.Run, lock jobs.SignOff) error
	// Empty is told of each run that makes a report, or leaves one as it is,
	// whether Microsoft and the carrier have no record of its period.
	Empty func(ctx context.Context, run jobs.Run, microsoft, carrier bool) error
	// Trouble is told of what will be tried again.
	Trouble func(err error)
}

// Do does one run. A period without any file has a report, too: it says so, and
// a file that comes late has something to supersede.
func (r *Reconciler) Do(ctx context.Context, run jobs.Run) (jobs.Ending, error) {
	t, err := r.prepare(ctx, run)
	if err != nil {
		return jobs.Ending{}, err
	}
	defer func() {
		if err := t.forgetNumbers(); err != nil && t.Trouble != nil { // Recover goes on
			t.Trouble(fmt.Errorf("remove the numbers of run %s: %w", run.ID, err))
		}
	}()
	if err := r.State.Snapshot(ctx, run.Lease(), t.settings.json(), t.inputs); err != nil {
		return jobs.Ending{}, err
	}
	switch {
	case !t.same():
		return t.publishOrHold(ctx)
	case t.asked() || !r.shelf().InPlace(*t.latest):
		return t.prove(ctx)
	}
	return jobs.Ending{State: jobs.RunSucceeded, Report: t.latest.ID}, t.tellSame(ctx)
}

// asked reports whether a person wants the report to be made anew.
func (t *task) asked() bool {
	first := t.origin().Trigger
	return first == jobs.TriggerManual || first == jobs.TriggerRerun
}

// origin is the run that this one is a further attempt of, or itself.
func (t *task) origin() jobs.Run {
	if len(t.attempts) > 0 {
		return t.attempts[len(t.attempts)-1]
	}
	return t.run
}

// task is one run on its way.
type task struct {
	*Reconciler
	run      jobs.Run
	attempts []jobs.Run // before this one, the latest first
	profile  Profile
	latest   *jobs.Report // of this carrier and period; nil: there is none
	entries  []jobs.Entry
	inputs   []jobs.RunInput
	settings settings
	assigned *jobs.Assigned // nil: nothing is known of numbers in the period
	erasures []jobs.Erasure // that changed the latest version; of a proof only
}

func (r *Reconciler) prepare(ctx context.Context, run jobs.Run) (t *task, err error) {
	t = &task{Reconciler: r, run: run}
	if t.profile, err = r.Profile(run.Carrier); err != nil {
		return nil, err
	}
	if t.attempts, err = Attempts(ctx, r.State, run); err != nil {
		return nil, err
	}
	if t.entries, err = r.State.Covering(ctx, run.Carrier, run.Period.From.Add(-t.reach()), run.Period.To.Add(t.reach())); err != nil {
		return nil, err
	}
	for _, e := range t.entries {
		t.inputs = append(t.inputs, jobs.RunInput{Role: side(e).String(), File: e.ID, SHA256: e.SHA256})
	}
	newest, err := r.State.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: run.Carrier, Period: &run.Period, Newest: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		t.latest = &newest[0]
	}
	if err := t.refusePurged(); err != nil {
		return nil, err
	}
	t.settings = t.takeSettings()
	if err := t.takeNumbers(ctx, t.shelf().Staging("numbers", t.run)); err != nil {
		return nil, err
	}
	if err := t.decideAsOf(ctx); err != nil {
		return nil, errors.Join(err, t.forgetNumbers())
	}
	return t, nil
}

// numbersRole is that of the input of what is known of numbers.
const numbersRole = "numbers"

// takeNumbers notes what is known of the carrier's numbers as an input. The
// file is that of this attempt: Recover removes what a crash leaves of it.
func (t *task) takeNumbers(ctx context.Context, path string) (err error) {
	if t.Numbers == nil {
		return nil
	}
	if err := makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if t.assigned, err = t.Numbers(ctx, t.run.Carrier, t.run.Period, path); err != nil || t.assigned == nil {
		return err
	}
	t.settings.Numbers = t.assigned.SHA256
	t.inputs = append(t.inputs, jobs.RunInput{Role: numbersRole, File: fmt.Sprintf("listings up to number %d", t.assigned.Position), SHA256: t.assigned.SHA256})
	return nil
}

func (t *task) forgetNumbers() error {
	if t.assigned == nil {
		return nil
	}
	return os.Remove(t.assigned.Path)
}

func side(e jobs.Entry) engine.Side {
	if e.Microsoft {
		return engine.Microsoft
	}
	return engine.Carrier
}

// reach is how far beyond the period a record may lie that takes part.
func (t *task) reach() time.Duration { return jobs.RecordsReach(t.profile.Rules) }

// options are those of the match, but for where its result goes.
func (t *task) options(ctx context.Context) (jobs.MatchOptions, error) {
	o := jobs.MatchOptions{
		Profile: t.profile.Path, ProfileName: t.profile.Name, CarrierName: t.run.Carrier,
		From: t.run.Period.From, To: t.run.Period.To, AsOf: t.settings.AsOf,
		Memory: t.Job(t.run.Job).Memory, Verdicts: t.settings.Verdicts, Users: t.settings.Users, Unpublished: true,
		Assigned: t.assigned, Others: t.settings.others(),
	}
	names := uniqueNames(t.entries)
	for i, e := range t.entries {
		path, err := t.Records(ctx, e)
		if err != nil {
			return o, err
		}
		s := side(e)
		o.Records[s] = append(o.Records[s], jobs.RecordsInput{Path: path, Name: names[i]})
	}
	return o, nil
}

// uniqueNames are the names of the files, of which several of one side may
// have the same one.
func uniqueNames(list []jobs.Entry) []string {
	type key struct {
		microsoft bool
		name      string
	}
	seen, names := map[key]int{}, make([]string, len(list))
	for i, e := range list {
		k := key{e.Microsoft, e.Name}
		names[i] = e.Name
		if seen[k]++; seen[k] > 1 {
			names[i] = fmt.Sprintf("%s (%d)", e.Name, seen[k])
		}
	}
	return names
}

// publish makes the next version.
func (t *task) publish(ctx context.Context) (jobs.Ending, error) {
	rep, err := t.next()
	if err != nil {
		return jobs.Ending{}, err
	}
	o, err := t.options(ctx)
	if err != nil {
		return jobs.Ending{}, err
	}
	o.Out, o.Staging = t.shelf().Place(rep), t.shelf().Staging(rep.ID, t.run)
	o.Release = t.release(rep.Version, t.latest)
	if err := makeFolders(filepath.Dir(o.Out), filepath.Dir(o.Staging)); err != nil {
		return jobs.Ending{}, err
	}
	if err := t.standing(t.latest); err != nil {
		return jobs.Ending{}, err
	}
	out, err := t.match(ctx, o)
	if err != nil {
		return jobs.Ending{}, err
	}
	t.figures(&rep, out)
	rep.Deliver = t.Job(t.run.Job).Deliver
	events, err := t.events(&rep, out)
	if err == nil {
		rep, err = t.State.Publish(ctx, t.run.Lease(), rep, events, t.Now())
	}
	if err != nil {
		return jobs.Ending{}, errors.Join(err, GiveUp(err, o.Staging))
	}
	if err := t.shelf().Settle(o.Staging, rep); err != nil && t.Trouble != nil { // it is published; Recover goes on
		t.Trouble(fmt.Errorf("put version %d of %s of %s in its place: %w", rep.Version, rep.Period.Text, rep.Carrier, err))
	}
	return jobs.Ending{}, nil
}

// prove makes the latest version anew and compares.
func (t *task) prove(ctx context.Context) (e jobs.Ending, err error) {
	o, err := t.options(ctx)
	if err != nil {
		return e, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return e, err
	}
	o.Staging = t.shelf().Staging(id.String(), t.run)
	o.Out = o.Staging + ".never"
	o.Release = t.release(t.latest.Version, nil)
	if t.latest.Supersedes != "" {
		before, err := t.State.Report(ctx, t.latest.Supersedes)
		if err != nil {
			return e, err
		}
		o.Release = t.release(t.latest.Version, &before)
	}
	if t.erasures, err = t.State.ReportErasures(ctx, t.latest.ID); err != nil {
		return e, err
	}
	o.Release.Erasures = Told(t.erasures)
	if err := makeFolders(filepath.Dir(o.Staging)); err != nil {
		return e, err
	}
	out, err := t.match(ctx, o)
	if err != nil {
		return e, err
	}
	return t.compared(out, o.Staging)
}

// compared says whether a report that was made anew is the published one. If
// that is not in its place, the new copy takes it.
func (t *task) compared(out *jobs.Outcome, staging string) (e jobs.Ending, err error) {
	same, said := out.Manifest == t.latest.Manifest, "made anew: the same bytes as version %d"
	if same && !t.shelf().InPlace(*t.latest) {
		said = "version %d was lost, made anew with the same bytes, and is in its place again"
		if err = makeFolders(filepath.Dir(t.shelf().Place(*t.latest))); err == nil {
			err = t.shelf().Settle(staging, *t.latest)
		}
	} else {
		err = os.RemoveAll(staging)
	}
	switch {
	case err != nil:
		return e, fmt.Errorf("put the second copy of a report away: %w", err)
	case !same && len(t.erasures) > 0:
		said = "made anew, it has other bytes than version %d, from which a number was erased since: version %[1]d stays as it is"
	case !same:
		return e, dispatch.Permanent(fmt.Errorf("the same files and settings gave other bytes than version %d, which stays as it is; please report this defect of concord", t.latest.Version))
	}
	return jobs.Ending{State: jobs.RunSucceeded, Report: t.latest.ID, Error: fmt.Sprintf(said, t.latest.Version)}, nil
}

// release says which version is made, and which one is before it.
func (t *task) release(version int, before *jobs.Report) *jobs.Release {
	if before == nil {
		return &jobs.Release{Version: version}
	}
	return &jobs.Release{
		Version: version, PreviousVersion: before.Version, PreviousManifest: before.Manifest,
		Previous: t.shelf().Place(*before),
	}
}

// match calls the child. What it says of the inputs is said at every attempt.
func (t *task) match(ctx context.Context, o jobs.MatchOptions) (*jobs.Outcome, error) {
	out, err := t.Match(ctx, o, t.watch())
	var f *jobs.Failure
	if errors.As(err, &f) && f.Kind == jobs.KindInput {
		return nil, dispatch.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	return out, t.tellEmpty(ctx, out.Summary.Empty())
}

// watch returns who is told of the run's progress.
func (t *task) watch() engine.Observer {
	if t.Watch == nil {
		return engine.Observer{}
	}
	return t.Watch(t.run.ID)
}

func makeFolders(paths ...string) error {
	for _, p := range paths {
		if err := os.MkdirAll(p, 0o750); err != nil {
			return fmt.Errorf("make the folder of a report: %w", err)
		}
	}
	return nil
}
