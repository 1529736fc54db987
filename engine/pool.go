package engine

import (
	"cmp"
	"slices"
)

// pool is the candidates that may go on with a call, in sort order. Many may
// be taken, by this pool or another, so it steps over those it found taken
// before all at once: a carrier's file may hold a million pieces of one call.
type pool struct {
	cands []int32 // places in splitPass.cands
	// up and down hold how far to go from a taken candidate, 0 when that has
	// not been asked yet.
	up, down []int32
}

func addTo[K comparable](pools map[K]*pool, k K, cand int32) {
	p := pools[k]
	if p == nil {
		p = new(pool)
		pools[k] = p
	}
	p.cands = append(p.cands, cand)
}

// nearest returns the free candidate that starts nearest to a time, of equally
// near ones the first in sort order; -1 when there is none.
func (p *pool) nearest(s *splitPass, at int64) int32 {
	if p.up == nil {
		p.up, p.down = make([]int32, len(p.cands)), make([]int32, len(p.cands))
	}
	later := p.since(s, at)
	before, after := p.free(s, p.down, later-1, -1), p.free(s, p.up, later, 1)
	if before >= 0 {
		// The first of those that start with it.
		before = p.free(s, p.up, p.since(s, p.start(s, before)), 1)
	}
	switch {
	case before < 0 && after == len(p.cands):
		return -1
	case before < 0:
		return p.cands[after]
	case after == len(p.cands) || at-p.start(s, before) <= p.start(s, after)-at:
		return p.cands[before]
	}
	return p.cands[after]
}

func (p *pool) start(s *splitPass, i int) int64 { return s.cands[p.cands[i]].start }

// since returns the first place that does not start before a time.
func (p *pool) since(s *splitPass, at int64) int {
	i, _ := slices.BinarySearchFunc(p.cands, at, func(c int32, t int64) int { return cmp.Compare(s.cands[c].start, t) })
	return i
}

// free returns the first free place from i on, in steps of 1 or -1, or the
// place past the end. jumps are up or down.
func (p *pool) free(s *splitPass, jumps []int32, i int, step int32) int {
	end := i
	for end >= 0 && end < len(p.cands) && s.used[p.cands[end]] {
		if jumps[end] == 0 {
			jumps[end] = step
		}
		end += int(jumps[end])
	}
	for i != end {
		next := i + int(jumps[i])
		jumps[i] = int32(end - i)
		i = next
	}
	return end
}
