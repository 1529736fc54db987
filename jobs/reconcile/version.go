package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"concord/engine"
	"concord/jobs"

	"github.com/google/uuid"
)

// next is the version to come, without its figures.
func (t *task) next() (r jobs.Report, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return r, err
	}
	asOf, err := time.Parse(time.RFC3339, t.settings.AsOf)
	if err != nil {
		return r, err
	}
	r = jobs.Report{
		ID: id.String(), Carrier: t.run.Carrier, Period: t.run.Period, Version: 1, Job: t.run.Job, Run: t.run.ID,
		Basis: t.basis(t.settings.AsOf), AsOf: asOf,
	}
	above := t.periodFolder()
	if l := t.latest; l != nil {
		r.Version, r.Supersedes, above = l.Version+1, l.ID, path.Dir(l.Folder)
	}
	r.Folder = path.Join(above, "v"+strconv.Itoa(r.Version))
	return r, nil
}

// periodFolder is the folder of a period's versions. Two periods may be called
// the same, when a job was given another zone.
func (t *task) periodFolder() string {
	name := strings.NewReplacer("/", "_", ":", "").Replace(t.run.Period.Text)
	if name == "" {
		name = t.run.Period.From.UTC().Format(basicTime) + "_" + t.run.Period.To.UTC().Format(basicTime)
	}
	above := path.Join(t.run.Carrier, name)
	if _, err := os.Lstat(filepath.Join(t.Folder, above, "v1")); err == nil {
		above += "_from_" + t.run.Period.From.UTC().Format(basicTime)
	}
	return above
}

const basicTime = "20060102T150405Z"

// figures takes over what a list of reports shows.
func (t *task) figures(r *jobs.Report, out *jobs.Outcome) {
	s := &out.Summary
	r.Manifest = out.Manifest
	r.Figures = jobs.Figures{
		Verdict:   s.Totals.Verdict.String(),
		Microsoft: tally(s.Totals.Microsoft), Carrier: tally(s.Totals.Carrier),
	}
	if ms := s.Totals.Microsoft.MS; ms > 0 {
		r.Figures.DifferencePPM = int64(float64(s.Totals.DifferenceMS()) / float64(ms) * 1e6)
	}
	for _, n := range s.Discrepancies {
		r.Figures.Discrepancies += n
	}
	for _, side := range s.Classes {
		r.Figures.Pending += side[engine.PendingLate].Records
	}
}

func tally(t engine.Tally) jobs.Tally { return jobs.Tally{Records: t.Records, DurationMS: t.MS} }

// stagingDir is where reports are prepared, below the folder of all reports.
const stagingDir = ".staging"

// staging names the folder of a report that is being made, so that whoever
// finds it knows whose it is.
func (t *task) staging(report string) string {
	return filepath.Join(t.Folder, stagingDir, fmt.Sprintf("%s~%s~%d", report, t.run.ID, t.run.Attempt))
}

// events are what became of each case since the version before.
func (t *task) events(r *jobs.Report, out *jobs.Outcome) (list []jobs.CaseEvent, err error) {
	c := out.Changes
	r.Changes = jobs.Changes{Opened: c.Opened.Cases, Changed: c.Changed.Cases, Closed: c.Closed.Cases}
	if r.Changes == (jobs.Changes{}) {
		return nil, nil
	}
	for e, err := range jobs.Events(out.Staging) {
		if err != nil {
			return nil, err
		}
		e.Carrier, e.Period, e.Report, e.Version = r.Carrier, r.Period, r.ID, r.Version
		list = append(list, e)
	}
	return list, nil
}

// settle gives a published report its place. Recover may be doing the same:
// whoever comes second finds it there.
func settle(staging, final string) error {
	err := jobs.Settle(staging, final)
	if err != nil {
		err = jobs.Settle(staging, final)
	}
	return err
}

// giveUp removes a finished report of which the state has said for certain that
// it was not recorded. After any other error it may have been, or may be yet:
// Recover finds out.
func giveUp(err error, staging string) error {
	if errors.Is(err, jobs.ErrLost) || errors.Is(err, jobs.ErrVersion) {
		return os.RemoveAll(staging)
	}
	return nil
}

// Recover finishes reports that were recorded, and removes those that were
// not and that nobody is making any more.
func (r *Reconciler) Recover(ctx context.Context) error {
	list, err := os.ReadDir(filepath.Join(r.Folder, stagingDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for unfinished reports: %w", err)
	}
	var errs []error
	for _, d := range list {
		if err := r.recover(ctx, d.Name()); err != nil {
			errs = append(errs, fmt.Errorf("unfinished report %s: %w", d.Name(), err))
		}
	}
	return errors.Join(errs...)
}

func (r *Reconciler) recover(ctx context.Context, name string) error {
	staging := filepath.Join(r.Folder, stagingDir, name)
	id, rest, _ := strings.Cut(name, "~")
	run, attempt, _ := strings.Cut(rest, "~")
	// The run first: once it is over nothing more is recorded of it, and what
	// the report says then is final. A lease that has run out is no end: the
	// run may publish until it is taken from its service.
	x, err := r.State.Run(ctx, run)
	switch {
	case err != nil && !errors.Is(err, jobs.ErrNoRun):
		return err
	case err == nil && x.State == jobs.RunRunning && strconv.Itoa(x.Attempt) == attempt:
		return nil // under way, perhaps in another service
	}
	rep, err := r.State.Report(ctx, id)
	switch {
	case err == nil:
		return settle(staging, r.place(rep))
	case !errors.Is(err, jobs.ErrNoReport):
		return err
	}
	return os.RemoveAll(staging)
}

// place is where a version belongs.
func (r *Reconciler) place(rep jobs.Report) string {
	return filepath.Join(r.Folder, filepath.FromSlash(rep.Folder))
}

// inPlace reports whether a version is where it belongs.
func (r *Reconciler) inPlace(rep jobs.Report) bool {
	_, err := os.Stat(filepath.Join(r.place(rep), "manifest.json"))
	return !errors.Is(err, fs.ErrNotExist)
}

// standing sees to it that the version which is to be superseded is in its
// place. It may still be on its way there.
func (r *Reconciler) standing(rep *jobs.Report) error {
	if rep == nil || r.inPlace(*rep) {
		return nil
	}
	waiting, err := r.waiting(rep)
	if err != nil || len(waiting) == 0 {
		return fmt.Errorf("version %d of %s of %s is not in its folder %s: restore it from a backup, for the next version says what changed since",
			rep.Version, rep.Period.Text, rep.Carrier, rep.Folder)
	}
	return settle(waiting[0], r.place(*rep))
}

// waiting lists where a version waits for its place.
func (r *Reconciler) waiting(rep *jobs.Report) ([]string, error) {
	return filepath.Glob(filepath.Join(r.Folder, stagingDir, rep.ID+"~*"))
}

// Missing lists the newest versions whose folder is neither in its place nor on
// its way there.
func (r *Reconciler) Missing(ctx context.Context) (list []jobs.Report, err error) {
	all, err := r.State.Reports(ctx, jobs.ReportFilter{Newest: true})
	for _, rep := range all {
		if r.inPlace(rep) {
			continue
		}
		if waiting, werr := r.waiting(&rep); werr == nil && len(waiting) == 0 {
			list = append(list, rep)
		}
	}
	return list, err
}
