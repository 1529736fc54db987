package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// pairing is a call of Microsoft's and one of the carrier's, by their places
// in the lists that were assigned.
type pairing struct{ m, c int32 }

// maxCells bounds the states, a byte each, of one group of calls that are all
// within the window of each other. More is no group of calls but a field that
// holds a constant. It does not follow the memory budget: a run that succeeds
// under one budget does under every other.
const maxCells = 1 << 26

var errGroup = errors.New("too many calls that cannot be told apart")

// assigner computes assign and assign3 of MATCHING.md section 3. It holds
// buffers; it is not safe for concurrent use.
type assigner struct {
	pairs []pairing
	best  [2][]cost
	// choice holds, for each state of the dynamic program, what the walk
	// does there.
	choice []uint8
	lo, hi []int32
	at     []int
}

// cost is what an assignment of the ends of both lists achieves.
type cost struct {
	pairs  int32
	dt, dd int64 // Σ|dt| in microseconds, Σ|dd| in milliseconds
}

// better compares by most pairs, then least time, then least duration.
func (a *cost) better(b *cost) int {
	return cmp.Or(cmp.Compare(a.pairs, b.pairs), cmp.Compare(b.dt, a.dt), cmp.Compare(b.dd, a.dd))
}

// assign pairs two lists sorted by start, duration and so on. The result, in
// order, is valid until the next call.
func (a *assigner) assign(ms, cs []rec, window int64) ([]pairing, error) {
	a.pairs = a.pairs[:0]
	for i, j := 0, 0; i < len(ms) && j < len(cs); {
		switch {
		case cs[j].start < ms[i].start-window:
			j++
		case cs[j].start > ms[i].start+window:
			i++
		default:
			ni, nj := cut(ms, cs, i, j, window)
			if err := a.segment(ms, cs, i, ni, j, nj, window); err != nil {
				return nil, err
			}
			i, j = ni, nj
		}
	}
	return a.pairs, nil
}

// cut returns where the run of calls that begins at i and j ends: the next
// call of either list is further than the window from all before it.
func cut(ms, cs []rec, i, j int, window int64) (int, int) {
	last := min(ms[i].start, cs[j].start)
	for {
		m, c := int64(math.MaxInt64), int64(math.MaxInt64)
		if i < len(ms) {
			m = ms[i].start
		}
		if j < len(cs) {
			c = cs[j].start
		}
		first := min(m, c)
		if first == math.MaxInt64 || first-last > window {
			return i, j
		}
		last = first
		if m <= c {
			i++
		} else {
			j++
		}
	}
}

// segment assigns ms[i0:i1] and cs[j0:j1].
func (a *assigner) segment(ms, cs []rec, i0, i1, j0, j1 int, window int64) error {
	if i1-i0 == 1 && j1-j0 == 1 {
		a.pairs = append(a.pairs, pairing{int32(i0), int32(j0)})
		return nil
	}
	cells, err := a.band(ms[i0:i1], cs[j0:j1], window)
	if err != nil {
		return err
	}
	if cap(a.choice) < cells {
		a.choice = make([]uint8, cells)
	}
	a.choice = a.choice[:cells]
	a.solve(ms[i0:i1], cs[j0:j1], window)
	a.walk(i1-i0, i0, j0)
	return nil
}

// band finds, for each call of Microsoft's, the carrier's calls lo to hi-1
// that are not before its window and not beyond it. Only states (i, j) with
// lo <= j <= hi matter: before lo the carrier's head fits nothing that is
// left, and from hi on Microsoft's does.
func (a *assigner) band(ms, cs []rec, window int64) (cells int, err error) {
	a.lo, a.hi, a.at = a.lo[:0], a.hi[:0], a.at[:0]
	lo, hi := 0, 0
	for i := range ms {
		for lo < len(cs) && cs[lo].start < ms[i].start-window {
			lo++
		}
		hi = max(hi, lo)
		for hi < len(cs) && cs[hi].start <= ms[i].start+window {
			hi++
		}
		a.lo, a.hi, a.at = append(a.lo, int32(lo)), append(a.hi, int32(hi)), append(a.at, cells)
		cells += hi - lo + 1
		if cells > maxCells {
			return 0, fmt.Errorf("%w: %d calls of Microsoft's and %d of the carrier's share one id or one pair of numbers within the window; is the correlation id a constant?", errGroup, len(ms), len(cs))
		}
	}
	return cells, nil
}

const (
	takePair = iota
	dropM
	dropC
)

// solve fills choice from the end of the lists to their start.
func (a *assigner) solve(ms, cs []rec, window int64) {
	n := len(ms)
	next, row := a.best[0][:0], a.best[1][:0]
	for i := n - 1; i >= 0; i-- {
		lo, hi := int(a.lo[i]), int(a.hi[i])
		row = slices.Grow(row[:0], hi-lo+1)[:hi-lo+1]
		// below(j) is the best from (i+1, j) on.
		below := func(j int) cost {
			if i+1 == n {
				return cost{}
			}
			j = max(j, int(a.lo[i+1]))
			return next[j-int(a.lo[i+1])]
		}
		row[hi-lo] = below(hi)
		a.choice[a.at[i]+hi-lo] = dropM
		for j := hi - 1; j >= lo; j-- {
			row[j-lo], a.choice[a.at[i]+j-lo] = decide(&ms[i], &cs[j], below(j+1), below(j), row[j+1-lo])
		}
		next, row = row, next
	}
	a.best[0], a.best[1] = next, row
}

// decide returns the best of pairing both heads and of dropping either, and
// what the walk does: pair if that is as good as any, else drop the earlier
// head (the carrier's when their times are equal) if that is, else the other.
func decide(m, c *rec, afterPair, afterM, afterC cost) (cost, uint8) {
	pair := cost{afterPair.pairs + 1, afterPair.dt + abs(c.start-m.start), afterPair.dd + abs(c.dur-m.dur)}
	best := afterM
	if afterC.better(&best) > 0 {
		best = afterC
	}
	switch {
	case pair.better(&best) >= 0:
		return pair, takePair
	case c.start <= m.start:
		if afterC.better(&best) == 0 {
			return best, dropC
		}
		return best, dropM
	case afterM.better(&best) == 0:
		return best, dropM
	}
	return best, dropC
}

// walk appends the pairs of the solved segment.
func (a *assigner) walk(n, i0, j0 int) {
	j := 0
	for i := 0; i < n; {
		if lo := int(a.lo[i]); j < lo {
			j = lo
		}
		switch a.choice[a.at[i]+j-int(a.lo[i])] {
		case takePair:
			a.pairs = append(a.pairs, pairing{int32(i0 + i), int32(j0 + j)})
			i++
			j++
		case dropM:
			i++
		case dropC:
			j++
		}
	}
}

func abs(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}
