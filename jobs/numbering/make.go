package numbering

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"time"

	"concord/engine"
	"concord/engine/numbers"
	"concord/exchange/atrest"
	"concord/formats"
	"concord/jobs"
)

// maker makes the files of one delivery in a folder of its own.
type maker struct {
	jobs.NumbersDelivery
	state State
	dir   string
	keys  *atrest.Keys
}

// making has a delivery made and removes what was needed for it.
func (d *desk) making(x jobs.NumbersDelivery, do func(*maker) error) (err error) {
	dir, err := d.scratch()
	if err != nil {
		return fmt.Errorf("make a delivery to %s: %w", x.Carrier, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return do(&maker{NumbersDelivery: x, state: d.State, dir: dir, keys: d.Keys})
}

// name is that of one file of the delivery.
func (m *maker) name(end string) string {
	return fmt.Sprintf("numbers_%s_%s_%06d_%s", m.Carrier, m.AsOf.UTC().Format("20060102T150405Z"), m.Sequence, end)
}

// manifest tells a carrier what a delivery consists of.
type manifest struct {
	Carrier  string               `json:"carrier"`
	Delivery int                  `json:"delivery"`
	BuildsOn int                  `json:"builds_on"`
	AsOf     time.Time            `json:"as_of"`
	Added    int64                `json:"added"`
	Removed  int64                `json:"removed"`
	Changed  int64                `json:"changed"`
	Files    []jobs.DeliveredFile `json:"files"`
}

// write writes the files. They depend on nothing but what is known after the
// two listings: whenever they are written, they are the same.
func (m *maker) write(ctx context.Context) error {
	m.Files, m.Added, m.Removed, m.Changed = nil, 0, 0, 0
	if err := errors.Join(m.full(ctx), m.changes(ctx)); err != nil {
		return fmt.Errorf("make delivery %d to %s: %w", m.Sequence, m.Carrier, err)
	}
	text, err := json.MarshalIndent(manifest{
		Carrier: m.Carrier, Delivery: m.Sequence, BuildsOn: m.Sequence - 1, AsOf: m.AsOf.UTC(),
		Added: m.Added, Removed: m.Removed, Changed: m.Changed, Files: m.Files,
	}, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	// Its name comes last in the alphabet, too: a host is pushed to in that
	// order.
	f := jobs.DeliveredFile{Name: m.name("manifest.json"), Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
	m.Files = append(m.Files, f)
	return m.put(f.Name, text)
}

func (m *maker) put(name string, text []byte) error {
	f, err := m.open(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// open makes a file in the folder of the delivery.
func (m *maker) open(name string) (atrest.Output, error) {
	return m.keys.OpenFile(filepath.Join(m.dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// present are the numbers that were the carrier's after a listing.
func (m *maker) present(ctx context.Context, position int64) numbers.Rows {
	return numbers.Present(living(m.state.KnownNumbers(ctx, jobs.NumbersAt{Carrier: m.Carrier, Position: position, Present: true})))
}

// living leaves out what stands for numbers that were erased: nobody is told of
// them, neither that they are there nor that they went.
func living(rows numbers.Rows) numbers.Rows {
	return func(yield func(numbers.Assignment, error) bool) {
		for a, err := range rows {
			if err == nil && engine.E164(a.Digits).Erased() {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// full writes every number, in both formats.
func (m *maker) full(ctx context.Context) error {
	return m.files([]string{"full.csv", "full.parquet"}, false, func(write func(*numbers.Change) error) error {
		for a, err := range m.present(ctx, m.Position) {
			if err == nil {
				err = write(&numbers.Change{Assignment: a})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// changes writes what differs from the delivery before.
func (m *maker) changes(ctx context.Context) error {
	counts := map[numbers.Kind]*int64{numbers.Added: &m.Added, numbers.Removed: &m.Removed, numbers.Changed: &m.Changed}
	return m.files([]string{"changes.csv"}, true, func(write func(*numbers.Change) error) error {
		for c, err := range numbers.Changes(m.present(ctx, m.Base), m.present(ctx, m.Position)) {
			if err != nil {
				return err
			}
			*counts[c.Kind]++
			if c.Kind == numbers.Removed {
				c.To = m.AsOf.UnixMicro()
			}
			if err := write(&c); err != nil {
				return err
			}
		}
		return nil
	})
}

// files writes the same rows into files, and notes what they are.
func (m *maker) files(ends []string, changes bool, rows func(write func(*numbers.Change) error) error) (err error) {
	var open []*file
	defer func() {
		for _, f := range open {
			err = errors.Join(err, f.f.Close())
		}
	}()
	for _, end := range ends {
		f, err := m.create(end, changes)
		if err != nil {
			return err
		}
		open = append(open, f)
	}
	err = rows(func(c *numbers.Change) error {
		for _, f := range open {
			f.rows++
			if err := f.w.Write(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range open {
		if err := errors.Join(f.w.Close(), f.buf.Flush()); err != nil {
			return err
		}
		m.Files = append(m.Files, jobs.DeliveredFile{Name: f.name, Bytes: f.bytes, Rows: f.rows, SHA256: hex.EncodeToString(f.sum.Sum(nil))})
	}
	return nil
}

// file is one that is being written.
type file struct {
	f     atrest.Output
	name  string
	buf   *bufio.Writer
	w     *formats.NumbersWriter
	sum   hash.Hash
	bytes int64
	rows  int64
}

func (m *maker) create(end string, changes bool) (*file, error) {
	o, err := m.open(m.name(end))
	if err != nil {
		return nil, err
	}
	f := &file{f: o, name: m.name(end), sum: sha256.New()}
	f.buf = bufio.NewWriter(f)
	format := formats.CanonicalCSV
	if filepath.Ext(end) == ".parquet" {
		format = formats.CanonicalParquet
	}
	if f.w, err = formats.NewNumbersWriter(f.buf, format, m.Carrier, changes); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return f, nil
}

// Write counts and hashes what reaches the file.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	f.sum.Write(p[:n])
	f.bytes += int64(n)
	return n, err
}

// hand puts one file into the outbox.
func (m *maker) hand(ctx context.Context, to Outbox, name string) (err error) {
	f, err := m.keys.Open(filepath.Join(m.dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return to.Deliver(ctx, name, f)
}
