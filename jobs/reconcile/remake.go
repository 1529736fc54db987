package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"concord/exchange/atrest"
	"concord/formats/report"
	"concord/jobs"
)

// Remade is a version that was made anew after a number was erased from what it
// was made of: it waits in a folder, and has not been recorded.
type Remade struct {
	Report jobs.Report // with its new basis and manifest
	Folder string
	Events []jobs.CaseEvent
}

// ErrDiffers says that a version cannot be made anew so that nothing but the
// number differs: what it was made of is not there any more, or another version
// of the program made it.
var ErrDiffers = errors.New("it cannot be made anew as it was")

// DeliveryPrefix begins the names of a version's files in the outbox.
func DeliveryPrefix(r jobs.Report) string { return deliveryPrefix(r) }

// Told are erasures as a version tells them.
func Told(list []jobs.Erasure) (out []report.Erasure) {
	for _, e := range list {
		out = append(out, report.Erasure{ID: e.ID, Date: e.Asked.UTC().Format(time.DateOnly)})
	}
	return out
}

// Basis is what a version depends on by what is known of its files now, such as
// by other names than before.
func (r *Reconciler) Basis(ctx context.Context, rep jobs.Report) (string, error) {
	t, err := r.again(ctx, rep)
	if err != nil {
		return "", err
	}
	return t.basis(t.settings.AsOf), nil
}

// again is the run that made a version, as it was.
func (r *Reconciler) again(ctx context.Context, rep jobs.Report) (*task, error) {
	run, err := r.State.Run(ctx, rep.Run)
	if err != nil {
		return nil, err
	}
	t := &task{Reconciler: r, run: run}
	if err := json.Unmarshal(run.Settings, &t.settings); err != nil {
		return nil, wrapSettings(run, err)
	}
	t.profile = Profile{Name: t.settings.ProfileName, SHA256: t.settings.Profile}
	if t.settings.Profile != "" {
		t.profile.Path = r.Kept(t.settings.Profile)
	}
	for _, in := range run.Inputs {
		if in.Role == numbersRole {
			continue
		}
		e, err := r.State.File(ctx, in.File)
		if err != nil {
			return nil, err
		}
		t.entries = append(t.entries, e)
	}
	return t, nil
}

// Events are what became of each case in a version whose files are in a folder.
func (r *Reconciler) Events(rep *jobs.Report, folder string) (list []jobs.CaseEvent, err error) {
	for e, err := range jobs.Events(r.Keys, folder) {
		if err != nil {
			return nil, err
		}
		e.Carrier, e.Period, e.Report, e.Version = rep.Carrier, rep.Period, rep.ID, rep.Version
		list = append(list, e)
	}
	return list, nil
}

// Remake makes a version anew from what it was made of, into a folder that must
// not be there. ErrDiffers: more than a number would be another one.
func (r *Reconciler) Remake(ctx context.Context, rep jobs.Report, erasures []jobs.Erasure, folder string) (_ *Remade, err error) {
	t, err := r.again(ctx, rep)
	switch {
	case errors.Is(err, jobs.ErrNoRun), errors.Is(err, jobs.ErrNoFile):
		return nil, fmt.Errorf("%w: %w", ErrDiffers, err)
	case err != nil:
		return nil, err
	case t.settings.Program != r.Program:
		return nil, fmt.Errorf("%w: another version of the program made it", ErrDiffers)
	}
	// What is known of numbers is what it was, but for those that were erased:
	// otherwise the figures tell.
	if err := t.takeNumbers(ctx, folder+".numbers"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.forgetNumbers()) }()
	o, err := t.options(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	o.Staging, o.Out = folder, folder+".never"
	if o.Release, err = t.released(ctx, rep, erasures); err != nil {
		return nil, err
	}
	out, err := r.Match(ctx, o, t.watch())
	switch f, is := errors.AsType[*jobs.Failure](err); {
	case err == nil:
		return t.remade(rep, out)
	case ctx.Err() != nil, is && f.Kind == jobs.KindCancelled:
		return nil, err
	}
	// Such as for the version before, which is lost: trying again does not help.
	return nil, fmt.Errorf("%w: %w", ErrDiffers, err)
}

// released says which version it is, and which one is before it.
func (t *task) released(ctx context.Context, rep jobs.Report, erasures []jobs.Erasure) (*jobs.Release, error) {
	rel := t.release(rep.Version, nil)
	if rep.Supersedes != "" {
		before, err := t.State.Report(ctx, rep.Supersedes)
		if err != nil {
			return nil, err
		}
		rel = t.release(rep.Version, &before)
	}
	rel.Erasures = Told(erasures)
	return rel, nil
}

// remade compares what was made with what is published.
func (t *task) remade(rep jobs.Report, out *jobs.Outcome) (*Remade, error) {
	now := rep
	t.figures(&now, out)
	events, err := t.events(&now, out)
	if err == nil {
		err = sameSummary(t.Keys, t.shelf().Place(rep), out.Staging)
	}
	before := rep.Figures
	before.DifferencePPM = now.Figures.DifferencePPM // it follows from the others
	if err == nil && (now.Figures != before || now.Changes != rep.Changes) {
		err = fmt.Errorf("%w: its figures would be others", ErrDiffers)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(out.Staging))
	}
	now.Basis = t.basis(t.settings.AsOf)
	return &Remade{Report: now, Folder: out.Staging, Events: events}, nil
}

// maxSummary bounds the summary of a version, in bytes.
const maxSummary = 64 << 20

// sameSummary says whether two reports have the same figures, whatever their
// inputs are called.
func sameSummary(keys *atrest.Keys, a, b string) error {
	var docs [2]map[string]any
	for i, dir := range []string{a, b} {
		text, err := keys.ReadFile(filepath.Join(dir, "summary.json"), maxSummary)
		if err == nil {
			err = json.Unmarshal(text, &docs[i])
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDiffers, err)
		}
		delete(docs[i], "numbers")
		if settings, ok := docs[i]["settings"].(map[string]any); ok {
			delete(settings, "numbers_sha256")
		}
		inputs, _ := docs[i]["inputs"].([]any)
		for _, in := range inputs {
			if m, ok := in.(map[string]any); ok {
				delete(m, "name")
				delete(m, "notes")
			}
		}
	}
	if !reflect.DeepEqual(docs[0], docs[1]) {
		return fmt.Errorf("%w: its summary would be another one", ErrDiffers)
	}
	return nil
}
