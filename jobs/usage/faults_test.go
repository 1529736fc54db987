package usage

import (
	"errors"
	"os"
	"strings"
	"testing"

	"concord/exchange"
	"concord/jobs"
	"concord/jobs/reconcile"
)

// faulty is a file system of which one operation fails.
type faulty struct {
	exchange.OS
	ops, at int
}

var errInjected = errors.New("injected")

func (f *faulty) step() error {
	if f.ops++; f.ops == f.at {
		return errInjected
	}
	return nil
}

func (f *faulty) Mkdir(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OS.Mkdir(name)
}

func (f *faulty) SyncDir(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OS.SyncDir(name)
}

func (f *faulty) Create(name string) (exchange.File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	file, err := f.OS.Create(name)
	return faultyFile{file, f}, err
}

type faultyFile struct {
	exchange.File
	on *faulty
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.on.step(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f faultyFile) Sync() error { return errors.Join(f.on.step(), f.File.Sync()) }

func (f faultyFile) Close() error { return errors.Join(f.File.Close(), f.on.step()) }

// Whatever fails, there is a whole version or none, and the next attempt makes
// the one that was to be.
func TestAVersionIsWholeOrAbsent(t *testing.T) {
	w := newWorld(t)
	w.job.Users = true
	sample(w)
	w.report(period(1, 1))
	for i := 1; ; i++ {
		fsys := &faulty{at: i}
		w.b.FS = fsys
		_, err := w.do(period(1, 2), jobs.TriggerSchedule)
		if fsys.ops < i {
			if err != nil || len(w.usages()) != 1 || i < 20 {
				t.Fatalf("%d operations were swept, the clean run says %v", i, err)
			}
			break
		}
		if !errors.Is(err, errInjected) || len(w.usages()) > 0 || w.left() > 0 {
			t.Fatalf("operation %d failed: %v, %d versions, %d folders are left", i, err, len(w.usages()), w.left())
		}
	}
	w.b.FS = nil
	if e := w.must(period(1, 2), jobs.TriggerManual); !strings.Contains(e.Error, "the same bytes as version 1") {
		t.Errorf("%q", e.Error)
	}
}

// The state may refuse a version, or record it and lose its answer.
func TestAVersionThatMayBeRecordedWaits(t *testing.T) {
	w := newWorld(t)
	sample(w)
	w.report(period(1, 1))
	w.a.refuse = jobs.ErrVersion
	if _, err := w.do(period(1, 1), jobs.TriggerSchedule); !errors.Is(err, jobs.ErrVersion) || w.left() > 0 {
		t.Errorf("%v, %d folders are left", err, w.left())
	}
	w.a.refuse, w.a.lost = nil, true
	if _, err := w.do(period(1, 1), jobs.TriggerSchedule); err == nil || w.left() != 1 {
		t.Errorf("%v, %d folders are left", err, w.left())
	}
	// As after a crash between the record and the name.
	r := &reconcile.Reconciler{State: w.a, Folder: w.b.Folder}
	if err := r.Recover(t.Context()); err != nil || len(w.usages()) != 1 || w.left() > 0 {
		t.Errorf("%v, %d versions, %d folders are left", err, len(w.usages()), w.left())
	}
	// And before the record.
	staging := w.b.shelf().Staging("never", jobs.Run{ID: "gone", Attempt: 1})
	if err := os.MkdirAll(staging, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := r.Recover(t.Context()); err != nil || w.left() > 0 {
		t.Errorf("%v, %d folders are left", err, w.left())
	}
}
