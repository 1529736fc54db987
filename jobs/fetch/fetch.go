// Package fetch takes Microsoft's files from a host of Microsoft's side, such
// as an SFTP server of the programme. What is new there is put into the folders
// of Microsoft's files, whole or not at all; packages feed and numbering take it
// from there.
//
// A file is known by its name, size and time of change. It keeps that time
// here, so that a crash between putting it into its place and remembering it
// takes nothing twice: it is found there as it should be. One that was replaced
// on the host is a further file, under a name of its own; nothing that is here
// is ever overwritten. What a host calls its files leads nowhere else: a name
// that is none is refused, and every file of a host is written below folders
// that are called as the host is in the configuration.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"time"

	"concord/exchange"
	"concord/jobs"
)

// Host is what is taken from one host. Its Look is called by one goroutine at a
// time, which may change the exported fields between two of them.
type Host struct {
	Name    string // in the configuration, and of the folders for its files
	Folder  string // folder there of call records; empty: none are taken
	Carrier string // whose all of Folder is; empty: there is a subfolder for each carrier
	Numbers string // folder there of listings of several carriers' numbers; empty: none are taken
	Done    string // folder there to which is moved what was taken; empty: it stays where it is

	Carriers []string // who has a subfolder
	Calls    string   // folder here of Microsoft's files, one subfolder a carrier
	Listings string   // folder here of listings of several carriers' numbers
	State    jobs.HostFiles
	Now      func() time.Time
	Log      *slog.Logger
	Taken    func(jobs.HostFile) // is told of what was taken; nil: nobody is

	open    func(dir string) (disk, error) // nil: openFolder
	seen    map[string]*sighting           // by the name as it is remembered
	strange map[string]bool                // what was found there and told of
	swept   map[string]bool                // folders here that were cleaned up
}

// sighting is a file of the host that is not taken yet, since it was seen first.
type sighting struct {
	entry exchange.Entry
	got   int64  // bytes fetched by this process
	dir   string // folder here with what was fetched of it; empty: nothing was
	temp  string // its name there
}

// mark tells a file from an earlier or later one of its name.
type mark struct {
	name           string
	bytes, changed int64
}

func markOf(name string, bytes int64, changed time.Time) mark {
	return mark{name, bytes, changed.UnixMicro()}
}

// look is one look at the host.
type look struct {
	*Host
	r      exchange.Remote
	known  map[mark]bool
	before map[string]*sighting
	young  bool
}

// Look goes through the host's folders once. A file that is as it was at the
// last look is fetched; young says that there are some which were seen for the
// first time, or have changed. What goes wrong with one file keeps no other from being taken, and
// is tried again at the next look.
func (h *Host) Look(ctx context.Context, r exchange.Remote) (young bool, err error) {
	l := &look{Host: h, r: r, known: map[mark]bool{}, before: h.seen}
	list, err := h.State.HostFiles(ctx, h.Name)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		l.known[markOf(f.Name, f.Bytes, f.Changed)] = true
	}
	items, err := l.items(ctx)
	h.seen = map[string]*sighting{}
	if err != nil { // what was not seen may be there all the same
		for name, s := range l.before {
			h.seen[name] = s
		}
	}
	var wrong faults
	wrong.add(err)
	for _, x := range items {
		if err := l.advance(ctx, x); err != nil {
			wrong.add(fmt.Errorf("%q: %w", x.remote, err))
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	wrong.add(l.forget())
	return l.young, wrong.all()
}

// forget removes what was fetched of files that are no longer there, or are
// others now.
func (l *look) forget() error {
	var wrong faults
	for name, s := range l.before {
		if s.dir == "" || l.seen[name] == s {
			continue
		}
		d, err := l.folderHere(s.dir)
		if err == nil {
			err = errors.Join(dropped(d.Remove(s.temp)), d.Close())
		}
		wrong.add(err)
	}
	return wrong.all()
}

// advance takes one file a step further.
func (l *look) advance(ctx context.Context, x item) error {
	if l.knows(x) {
		delete(l.seen, x.name)
		return l.finish(ctx, x)
	}
	s := l.before[x.name]
	if s == nil || !s.entry.Same(x.entry) {
		l.seen[x.name] = &sighting{entry: x.entry}
		l.young = true
		return nil
	}
	l.seen[x.name] = s
	err := l.take(ctx, x, s)
	switch {
	case errors.Is(err, exchange.ErrChanged): // it is another file now
		delete(l.seen, x.name)
		l.young = true
		return nil
	case err != nil:
		return err
	}
	delete(l.seen, x.name)
	return l.finish(ctx, x)
}

// knows reports whether a file was taken. Of one that was purged since only the
// masked name is remembered.
func (l *look) knows(x item) bool {
	return l.known[markOf(x.name, x.entry.Size, x.entry.Time)] || l.known[markOf(jobs.Mask(x.name), x.entry.Size, x.entry.Time)]
}

// take puts a file into its place and remembers it.
func (l *look) take(ctx context.Context, x item, s *sighting) error {
	if err := l.put(ctx, x, s); err != nil {
		return err
	}
	f := jobs.HostFile{Host: l.Name, Name: x.name, Bytes: x.entry.Size, Changed: x.entry.Time.UTC(), Taken: l.Now().UTC()}
	if err := l.State.KeepHostFile(ctx, f); err != nil {
		return err
	}
	if l.Host.Taken != nil {
		l.Host.Taken(f)
	}
	return nil
}

// finish moves what was taken, if it is not to stay. A file that was there
// before keeps its name.
func (l *look) finish(ctx context.Context, x item) error {
	if l.Done == "" {
		return nil
	}
	to := path.Join(l.Done, x.done)
	if m, ok := l.r.(exchange.FolderMaker); ok {
		if err := m.MkdirAll(ctx, path.Dir(to)); err != nil {
			return fmt.Errorf("make the folder for what was taken: %w", err)
		}
	}
	for _, to := range []string{to, path.Join(path.Dir(to), tagged(path.Base(to), x.entry))} {
		_, err := l.r.Stat(ctx, to)
		switch {
		case err == nil:
			continue
		case !isMissing(err):
			return fmt.Errorf("move what was taken: %w", err)
		}
		err = exchange.MoveIfSame(ctx, l.r, x.remote, to, x.entry)
		if errors.Is(err, exchange.ErrChanged) { // it is another file now, and is not taken yet
			return nil
		}
		return err
	}
	return fmt.Errorf("move what was taken: %s is there already", path.Base(to))
}

// base returns the folder here for a file, and its name below that.
func (l *look) base(t tree, rel string) (dir, name string) {
	if t.shared {
		return filepath.Join(l.Listings, l.Name), rel
	}
	home := filepath.Join(l.Calls, t.carrier)
	for _, apart := range []string{jobs.NumbersFolder, jobs.QualityFolder} {
		if below, ok := cutFolder(rel, apart); ok {
			return filepath.Join(home, apart, l.Name), below
		}
	}
	return filepath.Join(home, l.Name), rel
}
