package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"

	"concord/engine/spill"
)

// Partitions of the shuffles: powers of two, chosen so that a partition of
// ten million records stays near the size of a core's cache.
const (
	matchBits  = 9
	lightBits  = 8
	blockBytes = 16 << 10
)

// clue is what the search for repeats needs of a record: half a hash of its
// identity (the partition holds more of it) and its place.
type clue uint64

func newClue(h uint64, ord uint32) clue { return clue(h<<32 | uint64(ord)) }

func (c clue) ord() uint32  { return uint32(c) }
func (c clue) hash() uint32 { return uint32(c >> 32) }

// sighting is what the measurement of the clock needs of a record: which pair
// of numbers called when.
type sighting struct {
	pair  uint64
	start int64
	ord   uint32
	flags uint32
}

const (
	sightCarrier  = 1
	sightAnswered = 2
)

// sideData is one side after it was read.
type sideData struct {
	wide    *wide
	clues   *spill.Shuffle[clue]
	ids     *spill.Shuffle[rec] // records with a correlation id, by it
	numbers *spill.Shuffle[rec] // others with two known numbers, by them
	left    *spill.Shuffle[rec] // records that no pass has paired yet
	rejects *spill.Sorter
	rejMu   sync.Mutex

	files   []FileTally
	bases   []int64 // ordinal of the first row of each file
	rows    int64
	anyCorr atomic.Bool
	repeats states
	twins   marks // carrier: rows of the same numbers and start as another
}

// scanner reads a side with several workers.
type scanner struct {
	r    *run
	side Side
	d    *sideData
	mu   sync.Mutex // guards the source and the fields below
	done bool
	last int
	rows atomic.Int64
}

// scan reads one side to its end and closes nothing of the caller's.
func (r *run) scan(ctx context.Context, side Side) error {
	s := &scanner{r: r, side: side, d: r.sides[side], last: -1}
	s.d.files = make([]FileTally, len(r.task.Files[side]))
	s.d.bases = make([]int64, len(r.task.Files[side]))
	err := r.parallel(ctx, func(ctx context.Context, worker int) error { return s.work(ctx, worker) })
	if err != nil {
		return err
	}
	if err := r.task.Sources[side].Finish(ctx); err != nil {
		return err
	}
	for i := s.last + 1; i < len(s.d.bases); i++ {
		s.d.bases[i] = s.d.rows // files without a part
	}
	s.d.wide.sortBlocks()
	return nil
}

// take returns the next part and the ordinal of its first row.
func (s *scanner) take(ctx context.Context) (Part, uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return nil, 0, io.EOF
	}
	p, err := s.r.task.Sources[s.side].Next(ctx)
	if err != nil {
		s.done = true
		return nil, 0, err
	}
	pl := p.Place()
	if pl.File < s.last || pl.File >= len(s.d.files) {
		return nil, 0, errors.Join(fmt.Errorf("%s side: parts out of order", s.side), p.Close())
	}
	for s.last < pl.File {
		s.last++
		s.d.bases[s.last] = s.d.rows
	}
	base := s.d.bases[pl.File] + pl.First - 1
	s.d.rows = base + pl.Rows
	if s.d.rows > math.MaxUint32 {
		return nil, 0, errors.Join(fmt.Errorf("%s side: more than %d rows in one run; split it into shorter periods", s.side, uint32(math.MaxUint32)), p.Close())
	}
	return p, uint32(base), nil
}

const batchRows = 512

func (s *scanner) work(ctx context.Context, worker int) (err error) {
	w := s.newWriter(worker)
	defer func() { err = errors.Join(err, w.close()) }()
	batch := make([]Call, batchRows)
	for {
		p, base, err := s.take(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.part(ctx, p, base, batch); err != nil {
			return errors.Join(err, p.Close())
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
}

// scanWriter is what one worker writes to.
type scanWriter struct {
	s         *scanner
	dims      *dimensions
	dimBase   uint32
	wide      wideWriter
	clues     *spill.Writer[clue]
	ids       *spill.Writer[rec]
	numbers   *spill.Writer[rec]
	left      *spill.Writer[rec]
	sightings *spill.Writer[sighting]
	files     []FileTally
	sight     bool // whether this side's sightings are wanted
	splitIDs  bool // whether records with a correlation id go the way of ids
	corr      bool
	r         rec // the row at hand
	in        wideInput
}

func (s *scanner) newWriter(worker int) *scanWriter {
	r, d := s.r, s.d
	return &scanWriter{
		s: s, dims: r.dims[worker], dimBase: uint32(worker) << dimBits,
		wide:      wideWriter{w: d.wide},
		clues:     d.clues.Writer(),
		ids:       d.ids.Writer(),
		numbers:   d.numbers.Writer(),
		left:      d.left.Writer(),
		sightings: r.sightings.Writer(),
		files:     make([]FileTally, len(d.files)),
		sight:     s.side == Carrier || r.task.Rules.AutoOffset,
		splitIDs:  s.side == Carrier || r.sides[Carrier].anyCorr.Load(),
	}
}

func (w *scanWriter) part(ctx context.Context, p Part, base uint32, batch []Call) error {
	pl := p.Place()
	f := &w.files[pl.File]
	before := f.Accepted + f.Rejected
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := p.Read(ctx, batch)
		for i := range batch[:n] {
			c := &batch[i]
			f.Accepted++
			f.MS += c.DurationMS
			if err := w.call(base+uint32(c.Row-pl.First), c); err != nil {
				return err
			}
		}
		var bad *RowError
		switch {
		case errors.As(err, &bad):
			f.Rejected++
			if err := w.s.reject(bad); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			w.s.report(f.Accepted + f.Rejected - before)
			return w.wide.flush()
		case err != nil:
			return err
		}
	}
}

// call records one accepted row.
func (w *scanWriter) call(ord uint32, c *Call) error {
	k := w.s.r.keys
	// Field by field: a composite literal is built elsewhere and copied in
	// wider pieces, which waits for the pieces to arrive.
	r := &w.r
	k.ident(c.RecordID, &w.in.id)
	k.ident(c.CorrelationID, &w.in.corr)
	r.corr = w.in.corr.hash
	r.caller = k.number(c.Caller)
	r.callee = k.number(c.Callee) | uint64(countryIndex(c.Callee.e164))<<codeBits
	r.start, r.dur, r.ord = c.Start, c.DurationMS, ord
	r.dim = w.dimBase | w.dims.of(c, r.destination())
	if w.dims.full() {
		return fmt.Errorf("more than %d combinations of tenant, user, call type and country; run without users or for a shorter period", maxDims)
	}
	if c.Source == SourceOperator {
		r.caller |= flagOperator
	}
	if c.ClockUntrusted {
		r.caller |= flagClockUntrusted
	}
	business := k.business(r)
	in := &w.in
	in.ord, in.c, in.r, in.k, in.business = ord, c, &w.r, k, business
	if err := w.wide.add(in); err != nil {
		return err
	}
	identity := w.in.id.hash
	if identity == 0 {
		identity = business
	}
	cl := newClue(identity, ord)
	w.clues.Add(int(identity>>(64-lightBits)), &cl)
	w.send(r)
	return nil
}

// send deals a record out to the pass that sees it first.
func (w *scanWriter) send(r *rec) {
	pair := w.s.r.keys.pair(r.callerCode(), r.calleeCode())
	if !(r.corr != 0 && w.splitIDs) && r.plainPair() {
		// The measurement of the clock looks at these where they are.
		w.numbers.Add(int(pair>>(64-matchBits)), r)
		return
	}
	if w.sight && r.callerCode() != 0 && r.calleeCode() != 0 {
		st := sightingOf(w.s.side, pair, r)
		w.sightings.Add(int(pair>>(64-lightBits)), &st)
	}
	if r.corr != 0 && w.splitIDs {
		w.corr = true
		w.ids.Add(int(r.corr>>(64-matchBits)), r)
		return
	}
	w.left.Add(0, r)
}

func sightingOf(side Side, pair uint64, r *rec) (st sighting) {
	st.pair, st.start, st.ord = pair, r.start, r.ord
	if side == Carrier {
		st.flags = sightCarrier
	}
	if r.dur > 0 {
		st.flags |= sightAnswered
	}
	return st
}

func (w *scanWriter) close() error {
	d := w.s.d
	if w.corr {
		d.anyCorr.Store(true)
	}
	w.s.mu.Lock()
	for i, f := range w.files {
		t := &d.files[i]
		t.Accepted += f.Accepted
		t.Rejected += f.Rejected
		t.MS += f.MS
		t.Rows = t.Accepted + t.Rejected
	}
	w.s.mu.Unlock()
	return errors.Join(w.clues.Close(), w.ids.Close(), w.numbers.Close(), w.left.Close(), w.sightings.Close())
}

// report tells the observer how far the side is.
func (s *scanner) report(rows int64) {
	n := s.rows.Add(rows)
	if f := s.r.task.Observer.Rows; f != nil {
		f(s.side, n)
	}
}
