package engine

import (
	"context"
	"fmt"
	"slices"
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
	offset time.Duration
	pairs  int64
	within int64
}

// measureClock finds the carrier's clock offset and, on the way, the
// carrier's rows that share numbers and start with another.
func (r *run) measureClock(ctx context.Context) error {
	r.sides[Carrier].twins = newMarks(r.sides[Carrier].rows)
	diffs := spill.NewShuffle[int64](r.budget, r.task.Scratch, 1, 64<<10)
	defer diffs.Close()
	var next atomic.Int64
	err := r.parallel(ctx, func(ctx context.Context, _ int) error {
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
	if o := r.clock.offset; o != 0 {
		r.addFinding(Finding{"clock_offset", clockWords(o)})
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
}

func (f *sightingReader) partition(p int) (err error) {
	if f.loaded, err = f.r.sightings.Load(p, f.loaded[:0]); err != nil {
		return err
	}
	f.sorted, f.offsets = bucketSort(f.loaded, f.sorted, f.offsets, lightBits,
		func(s *sighting) uint64 { return s.pair }, compareSightings)
	for all := f.sorted; len(all) > 0; {
		n := 1
		for n < len(all) && all[n].pair == all[0].pair {
			n++
		}
		f.group(all[:n])
		all = all[n:]
	}
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

// group looks at all sightings of one pair of numbers.
func (f *sightingReader) group(all []sighting) {
	var answered [2]int
	var start [2]int64
	var before *sighting
	for i := range all {
		s := &all[i]
		side := Side(s.flags & sightCarrier)
		if f.r.sides[side].repeats.get(s.ord) != kept {
			continue
		}
		if side == Carrier {
			if before != nil && before.start == s.start {
				f.r.sides[Carrier].twins.add(before.ord)
				f.r.sides[Carrier].twins.add(s.ord)
			}
			before = s
		}
		if s.flags&sightAnswered != 0 {
			answered[side]++
			start[side] = s.start
		}
	}
	if answered[Microsoft] == 1 && answered[Carrier] == 1 && f.r.task.Rules.AutoOffset {
		d := start[Carrier] - start[Microsoft]
		f.diffs.Add(0, &d)
	}
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
	if c.within*100 >= c.pairs*offsetShare {
		c.offset = time.Duration(sec) * time.Second
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

// bucketSort sorts records of one partition into dst by a well mixed key whose
// first used bits are the same in all: first into about as many buckets as
// there are records, then each bucket by compare.
func bucketSort[T any](src, dst []T, offsets []uint32, used int, key func(*T) uint64, compare func(a, b *T) int) ([]T, []uint32) {
	if cap(dst) < len(src) {
		dst = make([]T, len(src), len(src)+len(src)/8)
	}
	dst = dst[:len(src)]
	bits := 1
	for 1<<bits < len(src) {
		bits++
	}
	buckets := 1 << bits
	if cap(offsets) < buckets+1 {
		offsets = make([]uint32, buckets+1)
	}
	offsets = offsets[:buckets+1]
	clear(offsets)
	shift := 64 - bits
	for i := range src {
		offsets[key(&src[i])<<used>>shift+1]++
	}
	for i := 1; i <= buckets; i++ {
		offsets[i] += offsets[i-1]
	}
	for i := range src {
		b := key(&src[i]) << used >> shift
		dst[offsets[b]] = src[i]
		offsets[b]++
	}
	start := uint32(0)
	for _, end := range offsets[:buckets] {
		if end-start > 1 {
			sortSmall(dst[start:end], compare)
		}
		start = end
	}
	return dst, offsets
}

// sortSmall sorts few records in place without moving them through an
// interface, many with the library.
func sortSmall[T any](s []T, compare func(a, b *T) int) {
	if len(s) > 24 {
		slices.SortFunc(s, func(a, b T) int { return compare(&a, &b) })
		return
	}
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && compare(&s[j], &s[j-1]) < 0; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
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
