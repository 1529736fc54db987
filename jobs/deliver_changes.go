package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"concord/engine"
	"concord/engine/quality"
	"concord/exchange/atrest"
	"concord/formats"
	"concord/formats/partition"
	"concord/formats/qualityio"
)

// deliveredKind is one kind of rows that a carrier gets.
type deliveredKind struct {
	name         string
	csv, parquet string
	key          []string
}

func (d *delivery) kinds() (list []deliveredKind) {
	if len(d.o.Calls) > 0 {
		list = append(list, deliveredKind{"calls", partition.CallsCSV, partition.CallsParquet, partition.CallKey()})
	}
	if len(d.o.Quality) > 0 {
		list = append(list, deliveredKind{"quality", partition.QualityCSV, partition.QualityParquet, partition.QualityKey()})
	}
	return list
}

func (k *deliveredKind) changes() string             { return k.name + "_changes.csv" }
func (k *deliveredKind) index(carrier string) string { return carrier + "." + k.name }

// compare says what is new for each carrier.
func (d *delivery) compare(ctx context.Context) error {
	for _, c := range d.o.Carriers {
		for _, k := range d.kinds() {
			if err := d.compareOne(ctx, c.ID, &k); err != nil {
				return fmt.Errorf("compare the %s of %s: %w", k.name, c.ID, err)
			}
		}
	}
	return nil
}

func (d *delivery) compareOne(ctx context.Context, carrier string, k *deliveredKind) (err error) {
	file, err := d.o.Keys.Open(d.path(carrier, k.csv))
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	csv := formats.Input{Name: k.csv, R: file, Size: file.Size()}
	before, err := d.before(k.index(carrier))
	if err != nil {
		return err
	}
	f := partition.Files{Scratch: scratchIn(d.folder.Staging(), d.o.Keys), Memory: int(d.o.Memory / 4)}
	if before != nil {
		defer func() { err = errors.Join(err, before.Close()) }()
		f.Previous = before
	}
	removed := filepath.Join(indexFolder, k.index(carrier)+".removed")
	var c *partition.Comparison
	err = d.put(removed, func(w io.Writer) error {
		f.Removed = w
		return d.put(filepath.Join(indexFolder, k.index(carrier)), func(w io.Writer) (err error) {
			f.Index = w
			c, err = partition.Compare(ctx, csv, k.key, f)
			return err
		})
	})
	if err != nil {
		return err
	}
	if c.Superseded > 0 {
		return fmt.Errorf("%d rows are superseded that should have been left out", c.Superseded)
	}
	d.found.Compared = append(d.found.Compared, DeliveryChanges{Carrier: carrier, Kind: k.name, Added: c.Added, Changed: c.Changed, Removed: c.Removed})
	if d.o.Previous != "" {
		err = d.writeChanges(ctx, filepath.Join(carrier, k.changes()), csv, c, d.path(removed))
	}
	return errors.Join(err, os.Remove(d.path(removed)))
}

func (d *delivery) writeChanges(ctx context.Context, name string, csv formats.Input, c *partition.Comparison, removed string) (err error) {
	gone, err := d.o.Keys.Open(removed)
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, gone.Close()) }()
	return d.put(name, func(w io.Writer) error { return partition.WriteChanges(ctx, csv, c, gone, w) })
}

// before opens the index of the delivery before; nil when there is none.
func (d *delivery) before(name string) (*atrest.File, error) {
	if d.o.Previous == "" {
		return nil, nil
	}
	f, err := d.o.Keys.Open(filepath.Join(d.o.Previous, indexFolder, name))
	if errors.Is(err, fs.ErrNotExist) { // a carrier or a kind that is new
		return nil, nil
	}
	if err != nil {
		return nil, reason(err)
	}
	return f, nil
}

// describe explains a carrier's files and lists them.
func (d *delivery) describe(carrier string) error {
	var entries []formats.DictionaryEntry
	if len(d.o.Calls) > 0 {
		calls, err := formats.CallDictionary(partition.DeliveredColumns())
		if err != nil {
			return err
		}
		entries = calls
	}
	if len(d.o.Quality) > 0 {
		entries = append(entries, qualityio.Dictionary()...)
	}
	err := d.put(filepath.Join(carrier, "columns.csv"), func(w io.Writer) error { return formats.WriteDictionary(w, entries) })
	if err != nil {
		return err
	}
	files := d.listed(carrier)
	for _, k := range d.kinds() {
		files, err = d.list(files, carrier, k.changes(), d.changed(carrier, k.name))
		if err != nil {
			return err
		}
	}
	if files, err = d.list(files, carrier, "columns.csv", int64(len(entries))); err != nil {
		return err
	}
	return d.writeJSON(filepath.Join(carrier, "manifest.json"), struct {
		Files []partition.Written `json:"files"`
	}{files})
}

// listed returns the files that were hashed while they were written.
func (d *delivery) listed(carrier string) (files []partition.Written) {
	for _, res := range []*partition.Result{d.found.Calls, d.found.Quality} {
		if res == nil {
			continue
		}
		for _, c := range res.Carriers {
			if c.Carrier == carrier {
				files = append(files, c.Files...)
			}
		}
	}
	return files
}

// changed is how many rows of a kind are new to a carrier, or gone.
func (d *delivery) changed(carrier, kind string) (n int64) {
	for _, c := range d.found.Compared {
		if c.Carrier == carrier && c.Kind == kind {
			n += c.Added + c.Changed + c.Removed
		}
	}
	return n
}

// list adds a small file of so many rows, if it is there.
func (d *delivery) list(files []partition.Written, carrier, name string, rows int64) ([]partition.Written, error) {
	f, err := d.o.Keys.Open(d.path(carrier, name))
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, reason(err)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return append(files, partition.Written{Name: name, Bytes: n, Rows: rows, SHA256: hex.EncodeToString(sum.Sum(nil))}), nil
}

// decodeOnly reads the files of a delivery and writes nothing.
func (o *DeliverOptions) decodeOnly(ctx context.Context) (err error) {
	o.CallNames, o.QualityNames = named(o.Calls, o.CallNames), named(o.Quality, o.QualityNames)
	if len(o.Calls) > 0 {
		return o.overCalls(ctx, func(src openFiles) error { return readAll(ctx, src) })
	}
	for i, path := range o.Quality {
		f := &qualityFile{keys: o.Keys, path: path, name: o.QualityNames[i], done: func(formats.FileInfo) {}}
		if err := errors.Join(f.readAll(ctx), f.close()); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads the file to its end.
func (f *qualityFile) readAll(ctx context.Context) error {
	rows := make([]quality.Row, 256)
	for {
		_, err := f.Read(ctx, rows)
		_, bad := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !bad:
			return err
		}
	}
}
