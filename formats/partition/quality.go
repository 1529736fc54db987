package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"concord/engine"
	"concord/engine/quality"
	"concord/engine/spill"
	"concord/formats"
	"concord/formats/qualityio"
)

// QualitySource is a file of quality rows: a *qualityio.Reader.
type QualitySource interface {
	// Read fills dst and returns how many rows it wrote, then io.EOF. An
	// *engine.RowError is one bad row.
	Read(ctx context.Context, dst []quality.Row) (int, error)
}

// Quality delivers quality rows to carriers as quality.parquet and quality.csv.
// The files are read in the order received, each to its end. Of each stream only
// the row that counts goes anywhere: of its highest version the one received
// last. It alone decides the carrier and whether the stream is in the period; a
// row without a start is in none. A carrier's rows are sorted by call record
// and stream. In the CSV, a spreadsheet takes no text that came from outside for a
// formula. What does not fit in memory goes to scratch.
func Quality(ctx context.Context, files []QualitySource, create Create, scratch spill.Scratch, o Options) (_ *Result, err error) {
	o = o.withDefaults()
	names, err := o.byName()
	if err != nil {
		return nil, err
	}
	q := &qualityRun{
		o: o, names: names, pack: qualityio.NewPacker(), unknown: map[string]int64{},
		waiting: slices.IndexFunc(o.Carriers, func(c Carrier) bool { return c.ID == o.Waiting && o.Waiting != "" }),
		streams: spill.NewSorter(scratch, int(o.Memory/3)), shares: spill.NewSorter(scratch, int(o.Memory/3)),
	}
	defer func() { err = errors.Join(err, q.streams.Close(), q.shares.Close()) }()
	for i, f := range files {
		if err := q.read(ctx, i, f); err != nil {
			return nil, err
		}
	}
	if err := q.route(ctx); err != nil {
		return nil, err
	}
	return q.write(ctx, create)
}

// qualityRun is one delivery.
type qualityRun struct {
	o       Options
	names   *owners
	waiting int // of the carriers; -1: none
	pack    *qualityio.Packer
	streams *spill.Sorter // by stream, version and order received
	shares  *spill.Sorter // of what counts, by carrier and stream

	key, val []byte
	seq      uint64
	rows     int64 // that could be read
	res      Result
	unknown  map[string]int64
}

// read takes in one file.
func (q *qualityRun) read(ctx context.Context, number int, f QualitySource) error {
	dst := make([]quality.Row, batchCalls)
	for {
		n, err := f.Read(ctx, dst)
		for i := range dst[:n] {
			q.rows++
			q.seq++
			r := &dst[i]
			q.key = streamKey(q.key[:0], r)
			q.key = binary.BigEndian.AppendUint64(q.key, uint64(r.Version))
			q.key = binary.BigEndian.AppendUint64(q.key, q.seq)
			q.val = q.pack.Pack(q.val[:0], r)
			if err := q.streams.Add(q.key, q.val); err != nil {
				return fmt.Errorf("sort quality rows: %w", err)
			}
		}
		bad, isRow := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case isRow:
			q.res.Rejected++
			if q.o.Rejected != nil {
				bad.File = number
				q.o.Rejected(bad)
			}
		case err != nil:
			return err
		}
	}
}

// streamKey appends the key of a stream. Neither id holds a NUL, so that no
// key begins like another's. Ids of calls are in order whatever their case, as
// Callers have them.
func streamKey(b []byte, r *quality.Row) []byte {
	b = append(append(b, strings.ToLower(r.CallRecordID)...), 0)
	b = append(append(b, r.CallRecordID...), 0)
	return append(append(b, r.StreamID...), 0)
}

// route finds the row of each stream that counts and deals it to its carrier.
func (q *qualityRun) route(ctx context.Context) error {
	var now, next quality.Row
	var key []byte // of now's stream; nil before the first
	for e, err := range spill.Sorted(q.streams) {
		if err == nil {
			err = stopped(ctx)
		}
		if err != nil {
			return fmt.Errorf("sort quality rows: %w", err)
		}
		if err := q.pack.Unpack(e.Val, &next); err != nil {
			return err
		}
		stream := e.Key[:len(e.Key)-16]
		switch {
		case key == nil:
		case bytes.Equal(stream, key):
			q.res.Superseded++
			if v := quality.Supersede(&now, &next); v == quality.Altered {
				q.res.Altered++
			}
		default:
			if err := q.deal(&now); err != nil {
				return err
			}
		}
		now, key = next, append(key[:0], stream...)
	}
	if key == nil {
		return nil
	}
	return q.deal(&now)
}

// deal gives a row that counts to its carrier.
func (q *qualityRun) deal(r *quality.Row) error {
	if !r.Start.OK || r.Start.Value < q.o.From || r.Start.Value >= q.o.To {
		q.res.Outside++
		return nil
	}
	at, known, err := q.owner(r)
	if err != nil {
		return err
	}
	if !known {
		countUnknown(q.unknown, r.Carrier, 1)
		return nil
	}
	q.key = binary.BigEndian.AppendUint32(q.key[:0], uint32(at))
	q.key = streamKey(q.key, r)
	q.val = q.pack.Pack(q.val[:0], r)
	if err := q.shares.Add(q.key, q.val); err != nil {
		return fmt.Errorf("sort quality rows: %w", err)
	}
	return nil
}

// owner returns whose a row is. One that names no carrier is given the name of
// the one that has its call.
func (q *qualityRun) owner(r *quality.Row) (at int, known bool, err error) {
	if r.Carrier != "" || q.o.Callers == nil {
		at, known = q.names.of(r.Carrier)
		return at, known, nil
	}
	at, only, some, err := q.o.Callers.owner(strings.ToLower(r.CallRecordID))
	switch {
	case err != nil:
		return 0, false, err
	case only:
		r.Carrier = q.o.Carriers[at].ID
	case some || q.waiting < 0:
		return 0, false, nil
	default:
		at = q.waiting
	}
	return at, true, nil
}

// write writes the files of one carrier after the other.
func (q *qualityRun) write(ctx context.Context, create Create) (*Result, error) {
	var p *qualityPair
	at := -1
	// upTo completes the files of the carriers before one, and begins its own.
	upTo := func(carrier int) (err error) {
		for at < carrier {
			if p != nil {
				if err := q.complete(p); err != nil {
					return err
				}
			}
			if at, p = at+1, nil; at < len(q.o.Carriers) {
				if p, err = openPair(create, q.o.Carriers[at].ID); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var row [1]quality.Row
	for e, err := range spill.Sorted(q.shares) {
		if err == nil {
			err = stopped(ctx)
		}
		if err == nil {
			err = upTo(int(binary.BigEndian.Uint32(e.Key)))
		}
		if err == nil {
			err = q.pack.Unpack(e.Val, &row[0])
		}
		if err == nil {
			err = p.write(row[:])
		}
		if err != nil {
			return nil, errors.Join(err, p.abandon())
		}
	}
	if err := upTo(len(q.o.Carriers)); err != nil {
		return nil, errors.Join(err, p.abandon())
	}
	q.res.Unknown = unknownOf(q.unknown)
	if err := q.res.tieOut(q.rows, q.res.Rejected); err != nil {
		return nil, err
	}
	return &q.res, nil
}

// complete ends a carrier's files and notes them.
func (q *qualityRun) complete(p *qualityPair) error {
	files, err := p.close()
	if err != nil {
		return err
	}
	q.res.Carriers = append(q.res.Carriers, Delivered{Carrier: p.carrier, Rows: p.rows, Files: files})
	return nil
}

// qualityPair is the two files of one carrier.
type qualityPair struct {
	carrier string
	rows    int64
	files   []*hashed
	writers []*qualityio.Writer
}

func openPair(create Create, carrier string) (*qualityPair, error) {
	p := &qualityPair{carrier: carrier}
	for i, name := range []string{QualityCSV, QualityParquet} {
		f, err := open(create, carrier, name)
		if err != nil {
			return nil, errors.Join(err, p.abandon())
		}
		p.files = append(p.files, f)
		w, err := qualityio.NewWriter(f, []formats.CanonicalFormat{formats.CanonicalCSV, formats.CanonicalParquet}[i])
		if err != nil {
			return nil, errors.Join(err, p.abandon())
		}
		w.Inert = true
		p.writers = append(p.writers, w)
	}
	return p, nil
}

func (p *qualityPair) write(rows []quality.Row) error {
	p.rows += int64(len(rows))
	for i, w := range p.writers {
		if err := w.Write(rows); err != nil {
			return fmt.Errorf("write %s of %s: %w", p.files[i].name, p.carrier, err)
		}
	}
	return nil
}

// close completes, syncs and closes the files. After an error nothing is left
// open.
func (p *qualityPair) close() (list []Written, err error) {
	for i, w := range p.writers {
		f := p.files[i]
		err = errors.Join(err, w.Close())
		if err == nil {
			err = f.f.Sync()
		}
		if err = errors.Join(err, f.f.Close()); err != nil {
			err = fmt.Errorf("write %s of %s: %w", f.name, p.carrier, err)
		}
		list = append(list, f.written(p.rows))
	}
	p.files = nil
	return list, err
}

// abandon closes the files after an error.
func (p *qualityPair) abandon() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.f.Close())
	}
	p.files = nil
	return errors.Join(errs...)
}
