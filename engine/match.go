package engine

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"

	"concord/engine/spill"
)

// matchWorker pairs records of one partition after another and judges the
// pairs.
type matchWorker struct {
	r       *run
	g       grouper
	t       *tally
	wide    [2]wideReader
	numbers [2]*spill.Writer[rec] // leftovers of pass 1, for pass 2
	left    [2]*spill.Writer[rec] // leftovers of pass 2
	short   *spill.Writer[shortPair]
	log     *spill.Writer[caseRec]
	twins   *spill.Sorter

	loaded, sorted [2][]rec
	offsets        []uint32
}

// shortPair is a pair whose carrier's record may be the first of several.
type shortPair struct {
	m, c rec
	pass uint64
}

func (r *run) newMatchWorker(worker int) *matchWorker {
	w := &matchWorker{r: r, t: r.tallies[worker], short: r.short.Writer(), log: r.log.Writer(), twins: r.twins[worker]}
	for side, d := range r.sides {
		w.wide[side].w = d.wide
		w.numbers[side], w.left[side] = d.numbers.Writer(), d.left.Writer()
	}
	w.g.w = w
	return w
}

// closeWriters hands over what the worker still holds.
func (w *matchWorker) closeWriters() error {
	errs := []error{w.short.Close(), w.log.Close()}
	for side := range w.left {
		errs = append(errs, w.numbers[side].Close(), w.left[side].Close())
	}
	return joinFirst(errs)
}

func joinFirst(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// matchPass runs pass 1 or 2 over its partitions.
func (r *run) matchPass(ctx context.Context, pass Pass) error {
	var next atomic.Int64
	return r.parallel(ctx, func(ctx context.Context, worker int) error {
		w := r.newMatchWorker(worker)
		for {
			p := int(next.Add(1)) - 1
			if p >= 1<<matchBits {
				return w.closeWriters()
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.partition(p, pass); err != nil {
				return err
			}
		}
	})
}

func (w *matchWorker) partition(p int, pass Pass) (err error) {
	key, window := idKey, w.r.task.Rules.IDWindow
	if pass == PassNumbers {
		key, window = w.pairKey, w.r.task.Rules.StartTolerance
	}
	from := [2]*spill.Shuffle[rec]{w.r.sides[0].ids, w.r.sides[1].ids}
	if pass == PassNumbers {
		from = [2]*spill.Shuffle[rec]{w.r.sides[0].numbers, w.r.sides[1].numbers}
	}
	if w.isHeavy(from, p) {
		return w.heavy(from, p, key, window.Microseconds(), pass)
	}
	for side := range from {
		if w.loaded[side], err = from[side].Load(p, w.loaded[side][:0]); err != nil {
			return err
		}
		w.loaded[side] = w.admit(Side(side), w.loaded[side])
	}
	return w.groups(matchBits, key, window.Microseconds(), pass)
}

func idKey(r *rec) uint64 { return r.corr }

func (w *matchWorker) pairKey(r *rec) uint64 {
	return w.r.keys.pair(r.callerCode(), r.calleeCode())
}

// admit takes the clock offset off the carrier's records and drops those that
// take no part: repeats, and what is beyond the period's margin.
func (w *matchWorker) admit(side Side, all []rec) []rec {
	d := w.r.sides[side]
	out := all[:0]
	for i := range all {
		c := &all[i]
		if c.caller&flagAdmitted == 0 {
			c.caller |= flagAdmitted
			if side == Carrier {
				c.start -= w.r.offset
			}
			if s := d.repeats.get(c.ord); s != kept {
				w.single(stateClass[s], side, c)
				continue
			}
			if !w.r.period.near(c.start) {
				w.outside(side, c)
				continue
			}
		}
		out = append(out, *c)
	}
	return out
}

// groups sorts both sides' records by key and pairs group after group.
func (w *matchWorker) groups(used int, key func(*rec) uint64, window int64, pass Pass) error {
	compare := func(a, b *rec) int {
		if ka, kb := key(a), key(b); ka != kb {
			return less(ka < kb)
		}
		return compareTimes(a, b)
	}
	for side := range w.loaded {
		w.sorted[side], w.offsets = bucketSort(w.loaded[side], w.sorted[side], w.offsets, used, key, compare)
	}
	return w.zip(key, key, func(ms, cs []rec) error { return w.group(ms, cs, window, pass) })
}

// zip calls fn with the records of each key. bucketSort's order is that of
// the keys without their first bits, which are the same in a partition.
func (w *matchWorker) zip(mKey, cKey func(*rec) uint64, fn func(ms, cs []rec) error) error {
	ms, cs := w.sorted[Microsoft], w.sorted[Carrier]
	for len(ms) > 0 || len(cs) > 0 {
		k := uint64(math.MaxUint64)
		if len(ms) > 0 {
			k = mKey(&ms[0])
		}
		if len(cs) > 0 {
			k = min(k, cKey(&cs[0]))
		}
		nm, nc := sameKey(ms, k, mKey), sameKey(cs, k, cKey)
		if err := fn(ms[:nm], cs[:nc]); err != nil {
			return err
		}
		ms, cs = ms[nm:], cs[nc:]
	}
	return nil
}

// sameKey returns how many records at the start have the key.
func sameKey(all []rec, k uint64, key func(*rec) uint64) int {
	n := 0
	for n < len(all) && key(&all[n]) == k {
		n++
	}
	return n
}

func (w *matchWorker) group(ms, cs []rec, window int64, pass Pass) error {
	if len(ms) == 0 || len(cs) == 0 {
		w.g.handLeft(ms, cs, pass)
		return nil
	}
	if pass == PassNumbers && !(oneNumberPair(ms, &ms[0]) && oneNumberPair(cs, &ms[0])) {
		return ErrCollision
	}
	return w.g.assign3(ms, cs, window, pass)
}

// ErrCollision means that two different ids or numbers have the same hash. It
// is found before anything wrong is reported; the hashes of the next run are
// others.
var ErrCollision = errors.New("two identifiers have the same hash; run again")

func oneNumberPair(all []rec, as *rec) bool {
	for i := range all {
		if !sameNumbers(&all[i], as) {
			return false
		}
	}
	return true
}

func sameNumbers(a, b *rec) bool {
	return a.callerCode() == b.callerCode() && a.calleeCode() == b.calleeCode()
}

// pair takes a pair of pass 1 or 2.
func (w *matchWorker) pair(pass Pass, m, c *rec) error {
	if c.dur-m.dur < -w.r.tolerance {
		w.short.Add(0, &shortPair{*m, *c, uint64(pass)})
		return nil
	}
	return w.judge(pass, m, c, nil, 0)
}

// leftover sends a record on to the next pass.
func (w *matchWorker) leftover(pass Pass, side Side, c *rec) {
	if pass == PassID && c.plainPair() {
		w.numbers[side].Add(int(w.pairKey(c)>>(64-matchBits)), c)
		return
	}
	w.left[side].Add(0, c)
}

// sortByID orders records of equal start and duration.
func (w *matchWorker) sortByID(side Side, all []rec) error {
	type named struct {
		id string
		rec
	}
	rows := make([]named, len(all))
	for i := range all {
		row, err := w.wide[side].get(all[i].ord)
		if err != nil {
			return err
		}
		rows[i] = named{row.recordID, all[i]}
	}
	slices.SortFunc(rows, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.ord, b.ord))
	})
	for i := range rows {
		all[i] = rows[i].rec
	}
	return nil
}
