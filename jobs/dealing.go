package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concord/engine"
	"concord/engine/quality"
	"concord/exchange"
	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/formats"
	"concord/formats/partition"
	"concord/formats/qualityio"
	"concord/formats/records"
)

// DealOptions say which file of Microsoft's to look into, and to whom its rows
// are dealt.
type DealOptions struct {
	Path string `json:"path"`
	Name string `json:"name"`
	// Carrier has all rows that name none; the file must hold quality rows.
	// Empty: it is about several carriers.
	Carrier string `json:"carrier,omitempty"`
	// Carriers are dealt its rows; none: it is only looked into, of calls no
	// further than to see that they are calls.
	Carriers []partition.Carrier `json:"carriers,omitempty"`
	// Known are the calls that say whose a quality row is which names no
	// carrier, those that begin in [From, To).
	Known    []KnownCalls `json:"known,omitempty"`
	From, To time.Time
	// Out is the folder to write, which must not exist: CARRIER/calls.parquet
	// or CARRIER/quality.parquet, and WaitingFolder for rows of calls that
	// nobody is known to have.
	Out     string `json:"out,omitempty"`
	Staging string `json:"staging,omitempty"`
	Memory  int64  `json:"memory,omitempty"` // bytes; 0: DefaultMemory
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// KnownCalls are call records that a carrier has.
type KnownCalls struct {
	Carrier string         `json:"carrier"`
	Records []RecordsInput `json:"records"`
}

// WaitingFolder holds, among the folders of carriers, what may be somebody's
// yet. No carrier is called so.
const WaitingFolder = ".waiting"

// Dealt is what one file of Microsoft's holds, and what became of it. With
// Faults it cannot be used, and nothing was written.
type Dealt struct {
	Holds    string            `json:"holds"`
	Format   string            `json:"format"`
	SHA256   string            `json:"sha256"`
	Rows     int64             `json:"rows"`
	Accepted int64             `json:"accepted"`
	Rejected int64             `json:"rejected"`
	First    int64             `json:"first"` // microseconds; First > Last: no row has a start
	Last     int64             `json:"last"`
	Nameless int64             `json:"nameless"` // quality rows that name no carrier
	Reasons  []landing.Reason  `json:"reasons,omitempty"`
	Faults   []Fault           `json:"faults,omitempty"`
	Notes    []string          `json:"notes,omitempty"`
	Result   *partition.Result `json:"result,omitempty"`
}

// Starts returns the earliest and the latest start; zero: there is none.
func (d *Dealt) Starts() (first, last time.Time) {
	if d.First > d.Last {
		return first, last
	}
	return time.UnixMicro(d.First).UTC(), time.UnixMicro(d.Last).UTC()
}

// Deal looks into a file of Microsoft's in a child process, and deals it out if
// it is to. An error says nothing about the file: it may go well later. A file
// that kills the child twice has a fault; once may have been the machine's
// doing.
func (w Worker) Deal(ctx context.Context, o DealOptions) (*Dealt, error) {
	size, err := fileSize(o.Path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Name, err)
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	req := request{Deal: &o, Limits: limitsFor(o.Memory, 4*size)}
	for range 2 {
		began := false
		last, d, err := w.run(ctx, req, engine.Observer{Stage: func(string) { began = true }})
		if last != nil && last.Dealt != nil {
			return last.Dealt, nil
		}
		if o.Staging != "" {
			if left := discard(o.Staging); left != "" {
				err = errors.Join(err, errors.New(string(left)))
			}
		}
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case last != nil && last.Failed != nil:
			return nil, fmt.Errorf("read %s: %w", o.Name, last.Failed)
		case !began:
			return nil, fmt.Errorf("read %s: the worker ended before it began: %s", o.Name, d)
		}
	}
	return &Dealt{Faults: []Fault{{Reason: strings.ReplaceAll(beyondLimits, " and send it again", "")}}}, nil
}

// dealer does it in this process.
type dealer struct {
	o     DealOptions
	found Dealt
}

// Deal does it in this process. Its error is never a fault of the file.
func Deal(ctx context.Context, o DealOptions) (*Dealt, error) {
	d := &dealer{o: o, found: Dealt{First: math.MaxInt64, Last: math.MinInt64}}
	f, err := o.Keys.Open(o.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	from := &watchedFile{f: f}
	err = d.run(ctx, formats.Input{Name: o.Name, R: from, Size: f.Size()})
	d.found.Faults = faults(err)
	if err := errors.Join(from.failure(), ctx.Err(), noted(err), f.Close()); err != nil {
		return nil, err
	}
	return &d.found, nil
}

func (d *dealer) run(ctx context.Context, in formats.Input) error {
	d.found.Holds = HoldsCalls
	if d.o.Carrier != "" || qualityio.Holds(in) {
		d.found.Holds = HoldsQuality
	}
	switch {
	case len(d.o.Carriers) > 0:
		return d.publish(ctx, in)
	case d.found.Holds == HoldsQuality:
		return d.quality(in, func(r *watchedRows) error { return r.all(ctx) })
	}
	return d.calls(ctx, in, func(*formats.Files) error { return nil })
}

// publish deals the file out into a folder that appears whole or not at all.
func (d *dealer) publish(ctx context.Context, in formats.Input) (err error) {
	folder, err := exchange.Begin(exchange.OS{}, d.o.Out, d.o.Staging)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Abort()) }()
	carriers := append(d.o.Carriers[:len(d.o.Carriers):len(d.o.Carriers)], partition.Carrier{ID: WaitingFolder, Names: []string{}})
	for _, c := range carriers {
		if err := os.Mkdir(filepath.Join(folder.Staging(), c.ID), 0o700); err != nil {
			return fmt.Errorf("make the folder of %s: %w", c.ID, reason(err))
		}
	}
	o := partition.Options{Carriers: carriers, Columns: formats.WrittenColumns(), Memory: d.o.Memory / 2, Rejected: d.reject}
	create := func(carrier, name string) (partition.File, error) {
		if filepath.Ext(name) == ".csv" { // Parquet holds the same
			return noFile{}, nil
		}
		return sealedIn(folder, d.o.Keys, filepath.Join(carrier, name))
	}
	scratch := scratchIn(folder.Staging(), d.o.Keys)
	if d.found.Holds == HoldsCalls {
		err = d.calls(ctx, in, func(f *formats.Files) (err error) {
			d.found.Result, err = partition.Calls(ctx, f, create, o)
			if err == nil {
				d.finished(f.Info()[0])
			}
			return err
		})
	} else {
		if o.Callers, err = d.callers(ctx, carriers); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Callers.Close()) }()
		o.Waiting = WaitingFolder
		err = d.quality(in, func(r *watchedRows) (err error) {
			d.found.Result, err = partition.Quality(ctx, []partition.QualitySource{r}, create, scratch, o)
			return err
		})
	}
	if err != nil {
		return err
	}
	return folder.Publish()
}

// noFile is a file that nobody wants.
type noFile struct{}

// Write implements partition.File.
func (noFile) Write(p []byte) (int, error) { return len(p), nil }

// Sync implements partition.File.
func (noFile) Sync() error { return nil }

// Close implements partition.File.
func (noFile) Close() error { return nil }

func (d *dealer) calls(ctx context.Context, in formats.Input, do func(*formats.Files) error) (err error) {
	f, err := formats.Open(ctx, engine.Microsoft, []formats.Input{in}, formats.Options{Details: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return do(f)
}

// quality does something with the rows of the file, which is to read them all.
func (d *dealer) quality(in formats.Input, do func(*watchedRows) error) (err error) {
	r, err := qualityio.Open(in, qualityio.Options{Carrier: d.o.Carrier})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := do(&watchedRows{r: r, d: d}); err != nil {
		return err
	}
	d.finished(r.Info())
	return nil
}

func (d *dealer) finished(i formats.FileInfo) {
	f := &d.found
	f.Format, f.SHA256, f.Rows, f.Accepted, f.Rejected, f.Notes = i.Format, i.SHA256, i.Rows, i.Accepted, i.Rejected, notes(i)
}

// reject takes down one bad row.
func (d *dealer) reject(e *engine.RowError) {
	if len(d.found.Reasons) < mostReasons {
		d.found.Reasons = append(d.found.Reasons, reasonOf(e))
	}
}

// callers reads the calls that carriers are known to have.
func (d *dealer) callers(ctx context.Context, carriers []partition.Carrier) (_ *partition.Callers, err error) {
	c := partition.NewCallers(scratchIn(d.o.Staging, d.o.Keys), int(d.o.Memory/4))
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	for _, k := range d.o.Known {
		for at := range carriers {
			if carriers[at].ID != k.Carrier {
				continue
			}
			for _, r := range k.Records {
				if err := d.addCalls(ctx, c, at, r); err != nil {
					return nil, err
				}
			}
		}
	}
	return c, nil
}

// addCalls reads the records of one file.
func (d *dealer) addCalls(ctx context.Context, c *partition.Callers, at int, r RecordsInput) (err error) {
	in := &inputs{keys: d.o.Keys}
	defer func() { err = errors.Join(err, in.close()) }()
	list, err := in.handle([]string{r.Path}, []string{r.Name})
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	files, err := records.Open(ctx, engine.Microsoft, list, d.o.From, d.o.To)
	if err != nil {
		return err
	}
	return c.Add(ctx, at, files)
}

// watchedRows sees what the rows of a file are.
type watchedRows struct {
	r *qualityio.Reader
	d *dealer
}

// Read implements partition.QualitySource.
func (w *watchedRows) Read(ctx context.Context, dst []quality.Row) (int, error) {
	n, err := w.r.Read(ctx, dst)
	f := &w.d.found
	for i := range dst[:n] {
		if s := dst[i].Start; s.OK {
			f.First, f.Last = min(f.First, s.Value), max(f.Last, s.Value)
		}
		if dst[i].Carrier == "" {
			f.Nameless++
		}
	}
	if bad, is := errors.AsType[*engine.RowError](err); is && len(w.d.o.Carriers) == 0 {
		w.d.reject(bad)
	}
	return n, err
}

// all reads the rows to the end.
func (w *watchedRows) all(ctx context.Context) error {
	rows := make([]quality.Row, 256)
	for {
		_, err := w.Read(ctx, rows)
		_, bad := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !bad:
			return err
		}
	}
}
