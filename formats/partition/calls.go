package partition

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"concord/engine"
	"concord/formats"
)

// Source is Microsoft's call records: *formats.Files, opened with details.
type Source interface {
	engine.Source
	Info() []formats.FileInfo
}

// Names of the files that a carrier gets.
const (
	CallsParquet   = "calls.parquet"
	CallsCSV       = "calls.csv"
	QualityParquet = "quality.parquet"
	QualityCSV     = "quality.csv"
)

// Calls delivers the calls of src to carriers as calls.parquet and calls.csv.
// It reads src to its end and finishes it. Rows go to the carrier that their
// carrier column names. In the CSV, a spreadsheet takes no text that came from
// outside for a formula.
func Calls(ctx context.Context, src Source, create Create, o Options) (*Result, error) {
	o = o.withDefaults()
	names, err := o.byName()
	if err != nil {
		return nil, err
	}
	cols, err := formats.NewCallColumns(o.Columns)
	if err != nil {
		return nil, err
	}
	cols.Inert = true
	r := &callRun{o: o, names: names, cols: cols, src: src, queue: newQueue(o.Memory / 8), unknown: map[string]int64{}}
	r.last.Store(-1)
	if r.out, err = openOutputs(create, o, cols); err != nil {
		return nil, err
	}
	err = r.run(ctx)
	if err != nil {
		return nil, errors.Join(err, r.out.abandon())
	}
	return r.finish(ctx)
}

// callRun is one delivery.
type callRun struct {
	o     Options
	names *owners
	cols  *formats.CallColumns
	src   Source
	queue *queue
	out   *outputs

	next sync.Mutex   // guards src.Next and part
	part int          // how many were taken
	last atomic.Int64 // how many there are; -1: not known yet

	rejected, outside, skipped int64
	unknown                    map[string]int64
}

// run starts the workers and takes in what they make.
func (r *callRun) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	release := context.AfterFunc(ctx, func() { r.queue.fail(context.Cause(ctx)) })
	defer release()
	var wg sync.WaitGroup
	for range r.o.Workers {
		wg.Go(func() {
			if err := r.work(ctx); err != nil {
				r.queue.fail(err)
			}
		})
	}
	err := r.take()
	if err != nil {
		r.queue.fail(err)
		stop(err)
	}
	wg.Wait()
	return err
}

// take writes batches in the order of the input until there are no more.
func (r *callRun) take() error {
	for {
		b, err := r.queue.take(r.last.Load)
		if err != nil || b == nil {
			return err
		}
		if err := r.out.add(b); err != nil {
			return err
		}
		r.outside += b.outside
		r.skipped += b.skipped
		for name, rows := range b.unknown {
			countUnknown(r.unknown, name, rows)
		}
		r.rejected += int64(len(b.bad))
		for _, bad := range b.bad {
			if r.o.Rejected != nil {
				r.o.Rejected(bad)
			}
		}
		r.queue.recycle(b)
	}
}

// nextPart returns the next part and its number; io.EOF after the last.
func (r *callRun) nextPart(ctx context.Context) (engine.Part, int, error) {
	r.next.Lock()
	defer r.next.Unlock()
	if r.last.Load() >= 0 {
		return nil, 0, io.EOF
	}
	p, err := r.src.Next(ctx)
	if errors.Is(err, io.EOF) {
		r.last.Store(int64(r.part))
		return nil, 0, io.EOF
	}
	r.part++
	return p, r.part - 1, err
}

// batchCalls is how many calls are decoded at once.
const batchCalls = 1024

// work encodes part after part.
func (r *callRun) work(ctx context.Context) error {
	d := &dealer{enc: r.cols.Encoder(), owners: r.names, from: r.o.From, to: r.o.To, skip: r.o.Skip}
	dst := make([]engine.Call, batchCalls)
	for {
		p, number, err := r.nextPart(ctx)
		if errors.Is(err, io.EOF) {
			r.queue.wake()
			return nil
		}
		if err != nil {
			return err
		}
		if err := errors.Join(r.encode(ctx, d, dst, p, number), p.Close()); err != nil {
			return err
		}
		r.queue.done(number)
	}
}

var errGivenUp = errors.New("the delivery was given up")

// encode makes the batches of one part.
func (r *callRun) encode(ctx context.Context, d *dealer, dst []engine.Call, p engine.Part, number int) error {
	b := r.queue.get(len(r.o.Carriers), len(r.o.Columns))
	d.file = p.Place().File
	for {
		n, err := p.Read(ctx, dst)
		for i := range dst[:n] {
			d.deal(b, &dst[i])
		}
		bad, isRow := errors.AsType[*engine.RowError](err)
		switch {
		case isRow:
			b.bad = append(b.bad, bad)
			b.size += 256 // about
		case errors.Is(err, io.EOF):
			if !r.queue.put(number, b) {
				return errGivenUp
			}
			return nil
		case err != nil:
			return err
		}
		if b.size < batchBytes {
			continue
		}
		if !r.queue.put(number, b) {
			return errGivenUp
		}
		b = r.queue.get(len(r.o.Carriers), len(r.o.Columns))
	}
}

// finish completes the files and checks that every row is accounted for.
func (r *callRun) finish(ctx context.Context) (*Result, error) {
	err := r.src.Finish(ctx)
	if err != nil {
		return nil, errors.Join(err, r.out.abandon())
	}
	delivered, err := r.out.close()
	if err != nil {
		return nil, err
	}
	res := &Result{Carriers: delivered, Unknown: unknownOf(r.unknown), Outside: r.outside, Superseded: r.skipped, Rejected: r.rejected}
	var accepted, rejected int64
	for _, i := range r.src.Info() {
		accepted, rejected = accepted+i.Accepted, rejected+i.Rejected
	}
	if err := res.tieOut(accepted, rejected); err != nil {
		return nil, err
	}
	if err := stopped(ctx); err != nil {
		return nil, fmt.Errorf("deliver records: %w", err)
	}
	return res, nil
}
