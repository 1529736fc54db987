package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"concord/engine"
)

// Release says that a report is one version of what is known of a carrier's
// period. It asks for version.json and changes.csv.
type Release struct {
	Version int
	// Previous is the folder of the version that this one supersedes; nil:
	// this is the first. It is compared with its manifest before anything in
	// it is believed.
	Previous        fs.FS
	PreviousVersion int
	// PreviousManifest is the SHA-256 that its manifest.json must have, in
	// hexadecimal; empty: it is not known.
	PreviousManifest string
	// Erasures say why what was published is another report now.
	Erasures []Erasure
	// Staged is the folder that Create fills: its files are read back.
	Staged fs.FS
	// Scratch keeps what does not fit into Memory bytes; without changes
	// that is nothing.
	Scratch engine.Scratch
	Memory  int64
}

// Erasure says that a number was taken out of a report, at whose request is
// filed under its id. Rows and figures are what they were.
type Erasure struct {
	ID   string `json:"id"`
	Date string `json:"date"` // such as 2026-10-01
}

// versionDoc is version.json; REPORTS.md describes each field.
type versionDoc struct {
	Version    int            `json:"version"`
	Supersedes *supersededDoc `json:"supersedes"`
	Cases      *Changes       `json:"cases"`
	Totals     struct {
		Before *balanceDoc `json:"before"`
		Now    *balanceDoc `json:"now"`
	} `json:"totals"`
	Inputs struct {
		Added   []inputName `json:"added"`
		Removed []inputName `json:"removed"`
	} `json:"inputs"`
	Settings []settingDoc `json:"settings"`
	Erasures []Erasure    `json:"erasures,omitempty"`
}

type supersededDoc struct {
	Version  int    `json:"version"`
	Manifest string `json:"manifest_sha256"`
}

type inputName struct {
	Side   string `json:"side"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

type settingDoc struct {
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before"`
	Now    json.RawMessage `json:"now"`
}

// figures is what is compared of two summary.json.
type figures struct {
	Carrier  string                     `json:"carrier"`
	Period   json.RawMessage            `json:"period"`
	AsOf     json.RawMessage            `json:"as_of_utc"`
	Totals   *balanceDoc                `json:"totals"`
	Inputs   []inputName                `json:"inputs"`
	Settings map[string]json.RawMessage `json:"settings"`
}

// release writes what this version says about the one before.
func (w *writer) release(ctx context.Context, _ Result) error {
	r := w.opts.Release
	if r == nil {
		return nil
	}
	now := &archive{fsys: r.Staged, version: r.Version, files: w.folder.done}
	var before *archive
	if r.Previous != nil {
		var err error
		if before, err = openArchive(ctx, r); err != nil {
			return err
		}
	}
	doc := versionDoc{Version: r.Version, Erasures: r.Erasures}
	if err := doc.compare(ctx, before, now); err != nil {
		return err
	}
	var err error
	if doc.Cases, err = w.changes(ctx, before, now); err != nil {
		return err
	}
	w.written.Changes, w.shown.version = doc.Cases, &doc
	return w.folder.writeJSON(versionFile, doc)
}

// changes writes changes.csv; the first version has none.
func (w *writer) changes(ctx context.Context, before, now *archive) (_ *Changes, err error) {
	d := newDiffer(w.opts.Release.Scratch, w.opts.Release.Memory)
	defer func() { err = errors.Join(err, d.close()) }()
	if before != nil {
		if err := d.compare(ctx, before, now); err != nil {
			return nil, err
		}
	}
	return w.writeChanges(ctx, d)
}

// compare finds the changes between the discrepancies of two folders.
func (d *differ) compare(ctx context.Context, before, now *archive) error {
	const name = "discrepancies.csv"
	return before.use(ctx, name, func(old io.Reader) error {
		was, err := newCaseReader(old, before.says(name))
		if err != nil {
			return err
		}
		defer was.columns.close()
		return now.use(ctx, name, func(r io.Reader) error {
			is, err := newCaseReader(r, now.says(name))
			if err != nil {
				return err
			}
			defer is.columns.close()
			return d.run(ctx, was, is)
		})
	})
}

// compare fills in what the summaries of two versions tell.
func (doc *versionDoc) compare(ctx context.Context, before, now *archive) error {
	doc.Inputs.Added, doc.Inputs.Removed, doc.Settings = []inputName{}, []inputName{}, []settingDoc{}
	is, err := now.figures(ctx)
	if err != nil {
		return err
	}
	doc.Totals.Now = is.Totals
	if before == nil {
		return nil
	}
	was, err := before.figures(ctx)
	if err != nil {
		return err
	}
	if was.Carrier != is.Carrier {
		return fmt.Errorf("version %d, which this one is to supersede, is about another carrier: name the folder of an earlier version of this carrier and period", before.version)
	}
	doc.Supersedes = &supersededDoc{before.version, before.manifest}
	doc.Totals.Before = was.Totals
	doc.Inputs.Added, doc.Inputs.Removed = without(is.Inputs, was.Inputs), without(was.Inputs, is.Inputs)
	doc.Settings = changedSettings(was, is)
	return nil
}

func (a *archive) figures(ctx context.Context) (*figures, error) {
	f := new(figures)
	return f, a.readJSON(ctx, summaryFile, f)
}

// without returns the inputs that others lack, each as often as it is more
// often there.
func without(list, others []inputName) []inputName {
	count := make(map[inputName]int, len(others))
	for _, i := range others {
		count[i]++
	}
	more := []inputName{}
	for _, i := range list {
		if count[i]--; count[i] < 0 {
			more = append(more, i)
		}
	}
	return more
}

// changedSettings lists what the two runs were told differently: the period
// and as_of first, then the settings by name. What one of them does not show
// is null there.
func changedSettings(was, is *figures) []settingDoc {
	list := appendSetting([]settingDoc{}, "period", was.Period, is.Period)
	list = appendSetting(list, "as_of_utc", was.AsOf, is.AsOf)
	all := maps.Clone(was.Settings)
	if all == nil {
		all = make(map[string]json.RawMessage)
	}
	maps.Copy(all, is.Settings)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = appendSetting(list, name, was.Settings[name], is.Settings[name])
	}
	return list
}

func appendSetting(list []settingDoc, name string, was, is json.RawMessage) []settingDoc {
	was, is = compact(was), compact(is)
	if bytes.Equal(was, is) {
		return list
	}
	return append(list, settingDoc{name, was, is})
}

// compact takes the layout off a value; nothing is null.
func compact(v json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if len(v) == 0 || json.Compact(&b, v) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}
