package subject

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/exchange/pgp"
	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/casework"
	"concord/jobs/reconcile"
)

// remakingDir is where versions are made anew, below the folder of all reports.
const remakingDir = ".erasing"

func (x *erasure) remaking(report string) string {
	return filepath.Join(x.Reports.Folder, remakingDir, report)
}

// settleReports puts new versions into their places that are recorded, and
// removes those that are not.
func (x *erasure) settleReports(ctx context.Context) error {
	ids, err := x.State.ReplacedReports(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		r, err := x.State.Report(ctx, id)
		if err == nil {
			err = x.settle(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(x.Reports.Folder, remakingDir))
}

// settle puts the new files of a version into the place of the old ones.
func (x *erasure) settle(ctx context.Context, r jobs.Report) error {
	made, place := x.remaking(r.ID), x.place(r)
	old := made + ".old"
	if exists(made) {
		if exists(place) {
			if err := os.Rename(place, old); err != nil {
				return err
			}
		}
		if err := os.Rename(made, place); err != nil {
			return err
		}
		if err := (exchange.OS{}).SyncDir(filepath.Dir(place)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := (exchange.OS{}).SyncDir(filepath.Dir(old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := x.takeBack(ctx, r); err != nil {
		return err
	}
	return x.State.SettleReport(ctx, r.ID)
}

// takeBack removes files of a version from its carrier's outbox that are encrypted
// to the carrier: what they hold is that of before. The version is delivered again,
// which may be by other names.
func (x *erasure) takeBack(ctx context.Context, r jobs.Report) error {
	prefix := reconcile.DeliveryPrefix(r)
	return x.Homes(ctx, func(carrier string, h Home) error {
		kept, err := h.Kept()
		for _, k := range kept {
			if err == nil && carrier == r.Carrier && k.Folder == landing.Outbox && strings.HasPrefix(k.Name, prefix) && strings.HasSuffix(k.Name, pgp.Ending) {
				err = h.Erase(k)
			}
		}
		return err
	})
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// eraseReports takes the number out of versions, the older ones first: a later
// one tells what it is compared with.
func (x *erasure) eraseReports(ctx context.Context) error {
	touched, err := x.touchedRuns(ctx)
	if err != nil {
		return err
	}
	list, err := x.State.Reports(ctx, jobs.ReportFilter{})
	if err != nil {
		return err
	}
	replaced := map[string]bool{}
	for _, r := range slices.Backward(list) {
		if r.Purged != 0 {
			continue
		}
		before, err := x.State.ReportErasures(ctx, r.ID)
		if err != nil {
			return err
		}
		done := slices.ContainsFunc(before, func(e jobs.Erasure) bool { return e.ID == x.id })
		rows, err := x.version(ctx, r)
		if err != nil {
			return err
		}
		if rows == 0 && (done || !touched[r.Run]) && !replaced[r.Supersedes] {
			replaced[r.ID] = false
			continue
		}
		if !exists(x.place(r)) {
			x.left = append(x.left, "version "+x.r.Text(r.Folder)+" is not in its place: whatever it is restored from holds the number")
			continue
		}
		err = x.replace(ctx, r, rows)
		if errors.Is(err, errors.ErrUnsupported) {
			x.left = append(x.left, "version "+x.r.Text(r.Folder)+" holds the number in a file of a form that is not known: "+err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("version %d of %s of %s: %w", r.Version, r.Period.Text, r.Carrier, err)
		}
		replaced[r.ID] = true
	}
	return nil
}

// touchedRuns are the runs that read records from which the number was taken.
func (x *erasure) touchedRuns(ctx context.Context) (map[string]bool, error) {
	items, err := x.State.ErasedItems(ctx, x.id, storeRecords)
	touched := map[string]bool{}
	for _, i := range items {
		var runs []jobs.Run
		if err == nil {
			runs, err = x.State.Runs(ctx, jobs.RunFilter{File: i.Item})
		}
		for _, r := range runs {
			touched[r.ID] = true
		}
	}
	return touched, err
}

// replace makes a version anew and puts it into the place of the old one.
func (x *erasure) replace(ctx context.Context, r jobs.Report, rows int64) error {
	made := x.remaking(r.ID)
	if err := errors.Join(os.MkdirAll(filepath.Dir(made), 0o750), os.RemoveAll(made)); err != nil {
		return err
	}
	if err := x.note(ctx, storeReports, r.ID, rows); err != nil {
		return err
	}
	this, err := x.State.Erasure(ctx, x.id)
	if err != nil {
		return err
	}
	before, err := x.State.ReportErasures(ctx, r.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(before, func(e jobs.Erasure) bool { return e.ID == x.id }) {
		before = append(before, this)
	}
	var out *reconcile.Remade
	if err = reconcile.ErrDiffers; r.Kind != jobs.ReportUsage {
		out, err = x.Reports.Remake(ctx, r, before, made)
	}
	if errors.Is(err, reconcile.ErrDiffers) {
		out, err = x.rewrite(ctx, r, before, made)
	}
	if err != nil {
		return err
	}
	again, err := x.inOutbox(ctx, r)
	if err != nil {
		return err
	}
	if err := x.renameCases(ctx, r, made); err != nil {
		return err
	}
	if err := x.State.ReplaceReport(ctx, x.id, out.Report, out.Events, again); err != nil {
		return err
	}
	// The register may have taken the ids of before between the two; from now on
	// it waits for the files.
	if err := x.renameCases(ctx, r, made); err != nil {
		return err
	}
	return x.settle(ctx, out.Report)
}

// renameCases has what people made of cases follow those that have other ids
// now. It comes before the version is replaced: whoever goes on after a crash
// finds both, or neither is left to do.
func (x *erasure) renameCases(ctx context.Context, r jobs.Report, made string) error {
	if r.Kind != jobs.ReportReconcile {
		return nil
	}
	ids, err := casework.Renamed(x.Keys, x.place(r), made)
	if err != nil || len(ids) == 0 {
		return err
	}
	return x.State.RenameCases(ctx, r.Carrier, r.Period, ids)
}

// inOutbox reports whether files of a version lie in its carrier's outbox: then
// they are delivered again, by the same names.
func (x *erasure) inOutbox(ctx context.Context, r jobs.Report) (is bool, err error) {
	prefix := reconcile.DeliveryPrefix(r)
	err = x.Homes(ctx, func(carrier string, h Home) error {
		if carrier != r.Carrier {
			return nil
		}
		kept, err := h.Kept()
		is = slices.ContainsFunc(kept, func(k landing.Kept) bool { return k.Folder == landing.Outbox && strings.HasPrefix(k.Name, prefix) })
		return err
	})
	return is, err
}

// rewrite takes the number out of the files of a version as they are.
func (x *erasure) rewrite(ctx context.Context, r jobs.Report, erasures []jobs.Erasure, made string) (_ *reconcile.Remade, err error) {
	folder, err := exchange.Begin(exchange.OS{}, made+".never", made)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Abort()) }()
	o := report.Redaction{
		From: x.Keys.FS(x.place(r)), Version: r.Version, Manifest: r.Manifest, Text: x.r.Text,
		Case: func(id string) string { return hex.EncodeToString(x.mac("case", id)[:12]) },
		Holds: func(name string) (bool, error) {
			held, err := x.hits(ctx, []string{filepath.Join(x.place(r), name)}, []string{name})
			return len(held) > 0, err
		},
		Erasures: reconcile.Told(erasures),
	}
	if r.Supersedes != "" {
		before, err := x.State.Report(ctx, r.Supersedes)
		if err != nil {
			return nil, err
		}
		o.Supersedes = before.Manifest
	}
	r.Manifest, err = report.Redact(ctx, x.sealedIn(folder), o)
	if err != nil {
		return nil, err
	}
	if basis, berr := x.Reports.Basis(ctx, r); berr == nil { // else the next run makes a version of its own
		r.Basis = basis
	}
	out := &reconcile.Remade{Report: r, Folder: made}
	if r.Supersedes != "" {
		if out.Events, err = x.Reports.Events(&r, made); err != nil {
			return nil, err
		}
	}
	return out, folder.Seal()
}

// sealedIn makes the files of a version, which are encrypted as the others are.
func (d *Desk) sealedIn(folder *exchange.Folder) func(name string) (report.File, error) {
	return func(name string) (report.File, error) {
		f, err := folder.Create(name)
		if err != nil {
			return nil, err
		}
		return d.Keys.Seal(f)
	}
}
