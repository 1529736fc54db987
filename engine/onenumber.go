package engine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"concord/engine/spill"
)

// oneNumber is a sub-pass of pass 4: records with an equal key are candidates
// when fits holds, their starts are near and their durations agree.
type oneNumber struct {
	// code returns what must be equal, 0 when the record cannot take part.
	code func(k *keys, side Side, r *rec) uint64
	// equal is what an equal key stands for.
	equal func(m, c *rec) bool
	fits  func(w *matchWorker, m, c *rec) (bool, error)
}

var oneNumberPasses = [...]oneNumber{
	{byCallee, sameCallee, func(w *matchWorker, m, c *rec) (bool, error) {
		return w.hidden(m, c, m.callerCode(), c.callerCode(), func(r wideRow) string { return r.caller })
	}},
	{byCaller, sameCaller, func(w *matchWorker, m, c *rec) (bool, error) {
		return w.hidden(m, c, m.calleeCode(), c.calleeCode(), func(r wideRow) string { return r.callee })
	}},
	{byCallee, sameCallee, func(_ *matchWorker, m, c *rec) (bool, error) {
		return differ(m.callerCode(), c.callerCode()), nil
	}},
	{byCaller, sameCaller, func(_ *matchWorker, m, c *rec) (bool, error) {
		return differ(m.calleeCode(), c.calleeCode()), nil
	}},
	{bySwapped, exchanged, func(*matchWorker, *rec, *rec) (bool, error) { return true, nil }},
}

const swappedPass = len(oneNumberPasses) - 1

func byCallee(k *keys, _ Side, r *rec) uint64 { return keyOfPlain(k, r.calleeCode()) }
func byCaller(k *keys, _ Side, r *rec) uint64 { return keyOfPlain(k, r.callerCode()) }

func sameCallee(m, c *rec) bool { return m.calleeCode() == c.calleeCode() }
func sameCaller(m, c *rec) bool { return m.callerCode() == c.callerCode() }
func exchanged(m, c *rec) bool {
	return m.callerCode() == c.calleeCode() && m.calleeCode() == c.callerCode()
}

func keyOfPlain(k *keys, code uint64) uint64 {
	if !plain(code) {
		return 0
	}
	return k.single(code) | 1
}

func bySwapped(k *keys, side Side, r *rec) uint64 {
	switch {
	case !r.plainPair():
		return 0
	case side == Microsoft:
		return k.pair(r.callerCode(), r.calleeCode()) | 1
	}
	return k.pair(r.calleeCode(), r.callerCode()) | 1
}

// differ reports whether two numbers are known and not the same.
func differ(a, b uint64) bool { return plain(a) && plain(b) && a != b }

// hidden reports whether one of two numbers is withheld, or masked and may be
// the other.
func (w *matchWorker) hidden(m, c *rec, a, b uint64, text func(wideRow) string) (bool, error) {
	if a == 0 || b == 0 {
		return true, nil
	}
	if plain(a) && plain(b) {
		return false, nil
	}
	mr, err := w.wide[Microsoft].get(m.ord)
	if err != nil {
		return false, err
	}
	cr, err := w.wide[Carrier].get(c.ord)
	if err != nil {
		return false, err
	}
	return maskedCompatible(numberOf(a, text(mr)), numberOf(b, text(cr))), nil
}

// matchOneNumber runs the sub-passes of pass 4 over the answered leftovers
// and returns what they leave.
func (r *run) matchOneNumber(ctx context.Context, left [2]*spill.Shuffle[rec]) ([2]*spill.Shuffle[rec], error) {
	for sub := range oneNumberPasses {
		if left[Microsoft].Total() == 0 || left[Carrier].Total() == 0 {
			return left, nil
		}
		next := r.leftovers()
		if err := r.subPass(ctx, sub, left, next); err != nil {
			return next, err
		}
		left = next
	}
	return left, nil
}

// leftovers returns empty lists of leftovers of both sides.
func (r *run) leftovers() (l [2]*spill.Shuffle[rec]) {
	for side := range l {
		l[side] = spill.NewShuffle[rec](r.budget, r.task.Scratch, 1, 64<<10)
		r.closers = append(r.closers, l[side])
	}
	return l
}

const subBits = 6

// subPass deals the leftovers out by key, then pairs partition by partition.
func (r *run) subPass(ctx context.Context, sub int, left, next [2]*spill.Shuffle[rec]) (err error) {
	near, err := r.neighbours(sub, left)
	if err != nil {
		return err
	}
	var dealt [2]*spill.Shuffle[rec]
	for side := range dealt {
		dealt[side] = spill.NewShuffle[rec](r.budget, r.task.Scratch, 1<<subBits, blockBytes)
		defer func() { err = errors.Join(err, dealt[side].Close()) }()
		if err := r.deal(Side(side), sub, left[side], dealt[side], next[side], near); err != nil {
			return err
		}
	}
	var part atomic.Int64
	return r.parallel(ctx, func(ctx context.Context, worker int) error {
		w := r.newMatchWorker(worker)
		s := subWorker{w: w, sub: sub, next: [2]*spill.Writer[rec]{next[0].Writer(), next[1].Writer()}}
		for {
			p := int(part.Add(1)) - 1
			if p >= 1<<subBits {
				return joinFirst([]error{w.closeWriters(), s.next[0].Close(), s.next[1].Close()})
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.partition(p, dealt); err != nil {
				return err
			}
		}
	})
}

// deal moves leftovers to partitions by key; those that cannot take part go
// straight to the next sub-pass.
func (r *run) deal(side Side, sub int, left, dealt, next *spill.Shuffle[rec], near *neighbours) error {
	out, past := dealt.Writer(), next.Writer()
	err := left.Each(0, func(cs []rec) error {
		for i := range cs {
			c := &cs[i]
			k := r.subKey(sub, side, c)
			if k == 0 || !near.meets(side, k, c.start) {
				past.Add(0, c)
			} else {
				out.Add(int(k>>(64-subBits)), c)
			}
		}
		return nil
	})
	return joinFirst([]error{err, out.Close(), past.Close(), left.Close()})
}

// subKey returns the key of a record in a sub-pass; 0 when it takes no part.
func (r *run) subKey(sub int, side Side, c *rec) uint64 {
	if !c.answered() {
		return 0
	}
	return oneNumberPasses[sub].code(r.keys, side, c)
}

// neighbours remembers which keys a side has about which time. A leftover
// without one on the other side need not be loaded: often that is nearly all.
type neighbours struct {
	sides [2]*filter
	width int64 // microseconds
}

func (r *run) neighbours(sub int, left [2]*spill.Shuffle[rec]) (*neighbours, error) {
	n := &neighbours{width: max(r.startTolerance, 1)}
	for side := range left {
		n.sides[side] = newFilter(left[side].Len(0))
		err := left[side].Each(0, func(cs []rec) error {
			for i := range cs {
				if k := r.subKey(sub, Side(side), &cs[i]); k != 0 {
					n.sides[side].add(mixKey(k + uint64(floorDiv(cs[i].start, n.width))))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

// meets reports whether the other side may have the key within the width.
func (n *neighbours) meets(side Side, key uint64, start int64) bool {
	at := key + uint64(floorDiv(start, n.width))
	other := n.sides[1-side]
	return other.has(mixKey(at-1)) || other.has(mixKey(at)) || other.has(mixKey(at+1))
}

// subWorker pairs in one sub-pass.
type subWorker struct {
	w    *matchWorker
	sub  int
	next [2]*spill.Writer[rec]
	// only holds, for each call of Microsoft's in a group, its only candidate,
	// none or many; count the candidates of each of the carrier's.
	only  []int32
	count []int32
}

const (
	none = -1
	many = -2
)

func (s *subWorker) partition(p int, dealt [2]*spill.Shuffle[rec]) (err error) {
	w := s.w
	keyOf := func(side Side) func(*rec) uint64 {
		return func(r *rec) uint64 { return oneNumberPasses[s.sub].code(w.r.keys, side, r) }
	}
	for side := range dealt {
		if w.loaded[side], err = dealt[side].Load(p, w.loaded[side][:0]); err != nil {
			return err
		}
		key := keyOf(Side(side))
		w.sorted[side], w.offsets = bucketSort(w.loaded[side], w.sorted[side], w.offsets, subBits, key, func(a, b *rec) int {
			if ka, kb := key(a), key(b); ka != kb {
				return less(ka < kb)
			}
			return compareTimes(a, b)
		})
	}
	return w.zip(keyOf(Microsoft), keyOf(Carrier), s.group)
}

// group pairs calls that are each other's only candidate.
func (s *subWorker) group(ms, cs []rec) error {
	s.only, s.count = slices.Grow(s.only[:0], len(ms))[:len(ms)], slices.Grow(s.count[:0], len(cs))[:len(cs)]
	clear(s.count)
	if err := s.candidates(ms, cs); err != nil {
		return err
	}
	paired := make([]bool, len(cs))
	flags := Flags(0)
	if s.sub == swappedPass {
		flags = Swapped
	}
	for i := range ms {
		c := s.only[i]
		if c < 0 || s.count[c] != 1 {
			s.next[Microsoft].Add(0, &ms[i])
			continue
		}
		paired[c] = true
		if err := s.w.judge(PassOneNumber, &ms[i], &cs[c], nil, flags); err != nil {
			return err
		}
	}
	for i := range cs {
		if !paired[i] {
			s.next[Carrier].Add(0, &cs[i])
		}
	}
	return nil
}

// candidates fills only and count.
func (s *subWorker) candidates(ms, cs []rec) error {
	window := s.w.r.task.Rules.StartTolerance.Microseconds()
	rule := &oneNumberPasses[s.sub]
	lo := 0
	for i := range ms {
		m := &ms[i]
		s.only[i] = none
		for lo < len(cs) && cs[lo].start < m.start-window {
			lo++
		}
		for j := lo; j < len(cs) && cs[j].start <= m.start+window; j++ {
			if !rule.equal(m, &cs[j]) || s.w.r.task.Rules.agree(m.dur, cs[j].dur) == disagree {
				continue
			}
			ok, err := rule.fits(s.w, m, &cs[j])
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			s.count[j]++
			if s.only[i] == none {
				s.only[i] = int32(j)
			} else {
				s.only[i] = many
			}
		}
	}
	return nil
}
