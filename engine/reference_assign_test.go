package engine_test

import (
	"cmp"
	"testing"

	"pgregory.net/rapid"
)

// cost is what assign minimises, part by part: records left unpaired stand
// for "the most pairs".
type cost struct{ pairs, dt, dd int64 }

// better orders costs: more pairs, then less time, then less duration.
func better(a, b cost) bool {
	return cmp.Or(cmp.Compare(b.pairs, a.pairs), cmp.Compare(a.dt, b.dt), cmp.Compare(a.dd, b.dd)) < 0
}

func (a cost) plus(b cost) cost { return cost{a.pairs + b.pairs, a.dt + b.dt, a.dd + b.dd} }

func pairCost(m, c *record) cost { return cost{1, abs(c.at - m.at), abs(c.DurationMS - m.DurationMS)} }

// assignment finds the best cost of every pair of suffixes of two sorted
// lists.
type assignment struct {
	ms, cs []*record
	window int64 // microseconds
	memo   map[[2]int]cost
}

func (a *assignment) allowed(i, j int) bool { return abs(a.cs[j].at-a.ms[i].at) <= a.window }

func (a *assignment) best(i, j int) cost {
	if i == len(a.ms) || j == len(a.cs) {
		return cost{}
	}
	if known, ok := a.memo[[2]int{i, j}]; ok {
		return known
	}
	best := a.best(i+1, j)
	if other := a.best(i, j+1); better(other, best) {
		best = other
	}
	if a.allowed(i, j) {
		if paired := a.pairHeads(i, j); better(paired, best) {
			best = paired
		}
	}
	a.memo[[2]int{i, j}] = best
	return best
}

func (a *assignment) pairHeads(i, j int) cost {
	return pairCost(a.ms[i], a.cs[j]).plus(a.best(i+1, j+1))
}

// assign is the primitive of section 3. Both lists are sorted.
func assign(ms, cs []*record, window int64) (pairs [][2]*record) {
	a := &assignment{ms, cs, window, map[[2]int]cost{}}
	i, j := 0, 0
	for i < len(ms) && j < len(cs) {
		carrierFirst := cs[j].at <= ms[i].at
		switch best := a.best(i, j); {
		case a.allowed(i, j) && a.pairHeads(i, j) == best:
			pairs = append(pairs, [2]*record{ms[i], cs[j]})
			i, j = i+1, j+1
		case carrierFirst && a.best(i, j+1) == best:
			j++
		case !carrierFirst && a.best(i+1, j) == best:
			i++
		case carrierFirst:
			i++
		default:
			j++
		}
	}
	return pairs
}

// everyAssignment calls yield with every order-preserving assignment there is.
func everyAssignment(ms, cs []*record, window int64, chosen [][2]*record, yield func([][2]*record)) {
	if len(ms) == 0 {
		yield(chosen)
		return
	}
	everyAssignment(ms[1:], cs, window, chosen, yield)
	for j, c := range cs {
		if abs(c.at-ms[0].at) <= window {
			everyAssignment(ms[1:], cs[j+1:], window, append(chosen[:len(chosen):len(chosen)], [2]*record{ms[0], c}), yield)
		}
	}
}

func total(pairs [][2]*record) (sum cost) {
	for _, p := range pairs {
		sum = sum.plus(pairCost(p[0], p[1]))
	}
	return sum
}

// preferred reports whether the canonical walk takes a before b, both being
// best: at the first place where they differ, it pairs the two heads, else
// drops the earlier one.
func preferred(ms, cs []*record, a, b [][2]*record) bool {
	if len(a) == 0 || len(b) == 0 || len(ms) == 0 || len(cs) == 0 {
		return false
	}
	paired := func(pairs [][2]*record) bool { return pairs[0] == [2]*record{ms[0], cs[0]} }
	if paired(a) != paired(b) {
		return paired(a)
	}
	if paired(a) {
		return preferred(ms[1:], cs[1:], a[1:], b[1:])
	}
	dropsC := func(pairs [][2]*record) bool { return pairs[0][1] != cs[0] }
	dropsM := func(pairs [][2]*record) bool { return pairs[0][0] != ms[0] }
	first, rest := dropsM, [2][]*record{ms[1:], cs}
	other := [2][]*record{ms, cs[1:]}
	if cs[0].at <= ms[0].at {
		first, rest, other = dropsC, other, rest
	}
	switch {
	case first(a) && first(b):
		return preferred(rest[0], rest[1], a, b)
	case !first(a) && !first(b):
		return preferred(other[0], other[1], a, b)
	}
	return first(a)
}

// The reference's own assign is checked against all assignments there are.
func TestReferenceAssignIsBestOfAll(t *testing.T) {
	check(t, 10_000, func(rt *rapid.T) {
		ms, cs := drawList(rt, "m"), drawList(rt, "c")
		window := rapid.Int64Range(0, 6).Draw(rt, "window")
		var want [][2]*record
		everyAssignment(ms, cs, window, nil, func(pairs [][2]*record) {
			switch now, best := total(pairs), total(want); {
			case better(now, best), now == best && preferred(ms, cs, pairs, want):
				want = pairs
			}
		})
		got := assign(ms, cs, window)
		if len(got) != len(want) {
			rt.Fatalf("assign made %d pairs, the best is %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				rt.Fatalf("pair %d of assign is not the canonical one", i)
			}
		}
	})
}

func drawList(rt *rapid.T, label string) (list []*record) {
	for range rapid.IntRange(0, 5).Draw(rt, label) {
		r := &record{}
		r.at = rapid.Int64Range(0, 12).Draw(rt, "at")
		r.DurationMS = rapid.Int64Range(0, 3).Draw(rt, "duration")
		r.Row = int64(len(list))
		list = append(list, r)
	}
	sortRecords(list)
	return list
}
