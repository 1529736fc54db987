package engine_test

import (
	"concord/engine"
)

// bill is R(x) of section 4, in milliseconds.
func bill(r engine.Rounding, x int64) int64 {
	if x == 0 {
		return 0
	}
	if x <= r.First {
		switch {
		case r.Mode == engine.RoundUp, r.Mode == engine.RoundNearest && 2*x >= r.First, x == r.First:
			return r.First
		}
		return 0
	}
	billed := r.First
	for rest := x - r.First; rest > 0; rest -= r.Next {
		switch {
		case r.Mode == engine.RoundUp, r.Mode == engine.RoundNearest && 2*rest >= r.Next, rest >= r.Next:
			billed += r.Next
		}
	}
	return billed
}

// agree says how two durations agree: within, rounding, or not at all ("").
func agree(rules engine.Rules, m, c int64) string {
	tolerance := rules.DurationTolerance.Milliseconds()
	r := rules.Rounding
	switch {
	case abs(c-m) <= tolerance:
		return "within"
	case isBilled(r, m, c, tolerance):
		return "rounding"
	}
	return ""
}

func isBilled(r engine.Rounding, m, c, tolerance int64) bool {
	return r.Set() && bill(r, c) == c && bill(r, max(m-tolerance, 0)) <= c && c <= bill(r, m+tolerance)
}

// roundedBy is what the agreed rounding makes of a pair that agrees by it, of
// whatever class inside the period it is.
func roundedBy(rules engine.Rules, p *pair) int64 {
	switch p.m.class {
	case engine.OutsidePeriod, engine.AnswerConflict:
		return 0
	}
	if !isBilled(rules.Rounding, p.m.DurationMS, p.carrierMS(), rules.DurationTolerance.Milliseconds()) {
		return 0
	}
	return p.carrierMS() - p.m.DurationMS
}

// judge gives every record its class by sections 5 and 6.
func judge(w *world, all, kept [2][]*record, pairs []*pair) {
	for _, p := range pairs {
		class := pairClass(w.rules, p)
		if !w.inside(p.m.at) {
			class = engine.OutsidePeriod
		}
		p.m.class = class
		for _, c := range p.segments {
			c.class = class
		}
	}
	for side := range kept {
		for i, r := range kept[side] {
			if r.pair == nil {
				r.class = unpairedClass(w, r, kept[side], i)
			}
		}
	}
	for side := range all {
		for _, r := range all[side] {
			if r.pair == nil && !w.inside(r.at) {
				r.class = engine.OutsidePeriod
			}
		}
	}
}

func pairClass(rules engine.Rules, p *pair) engine.Class {
	m, c := p.m, p.segments[0]
	dd := p.carrierMS() - m.DurationMS
	why := agree(rules, m.DurationMS, p.carrierMS())
	switch {
	case m.answered() != (p.carrierMS() > 0):
		return engine.AnswerConflict
	case why == "" && dd > 0:
		return engine.DurationOver
	case why == "":
		return engine.DurationUnder
	case differ(m.Caller, c.Caller) || differ(m.Callee, c.Callee):
		return engine.NumberMismatch
	case farApart(rules, p):
		return engine.TimeMismatch
	case m.Source == engine.SourceOperator:
		return engine.NotIndependent
	case len(p.segments) > 1:
		return engine.MatchedSplit
	case why == "rounding":
		return engine.MatchedRounding
	}
	return engine.Matched
}

func farApart(rules engine.Rules, p *pair) bool {
	return abs(p.segments[0].at-p.m.at) > rules.StartTolerance.Microseconds()
}

// unpairedClass judges one left-over record, the i-th of its sorted side.
func unpairedClass(w *world, r *record, side []*record, i int) engine.Class {
	late := r.at + r.DurationMS*1000 + w.rules.LateWindow.Microseconds()
	switch {
	case r.side == engine.Carrier && leftoverDuplicate(r, side, i):
		return engine.Duplicate
	case !r.answered():
		return engine.UnansweredOneSided
	case !w.asOf.IsZero() && w.asOf.UnixMicro() < late:
		return engine.PendingLate
	case r.side == engine.Microsoft:
		return engine.MissingAtCarrier
	}
	return engine.MissingAtMicrosoft
}

// leftoverDuplicate reports whether a carrier's record says again what
// another one says that is paired, or left over and earlier.
func leftoverDuplicate(c *record, side []*record, i int) bool {
	for j, o := range side {
		if o != c && (o.pair != nil || j < i) && o.Start == c.Start && o.DurationMS == c.DurationMS &&
			numberKey(c) != "" && numberKey(o) == numberKey(c) {
			return true
		}
	}
	return false
}

// caseFlags are the flags of a pair.
func caseFlags(w *world, p *pair) (f engine.Flags) {
	m, c := p.m, p.segments[0]
	if w.inside(m.at) != w.inside(c.at) {
		f |= engine.CutOff
	}
	if farApart(w.rules, p) {
		f |= engine.TimeDiffers
	}
	if differ(m.Caller, c.Caller) || differ(m.Callee, c.Callee) {
		f |= engine.NumberDiffers
		if swapped(m, c) {
			f |= engine.Swapped
		}
	}
	untrusted := m.ClockUntrusted
	for _, s := range p.segments {
		untrusted = untrusted || s.ClockUntrusted
	}
	if untrusted {
		f |= engine.ClockUntrusted
	}
	if w.onUnassigned(m) {
		f |= engine.UnassignedNumber
	}
	return f
}
