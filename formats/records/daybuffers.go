package records

import (
	"sync"
	"sync/atomic"

	"concord/engine"
	"concord/engine/spill"
	"concord/formats/parquetio"
)

const (
	// groupRows and groupBytes end a row group: little enough to be held, and
	// enough that the columns of a group are worth their footer.
	groupRows  = 128 << 10
	groupBytes = 8 << 20
	// heldBytes is what waits in memory before it goes to scratch.
	heldBytes = 16 << 20
	// spillBytes is how much of the rejected rows waits in memory.
	spillBytes = 1 << 20
	// mostDays is how many days have row groups of their own. What lies on
	// more is no month of a carrier's, but years of wrong dates: their rows
	// share groups of coarseDays, so that the footer stays small.
	mostDays   = 400
	coarseDays = 32
)

// buffer is rows that wait, in the order in which they came: first those in
// scratch, then those in memory.
type buffer struct {
	refs  []spill.Ref
	data  []byte
	below int // bytes in scratch
}

// spill moves what is in memory to scratch.
func (b *buffer) spill(to *spill.Blobs) error {
	if len(b.data) == 0 {
		return nil
	}
	ref, err := to.Put(b.data)
	b.refs, b.below, b.data = append(b.refs, ref), b.below+len(b.data), b.data[:0]
	return err
}

// each calls fn with all rows, some at a time.
func (b *buffer) each(from *spill.Blobs, fn func(waiting) error) error {
	var buf []byte
	for _, ref := range b.refs {
		data, err := from.Get(ref, buf)
		if err != nil {
			return err
		}
		if err := fn(data); err != nil {
			return err
		}
		buf = data[:0]
	}
	return fn(b.data)
}

// dayBuffer is the rows of one day, or of a few, that wait to become a row
// group.
type dayBuffer struct {
	buffer
	group
}

// dayBuffers deals rows out to their days. Whoever adds rows never waits for
// the columns to be written, but for what is written before: they are written
// by a goroutine of their own.
type dayBuffers struct {
	calls *parquetio.Writer
	blobs *spill.Blobs
	byKey map[int32]*dayBuffer
	byDay map[int32]*Day
	held  int // bytes in memory
	day   int32
	to    *dayBuffer // of day; nil at the beginning
	tally *Day

	work    chan *dayBuffer
	spare   chan []byte
	writing sync.WaitGroup
	broken  atomic.Bool
	once    sync.Once
	groups  []group // written; the writing goroutine's until it has ended
	err     error   // the same
}

func newDayBuffers(calls *parquetio.Writer, scratch engine.Scratch) *dayBuffers {
	d := &dayBuffers{
		calls: calls, blobs: spill.NewBlobs(new(spill.Budget), scratch), byKey: map[int32]*dayBuffer{}, byDay: map[int32]*Day{},
		work: make(chan *dayBuffer), spare: make(chan []byte, 2),
	}
	d.writing.Go(d.write)
	return d
}

// add takes one call.
func (d *dayBuffers) add(c *engine.Call) error {
	if day := dayOf(c.Start); d.to == nil || d.day != day {
		d.turn(day)
	}
	b := d.to
	before := len(b.data)
	b.data = appendRow(b.data, c)
	d.held += len(b.data) - before
	b.Rows++
	b.DurationMS += c.DurationMS
	d.tally.Rows++
	d.tally.DurationMS += c.DurationMS
	switch {
	case b.Rows >= groupRows || b.below+len(b.data) >= groupBytes:
		return d.hand(b)
	case d.held >= heldBytes:
		return d.spill()
	}
	return nil
}

// turn goes on to another day.
func (d *dayBuffers) turn(day int32) {
	d.day = day
	if d.tally = d.byDay[day]; d.tally == nil {
		d.tally = &Day{Date: dateOf(day)}
		d.byDay[day] = d.tally
	}
	key, first, last := d.place(day)
	if d.to = d.byKey[key]; d.to == nil {
		d.to = &dayBuffer{group: group{First: first, Last: last}}
		d.byKey[key] = d.to
	}
}

// place returns which buffer the rows of a day go to, and its days. The first
// days have buffers of their own, by the day; keys of several days lie beyond
// every day.
func (d *dayBuffers) place(day int32) (key, first, last int32) {
	if _, own := d.byKey[day]; own || len(d.byKey) < mostDays {
		return day, day, day
	}
	at := day / coarseDays
	if day%coarseDays < 0 {
		at--
	}
	return 1<<30 + at, at * coarseDays, at*coarseDays + coarseDays - 1
}

// hand gives a full buffer to the writing goroutine, and empties it.
func (d *dayBuffers) hand(b *dayBuffer) error {
	if b.Rows == 0 {
		return nil
	}
	if d.broken.Load() {
		d.wait()
		return d.err
	}
	full := *b
	d.held -= len(b.data)
	*b = dayBuffer{group: group{First: b.First, Last: b.Last}}
	select {
	case b.data = <-d.spare:
	default:
	}
	d.work <- &full
	return nil
}

// spill moves everything to scratch, in order of the days.
func (d *dayBuffers) spill() error {
	for _, key := range sortedKeys(d.byKey) {
		b := d.byKey[key]
		if err := b.buffer.spill(d.blobs); err != nil {
			return err
		}
		b.data = nil // of many days each would keep its share
	}
	d.held = 0
	return nil
}

// write writes one row group after another.
func (d *dayBuffers) write() {
	for b := range d.work {
		if d.err == nil {
			d.err = d.writeGroup(b)
		}
		if d.err != nil {
			d.broken.Store(true)
		}
		select {
		case d.spare <- b.data[:0]:
		default:
		}
	}
}

func (d *dayBuffers) writeGroup(b *dayBuffer) error {
	err := b.each(d.blobs, func(rows waiting) error {
		var c engine.Call
		for len(rows) > 0 {
			rows.call(&c)
			if err := writeCall(d.calls, &c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.groups = append(d.groups, b.group)
	return d.calls.EndGroup()
}

// finish writes what is left and returns all row groups, in the order in which
// they stand.
func (d *dayBuffers) finish() ([]group, error) {
	for _, key := range sortedKeys(d.byKey) {
		if err := d.hand(d.byKey[key]); err != nil {
			return nil, err
		}
	}
	d.wait()
	return d.groups, d.err
}

// wait ends the writing goroutine.
func (d *dayBuffers) wait() {
	d.once.Do(func() { close(d.work) })
	d.writing.Wait()
}

func (d *dayBuffers) close() error {
	d.wait()
	return d.blobs.Close()
}

// tallies returns what there is of each day, in order.
func (d *dayBuffers) tallies() []Day {
	list := make([]Day, 0, len(d.byDay))
	for _, day := range sortedKeys(d.byDay) {
		list = append(list, *d.byDay[day])
	}
	return list
}
