package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/jobs"
)

// world is a host and the folders here. Steps of a process are counted: from
// one on, it is dead.
type world struct {
	*testing.T
	dir    string
	remote *exchangetest.Mem
	files  map[mark]jobs.HostFile
	taken  map[string]int // by name: how often somebody was told
	log    strings.Builder

	steps  int
	dies   int  // the step that is not done any more; -1: none
	onlyIt bool // the next ones are
	late   bool // it is done, and the answer is lost
}

var errDead = errors.New("the process is dead")

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{T: t, dir: t.TempDir(), remote: exchangetest.NewMem(), files: map[mark]jobs.HostFile{}, taken: map[string]int{}, dies: -1}
}

// process is a service that has just been started.
func (w *world) process() *Host {
	return &Host{
		Name: "programme", Folder: "out", Numbers: "shared", Carriers: []string{"fabrikam", "litware"},
		Calls: filepath.Join(w.dir, "microsoft"), Listings: filepath.Join(w.dir, "listings"),
		State: w, Now: time.Now, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Taken: func(f jobs.HostFile) { w.taken[f.Name]++ },
		open: func(dir string) (disk, error) {
			d, err := openFolder(dir)
			return mortalDisk{d, w}, err
		},
	}
}

// step does what a process that is alive does.
func (w *world) step(do func() error) error {
	n := w.steps
	w.steps++
	fails := w.dies >= 0 && (n == w.dies || n > w.dies && !w.onlyIt)
	if fails && (!w.late || n > w.dies) {
		return errDead
	}
	err := do()
	if fails {
		return errDead
	}
	return err
}

// HostFiles implements jobs.HostFiles.
func (w *world) HostFiles(context.Context, string) (list []jobs.HostFile, err error) {
	err = w.step(func() error {
		list = slices.Collect(maps.Values(w.files))
		return nil
	})
	return list, err
}

// KeepHostFile implements jobs.HostFiles.
func (w *world) KeepHostFile(_ context.Context, f jobs.HostFile) error {
	return w.step(func() error {
		w.files[markOf(f.Name, f.Bytes, f.Changed)] = f
		return nil
	})
}

// mortalDisk is a disk of a process that may die.
type mortalDisk struct {
	disk
	w *world
}

func (d mortalDisk) Lstat(name string) (i fs.FileInfo, err error) {
	err = d.w.step(func() (err error) {
		i, err = d.disk.Lstat(name)
		return err
	})
	return i, err
}

func (d mortalDisk) OpenFile(name string, flag int, perm fs.FileMode) (f file, err error) {
	err = d.w.step(func() (err error) {
		f, err = d.disk.OpenFile(name, flag, perm)
		return err
	})
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		return nil, err
	}
	return mortalFile{f, d.w}, nil
}

func (d mortalDisk) Chtimes(name string, changed time.Time) error {
	return d.w.step(func() error { return d.disk.Chtimes(name, changed) })
}

func (d mortalDisk) Rename(from, to string) error {
	return d.w.step(func() error { return d.disk.Rename(from, to) })
}

func (d mortalDisk) Remove(name string) error {
	return d.w.step(func() error { return d.disk.Remove(name) })
}

func (d mortalDisk) MkdirAll(name string) error {
	return d.w.step(func() error { return d.disk.MkdirAll(name) })
}

func (d mortalDisk) Sync(name string) error {
	return d.w.step(func() error { return d.disk.Sync(name) })
}

type mortalFile struct {
	file
	w *world
}

func (f mortalFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.w.step(func() (err error) {
		n, err = f.file.WriteAt(p[:len(p)/2], off) // half of it is there when it dies
		return err
	})
	if err != nil {
		return n, err
	}
	m, err := f.file.WriteAt(p[n:], off+int64(n))
	return n + m, err
}

func (f mortalFile) Sync() error { return f.w.step(f.file.Sync) }

// mortalRemote is the host, as a process that may die sees it.
type mortalRemote struct {
	exchange.Remote
	w *world
}

func (r mortalRemote) List(ctx context.Context, dir string) (list []exchange.Entry, err error) {
	err = r.w.step(func() (err error) {
		list, err = r.Remote.List(ctx, dir)
		return err
	})
	return list, err
}

func (r mortalRemote) Stat(ctx context.Context, name string) (e exchange.Entry, err error) {
	err = r.w.step(func() (err error) {
		e, err = r.Remote.Stat(ctx, name)
		return err
	})
	return e, err
}

func (r mortalRemote) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	return r.w.step(func() error { return r.Remote.Get(ctx, name, dst, from) })
}

func (r mortalRemote) Rename(ctx context.Context, from, to string) error {
	return r.w.step(func() error { return r.Remote.Rename(ctx, from, to) })
}

// look looks at the host a few times.
func (w *world) look(h *Host, times int) (failed error) {
	w.Helper()
	for range times {
		if _, err := h.Look(w.Context(), mortalRemote{w.remote, w}); err != nil {
			failed = err
		}
	}
	return failed
}

func (w *world) put(name, content string) {
	w.Helper()
	if err := w.remote.Put(w.Context(), name, strings.NewReader(content)); err != nil {
		w.Fatal(err)
	}
}

// here is everything below the folders here.
func (w *world) here() map[string]string {
	w.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		rel, _ := filepath.Rel(w.dir, name)
		all[rel] = string(b)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func (w *world) wants(want map[string]string) {
	w.Helper()
	got := w.here()
	if !maps.Equal(got, want) {
		w.Errorf("there is %s, want %s", brief(got), brief(want))
	}
}

func brief(files map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%q (%d bytes) ", name, len(files[name]))
	}
	return b.String()
}
