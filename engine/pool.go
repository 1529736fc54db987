package engine

import (
	"cmp"
	"slices"
	"sort"
)

// candidate is a place in splitPass.cands under one key.
type candidate struct {
	key uint64
	at  int32
}

// pool is the candidates that may go on with a call, by key and then in sort
// order. Many may be taken, by this pool or another, so it steps over those
// it found taken before all at once: a carrier's file may hold a million
// pieces of one call.
type pool struct {
	all []candidate
	// up and down hold how far to go from a taken candidate, 0 when that has
	// not been asked yet.
	up, down []int32
}

// sort ends adding.
func (p *pool) sort() {
	slices.SortFunc(p.all, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at)) })
	p.up, p.down = make([]int32, len(p.all)), make([]int32, len(p.all))
}

// nearest returns the free candidate of a key that starts nearest to a time,
// of equally near ones the first in sort order; -1 when there is none.
func (p *pool) nearest(s *splitPass, key uint64, at int64) int32 {
	later := p.since(s, key, at)
	before, after := p.free(s, p.down, key, later-1, -1), p.free(s, p.up, key, later, 1)
	if !p.has(before, key) && !p.has(after, key) {
		return -1
	}
	if !p.has(before, key) || p.has(after, key) && p.start(s, after)-at < at-p.start(s, before) {
		return p.all[after].at
	}
	// The first of those that start with it.
	return p.all[p.free(s, p.up, key, p.since(s, key, p.start(s, before)), 1)].at
}

func (p *pool) has(i int, key uint64) bool { return i >= 0 && i < len(p.all) && p.all[i].key == key }

func (p *pool) start(s *splitPass, i int) int64 { return s.cands[p.all[i].at].start }

// since returns the first place of a key that does not start before a time.
func (p *pool) since(s *splitPass, key uint64, at int64) int {
	return sort.Search(len(p.all), func(i int) bool {
		return p.all[i].key > key || p.all[i].key == key && p.start(s, i) >= at
	})
}

// free returns the first free place of a key from i on, in steps of 1 or -1,
// or the place past its last. jumps are up or down.
func (p *pool) free(s *splitPass, jumps []int32, key uint64, i int, step int32) int {
	end := i
	for p.has(end, key) && s.used[p.all[end].at] {
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
