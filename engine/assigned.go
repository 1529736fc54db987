package engine

import "fmt"

// Assignments knows which numbers were assigned to the carrier, and when. It
// may be asked by several goroutines at once, and answers the same whenever it
// is asked.
type Assignments interface {
	// Unassigned reports whether it is known that a number, the digits of its
	// E.164 form, was not assigned to the carrier at a time, in microseconds
	// since 1970. What is not known is not unassigned.
	Unassigned(digits uint64, at int64) bool
}

// e164 returns the digits of a code that is an E.164 number, else 0.
func e164(code uint64) uint64 {
	if code>>tagShift != tagE164 {
		return 0
	}
	return code
}

// unassigned reports whether a call was on a number that was not assigned to
// the carrier when the call began: section 8 of MATCHING.md. c, the other
// side's record of it, may be nil.
func (w *matchWorker) unassigned(m, c *rec) bool {
	if w.r.task.Assignments == nil {
		return false
	}
	caller, callee, direction := e164(m.callerCode()), e164(m.calleeCode()), w.r.direction(m.dim)
	if c != nil {
		if caller == 0 {
			caller = e164(c.callerCode())
		}
		if callee == 0 {
			callee = e164(c.calleeCode())
		}
		if direction == DirectionUnknown {
			direction = w.r.direction(c.dim)
		}
	}
	switch direction {
	case In:
		return w.notOurs(callee, m.start)
	case Out:
		return w.notOurs(caller, m.start)
	}
	return w.notOurs(caller, m.start) && w.notOurs(callee, m.start)
}

func (w *matchWorker) notOurs(digits uint64, at int64) bool {
	return digits != 0 && w.r.task.Assignments.Unassigned(digits, at)
}

// direction returns the direction of a dimension.
func (r *run) direction(dim uint32) Direction {
	return Direction(r.dims[dim>>dimBits].all[dim&(maxDims-1)].rest & 3)
}

// findUnassigned has a person know of calls on numbers of nobody, most of which
// may match and be no discrepancy.
func (res *Result) findUnassigned() {
	t := &res.summary.Unassigned
	for _, w := range res.r.tallies {
		t.merge(w.unassigned)
	}
	if t.Records == 0 {
		return
	}
	text := fmt.Sprintf("%d calls (%s minutes) were on numbers that were not assigned to %s when the calls began: check who uses these numbers, and whether their calls are to be paid",
		t.Records, minutes(t.MS), res.r.task.Carrier)
	if t.Records == 1 {
		text = fmt.Sprintf("1 call (%s minutes) was on a number that was not assigned to %s when it began: check who uses it, and whether its call is to be paid",
			minutes(t.MS), res.r.task.Carrier)
	}
	res.summary.Findings = append(res.summary.Findings, Finding{Code: "unassigned_number", Text: text, Calls: *t})
}

// minutes writes milliseconds as minutes with one decimal, halves going up.
func minutes(ms int64) string {
	tenths := (ms + 3000) / 6000
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
