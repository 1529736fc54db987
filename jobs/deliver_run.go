package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"concord/engine"
	"concord/engine/quality"
	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats"
	"concord/formats/partition"
	"concord/formats/qualityio"
)

// indexFolder holds, beside the carriers' folders, what is remembered of them
// for the delivery after. It is sent to nobody.
const indexFolder = "index"

// DeliverCalls delivers in this process. Its error is a *Failure. Out holds a
// folder for each carrier: calls and quality rows as Parquet and CSV, changes
// beside the delivery before when there was one, columns.csv, which explains
// every column, and manifest.json. Beside them are delivery.json and
// rejected.csv, for the operator.
func DeliverCalls(ctx context.Context, o DeliverOptions) (*Delivered, error) {
	if _, err := o.check(); err != nil {
		return nil, err
	}
	d := &delivery{o: o, found: Delivered{Out: o.Out}}
	if err := d.run(ctx); err != nil {
		return nil, Explain(err)
	}
	return &d.found, nil
}

// delivery is one run.
type delivery struct {
	o       DeliverOptions
	folder  *exchange.Folder
	found   Delivered
	rejects *rejects
}

func (d *delivery) run(ctx context.Context) (err error) {
	d.folder, err = exchange.Begin(exchange.OS{}, d.o.Out, d.o.Staging)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.folder.Abort()) }()
	for _, c := range d.o.Carriers {
		if err := os.Mkdir(d.path(c.ID), 0o777); err != nil {
			return fmt.Errorf("make the folder of %s: %w", c.ID, reason(err))
		}
	}
	if err := os.Mkdir(d.path(indexFolder), 0o777); err != nil {
		return fmt.Errorf("make the folder of indexes: %w", reason(err))
	}
	if err := d.write(ctx); err != nil {
		return err
	}
	for _, c := range d.o.Carriers {
		if err := (exchange.OS{}).SyncDir(d.path(c.ID)); err != nil {
			return fmt.Errorf("flush the folder of %s: %w", c.ID, reason(err))
		}
	}
	if err := (exchange.OS{}).SyncDir(d.path(indexFolder)); err != nil {
		return fmt.Errorf("flush the folder of indexes: %w", reason(err))
	}
	return d.folder.Publish()
}

// write fills the folder.
func (d *delivery) write(ctx context.Context) (err error) {
	if d.rejects, err = newRejects(d.folder, d.o.Keys); err != nil {
		return err
	}
	err = d.deal(ctx)
	if err = errors.Join(err, d.rejects.close()); err != nil {
		return err
	}
	if err := d.compare(ctx); err != nil {
		return err
	}
	for _, c := range d.o.Carriers {
		if err := d.describe(c.ID); err != nil {
			return err
		}
	}
	return d.writeJSON("delivery.json", &d.found)
}

// deal deals calls and quality rows out.
func (d *delivery) deal(ctx context.Context) (err error) {
	if len(d.o.Calls) > 0 {
		d.rejects.names = d.o.CallNames
		if d.found.Calls, err = d.calls(ctx); err != nil {
			return err
		}
	}
	if len(d.o.Quality) > 0 {
		d.rejects.names = d.o.QualityNames
		if d.found.Quality, err = d.quality(ctx); err != nil {
			return err
		}
	}
	return d.rejects.err
}

func bases(paths []string) []string {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = filepath.Base(p)
	}
	return list
}

func (d *delivery) path(elem ...string) string {
	return filepath.Join(append([]string{d.folder.Staging()}, elem...)...)
}

func (d *delivery) create(carrier, name string) (partition.File, error) {
	return sealedIn(d.folder, d.o.Keys, filepath.Join(carrier, name))
}

// sealedIn makes a file in a folder, encrypted if there are keys.
func sealedIn(folder *exchange.Folder, keys *atrest.Keys, name string) (exchange.File, error) {
	f, err := folder.Create(name)
	if err != nil {
		return nil, err
	}
	return keys.Seal(f)
}

// options are what all of the delivery has in common.
func (d *delivery) options(o partition.Options) partition.Options {
	o.From, o.To = d.o.From.UnixMicro(), d.o.To.UnixMicro()
	o.Memory, o.Workers = d.o.Memory/4*3, d.o.Workers
	o.Carriers, o.Foreign, o.Rejected = d.o.Carriers, d.o.Foreign, d.rejects.add
	return o
}

// calls deals the calls out. They are read twice: which row of a call counts is
// known at the end only, and when that one is another carrier's, or of another
// period, none of the call is delivered.
func (d *delivery) calls(ctx context.Context) (res *partition.Result, err error) {
	var old *partition.Superseded
	err = d.o.overCalls(ctx, func(src openFiles) (err error) {
		old, err = partition.FindSuperseded(ctx, src, scratchIn(d.folder.Staging(), d.o.Keys), int(d.o.Memory/2))
		return err
	})
	if err != nil {
		return nil, err
	}
	err = d.o.overCalls(ctx, func(src openFiles) (err error) {
		o := d.options(partition.Options{Skip: old.Has, Rest: d.o.Rest})
		if res, err = partition.Calls(ctx, src, d.create, o); err != nil {
			return err
		}
		for _, i := range src.Info() {
			d.noteInput(i)
		}
		return nil
	})
	return res, err
}

// overCalls does something with the files of calls.
func (o *DeliverOptions) overCalls(ctx context.Context, do func(openFiles) error) (err error) {
	in := &inputs{keys: o.Keys}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.openSide(ctx, engine.Microsoft, o.Calls, o.CallNames, formats.Options{Details: true, Carrier: o.Rest}); err != nil {
		return err
	}
	return do(in.sides[engine.Microsoft])
}

func (d *delivery) noteInput(i formats.FileInfo) {
	d.found.Inputs = append(d.found.Inputs, DeliveryInput{Name: i.Name, SHA256: i.SHA256, Rows: i.Rows, Rejected: i.Rejected, Notes: notes(i)})
}

// quality deals the quality rows out.
func (d *delivery) quality(ctx context.Context) (res *partition.Result, err error) {
	var sources []partition.QualitySource
	for i, path := range d.o.Quality {
		f := &qualityFile{keys: d.o.Keys, path: path, name: d.o.QualityNames[i], carrier: d.o.Rest, done: d.noteInput}
		defer func() { err = errors.Join(err, f.close()) }()
		sources = append(sources, f)
	}
	return partition.Quality(ctx, sources, d.create, scratchIn(d.folder.Staging(), d.o.Keys), d.options(partition.Options{}))
}

// qualityFile is a file of quality rows that is open only while it is read:
// there may be one for every call.
type qualityFile struct {
	keys                *atrest.Keys
	path, name, carrier string
	done                func(formats.FileInfo)

	in *inputs
	r  *qualityio.Reader
}

// Read implements partition.QualitySource.
func (f *qualityFile) Read(ctx context.Context, dst []quality.Row) (int, error) {
	if f.r == nil {
		f.in = &inputs{keys: f.keys}
		list, err := f.in.handle([]string{f.path}, []string{f.name})
		if err != nil {
			return 0, err
		}
		if f.r, err = qualityio.Open(list[0], qualityio.Options{Carrier: f.carrier}); err != nil {
			return 0, err
		}
	}
	n, err := f.r.Read(ctx, dst)
	if errors.Is(err, io.EOF) {
		f.done(f.r.Info())
		err = errors.Join(f.close(), err)
	}
	return n, err
}

func (f *qualityFile) close() (err error) {
	if f.r != nil {
		err = f.r.Close()
	}
	if f.in != nil {
		err = errors.Join(err, f.in.close())
	}
	f.r, f.in = nil, nil
	return err
}

func (d *delivery) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return d.put(name, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// put makes a file, fills it and makes it lasting.
func (d *delivery) put(name string, fill func(io.Writer) error) error {
	f, err := sealedIn(d.folder, d.o.Keys, name)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

// rejects writes the rows that could not be read as rejected.csv.
type rejects struct {
	f     exchange.File
	names []string // of the files being read
	buf   []byte
	err   error
}

func newRejects(folder *exchange.Folder, keys *atrest.Keys) (*rejects, error) {
	f, err := sealedIn(folder, keys, "rejected.csv")
	return &rejects{f: f, buf: []byte("file,row,line,row_group,record_id,field,reason\n")}, err
}

// add takes down one bad row.
func (r *rejects) add(e *engine.RowError) {
	number := func(v int64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(v, 10)
	}
	for i, s := range []string{r.names[e.File], number(e.Row), number(e.Line), number(int64(e.RowGroup)), e.RecordID, e.Field, e.Reason} {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		r.buf = formats.AppendCSV(r.buf, s)
	}
	r.buf = append(r.buf, '\n')
	if len(r.buf) > 64<<10 {
		r.flush()
	}
}

func (r *rejects) flush() {
	if r.err == nil {
		_, r.err = r.f.Write(r.buf)
	}
	r.buf = r.buf[:0]
}

func (r *rejects) close() error {
	r.flush()
	if r.err == nil {
		r.err = r.f.Sync()
	}
	return errors.Join(r.err, r.f.Close())
}
