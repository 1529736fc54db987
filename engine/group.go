package engine

import (
	"cmp"
	"slices"
)

// grouper pairs the calls of one group after the other, with buffers of its
// own.
type grouper struct {
	assigner
	w       *matchWorker
	mLists  [2][]rec // unanswered, answered
	cLists  [2][]rec
	mLeft   []rec
	cLeft   []rec
	mPaired []bool
	cPaired []bool
}

// assign3 pairs the answered of both lists, then the unanswered, then what is
// left, and hands every pair and every leftover on. The lists are sorted.
func (g *grouper) assign3(ms, cs []rec, window int64, pass Pass) error {
	if len(ms) == 1 && len(cs) == 1 {
		if abs(ms[0].start-cs[0].start) <= window {
			return g.w.pair(pass, &ms[0], &cs[0])
		}
		g.w.leftover(pass, Microsoft, &ms[0])
		g.w.leftover(pass, Carrier, &cs[0])
		return nil
	}
	if err := g.settleTies(Microsoft, ms); err != nil {
		return err
	}
	if err := g.settleTies(Carrier, cs); err != nil {
		return err
	}
	split(ms, &g.mLists)
	split(cs, &g.cLists)
	g.mLeft, g.cLeft = g.mLeft[:0], g.cLeft[:0]
	for answered := 1; answered >= 0; answered-- {
		if err := g.step(g.mLists[answered], g.cLists[answered], window, pass, true); err != nil {
			return err
		}
	}
	if len(g.mLeft) == 0 || len(g.cLeft) == 0 {
		g.handLeft(g.mLeft, g.cLeft, pass)
		return nil
	}
	// What is left came from two lists that were in order each.
	if err := g.sortLeft(); err != nil {
		return err
	}
	return g.step(g.mLeft, g.cLeft, window, pass, false)
}

func split(all []rec, lists *[2][]rec) {
	lists[0], lists[1] = lists[0][:0], lists[1][:0]
	for i := range all {
		k := 0
		if all[i].answered() {
			k = 1
		}
		lists[k] = append(lists[k], all[i])
	}
}

// step assigns two lists; leftovers are kept for the last step, or handed on.
func (g *grouper) step(ms, cs []rec, window int64, pass Pass, keep bool) error {
	pairs, err := g.assign(ms, cs, window)
	if err != nil {
		return err
	}
	g.mPaired, g.cPaired = flags(g.mPaired, len(ms)), flags(g.cPaired, len(cs))
	for _, p := range pairs {
		g.mPaired[p.m], g.cPaired[p.c] = true, true
		if err := g.w.pair(pass, &ms[p.m], &cs[p.c]); err != nil {
			return err
		}
	}
	for i := range ms {
		if !g.mPaired[i] {
			g.left(Microsoft, &ms[i], pass, keep)
		}
	}
	for i := range cs {
		if !g.cPaired[i] {
			g.left(Carrier, &cs[i], pass, keep)
		}
	}
	return nil
}

func (g *grouper) left(side Side, r *rec, pass Pass, keep bool) {
	switch {
	case !keep:
		g.w.leftover(pass, side, r)
	case side == Microsoft:
		g.mLeft = append(g.mLeft, *r)
	default:
		g.cLeft = append(g.cLeft, *r)
	}
}

func (g *grouper) handLeft(ms, cs []rec, pass Pass) {
	for i := range ms {
		g.w.leftover(pass, Microsoft, &ms[i])
	}
	for i := range cs {
		g.w.leftover(pass, Carrier, &cs[i])
	}
}

func flags(b []bool, n int) []bool {
	b = slices.Grow(b[:0], n)[:n]
	clear(b)
	return b
}

// compareTimes orders by start and duration.
func compareTimes(a, b *rec) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.dur, b.dur))
}

// sortLeft brings the two leftover lists back in order.
func (g *grouper) sortLeft() error {
	for side, left := range [][]rec{g.mLeft, g.cLeft} {
		slices.SortStableFunc(left, func(a, b rec) int { return compareTimes(&a, &b) })
		if err := g.settleTies(Side(side), left); err != nil {
			return err
		}
	}
	return nil
}

// settleTies puts records of equal start and duration in the order of their
// record ids, then of their rows. The list is sorted but for that.
func (g *grouper) settleTies(side Side, all []rec) error {
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && compareTimes(&all[i], &all[i+n]) == 0 {
			n++
		}
		if n > 1 {
			if err := g.w.sortByID(side, all[i:i+n]); err != nil {
				return err
			}
		}
		i += n
	}
	return nil
}
