package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"concord/engine/spill"
)

const (
	minOffsetPairs = 50
	offsetShare    = 80 // per cent
)

// clock is the measurement of the carrier's clock.
type clock struct {
	offset time.Duration // what is used
	median time.Duration // what was measured
	pairs  int64
	within int64 // pairs within the start tolerance of the median
}

// measureClock finds the carrier's clock offset and, on the way, the
// carrier's rows that share numbers and start with another.
func (r *run) measureClock(ctx context.Context) (err error) {
	r.sides[Carrier].twins = newMarks(r.sides[Carrier].rows)
	diffs := spill.NewShuffle[int64](r.budget, r.task.Scratch, 1, 64<<10)
	defer func() { err = errors.Join(err, diffs.Close()) }()
	var next atomic.Int64
	err = r.parallel(ctx, func(ctx context.Context, _ int) error {
		f := sightingReader{r: r, diffs: diffs.Writer()}
		for {
			p := int(next.Add(1)) - 1
			if p >= r.sightings.Partitions() {
				return f.diffs.Close()
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.partition(p); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return err
	}
	r.clock.offset = r.task.Rules.ClockOffset
	if r.task.Rules.AutoOffset {
		r.clock, err = medianOffset(diffs, r.task.Rules.StartTolerance)
	}
	switch c := &r.clock; {
	case c.offset != 0:
		r.addFinding(Finding{Code: "clock_offset", Text: clockWords(c.offset)})
	case c.median != 0 && 2*c.within >= c.pairs:
		r.addFinding(Finding{Code: "clock_unclear", Text: fmt.Sprintf("%d %% of the calls measured show a %s; that is less than the %d %% it takes to correct for it, so nothing was corrected",
			c.within*100/c.pairs, clockWords(c.median), offsetShare)})
	}
	return err
}

// clockWords describes an offset for people.
func clockWords(o time.Duration) string {
	s := fmt.Sprintf("carrier clock %+d s", int64(o/time.Second))
	if o%time.Second != 0 {
		s = fmt.Sprintf("carrier clock %+.6f s", o.Seconds())
	}
	if near := o.Round(15 * time.Minute); near != 0 && (o-near).Abs() <= 90*time.Second {
		where := "ahead"
		if near < 0 {
			where = "behind"
		}
		s += fmt.Sprintf(": carrier file is %s %s: wrong time zone?", hoursWords(near.Abs()), where)
	}
	return s
}

func hoursWords(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "one hour"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

// sightingReader goes through partitions of sightings.
type sightingReader struct {
	r       *run
	diffs   *spill.Writer[int64]
	loaded  []sighting
	sorted  []sighting
	offsets []uint32
	seen    pairSeen
}

func (f *sightingReader) partition(p int) (err error) {
	if int64(f.count(p))*sightingBytes > f.r.partitionBytes() {
		return f.heavy(p)
	}
	f.loaded = f.loaded[:0]
	err = f.each(p, func(s *sighting) error {
		f.loaded = append(f.loaded, *s)
		return nil
	})
	if err != nil {
		return err
	}
	f.sorted, f.offsets = bucketSort(f.loaded, f.sorted, f.offsets, lightBits,
		func(s *sighting) uint64 { return s.pair }, compareSightings)
	for i := range f.sorted {
		f.see(&f.sorted[i])
	}
	f.end()
	return nil
}

const sightingBytes = 24

// numbersParts is how many partitions of records by numbers hold the pairs of
// one partition of sightings.
const numbersParts = 1 << (matchBits - lightBits)

// count returns at least how many sightings partition p has.
func (f *sightingReader) count(p int) int {
	n := f.r.sightings.Len(p)
	for _, d := range f.r.sides {
		for i := range numbersParts {
			n += d.numbers.Len(p*numbersParts + i)
		}
	}
	return n
}

// each calls fn with the sightings of partition p: those that were noted, and
// the records that wait by their numbers.
func (f *sightingReader) each(p int, fn func(*sighting) error) error {
	errs := []error{f.r.sightings.Each(p, func(all []sighting) error {
		for i := range all {
			if err := fn(&all[i]); err != nil {
				return err
			}
		}
		return nil
	})}
	f.r.sightings.Drop(p)
	for side, d := range f.r.sides {
		if Side(side) == Microsoft && !f.r.task.Rules.AutoOffset {
			continue
		}
		for i := range numbersParts {
			errs = append(errs, d.numbers.Each(p*numbersParts+i, func(all []rec) error {
				for i := range all {
					c := &all[i]
					s := sightingOf(Side(side), f.r.keys.pair(c.callerCode(), c.calleeCode()), c)
					if err := fn(&s); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	return joinFirst(errs)
}

// heavy goes through a partition that is too large to load: many calls of one
// pair of numbers.
func (f *sightingReader) heavy(p int) (err error) {
	s := spill.NewSorter(f.r.task.Scratch, int(f.r.partitionBytes()))
	defer func() { err = errors.Join(err, s.Close()) }()
	var k []byte
	err = f.each(p, func(v *sighting) error {
		k = binary.BigEndian.AppendUint64(k[:0], v.pair)
		k = append(k, byte(v.flags&sightCarrier))
		k = binary.BigEndian.AppendUint64(k, uint64(v.start)^1<<63)
		k = binary.BigEndian.AppendUint32(k, v.ord)
		return s.Add(append(k, byte(v.flags)), nil)
	})
	if err != nil {
		return err
	}
	for e, err := range spill.Sorted(s) {
		if err != nil {
			return err
		}
		k := e.Key
		f.see(&sighting{pair: binary.BigEndian.Uint64(k), start: int64(binary.BigEndian.Uint64(k[9:]) ^ 1<<63),
			ord: binary.BigEndian.Uint32(k[17:]), flags: uint32(k[21])})
	}
	f.end()
	return nil
}

// compareSightings orders by pair, side and start.
func compareSightings(a, b *sighting) int {
	switch {
	case a.pair != b.pair:
		return less(a.pair < b.pair)
	case a.flags&sightCarrier != b.flags&sightCarrier:
		return less(a.flags&sightCarrier == 0)
	case a.start != b.start:
		return less(a.start < b.start)
	}
	return 0
}

func less(b bool) int {
	if b {
		return -1
	}
	return 1
}

// pairSeen is what was seen of one pair of numbers.
type pairSeen struct {
	pair     uint64
	answered [2]int
	start    [2]int64 // of an answered call
	before   sighting // the carrier's last
	carrier  bool     // whether there is one
}

// see takes the next sighting, in the order of compareSightings.
func (f *sightingReader) see(s *sighting) {
	side := Side(s.flags & sightCarrier)
	if f.r.sides[side].repeats.get(s.ord) != kept {
		return
	}
	if s.pair != f.seen.pair {
		f.end()
		f.seen.pair = s.pair
	}
	if side == Carrier {
		if f.seen.carrier && f.seen.before.start == s.start {
			f.r.sides[Carrier].twins.add(f.seen.before.ord)
			f.r.sides[Carrier].twins.add(s.ord)
		}
		f.seen.before, f.seen.carrier = *s, true
	}
	if s.flags&sightAnswered != 0 && f.r.period.showsClock(s.start) {
		f.seen.answered[side]++
		f.seen.start[side] = s.start
	}
}

// end closes a pair of numbers: with one answered call on each side it shows
// the carrier's clock.
func (f *sightingReader) end() {
	if f.seen.answered == [2]int{1, 1} && f.r.task.Rules.AutoOffset {
		d := f.seen.start[Carrier] - f.seen.start[Microsoft]
		f.diffs.Add(0, &d)
	}
	f.seen = pairSeen{}
}

// roundSecond rounds microseconds to whole seconds, halves away from zero.
func roundSecond(us int64) int64 {
	if us < 0 {
		return -roundSecond(-us)
	}
	return (us + 500_000) / 1_000_000
}

// medianOffset returns the clock that the start differences show. Rounding
// keeps order, so the rounded median is the median of the rounded.
func medianOffset(diffs *spill.Shuffle[int64], tolerance time.Duration) (clock, error) {
	c := clock{pairs: int64(diffs.Len(0))}
	if c.pairs < minOffsetPairs {
		return c, nil
	}
	sec, err := selectRank(diffs, (c.pairs-1)/2, roundSecond)
	if err != nil {
		return c, err
	}
	offset, tol := sec*1_000_000, tolerance.Microseconds()
	err = diffs.Each(0, func(ds []int64) error {
		for _, d := range ds {
			if d -= offset; -tol <= d && d <= tol {
				c.within++
			}
		}
		return nil
	})
	c.median = time.Duration(sec) * time.Second
	if c.within*100 >= c.pairs*offsetShare {
		c.offset = c.median
	}
	return c, err
}

// selectRank returns the value of the given rank among f of all, sixteen bits
// at a time, in memory that does not grow with their number.
func selectRank(all *spill.Shuffle[int64], rank int64, f func(int64) int64) (int64, error) {
	const flip = 1 << 63 // makes the order of the signed that of the unsigned
	counts := make([]int64, 1<<16)
	var prefix uint64
	for shift := 48; shift >= 0; shift -= 16 {
		clear(counts)
		err := all.Each(0, func(vs []int64) error {
			for _, v := range vs {
				u := uint64(f(v)) ^ flip
				if shift == 48 || u>>(shift+16) == prefix>>(shift+16) {
					counts[u>>shift&0xffff]++
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		for digit, n := range counts {
			if rank < n {
				prefix |= uint64(digit) << shift
				break
			}
			rank -= n
		}
	}
	return int64(prefix ^ flip), nil
}

// findings of a run, added by several goroutines.
type findings struct {
	mu  sync.Mutex
	all []Finding
}

func (r *run) addFinding(f Finding) {
	r.findings.mu.Lock()
	defer r.findings.mu.Unlock()
	r.findings.all = append(r.findings.all, f)
}
