package jobs

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats/report"
)

// Release says that a report is one version of what is known of a carrier's
// period. Its folder then also says what changed since the version before.
type Release struct {
	Version int // from 1
	// Previous is the folder of the version that this one supersedes; empty:
	// this is the first. A folder that is not as it was written fails the
	// run.
	Previous        string
	PreviousVersion int
	// PreviousManifest is the SHA-256 that its manifest.json must have, in
	// hexadecimal; empty: it is not known.
	PreviousManifest string
	// Erasures are those that changed this version since it was published.
	Erasures []report.Erasure `json:",omitempty"`
}

// checkRelease looks whether there is what the report is to be compared with.
func (p *plan) checkRelease() error {
	r := p.Release
	switch {
	case r == nil:
		return nil
	case r.Version < 1:
		return errors.New("release: versions count from 1")
	case r.Previous == "" && r.PreviousVersion == 0 && r.PreviousManifest == "":
		return nil
	case r.Previous == "":
		return errors.New("release: name the folder of the version before, too")
	case r.PreviousVersion < 1 || r.PreviousVersion >= r.Version:
		return fmt.Errorf("release: version %d cannot supersede version %d", r.Version, r.PreviousVersion)
	}
	// What is read of it takes time, too.
	for _, name := range []string{"manifest.json", "summary.json", "discrepancies.csv"} {
		size, err := fileSize(filepath.Join(r.Previous, name))
		if err != nil {
			return fmt.Errorf("release: %s of version %d in folder %s: %w", name, r.PreviousVersion, r.Previous, err)
		}
		p.bytes += size
	}
	return nil
}

// diffShare is the part of a run's memory in which versions are compared.
// The engine still holds its own.
const diffShare = 8

// release says the same to the report; staged is the folder being filled.
func (p *plan) release(staged string) *report.Release {
	if p.Release == nil {
		return nil
	}
	r := &report.Release{
		Version: p.Release.Version, PreviousVersion: p.Release.PreviousVersion, PreviousManifest: p.Release.PreviousManifest,
		Erasures: p.Release.Erasures,
		Staged:   p.Keys.FS(staged), Scratch: scratchIn(staged, p.Keys), Memory: p.Memory / diffShare,
	}
	if p.Release.Previous != "" {
		r.Previous = p.Keys.FS(p.Release.Previous)
	}
	return r
}

// finish publishes a report that is written, or leaves it for Settle.
func (p *plan) finish(folder *exchange.Folder, w *report.Written, o *Outcome) error {
	o.Manifest, o.Changes = w.Manifest, w.Changes
	if !p.Unpublished {
		return folder.Publish()
	}
	o.Staging = p.Staging
	return folder.Seal()
}

// Settle publishes a report that a run has left in its staging folder. It may
// be repeated until it succeeds, in another process, too.
func Settle(staging, out string) error { return exchange.Settle(exchange.OS{}, staging, out) }

// Events reads what became of each case from a report folder, settled or not,
// in the order of its changes.csv. Carrier, period, report and version are
// for the caller to add. The first error ends it.
func Events(keys *atrest.Keys, folder string) iter.Seq2[CaseEvent, error] {
	return func(yield func(CaseEvent, error) bool) {
		f, err := keys.Open(filepath.Join(folder, "changes.csv"))
		if err != nil {
			yield(CaseEvent{}, fmt.Errorf("read changes in folder %s: %w", folder, reason(err)))
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for c, err := range report.ReadChanges(f) {
			e := CaseEvent{CaseID: c.CaseID, Event: c.Event, Class: c.Class, Before: c.Before, DiffMS: c.DiffMS, BeforeMS: c.BeforeMS}
			if err != nil {
				err = fmt.Errorf("in folder %s: %w", folder, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
