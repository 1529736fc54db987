package engine

import (
	"cmp"
	"context"
	"slices"

	"concord/engine/spill"
)

// splitPass finds the further segments of pairs whose carrier's record is
// short. It holds in memory only the short pairs and the leftovers that share
// an id or a pair of numbers with each other.
type splitPass struct {
	w     *matchWorker
	keys  *keys
	short []shortPair
	cands []rec
	used  []bool
	byID  pool // candidates by correlation id
	byNum pool // and by numbers
}

// matchSplits runs pass 3. What it leaves of the carrier's records goes to
// rest; what is not answered is of no further use to any pass.
func (r *run) matchSplits(ctx context.Context, rest *[2]*spill.Shuffle[rec]) error {
	w := r.newMatchWorker(0)
	s := &splitPass{w: w, keys: r.keys}
	if err := s.narrow(rest); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.index(); err != nil {
		return err
	}
	if err := s.visit(ctx); err != nil {
		return err
	}
	out := rest[Carrier].Writer()
	for i := range s.cands {
		if !s.used[i] {
			out.Add(0, &s.cands[i])
		}
	}
	return joinFirst([]error{out.Close(), w.closeWriters()})
}

// filter remembers keys, and now and then one that it was not told.
type filter struct {
	bits bitset
	mask uint64
}

func newFilter(n int) *filter {
	size := int64(1 << 16)
	for size < 16*int64(n) && size < 1<<27 {
		size *= 2
	}
	return &filter{newBitset(size), uint64(size - 1)}
}

func (f *filter) add(key uint64)      { f.bits.set(uint32(key >> 8 & f.mask)) }
func (f *filter) has(key uint64) bool { return f.bits.has(uint32(key >> 8 & f.mask)) }

// link calls fn with the keys by which a segment belongs to a first one.
func (s *splitPass) link(c *rec, fn func(key uint64) bool) bool {
	if c.corr != 0 && fn(c.corr) {
		return true
	}
	return c.plainPair() && fn(s.w.pairKey(c))
}

// narrow keeps the short pairs and leftovers that share a key. Other short
// pairs are judged, other leftovers sorted out to rest.
func (s *splitPass) narrow(rest *[2]*spill.Shuffle[rec]) error {
	r := s.w.r
	left, all := r.sides[Carrier].left, r.short
	if all.Len(0) == 0 {
		return s.sortOut(rest, newFilter(0))
	}
	leftKeys := newFilter(left.Len(0))
	err := left.Each(0, func(cs []rec) error {
		for i := range cs {
			if cs[i].answered() {
				s.link(&cs[i], func(k uint64) bool { leftKeys.add(k); return false })
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	shortKeys := newFilter(all.Len(0))
	err = all.Each(0, func(ps []shortPair) error {
		for i := range ps {
			p := &ps[i]
			if !s.link(&p.c, leftKeys.has) {
				if err := s.w.judge(Pass(p.pass), &p.m, &p.c, nil, 0); err != nil {
					return err
				}
				continue
			}
			s.short = append(s.short, *p)
			s.link(&p.c, func(k uint64) bool { shortKeys.add(k); return false })
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.sortOut(rest, shortKeys)
}

// sortOut moves the leftovers of both sides to rest, but for the candidates.
func (s *splitPass) sortOut(rest *[2]*spill.Shuffle[rec], shortKeys *filter) error {
	for side, d := range s.w.r.sides {
		out := rest[side].Writer()
		var own []rec
		err := d.left.Each(0, func(cs []rec) error {
			own = s.w.admit(Side(side), append(own[:0], cs...))
			for i := range own {
				c := &own[i]
				if Side(side) == Carrier && c.answered() && s.link(c, shortKeys.has) {
					s.cands = append(s.cands, *c)
					continue
				}
				out.Add(0, c)
			}
			return nil
		})
		if err := joinFirst([]error{err, out.Close(), d.left.Close()}); err != nil {
			return err
		}
	}
	return nil
}

// index sorts the candidates and the short pairs.
func (s *splitPass) index() error {
	slices.SortFunc(s.cands, func(a, b rec) int { return compareTimes(&a, &b) })
	if err := s.w.g.settleTies(Carrier, s.cands); err != nil {
		return err
	}
	s.used = make([]bool, len(s.cands))
	for i := range s.cands {
		c := &s.cands[i]
		if c.corr != 0 {
			s.byID.all = append(s.byID.all, candidate{c.corr, int32(i)})
		}
		if c.plainPair() {
			s.byNum.all = append(s.byNum.all, candidate{s.w.pairKey(c), int32(i)})
		}
	}
	s.byID.sort()
	s.byNum.sort()
	slices.SortFunc(s.short, func(a, b shortPair) int {
		return cmp.Or(cmp.Compare(a.m.start, b.m.start), cmp.Compare(a.m.ord, b.m.ord))
	})
	return s.settleShort()
}

// settleShort puts short pairs of equal start in the order of their record
// ids.
func (s *splitPass) settleShort() error {
	for i := 0; i < len(s.short); {
		n := 1
		for i+n < len(s.short) && s.short[i+n].m.start == s.short[i].m.start {
			n++
		}
		if n > 1 {
			if err := s.sortShort(s.short[i : i+n]); err != nil {
				return err
			}
		}
		i += n
	}
	return nil
}

func (s *splitPass) sortShort(ps []shortPair) error {
	ms := make([]rec, len(ps))
	byOrd := make(map[uint32]shortPair, len(ps))
	for i := range ps {
		ms[i] = ps[i].m
		byOrd[ps[i].m.ord] = ps[i]
	}
	if err := s.w.sortByID(Microsoft, ms); err != nil {
		return err
	}
	for i := range ms {
		ps[i] = byOrd[ms[i].ord]
	}
	return nil
}

// visit attaches segments to one short pair after the other.
func (s *splitPass) visit(ctx context.Context) error {
	r := s.w.r
	gap := r.task.Rules.SplitGap.Microseconds()
	var segments []rec
	for i := range s.short {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &s.short[i]
		segments = segments[:0]
		sum, end := p.c.dur, p.c.end()
		for sum-p.m.dur < -r.tolerance {
			k := s.nearest(&p.c, end, gap)
			if k < 0 {
				break
			}
			s.used[k] = true
			c := s.cands[k]
			if !(c.corr != 0 && c.corr == p.c.corr) && !sameNumbers(&c, &p.c) {
				return ErrCollision
			}
			segments = append(segments, c)
			sum, end = sum+c.dur, c.end()
		}
		if err := s.w.judge(Pass(p.pass), &p.m, &p.c, segments, 0); err != nil {
			return err
		}
	}
	return nil
}

// nearest returns the candidate that starts nearest to end, within the gap;
// -1 when there is none.
func (s *splitPass) nearest(first *rec, end, gap int64) int32 {
	best, distance := int32(-1), gap+1
	look := func(p *pool, key uint64) {
		i := p.nearest(s, key, end)
		if i < 0 {
			return
		}
		d := abs(s.cands[i].start - end)
		if d < distance || d == distance && i < best {
			best, distance = i, d
		}
	}
	if first.corr != 0 {
		look(&s.byID, first.corr)
	}
	if first.plainPair() {
		look(&s.byNum, s.w.pairKey(first))
	}
	return best
}
