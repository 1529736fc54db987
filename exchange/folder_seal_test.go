package exchange_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"concord/exchange"
)

// seal prepares a folder of two files and leaves it beside its place.
func seal(fsys exchange.FS, out string) (err error) {
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
	return folder.Seal()
}

// A service that has recorded a report must find it, whole, and nobody may see
// it before.
func TestASealedFolderIsWholeOrAbsentWhateverFails(t *testing.T) {
	for i := int64(0); ; i++ {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		err := seal(failing{at: i, ops: new(atomic.Int64)}, out)
		if _, seen := os.Lstat(out); !errors.Is(seen, fs.ErrNotExist) {
			t.Fatalf("operation %d: the folder is visible before it is settled: %v", i, seen)
		}
		if err != nil {
			empty(t, dir)
			continue
		}
		if i < 10 {
			t.Errorf("only %d operations were swept", i)
		}
		if err := exchange.Settle(exchange.OS{}, out+".part", out); err != nil {
			t.Fatal(err)
		}
		wholeOrAbsent(t, dir, true)
		return
	}
}

// A report whose settling is cut short has one of its two names, and the next
// attempt brings it home.
func TestSettlingIsRepeatedUntilItSucceeds(t *testing.T) {
	for i := int64(0); ; i++ {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		if err := seal(exchange.OS{}, out); err != nil {
			t.Fatal(err)
		}
		err := exchange.Settle(failing{at: i, ops: new(atomic.Int64)}, out+".part", out)
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Fatalf("operation %d failed and left %v", i, left)
		}
		for range 2 { // the second time there is nothing left to do
			if err := exchange.Settle(exchange.OS{}, out+".part", out); err != nil {
				t.Fatalf("operation %d failed, and the attempt after it: %v", i, err)
			}
			wholeOrAbsent(t, dir, true)
		}
		if err == nil {
			if i < 2 {
				t.Errorf("only %d operations were swept", i)
			}
			return
		}
	}
}

// When the name was flushed the first time nobody knows; so the attempt that
// finds all in place flushes it again.
func TestSettlingFlushesANameThatIsThereAlready(t *testing.T) {
	dir := t.TempDir()
	if err := exchange.Settle(failing{at: 0, ops: new(atomic.Int64)}, filepath.Join(dir, "none"), dir); !errors.Is(err, errInjected) {
		t.Errorf("error %v", err)
	}
}

func TestSettlingBetweenTwoFoldersFlushesBoth(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "staging", "a"), filepath.Join(dir, "reports", "v1")
	for _, name := range []string{from, filepath.Dir(to)} {
		if err := os.MkdirAll(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	f := failing{at: 3, ops: new(atomic.Int64)} // rename, and one flush for each folder
	if err := exchange.Settle(f, from, to); err != nil || f.ops.Load() != 3 {
		t.Errorf("%d operations, error %v", f.ops.Load(), err)
	}
}

func TestWhatCannotBeSettledIsToldAndLeft(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := exchange.Settle(exchange.OS{}, a, b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("neither is there: %v", err)
	}
	for _, name := range []string{a, b} {
		if err := os.Mkdir(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := exchange.Settle(exchange.OS{}, a, b); !errors.Is(err, exchange.ErrExists) {
		t.Errorf("both are there: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}
