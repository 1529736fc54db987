package jobstest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"concord/exchange"
	"concord/jobs"
)

// Journal is a jobs.Ledger in one file, to which lines are only appended. One
// process at a time may have it open.
type Journal struct {
	mem  Mem
	f    *os.File
	size int64 // of the lines that count
	lost error // why nothing can be appended any more
}

var _ jobs.Ledger = (*Journal)(nil)

// line is one line of the file: an entry, or that one was settled.
type line struct {
	Entry   *jobs.Entry `json:"entry,omitempty"`
	Settled string      `json:"settled,omitempty"` // id
	Carrier string      `json:"carrier,omitempty"` // of Settled
}

// OpenJournal opens a journal and makes it when there is none. A last line
// that is torn was never said to be kept, and is cut off.
func OpenJournal(name string) (_ *Journal, err error) {
	f, err := os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{f: f}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open journal %s: %w", name, err), f.Close())
		}
	}()
	if err := j.replay(); err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(j.size), f.Sync()); err != nil {
		return nil, err
	}
	return j, exchange.OS{}.SyncDir(filepath.Dir(name))
}

// replay reads every whole line.
func (j *Journal) replay() error {
	b, err := io.ReadAll(j.f)
	if err != nil {
		return err
	}
	for {
		text, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			return nil
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("at byte %d: %w", j.size, err)
		}
		j.apply(l)
		j.size += int64(len(text)) + 1
		b = rest
	}
}

func (j *Journal) apply(l line) {
	if l.Entry != nil {
		j.mem.entries = append(j.mem.entries, *l.Entry)
		return
	}
	for i := range j.mem.entries {
		if e := &j.mem.entries[i]; e.ID == l.Settled && e.Carrier == l.Carrier {
			e.Settled = true
		}
	}
}

// append makes a line last. What cannot be written whole is taken back; if not
// even that is possible, nothing is written any more.
func (j *Journal) append(l line) error {
	if j.lost != nil {
		return j.lost
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	_, err = j.f.WriteAt(b, j.size)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		j.lost = errors.Join(j.f.Truncate(j.size), j.f.Sync())
		return err
	}
	j.size += int64(len(b))
	return nil
}

// Record implements jobs.Ledger.
func (j *Journal) Record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry) (jobs.Entry, error) {
	return j.mem.record(ctx, a, decide, func(e jobs.Entry) error { return j.append(line{Entry: &e}) })
}

// Unsettled implements jobs.Ledger.
func (j *Journal) Unsettled(ctx context.Context, carrier string) ([]jobs.Entry, error) {
	return j.mem.Unsettled(ctx, carrier)
}

// Files implements jobs.Ledger.
func (j *Journal) Files(ctx context.Context, carrier string) ([]jobs.Entry, error) {
	return j.mem.Files(ctx, carrier)
}

// Settle implements jobs.Ledger.
func (j *Journal) Settle(ctx context.Context, carrier, id string) error {
	return j.mem.settle(ctx, carrier, id, func() error { return j.append(line{Settled: id, Carrier: carrier}) })
}

// Holds implements jobs.Ledger.
func (j *Journal) Holds(ctx context.Context, sha256 string) (bool, error) {
	return j.mem.Holds(ctx, sha256)
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }
