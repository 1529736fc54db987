package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"concord/engine"
	"concord/exchange"
	"concord/formats"
	"concord/formats/records"
	"concord/formats/report"
)

// inspect looks at a file in this process. Its error is never a fault of the
// file.
func inspect(ctx context.Context, o InspectOptions) (_ *Inspection, err error) {
	p := &plan{MatchOptions: MatchOptions{Profile: o.Profile, CarrierName: o.Carrier}}
	if err := p.readProfile(); err != nil {
		return nil, err
	}
	f, err := o.Keys.Open(o.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x := &inspector{opts: o, from: &watchedFile{f: f}, calls: make([]engine.Call, 1024)}
	in := formats.Input{Name: o.Name, R: x.from, Size: f.Size()}
	if err := x.begin(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.dropRecords()) }()
	if err := x.read(ctx, in, formats.Options{Profile: p.profile, Carrier: p.carrier}); err != nil {
		return nil, errors.Join(err, x.drop())
	}
	if err := x.keepRecords(); err != nil {
		return nil, errors.Join(err, x.drop())
	}
	return &x.found, x.keep()
}

// inspector reads one file from its head to its end.
type inspector struct {
	opts    InspectOptions
	from    *watchedFile
	found   Inspection
	calls   []engine.Call
	rejects *report.Rejected // nil before the first bad row, or when nobody wants them
	records *records.Writer  // nil when nobody wants them
	info    formats.FileInfo // once it is finished
}

// read reads the file, and puts what is wrong with it among the faults.
func (x *inspector) read(ctx context.Context, in formats.Input, o formats.Options) error {
	files, err := formats.Open(ctx, x.opts.side(), []formats.Input{in}, o)
	if err == nil {
		err = errors.Join(x.rows(ctx, files), files.Close())
	}
	x.found.Faults = faults(err)
	return errors.Join(x.from.failure(), ctx.Err(), noted(err))
}

// rows reads every row, and then what only the whole file can tell.
func (x *inspector) rows(ctx context.Context, files *formats.Files) error {
	for {
		part, err := files.Next(ctx)
		if errors.Is(err, io.EOF) {
			err = files.Finish(ctx)
			x.finished(files.Info()[0])
			return err
		}
		if err == nil {
			err = errors.Join(x.part(ctx, part), part.Close())
		}
		if err != nil {
			return err
		}
	}
}

func (x *inspector) part(ctx context.Context, part engine.Part) error {
	for {
		n, err := part.Read(ctx, x.calls)
		x.sample(x.calls[:n])
		if x.records != nil {
			if failed := x.records.Write(x.calls[:n]); failed != nil {
				return failed
			}
		}
		var row *engine.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &row):
			err = x.reject(ctx, row)
		}
		if err != nil {
			return err
		}
	}
}

// reject takes down one bad row.
func (x *inspector) reject(ctx context.Context, e *engine.RowError) (err error) {
	x.found.BadRows++
	if len(x.found.Reasons) < mostReasons {
		x.found.Reasons = append(x.found.Reasons, reasonOf(e))
	}
	if x.records != nil {
		if err := x.records.Reject(e); err != nil {
			return err
		}
	}
	if x.opts.Rejects == "" {
		return nil
	}
	if x.rejects == nil {
		if x.rejects, err = report.NewRejected(x.create, x.opts.side(), x.opts.Name); err != nil {
			return err
		}
	}
	return x.rejects.Add(ctx, e)
}

// unfinished is the name of the CSV of bad rows while it is written.
func unfinished(name string) string { return name + ".part" }

func (x *inspector) create(string) (report.File, error) {
	return x.opts.Keys.OpenFile(unfinished(x.opts.Rejects), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// finished takes over what is known of the whole file.
func (x *inspector) finished(i formats.FileInfo) {
	f := &x.found
	f.Finished, x.info = true, i
	f.Rows, f.Accepted, f.Filtered, f.DurationMS = i.Rows, i.Accepted, i.Filtered, i.DurationMS
	f.Format, f.SHA256, f.Verified, f.Notes = i.Format, i.SHA256, i.IntegrityVerified, notes(i)
	f.OwnEnd, f.LastLineEnded, f.Trailer = i.OwnEnd, i.LastLineEnded, i.Trailer
}

// begin begins the records, if somebody wants them.
func (x *inspector) begin() (err error) {
	if x.opts.Records != "" {
		x.records, err = records.Create(sealedDisk{keys: x.opts.Keys}, x.opts.Records, x.opts.side(), scratchIn(filepath.Dir(x.opts.Records), x.opts.Keys))
	}
	return err
}

// keepRecords completes the records of a file that can be used.
func (x *inspector) keepRecords() error {
	if x.records == nil || !x.found.Finished || len(x.found.Faults) > 0 {
		return nil
	}
	if err := x.records.Finish(x.info); err != nil {
		return err
	}
	for _, d := range x.records.Days() {
		x.found.Days = append(x.found.Days, Day(d))
	}
	return nil
}

// dropRecords gives up records that were not completed.
func (x *inspector) dropRecords() error {
	if x.records == nil {
		return nil
	}
	return x.records.Abort()
}

// keep gives the CSV of bad rows its name, if it tells of the whole file.
func (x *inspector) keep() error {
	if x.rejects == nil || !x.found.Finished {
		return x.drop()
	}
	err := x.rejects.Close()
	x.rejects = nil
	if err != nil {
		return errors.Join(fmt.Errorf("write the rejected rows: %w", err), x.remove())
	}
	if err := os.Rename(unfinished(x.opts.Rejects), x.opts.Rejects); err != nil {
		return fmt.Errorf("name the rejected rows: %w", err)
	}
	return exchange.OS{}.SyncDir(filepath.Dir(x.opts.Rejects))
}

// drop gives the CSV of bad rows up.
func (x *inspector) drop() error {
	if x.rejects == nil {
		return nil
	}
	err := x.rejects.Abandon(nil)
	x.rejects = nil
	return errors.Join(err, x.remove())
}

func (x *inspector) remove() error {
	err := os.Remove(unfinished(x.opts.Rejects))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// watchedFile remembers when reading itself failed: a reader of a format may
// take that for damage done by the sender.
type watchedFile struct {
	f      io.ReaderAt
	failed atomic.Pointer[error]
}

// ReadAt implements io.ReaderAt.
func (w *watchedFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.f.ReadAt(p, off)
	if err != nil && err != io.EOF {
		w.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// failure returns the first error of reading.
func (w *watchedFile) failure() error {
	if err := w.failed.Load(); err != nil {
		return fmt.Errorf("%w: %w", errUnread, *err)
	}
	return nil
}
