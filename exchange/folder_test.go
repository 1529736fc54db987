package exchange_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"concord/exchange"
)

// failing fails its n-th operation, and from then on every write if full.
type failing struct {
	exchange.OS
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

func (f failing) Create(name string) (exchange.File, error) {
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
	exchange.File
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

// attempt publishes a folder of two files.
func attempt(fsys exchange.FS, out string) (err error) {
	folder, err := exchange.Begin(fsys, out, out+".part")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Abort()) }()
	for _, name := range names {
		if err := write(folder, name); err != nil {
			return err
		}
	}
	return folder.Publish()
}

var names = []string{"first", "second"}

func write(folder *exchange.Folder, name string) error {
	f, err := folder.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(name))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// wholeOrAbsent checks the promise: the folder with all its files, or
// nothing.
func wholeOrAbsent(t *testing.T, dir string, want bool) {
	t.Helper()
	if !want {
		empty(t, dir)
		return
	}
	for _, name := range names {
		if b, err := os.ReadFile(filepath.Join(dir, "out", name)); err != nil || string(b) != name {
			t.Fatalf("%s holds %q, %v", name, b, err)
		}
	}
}

// empty checks that nothing was left in dir.
func empty(t *testing.T, dir string) {
	t.Helper()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFolderThatIsThereIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	if _, err := exchange.Begin(exchange.OS{}, dir, dir+".part"); !errors.Is(err, exchange.ErrExists) {
		t.Errorf("error %v", err)
	}
	empty(t, dir)
}

func TestOneOfSeveralRunsPublishesAFolder(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 4 {
		wg.Go(func() {
			out := filepath.Join(dir, "out")
			folder, err := exchange.Begin(exchange.OS{}, out, fmt.Sprint(out, i))
			if err != nil {
				return
			}
			err = errors.Join(write(folder, names[0]), write(folder, names[1]), folder.Publish())
			if err == nil {
				won.Add(1)
			}
			if err := folder.Abort(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d runs published one folder", won.Load())
	}
	wholeOrAbsent(t, dir, true)
}
