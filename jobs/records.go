package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concord/engine"
	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats"
	"concord/formats/dialect"
	"concord/formats/records"
)

// RecordsInput is what was collected of one file.
type RecordsInput struct {
	Path string // as Collector.Records returns it
	Name string // of the received file, for messages and the report
}

// RecordsPath returns where the records of an entry belong, in a folder of the
// carrier.
func RecordsPath(root, carrier, id string) string {
	return filepath.Join(root, carrier, id+recordsEnding)
}

const (
	recordsEnding = ".records"
	// asideEnding marks records that were found damaged, until they are made
	// anew or swept up.
	asideEnding = ".damaged"
)

// RecordsReach is how far outside a period, by its own start, a record may lie
// that takes part in a run of it by these rules: the margin and, behind it, the
// carrier's clock offset or, when that is measured, engine.ClockReach. Whatever
// a run reads beyond that changes no discrepancy, usage or total, as long as a
// measured offset is no more than ClockReach and no record within the reach
// repeats one on a day beyond it.
func RecordsReach(r engine.Rules) time.Duration {
	if r.AutoOffset {
		return r.Margin + engine.ClockReach
	}
	return r.Margin + r.ClockOffset.Abs()
}

// RecordsHold reports whether records have calls that begin in [from, to).
func RecordsHold(ctx context.Context, keys *atrest.Keys, path string, from, to time.Time) (bool, error) {
	in := &inputs{keys: keys}
	list, err := in.handle([]string{path}, []string{filepath.Base(path)})
	if err != nil {
		return false, err
	}
	held, err := records.Holds(ctx, list[0], from, to)
	return held, errors.Join(err, in.close())
}

// fromRecords reports whether collected records are matched. A version may be
// of a period of which there are none.
func (o *MatchOptions) fromRecords() bool {
	return len(o.Records[0])+len(o.Records[1]) > 0 || o.Release != nil && len(o.Microsoft)+len(o.Carrier) == 0
}

func (o *MatchOptions) recordsPaths() (paths [2][]string) {
	for side, list := range o.Records {
		for _, r := range list {
			paths[side] = append(paths[side], r.Path)
		}
	}
	return paths
}

func (p *plan) checkRecords() error {
	var errs []error
	if len(p.Microsoft)+len(p.Carrier) > 0 {
		errs = append(errs, errors.New("records: give them, or files, not both"))
	}
	for side, list := range p.Records {
		for _, r := range list {
			size, err := fileSize(r.Path)
			if err != nil {
				errs = append(errs, fmt.Errorf("records of %s, %s side: %w", r.Name, engine.Side(side), err))
			}
			p.bytes += size
			p.names[side] = append(p.names[side], r.Name)
		}
	}
	return errors.Join(errs...)
}

// sealedDisk is the disk as a records.Writer sees it, which encrypts if there are
// keys.
type sealedDisk struct {
	exchange.OS
	keys *atrest.Keys
}

// Create implements records.FS.
func (d sealedDisk) Create(name string) (records.File, error) {
	return d.keys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// Rename implements records.FS.
func (sealedDisk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements records.FS.
func (sealedDisk) Remove(name string) error { return os.Remove(name) }

// Records returns the path of the records of an ingested entry. When they are
// lost or damaged they are made anew, from the content in the spool and the
// profile that it was read with.
func (c *Collector) Records(ctx context.Context, e Entry) (string, error) {
	path, err := c.records(ctx, e)
	if err != nil {
		return "", fmt.Errorf("find the records of %s of %s: %w", e.Name, e.Carrier, err)
	}
	return path, nil
}

func (c *Collector) records(ctx context.Context, e Entry) (string, error) {
	switch {
	case c.o.Records == "":
		return "", errors.New("none are kept")
	case !e.Ingested():
		return "", fmt.Errorf("it is %s, and of such a file none are kept", e.Status)
	case e.RecordsPurged != 0:
		return "", fmt.Errorf("%w, as proof %d says", ErrPurged, e.RecordsPurged)
	}
	path := RecordsPath(c.o.Records, e.Carrier, e.ID)
	if whole, err := wholeRecords(c.o.Worker.Keys, path); whole || err != nil {
		return path, err
	}
	select {
	case c.making <- struct{}{}:
		defer func() { <-c.making }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if whole, err := wholeRecords(c.o.Worker.Keys, path); whole || err != nil { // made by another one meanwhile
		return path, err
	}
	return path, c.makeRecords(ctx, e, path)
}

// wholeRecords looks at the ends of records. What lies between is looked at
// when it is read.
func wholeRecords(keys *atrest.Keys, path string) (whole bool, err error) {
	f, err := keys.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, atrest.ErrDamaged) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	err = records.Check(f, f.Size())
	if damagedRecords(err) {
		return false, nil
	}
	return err == nil, err
}

// makeRecords makes the records of an entry anew.
func (c *Collector) makeRecords(ctx context.Context, e Entry, path string) error {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if e.Rows == 0 {
		return c.emptyRecords(&e, path)
	}
	o := InspectOptions{Name: e.Name, Carrier: e.Carrier, Microsoft: e.Microsoft, Records: path}
	if e.Profile != "" {
		o.Profile = filepath.Join(c.o.Profiles, e.Profile+".yaml")
		if !isThere(o.Profile) {
			return fmt.Errorf("they are lost, and so is the profile %s that they were made with: put it back into the folder %s", e.Profile, c.o.Profiles)
		}
	}
	if c.o.Content != nil {
		o.Path = c.o.Content(e.SHA256)
	}
	if e.RawPurged != 0 {
		return fmt.Errorf("they are lost, and its content cannot make them anew: %w, as proof %d says", ErrPurged, e.RawPurged)
	}
	if o.Path == "" || !isThere(o.Path) {
		return errors.New("they are lost, and its content is not in the spool any more: put the file back, or take it out of the reports")
	}
	found, err := c.work(ctx, o)
	if err != nil {
		return err
	}
	if found.SHA256 != e.SHA256 || found.Rows != e.Rows || found.Accepted != e.Accepted || found.DurationMS != e.DurationMS || found.Days == nil && e.Accepted > 0 {
		return errors.Join(errors.New("they are lost, and what is in the spool is read differently now: it is not what was taken, or the program has changed"), forgetRecords(path))
	}
	return nil
}

// emptyRecords makes the records of a file without rows, of which there may be
// no more than its name.
func (c *Collector) emptyRecords(e *Entry, path string) error {
	o := InspectOptions{Microsoft: e.Microsoft}
	w, err := records.Create(sealedDisk{keys: c.o.Worker.Keys}, path, o.side(), scratchIn(filepath.Dir(path), c.o.Worker.Keys))
	if err != nil {
		return err
	}
	return w.Finish(formats.FileInfo{Name: e.Name, SHA256: e.SHA256, Bytes: e.Bytes, Format: e.Format, IntegrityVerified: e.Verified, Notes: e.Notes})
}

// forgetRecords removes a file that need not be there.
func forgetRecords(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove records: %w", err)
	}
	return nil
}

// ForgetRecords removes the records at a path, with what was found damaged of them
// or was never finished.
func ForgetRecords(path string) error {
	return errors.Join(forgetRecords(records.Unfinished(path)), forgetRecords(path+asideEnding), forgetRecords(path))
}

// makeFolder makes a folder whose name lasts.
func makeFolder(dir string) error {
	if isThere(dir) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of records: %w", err)
	}
	return exchange.OS{}.SyncDir(filepath.Dir(dir))
}

// loadProfile reads the profile of a file, and keeps it under its content: the
// child is given what is kept, so that what is recorded is what was used.
func (c *Collector) loadProfile(t *taking) (*dialect.Profile, error) {
	p, err := LoadProfile(t.profile)
	if err != nil || c.o.Profiles == "" {
		return p, err
	}
	b, err := os.ReadFile(t.profile)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	sum := sha256.Sum256(b)
	t.sum = hex.EncodeToString(sum[:])
	t.profile = filepath.Join(c.o.Profiles, t.sum+".yaml")
	if err := keepProfile(t.profile, b); err != nil {
		return nil, fmt.Errorf("keep the profile: %w", err)
	}
	return LoadProfile(t.profile)
}

// keepProfile keeps a profile at a path that is named by its content.
func keepProfile(path string, content []byte) (err error) {
	if isThere(path) {
		return nil
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "*"+records.Unfinished(""))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return exchange.OS{}.SyncDir(filepath.Dir(path))
}

// beginRecords says where the records of an offer belong, in a folder that is
// there.
func (c *Collector) beginRecords(t *taking) error {
	if c.o.Records == "" {
		return nil
	}
	if _, err := c.rejects.folder(t.Carrier); err != nil { // it cannot be the name of a folder
		return err
	}
	t.records = RecordsPath(c.o.Records, t.Carrier, t.id)
	c.taking.Store(t.records, true)
	return makeFolder(filepath.Dir(t.records))
}

// endRecords removes what an offer left, unless it is to be kept. What cannot
// be removed now is swept up later: it changes no decision.
func (c *Collector) endRecords(t *taking, keep bool) {
	if t.records == "" {
		return
	}
	_ = forgetRecords(records.Unfinished(t.records))
	if !keep {
		_ = forgetRecords(t.records)
	}
	c.taking.Delete(t.records)
}

// SweepRecords removes what a crash left among the records: all that belongs to
// no entry that holds says is of use, and what was never finished. What was
// changed after a time, unless that is zero, is left alone: another process may
// be making it.
func (c *Collector) SweepRecords(ctx context.Context, holds func(ctx context.Context, id string) (bool, error), before time.Time) error {
	folders, err := foldersIn(c.o.Records)
	errs := []error{err}
	for _, dir := range append(folders, c.o.Profiles) {
		names, err := filesIn(dir)
		errs = append(errs, err)
		for _, name := range names {
			errs = append(errs, ctx.Err(), c.sweepOne(ctx, name, holds, before))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep the records: %w", err)
	}
	return nil
}

// foldersIn and filesIn return what is in a folder, with its path. One that is
// not there, or not set, has nothing.
func foldersIn(dir string) ([]string, error) { return pathsIn(dir, true) }
func filesIn(dir string) ([]string, error)   { return pathsIn(dir, false) }

func pathsIn(dir string, folders bool) (paths []string, err error) {
	if dir == "" {
		return nil, nil
	}
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range found {
		if f.IsDir() == folders {
			paths = append(paths, filepath.Join(dir, f.Name()))
		}
	}
	return paths, err
}

// sweepOne removes a file that is of no use. Profiles under their final names
// stay: an entry may name them.
func (c *Collector) sweepOne(ctx context.Context, name string, holds func(ctx context.Context, id string) (bool, error), before time.Time) error {
	if _, busy := c.taking.Load(strings.TrimSuffix(name, records.Unfinished(""))); busy {
		return nil
	}
	if info, err := os.Lstat(name); err != nil || !before.IsZero() && info.ModTime().After(before) {
		return err
	}
	id, is := strings.CutSuffix(filepath.Base(name), recordsEnding)
	left := strings.HasSuffix(name, records.Unfinished("")) || strings.HasSuffix(name, recordsEnding+asideEnding)
	if is {
		held, err := holds(ctx, id)
		if err != nil {
			return err
		}
		left = !held
	}
	if !left {
		return nil
	}
	return forgetRecords(name)
}
