package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"concord/formats/report"
)

// failing fails its n-th operation, and from then on every write if full.
type failing struct {
	report.OS
	at   int64
	full bool
	ops  *atomic.Int64
}

var errInjected = errors.New("injected")

func (f failing) step() error {
	switch n := f.ops.Add(1) - 1; {
	case n == f.at && !f.full:
		return errInjected
	case n >= f.at && f.full:
		return &os.PathError{Op: "write", Path: "hidden", Err: syscall.ENOSPC}
	}
	return nil
}

func (f failing) Mkdir(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OS.Mkdir(name)
}

func (f failing) Create(name string) (report.File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	file, err := f.OS.Create(name)
	return failingFile{file, f}, err
}

func (f failing) Rename(from, to string) error {
	if err := f.step(); err != nil && !f.full {
		return err
	}
	return f.OS.Rename(from, to)
}

func (f failing) SyncDir(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OS.SyncDir(name)
}

type failingFile struct {
	report.File
	fs failing
}

func (f failingFile) Write(p []byte) (int, error) {
	if err := f.fs.step(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f failingFile) Sync() error {
	return errors.Join(f.fs.step(), f.File.Sync())
}

func (f failingFile) Close() error {
	return errors.Join(f.fs.step(), f.File.Close())
}

func TestTheFolderIsWholeOrAbsentWhateverFails(t *testing.T) {
	for _, full := range []bool{false, true} {
		for i := int64(0); ; i++ {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			err := attempt(failing{at: i, full: full, ops: new(atomic.Int64)}, out)
			wholeOrAbsent(t, dir, err == nil)
			if full && err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("operation %d: a full disk is reported as %v", i, err)
			}
			if err == nil {
				t.Logf("%d operations", i)
				break
			}
		}
	}
}

func attempt(fsys report.FS, out string) error {
	folder, err := report.Begin(fsys, out, out+".part")
	if err != nil {
		return err
	}
	return folder.Write(context.Background(), sampleResult(), sampleOptions())
}

// wholeOrAbsent checks the promise: the folder with all its files, or
// nothing.
func wholeOrAbsent(t *testing.T, dir string, want bool) {
	t.Helper()
	if !want {
		empty(t, dir)
		return
	}
	var m struct{ Files []struct{ Name string } }
	if err := json.Unmarshal([]byte(read(t, dir, "out", "manifest.json")), &m); err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		read(t, dir, "out", f.Name)
	}
}

func TestAnErrorOfTheRunEndsTheReport(t *testing.T) {
	dir := t.TempDir()
	f := sampleResult()
	f.fail = fmt.Errorf("scratch: %w", errInjected)
	folder, err := report.Begin(report.OS{}, filepath.Join(dir, "out"), filepath.Join(dir, "part"))
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(context.Background(), f, sampleOptions()); !errors.Is(err, errInjected) {
		t.Errorf("error %v", err)
	}
	empty(t, dir)
}

func TestTwoRunsIntoOneFolderDoNotMix(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 4 {
		wg.Go(func() {
			out := filepath.Join(dir, "out")
			folder, err := report.Begin(report.OS{}, out, fmt.Sprint(out, i))
			if err == nil && folder.Write(context.Background(), sampleResult(), sampleOptions()) == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() < 1 {
		t.Error("nobody published")
	}
	wholeOrAbsent(t, dir, true)
}
