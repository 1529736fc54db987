package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
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
		ID: id.String(), Kind: jobs.ReportReconcile, Carrier: t.run.Carrier, Period: t.run.Period, Version: 1, Job: t.run.Job, Run: t.run.ID,
		Basis: t.basis(t.settings.AsOf), AsOf: asOf,
	}
	above := t.shelf().PeriodFolder(t.run.Carrier, t.run.Period)
	if l := t.latest; l != nil {
		r.Version, r.Supersedes, above = l.Version+1, l.ID, path.Dir(l.Folder)
	}
	r.Folder = path.Join(above, "v"+strconv.Itoa(r.Version))
	return r, nil
}

// figures takes over what a list of reports shows.
func (t *task) figures(r *jobs.Report, out *jobs.Outcome) {
	s := &out.Summary
	r.Manifest = out.Manifest
	r.Figures = jobs.Figures{
		Verdict:   s.Totals.Verdict.String(),
		Microsoft: tally(s.Totals.Microsoft), Carrier: tally(s.Totals.Carrier),
	}
	r.Figures.DifferencePPM = perMillion(s.Totals.DifferenceMS(), s.Totals.Microsoft.MS)
	for _, n := range s.Discrepancies {
		r.Figures.Discrepancies += n
	}
	for _, side := range s.Classes {
		r.Figures.Pending += side[engine.PendingLate].Records
	}
}

// perMillion is a part of a whole, rounded as the percentage in summary.json is;
// 0 of nothing.
func perMillion(part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	n := new(big.Int).Mul(big.NewInt(part), big.NewInt(1_000_000))
	ppm, _ := new(big.Int).SetString(new(big.Rat).SetFrac(n, big.NewInt(whole)).FloatString(0), 10)
	return ppm.Int64()
}

func tally(t engine.Tally) jobs.Tally { return jobs.Tally{Records: t.Records, DurationMS: t.MS} }

// events are what became of each case since the version before.
func (t *task) events(r *jobs.Report, out *jobs.Outcome) (list []jobs.CaseEvent, err error) {
	c := out.Changes
	r.Changes = jobs.Changes{Opened: c.Opened.Cases, Changed: c.Changed.Cases, Closed: c.Closed.Cases}
	if r.Changes == (jobs.Changes{}) {
		return nil, nil
	}
	return t.Events(r, out.Staging)
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
		return r.shelf().Settle(staging, rep)
	case !errors.Is(err, jobs.ErrNoReport):
		return err
	}
	return os.RemoveAll(staging)
}

// standing sees to it that the version which is to be superseded is in its
// place. It may still be on its way there.
func (r *Reconciler) standing(rep *jobs.Report) error {
	if rep == nil || r.shelf().InPlace(*rep) {
		return nil
	}
	waiting, err := r.waiting(rep)
	if err != nil || len(waiting) == 0 {
		return fmt.Errorf("version %d of %s of %s is not in its folder %s: restore it from a backup, for the next version says what changed since",
			rep.Version, rep.Period.Text, rep.Carrier, rep.Folder)
	}
	return r.shelf().Settle(waiting[0], *rep)
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
		if rep.Purged != 0 || r.shelf().InPlace(rep) {
			continue
		}
		if waiting, werr := r.waiting(&rep); werr == nil && len(waiting) == 0 {
			list = append(list, rep)
		}
	}
	return list, err
}
