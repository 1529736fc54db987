package engine_test

import (
	"cmp"
	"iter"
	"slices"

	"pgregory.net/rapid"

	"concord/engine"
	"concord/engine/numbers"
)

// assigned is what is known of numbers: assignments, and when the first listing
// of each source was.
type assigned struct {
	rows    []numbers.Assignment
	sources map[string]int64
}

// holders is what the engine asks.
func (a *assigned) holders(w *world) *numbers.Holders {
	window := numbers.Window{From: engine.MinStart, To: engine.MaxStart, Sources: a.sources}
	if w.hasPeriod() {
		window.From, window.To = w.from.UnixMicro(), w.to.UnixMicro()
	}
	rows := slices.Clone(a.rows)
	slices.SortFunc(rows, func(x, y numbers.Assignment) int {
		return cmp.Or(x.Line.Compare(y.Line), cmp.Compare(x.Source, y.Source), cmp.Compare(x.From, y.From))
	})
	h := numbers.NewHolders(window.Begin())
	for t := range numbers.Tenures(sequenceOf(rows), window) {
		h.Add(t)
	}
	return h
}

func sequenceOf(rows []numbers.Assignment) iter.Seq2[numbers.Assignment, error] {
	return func(yield func(numbers.Assignment, error) bool) {
		for _, a := range rows {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// surely reports whether it is known that a number was not assigned at a time.
// It walks all assignments.
func (a *assigned) surely(digits uint64, at int64) bool {
	known := false // some source had a listing by then, or had the number and has it no more
	for _, first := range a.sources {
		known = known || first <= at
	}
	for i, r := range a.rows {
		if r.Digits != digits {
			continue
		}
		switch {
		case r.From <= at && at < r.To:
			return false
		case r.To <= at:
			known = true
		case a.inFirstListing(i): // it may have been there before
			return false
		}
	}
	return known
}

// inFirstListing reports whether a row is the first of its line, and was there
// when its source was first heard of.
func (a *assigned) inFirstListing(i int) bool {
	r := a.rows[i]
	for _, o := range a.rows {
		if o.Line == r.Line && o.Source == r.Source && o.From < r.From {
			return false
		}
	}
	return r.From <= a.sources[r.Source]
}

// onUnassigned reports whether a call was on a number that was not assigned when
// it began.
func (w *world) onUnassigned(r *record) bool {
	if w.assigned == nil {
		return false
	}
	caller, callee, direction := r.Caller, r.Callee, r.Direction
	if r.pair != nil {
		c := r.pair.segments[0]
		if caller.E164Digits() == 0 {
			caller = c.Caller
		}
		if callee.E164Digits() == 0 {
			callee = c.Callee
		}
		if direction == engine.DirectionUnknown {
			direction = c.Direction
		}
	}
	not := func(n engine.Number) bool { return n.E164Digits() != 0 && w.assigned.surely(n.E164Digits(), r.at) }
	switch direction {
	case engine.In:
		return not(callee)
	case engine.Out:
		return not(caller)
	}
	return not(caller) && not(callee)
}

// fillUnassigned counts calls, not records: a pair is one call, and what repeats
// another record is none.
func (a *answer) fillUnassigned(w *world, all [2][]*record) {
	for side := range all {
		for _, r := range all[side] {
			segment := r.pair != nil && r.side == engine.Carrier
			again := r.class == engine.Duplicate || r.class == engine.ConflictingDuplicate || r.class == engine.Superseded
			if !segment && !again && r.class != engine.OutsidePeriod && w.onUnassigned(r) {
				add(&a.unassigned, r.DurationMS)
			}
		}
	}
}

// drawAssigned draws assignments of the numbers in a world that change while
// its calls go on.
func drawAssigned(t *rapid.T, w *world) {
	var digits []uint64
	lo, hi := int64(engine.MaxStart), int64(engine.MinStart)
	for _, files := range w.sides {
		for _, rows := range files {
			for _, r := range rows {
				for _, n := range []engine.Number{r.Caller, r.Callee} {
					if d := n.E164Digits(); d != 0 && !slices.Contains(digits, d) {
						digits = append(digits, d)
					}
				}
				lo, hi = min(lo, r.Start), max(hi, r.Start)
			}
		}
	}
	if len(digits) == 0 {
		return
	}
	at := func(label string) int64 { return rapid.Int64Range(lo-2_000_000, hi+2_000_000).Draw(t, label) }
	w.assigned = &assigned{sources: map[string]int64{"a": at("first of a")}}
	if once(t, "two sources", 3) {
		w.assigned.sources["b"] = at("first of b")
	}
	for _, d := range digits {
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			drawLine(t, w.assigned, d, at)
		}
	}
}

// drawLine draws what one source says of one line.
func drawLine(t *rapid.T, a *assigned, digits uint64, at func(string) int64) {
	line := numbers.Assignment{Line: numbers.Line{Digits: digits, Ext: pick(t, "ext", []string{"", "", "1"})}, Source: "a"}
	if _, two := a.sources["b"]; two {
		line.Source = pick(t, "source", []string{"a", "b"})
	}
	if slices.ContainsFunc(a.rows, func(r numbers.Assignment) bool { return r.Line == line.Line && r.Source == line.Source }) {
		return
	}
	from := at("from")
	if once(t, "in the first listing", 2) {
		from = a.sources[line.Source]
	}
	for range rapid.IntRange(1, 3).Draw(t, "times") {
		line.From, line.To = from, from+rapid.Int64Range(1, 400_000_000).Draw(t, "length")
		if once(t, "open", 3) {
			line.To = numbers.Open
		}
		a.rows = append(a.rows, line)
		if line.To == numbers.Open {
			return
		}
		from = line.To + rapid.Int64Range(0, 100_000_000).Draw(t, "gap")
	}
}
