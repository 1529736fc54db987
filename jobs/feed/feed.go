// Package feed takes Microsoft's files about a carrier from a folder: what is
// new there is copied into the spool, looked into, and recorded in the ledger.
//
// A file is known by its name, size and time of change. The folder is only
// read: whoever fills it may replace a file, which then counts as a later one,
// and may remove what was taken. A file that is still being written waits until
// it is whole. What is wrong with one file keeps no other from being taken.
package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// Taker decides of a file and records it; a *jobs.Collector is one. An error
// of jobs.ErrWait says that the file is not whole yet.
type Taker interface {
	TakeFeed(ctx context.Context, o landing.Offer) (jobs.Entry, error)
}

// Known lists what was recorded; a jobs.Ledger does.
type Known interface {
	Files(ctx context.Context, carrier string) ([]jobs.Entry, error)
}

// Feed is the folder of one carrier. Its methods may be called by several
// goroutines; they take turns.
type Feed struct {
	Folder  string // of Microsoft's files about this carrier; it need not be there
	Carrier string
	Spool   *landing.Spool
	Taker   Taker
	Known   Known
	Now     func() time.Time
	// Quiet is how long a file must be unchanged before it is looked at [5 s],
	// Deadline how long it may be unfinished [1 h].
	Quiet, Deadline time.Duration

	moving sync.Mutex // guards Folder
	mu     sync.Mutex
	seen   map[string]mark
	young  bool // the last scan left files alone that had just been changed
}

// Young reports whether the last scan found files that had just been changed:
// the next one is then due when they have been quiet.
func (f *Feed) Young() (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.quiet(), f.young
}

func (f *Feed) quiet() time.Duration { return cmp.Or(f.Quiet, 5*time.Second) }

// SetFolder names another folder, from the next scan on.
func (f *Feed) SetFolder(folder string) {
	f.moving.Lock()
	defer f.moving.Unlock()
	f.Folder = folder
}

func (f *Feed) folder() string {
	f.moving.Lock()
	defer f.moving.Unlock()
	return f.Folder
}

// mark is how a file was when it was taken.
type mark struct {
	size    int64
	changed int64 // microseconds since 1970
}

// found is a file in the folder.
type found struct {
	name string
	mark
	at time.Time
}

// Scan takes what is new, the files that were changed first before the others.
// It returns the entries that it recorded and every error that it met.
func (f *Feed) Scan(ctx context.Context) (list []jobs.Entry, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.folder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open Microsoft's folder of %s: %w", f.Carrier, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	files, err := f.fresh(root)
	errs := []error{err}
	for _, x := range files {
		e, err := f.take(ctx, root, x)
		switch {
		case ctx.Err() != nil:
			return list, ctx.Err()
		case errors.Is(err, jobs.ErrWait):
		case err != nil:
			errs = append(errs, fmt.Errorf("take Microsoft's file %s of %s: %w", x.name, f.Carrier, err))
		default:
			f.seen[x.name] = x.mark
			list = append(list, e)
		}
	}
	return list, errors.Join(errs...)
}

// load learns from the ledger what was taken before.
func (f *Feed) load(ctx context.Context) error {
	if f.seen != nil {
		return nil
	}
	entries, err := f.Known.Files(ctx, f.Carrier)
	if err != nil {
		return fmt.Errorf("find Microsoft's files of %s that were taken: %w", f.Carrier, err)
	}
	f.seen = make(map[string]mark)
	for _, e := range entries {
		if e.Microsoft {
			f.seen[e.Name] = mark{e.Bytes, e.Received.UnixMicro()}
		}
	}
	return nil
}

// fresh lists the files that were not taken as they are, and have been left
// alone for a while.
func (f *Feed) fresh(root *os.Root) (list []found, err error) {
	now := f.Now()
	f.young = false
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case name != "." && (strings.HasPrefix(base, ".") || landing.IsTemporary(base)):
			return skip(d)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed since
			return nil
		}
		if err != nil {
			return err
		}
		x := found{name, mark{info.Size(), info.ModTime().UnixMicro()}, info.ModTime()}
		switch fresh := f.seen[name] != x.mark; {
		case fresh && now.Sub(x.at) < f.quiet():
			f.young = true
		case fresh:
			list = append(list, x)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("list Microsoft's files of %s: %w", f.Carrier, err)
	}
	slices.SortFunc(list, func(a, b found) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return list, err
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

var errChanging = errors.New("it changed while it was read; it is taken when it is left alone")

// take copies a file into the spool and has it decided.
func (f *Feed) take(ctx context.Context, root *os.Root, x found) (e jobs.Entry, err error) {
	src, err := root.Open(x.name)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	c, err := f.Spool.Add(ctx, src)
	if err != nil {
		return e, err
	}
	keep := false
	defer func() { err = errors.Join(err, f.Spool.Release(c.SHA256, keep)) }()
	info, err := src.Stat()
	if err != nil {
		return e, err
	}
	if (mark{info.Size(), info.ModTime().UnixMicro()}) != x.mark || c.Size != x.size {
		return e, errChanging
	}
	e, err = f.Taker.TakeFeed(ctx, landing.Offer{
		Carrier: f.Carrier, Name: x.name, SHA256: c.SHA256, Size: c.Size, Received: time.UnixMicro(x.changed).UTC(),
		Content: c.Path, Trust: landing.Closed, Final: f.Now().Sub(x.at) >= cmp.Or(f.Deadline, time.Hour),
	})
	keep = err == nil || errors.Is(err, landing.ErrDoubt)
	return e, err
}
