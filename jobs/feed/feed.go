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
	Skip    []string // folders in it that are somebody else's
	Now     func() time.Time
	// Quiet is how long a file must be unchanged before it is looked at [5 s],
	// Deadline how long it may be unfinished [1 h].
	Quiet, Deadline time.Duration

	mu    sync.Mutex    // guards Folder, turn and young
	turn  chan struct{} // held by the scan that is under way
	young bool          // the last scan left files alone that had just been changed

	seen    map[string]mark  // what was taken
	purged  map[gone]bool    // what was taken and purged since
	watched map[string]sight // what was not, by the last scan
}

// sight is how a file was that is not taken yet, and since when it is so.
type sight struct {
	mark
	since time.Time
}

// Young reports whether the last scan found files that had just been changed:
// the next one is then due when they have been quiet.
func (f *Feed) Young() (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.quiet(), f.young
}

// begin waits for its turn.
func (f *Feed) begin(ctx context.Context) error {
	f.mu.Lock()
	if f.turn == nil {
		f.turn = make(chan struct{}, 1)
	}
	turn := f.turn
	f.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Feed) end(young bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.young = young
	<-f.turn
}

func (f *Feed) quiet() time.Duration { return cmp.Or(f.Quiet, 5*time.Second) }

// SetFolder names another folder, from the next scan on.
func (f *Feed) SetFolder(folder string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Folder = folder
}

func (f *Feed) folder() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Folder
}

// mark is how a file was when it was taken.
type mark struct {
	size    int64
	changed int64 // microseconds since 1970
}

// gone is a file whose name the ledger may know only masked.
type gone struct {
	name string
	mark
}

// found is a file in the folder.
type found struct {
	name string
	sight
	at time.Time // when it was changed, by the clock of the folder
}

// Scan takes what is new, the files that were changed first before the others.
// It returns the entries that it recorded and every error that it met.
func (f *Feed) Scan(ctx context.Context) (list []jobs.Entry, err error) {
	if err := f.begin(ctx); err != nil {
		return nil, err
	}
	young := false
	defer func() { f.end(young) }()
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
	files, young, err := f.fresh(root.FS())
	errs := []error{err}
	for _, x := range files {
		e, err := f.take(ctx, root, x)
		switch {
		case ctx.Err() != nil:
			return list, ctx.Err()
		case errors.Is(err, jobs.ErrWait):
		case errors.Is(err, errChanging):
			young = true
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
	f.seen, f.purged = make(map[string]mark), make(map[gone]bool)
	for _, e := range entries {
		if !e.Microsoft {
			continue
		}
		m := mark{e.Bytes, e.Received.UnixMicro()}
		f.seen[e.Name] = m
		if e.RawPurged != 0 { // its name is masked, or will be
			f.purged[gone{jobs.Mask(e.Name), m}] = true
		}
	}
	return nil
}

// fresh lists the files that were not taken as they are, and have been left
// alone for a while. What cannot be looked at hides nothing else.
func (f *Feed) fresh(folder fs.FS) (list []found, young bool, err error) {
	watched := make(map[string]sight)
	var errs []error
	_ = fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed since
			return nil
		case err != nil:
			errs = append(errs, err)
			return skip(d)
		case name != "." && (strings.HasPrefix(base, ".") || landing.IsTemporary(base)), slices.Contains(f.Skip, name):
			return skip(d)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			if x := f.look(name, info); f.seen[name] != x.mark && !f.purged[gone{jobs.Mask(name), x.mark}] {
				watched[name] = x.sight
				list = append(list, x)
			}
		}
		return nil
	})
	f.watched = watched
	if err := errors.Join(errs...); err != nil {
		errs = []error{fmt.Errorf("list Microsoft's files of %s: %w", f.Carrier, err)}
	}
	all, now := len(list), f.Now()
	list = slices.DeleteFunc(list, func(x found) bool { return now.Sub(x.since) < f.quiet() })
	slices.SortFunc(list, func(a, b found) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return list, len(list) < all, errors.Join(errs...)
}

// look says how a file is, and since when: by its own time, or since it was
// first seen so if that is in the future, as the clock of a share may be.
func (f *Feed) look(name string, info fs.FileInfo) found {
	x := found{name: name, at: info.ModTime()}
	x.mark = mark{info.Size(), info.ModTime().UnixMicro()}
	x.since = x.at
	if now := f.Now(); x.at.After(now) {
		x.since = now
		if w, ok := f.watched[name]; ok && w.mark == x.mark {
			x.since = w.since
		}
	}
	return x
}

func skip(d fs.DirEntry) error {
	if d != nil && d.IsDir() {
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
		Content: c.Path, Trust: landing.Closed, Final: f.Now().Sub(x.since) >= cmp.Or(f.Deadline, time.Hour),
	})
	keep = err == nil && e.Erased == "" && e.RawPurged == 0 || errors.Is(err, landing.ErrDoubt)
	return e, err
}
