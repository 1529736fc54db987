package privacy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/jobs"
)

// Shelf is the Disk of a data folder. What only looks needs no Spool, Holds,
// Home and Foreign.
type Shelf struct {
	Spool interface {
		Discard(ctx context.Context, sum string, holds func(context.Context, string) (bool, error)) (bool, error)
	}
	Holds func(ctx context.Context, sum string) (bool, error)
	// Home has something done with the home of a carrier, if it has one.
	Home func(carrier string, do func(*landing.Home) error) error
	// Foreign removes a file of Microsoft's that the service itself has put
	// into a folder of theirs.
	Foreign    func(ctx context.Context, r jobs.Remains) error
	Homes      string // the folder of all homes
	Records    string // and that of records
	Reports    string // and that of reports
	Deliveries string // and that of what is remembered of deliveries of calls
}

var _ Disk = (*Shelf)(nil)

// Size implements Disk.
func (s *Shelf) Size(class jobs.Class, carrier string, p *jobs.Purgeable) int64 {
	switch class {
	case jobs.ClassRecords:
		return sizeOf(jobs.RecordsPath(s.Records, carrier, p.ID))
	case jobs.ClassReports:
		return sizeOf(s.report(p.Remains.Name))
	case jobs.ClassDeliveries:
		if p.Remains.Name == "" {
			return sizeOf(s.index(carrier, p.ID))
		}
	}
	return p.Bytes
}

// sizeOf is how long a file is, or all files of a folder together.
func sizeOf(name string) (n int64) {
	_ = filepath.WalkDir(name, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what is not there has no length
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

func (s *Shelf) report(folder string) string {
	return filepath.Join(s.Reports, filepath.FromSlash(folder))
}

// index is the folder with what is remembered of a delivery.
func (s *Shelf) index(carrier, id string) string {
	return filepath.Join(s.Deliveries, carrier, strings.TrimPrefix(id, jobs.PurgeCalls))
}

func (s *Shelf) outbox(carrier string) string {
	return filepath.Join(s.Homes, carrier, landing.Outbox)
}

// Delivered implements Disk. A delivery is about the time when it was put there.
func (s *Shelf) Delivered(carrier string) (list []jobs.Purgeable, err error) {
	root := s.outbox(carrier)
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // its carrier has taken it away
			return nil
		}
		name, nerr := filepath.Rel(root, p)
		if err = errors.Join(err, nerr); err != nil {
			return err
		}
		at := info.ModTime().UTC().Truncate(time.Microsecond)
		name = filepath.ToSlash(name)
		list = append(list, jobs.Purgeable{
			ID: name, Count: 1, Bytes: info.Size(), From: at, To: at, Remains: jobs.Remains{Name: name, Bytes: info.Size(), Received: at},
		})
		return nil
	})
	return list, err
}

// Remove implements Disk.
func (s *Shelf) Remove(ctx context.Context, r jobs.Remains) (gone bool, err error) {
	switch r.Class {
	case jobs.ClassRaw:
		return s.removeRaw(ctx, r)
	case jobs.ClassRecords:
		path := jobs.RecordsPath(s.Records, r.Carrier, r.Object)
		return true, errors.Join(jobs.ForgetRecords(path), syncIfThere(filepath.Dir(path)))
	case jobs.ClassReports:
		return true, s.removeReport(r)
	case jobs.ClassDeliveries:
		if r.Name == "" {
			folder := s.index(r.Carrier, r.Object)
			return true, errors.Join(os.RemoveAll(folder), syncIfThere(filepath.Dir(folder)))
		}
		return true, s.removeDelivery(r)
	}
	return true, nil
}

// removeRaw removes what arrived. Of Microsoft's folders that goes which the
// service has put there; what others have is only read.
func (s *Shelf) removeRaw(ctx context.Context, r jobs.Remains) (gone bool, err error) {
	if r.Microsoft {
		if err := s.Foreign(ctx, r); err != nil {
			return false, err
		}
	} else {
		relic := landing.Relic{Name: r.Name, SHA256: r.SHA256, Bytes: r.Bytes, Received: r.Received}
		if r.Sealed.SHA256 != "" { // it lies there as it arrived
			relic.SHA256, relic.Bytes = r.Sealed.SHA256, r.Sealed.Bytes
		}
		if err := s.Home(r.Carrier, func(h *landing.Home) error { return h.Forget(ctx, relic) }); err != nil {
			return false, err
		}
	}
	return s.Spool.Discard(ctx, r.SHA256, s.Holds)
}

// removeReport removes a version, wherever it is on its way to its place, and the
// folder of its period with the last one.
func (s *Shelf) removeReport(r jobs.Remains) error {
	waiting, err := filepath.Glob(filepath.Join(s.Reports, ".staging", r.Object+"~*"))
	if err != nil {
		return err
	}
	folder := s.report(r.Name)
	for _, name := range append(waiting, folder) {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	above := filepath.Dir(folder)
	if strings.Count(r.Name, "/") > 1 && os.Remove(above) == nil { // it was empty
		above = filepath.Dir(above)
	}
	return syncIfThere(above)
}

// removeDelivery removes a file from an outbox, unless another one has its name
// by now.
func (s *Shelf) removeDelivery(r jobs.Remains) error {
	info, err := os.Lstat(filepath.Join(s.outbox(r.Carrier), filepath.FromSlash(r.Name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !info.ModTime().UTC().Truncate(time.Microsecond).Equal(r.Received) {
		return err
	}
	return s.Home(r.Carrier, func(h *landing.Home) error { return h.Erase(landing.Kept{Folder: landing.Outbox, Name: r.Name}) })
}

// syncIfThere has the names in a folder last.
func syncIfThere(dir string) error {
	if err := (exchange.OS{}).SyncDir(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
