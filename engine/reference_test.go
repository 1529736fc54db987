package engine_test

import (
	"cmp"
	"slices"
	"time"

	"concord/engine"
)

// A world is the input of one run, in memory.
type world struct {
	rules          engine.Rules
	from, to, asOf time.Time
	nearClock      bool       // calls far from the period do not show the clock
	assigned       *assigned  // nil: nothing is known of numbers
	sides          [2][][]row // by side, then file
}

// A row is one data row of a file; bad means that it cannot be read. Row
// numbers are positions, so Call.Row is filled in by whoever reads it.
type row struct {
	engine.Call
	bad bool
}

// A record is one readable row on its way through the reference.
type record struct {
	engine.Call
	side   engine.Side
	file   int
	at     int64 // start, a carrier's with the clock offset taken off
	class  engine.Class
	repeat bool // section 1 took it out; class says why
	pair   *pair
}

// A pair is one call that both sides know; the carrier may have cut it into
// several segments.
type pair struct {
	m        *record
	segments []*record
	pass     engine.Pass
}

func (p *pair) carrierMS() (sum int64) {
	for _, c := range p.segments {
		sum += c.DurationMS
	}
	return sum
}

func (r *record) answered() bool { return r.DurationMS > 0 }

// reference decides w by MATCHING.md, sentence after sentence and with no
// thought of speed. The real matcher is compared with it.
func reference(w *world) *answer {
	var all, kept [2][]*record
	for _, side := range []engine.Side{engine.Microsoft, engine.Carrier} {
		all[side] = load(w, side)
		kept[side] = keep(all[side])
	}
	a := &answer{}
	a.offset, a.offsetPairs = clock(w, kept)
	for _, c := range all[engine.Carrier] {
		c.at = c.Start - a.offset.Microseconds()
	}
	for side := range kept {
		kept[side] = slices.DeleteFunc(kept[side], func(r *record) bool { return !w.takesPart(r) })
		sortRecords(kept[side])
	}
	pairs := pairUp(w.rules, kept[engine.Microsoft], kept[engine.Carrier])
	judge(w, all, kept, pairs)
	a.fill(w, all, pairs)
	return a
}

func load(w *world, side engine.Side) (records []*record) {
	for f, rows := range w.sides[side] {
		for i, r := range rows {
			if r.bad {
				continue
			}
			rec := &record{Call: r.Call, side: side, file: f, at: r.Start}
			rec.Row = int64(i + 1)
			records = append(records, rec)
		}
	}
	return records
}

// sortRecords sorts as section 3 does.
func sortRecords(records []*record) { slices.SortFunc(records, compareRecords) }

func compareRecords(a, b *record) int {
	return cmp.Or(
		cmp.Compare(a.at, b.at),
		cmp.Compare(a.DurationMS, b.DurationMS),
		cmp.Compare(a.RecordID, b.RecordID),
		cmp.Compare(a.file, b.file),
		cmp.Compare(a.Row, b.Row),
	)
}

func (w *world) hasPeriod() bool { return !w.from.IsZero() || !w.to.IsZero() }

// inside reports whether a time in microseconds is in the period.
func (w *world) inside(at int64) bool { return w.near(at, 0) }

// takesPart reports whether a record is in the period or its margin.
func (w *world) takesPart(r *record) bool { return w.near(r.at, w.rules.Margin.Microseconds()) }

func (w *world) near(at, margin int64) bool {
	return !w.hasPeriod() || w.from.UnixMicro()-margin <= at && at < w.to.UnixMicro()+margin
}
