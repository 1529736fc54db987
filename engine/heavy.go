package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"

	"concord/engine/spill"
)

// A partition grows beyond its share of memory when many records have one id
// or one pair of numbers. Such a partition is sorted outside memory and paired
// stretch by stretch: records further apart than the window never meet.

func (w *matchWorker) isHeavy(from [2]*spill.Shuffle[rec], p int) bool {
	return int64(from[0].Len(p)+from[1].Len(p))*recBytes > w.r.partitionBytes()
}

// stretch collects the records of one key between two gaps.
type stretch struct {
	w      *matchWorker
	key    uint64
	last   int64
	lists  [2][]rec
	window int64
	pass   Pass
}

// heavy pairs a partition that is too large to load.
func (w *matchWorker) heavy(from [2]*spill.Shuffle[rec], p int, key func(*rec) uint64, window int64, pass Pass) (err error) {
	var next [2]func() (spill.Entry, error, bool)
	for side := range from {
		s := spill.NewSorter(w.r.task.Scratch, int(w.r.partitionBytes()))
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := w.sortHeavy(Side(side), from[side], p, key, s); err != nil {
			return err
		}
		pull, stop := iter.Pull2(spill.Sorted(s))
		defer stop()
		next[side] = pull
	}
	st := &stretch{w: w, window: window, pass: pass}
	if err := st.merge(next); err != nil {
		return err
	}
	return st.end()
}

func (w *matchWorker) sortHeavy(side Side, from *spill.Shuffle[rec], p int, key func(*rec) uint64, s *spill.Sorter) error {
	var own []rec
	var k, v []byte
	err := from.Each(p, func(cs []rec) error {
		own = w.admit(side, append(own[:0], cs...))
		for i := range own {
			c := &own[i]
			k = binary.BigEndian.AppendUint64(k[:0], key(c))
			k = binary.BigEndian.AppendUint64(k, uint64(c.start)^1<<63)
			k = binary.BigEndian.AppendUint64(k, uint64(c.dur))
			v = appendRec(v[:0], c)
			if err := s.Add(k, v); err != nil {
				return err
			}
		}
		return nil
	})
	from.Drop(p)
	return err
}

// merge takes the records of both sides by key and start.
func (st *stretch) merge(next [2]func() (spill.Entry, error, bool)) error {
	var heads [2]rec
	var keys [2]uint64
	var have [2]bool
	pull := func(side Side) error {
		e, err, ok := next[side]()
		if have[side] = ok; !ok || err != nil {
			return err
		}
		heads[side], keys[side] = takeRec(e.Val), binary.BigEndian.Uint64(e.Key)
		return nil
	}
	for _, side := range []Side{Microsoft, Carrier} {
		if err := pull(side); err != nil {
			return err
		}
	}
	for have[Microsoft] || have[Carrier] {
		side := Microsoft
		if !have[Microsoft] || have[Carrier] && (keys[Carrier] < keys[Microsoft] ||
			keys[Carrier] == keys[Microsoft] && heads[Carrier].start < heads[Microsoft].start) {
			side = Carrier
		}
		if err := st.add(side, keys[side], &heads[side]); err != nil {
			return err
		}
		if err := pull(side); err != nil {
			return err
		}
	}
	return nil
}

// add takes the next record.
func (st *stretch) add(side Side, key uint64, c *rec) error {
	if key != st.key || c.start-st.last > st.window {
		if err := st.end(); err != nil {
			return err
		}
	}
	st.key, st.last = key, c.start
	st.lists[side] = append(st.lists[side], *c)
	if n := len(st.lists[0]) + len(st.lists[1]); int64(n)*recBytes < st.w.r.partitionBytes() {
		return nil
	}
	return st.shorten(1 - side)
}

// beyond reports whether a stretch of n records is more than can be told
// apart. Like maxCells it does not follow the memory budget.
func (st *stretch) beyond(n int) bool { return n*recBytes > 64<<20 }

func (st *stretch) tooMany(n int) error {
	return fmt.Errorf("%w: more than %d records share one id or one pair of numbers within the window; is the correlation id a constant? Leave it out of the profile", errGroup, n)
}

// shorten lets go of records that nothing to come can pair with: those out of
// the window while the other side has none in the stretch.
func (st *stretch) shorten(other Side) error {
	if len(st.lists[other]) > 0 {
		if n := len(st.lists[0]) + len(st.lists[1]); st.beyond(n) {
			return st.tooMany(n)
		}
		return nil
	}
	list := st.lists[1-other]
	n := 0
	for n < len(list) && list[n].start < st.last-st.window {
		st.w.leftover(st.pass, 1-other, &list[n])
		n++
	}
	if n == 0 && st.beyond(len(list)) {
		return st.tooMany(len(list))
	}
	st.lists[1-other] = append(list[:0], list[n:]...)
	return nil
}

// end pairs what was collected.
func (st *stretch) end() error {
	ms, cs := st.lists[Microsoft], st.lists[Carrier]
	st.lists[Microsoft], st.lists[Carrier] = ms[:0], cs[:0]
	st.last = math.MinInt64 / 2
	return st.w.group(ms, cs, st.window, st.pass)
}
