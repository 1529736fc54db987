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

// compare says what is new for each carrier, and takes out superseded rows.
func (d *delivery) compare(ctx context.Context) error {
	for i, c := range d.o.Carriers {
		for _, k := range d.kinds() {
			if err := d.compareOne(ctx, i, c.ID, &k); err != nil {
				return fmt.Errorf("compare the %s of %s: %w", k.name, c.ID, err)
			}
		}
	}
	return nil
}

func (d *delivery) compareOne(ctx context.Context, at int, carrier string, k *deliveredKind) (err error) {
	file, err := os.Open(d.path(carrier, k.csv))
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return reason(err)
	}
	csv := formats.Input{Name: k.csv, R: file, Size: info.Size()}
	before, err := d.before(k.index(carrier))
	if err != nil {
		return err
	}
	var previous io.Reader
	if before != nil {
		defer func() { err = errors.Join(err, before.Close()) }()
		previous = before
	}
	var c *partition.Comparison
	err = d.put(filepath.Join(indexFolder, k.index(carrier)), func(w io.Writer) (err error) {
		c, err = partition.Compare(ctx, csv, k.key, previous, w, scratchIn(d.folder.Staging()), int(d.o.Memory/4))
		return err
	})
	if err != nil {
		return err
	}
	d.found.Compared = append(d.found.Compared, DeliveryChanges{
		Carrier: carrier, Kind: k.name, Superseded: c.Superseded, Added: c.Added, Changed: c.Changed, Gone: c.Gone,
	})
	if before != nil {
		err := d.put(filepath.Join(carrier, k.changes()), func(w io.Writer) error { return partition.WriteChanges(ctx, csv, c, w) })
		if err != nil {
			return err
		}
	}
	if c.Superseded == 0 {
		return nil
	}
	return d.withoutSuperseded(ctx, at, carrier, k, c)
}

// before opens the index of the delivery before; nil when there is none.
func (d *delivery) before(name string) (*os.File, error) {
	if d.o.Previous == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(d.o.Previous, indexFolder, name))
	if errors.Is(err, fs.ErrNotExist) { // a carrier or a kind that is new
		return nil, nil
	}
	if err != nil {
		return nil, reason(err)
	}
	return f, nil
}

// withoutSuperseded writes a carrier's calls anew without the rows that a
// later one of the same record supersedes. Of quality rows none is left by now.
func (d *delivery) withoutSuperseded(ctx context.Context, at int, carrier string, k *deliveredKind, c *partition.Comparison) error {
	old := d.path(carrier, "superseded.parquet")
	err := errors.Join(os.Rename(d.path(carrier, k.parquet), old), os.Remove(d.path(carrier, k.csv)))
	if err != nil {
		return reason(err)
	}
	skip := func(_ int, row int64) bool { return c.IsSuperseded(row) }
	res, err := d.calls(ctx, []string{old}, []partition.Carrier{d.o.Carriers[at]}, d.create, partition.Options{Skip: skip})
	if err != nil {
		return err
	}
	total := d.found.Calls
	if res.Superseded != c.Superseded || res.Carriers[0].Rows+c.Superseded != total.Carriers[at].Rows {
		return fmt.Errorf("%d rows of %d are left without %d superseded ones", res.Carriers[0].Rows, total.Carriers[at].Rows, c.Superseded)
	}
	total.Carriers[at] = res.Carriers[0]
	total.Superseded += c.Superseded
	return os.Remove(old)
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
		files, err = d.list(files, carrier, k.changes())
		if err != nil {
			return err
		}
	}
	if files, err = d.list(files, carrier, "columns.csv"); err != nil {
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

// list adds a small file, if it is there.
func (d *delivery) list(files []partition.Written, carrier, name string) ([]partition.Written, error) {
	f, err := os.Open(d.path(carrier, name))
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
	return append(files, partition.Written{Name: name, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}), nil
}

// readQuality reads a file of quality rows to its end.
func readQuality(ctx context.Context, in formats.Input) (err error) {
	r, err := qualityio.Open(in, qualityio.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	rows := make([]quality.Row, 256)
	for {
		_, err := r.Read(ctx, rows)
		_, bad := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !bad:
			return err
		}
	}
}

// decodeOnly reads the files of a delivery and writes nothing.
func (o *DeliverOptions) decodeOnly(ctx context.Context) (err error) {
	in := new(inputs)
	defer func() { err = errors.Join(err, in.close()) }()
	if len(o.Calls) > 0 {
		if err := in.openSide(ctx, engine.Microsoft, o.Calls, bases(o.Calls), formats.Options{Details: true}); err != nil {
			return err
		}
		return readAll(ctx, in.sides[engine.Microsoft])
	}
	list, err := in.handle(o.Quality, bases(o.Quality))
	if err != nil {
		return err
	}
	for _, i := range list {
		if err := readQuality(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
