package engine

import "slices"

// caseRec is a case on its way to the report: a pair or one record.
type caseRec struct {
	m, c        rec
	class, pass uint8
	flags       uint8
	sides       uint8  // which of m and c are set: bit 0 and bit 1
	segments    uint32 // further segments, in run.segments by m.ord
}

const (
	hasMicrosoft = 1
	hasCarrier   = 2
)

// judge gives a pair, with the further segments of a split call, its verdict.
func (w *matchWorker) judge(pass Pass, m, c *rec, more []rec, flags Flags) error {
	r := w.r
	if err := w.noteTwin(c); err != nil {
		return err
	}
	sum := c.dur
	for i := range more {
		if err := w.noteTwin(&more[i]); err != nil {
			return err
		}
		sum += more[i].dur
	}
	if !r.period.has(m.start) {
		w.outside(Microsoft, m)
		w.outside(Carrier, c)
		for i := range more {
			w.outside(Carrier, &more[i])
		}
		return nil
	}
	agreed := r.task.Rules.agree(m.dur, sum)
	class := classify(pass, m, c, sum, agreed, len(more), r.startTolerance)
	w.t.pair(class, m, c, more, sum, agreed)
	if w.unassigned(m, c) {
		flags |= UnassignedNumber
		w.t.unassigned.add(m.dur)
	}
	if class.Discrepancy() || r.task.Verdicts {
		return w.logPair(class, pass, m, c, more, flags|w.flags(m, c, more))
	}
	return nil
}

// classify returns the first class of section 5 that fits.
func classify(pass Pass, m, c *rec, sum int64, agreed agreement, more int, startTolerance int64) Class {
	switch {
	case m.answered() != (sum > 0):
		return AnswerConflict
	case agreed == disagree && sum > m.dur:
		return DurationOver
	case agreed == disagree:
		return DurationUnder
	case numbersDiffer(m, c):
		return NumberMismatch
	case pass == PassID && abs(c.start-m.start) > startTolerance:
		return TimeMismatch
	case m.operator():
		return NotIndependent
	case more > 0:
		return MatchedSplit
	case agreed == agreeRounded:
		return MatchedRounding
	}
	return Matched
}

// numbersDiffer reports whether a number known on both sides differs.
func numbersDiffer(m, c *rec) bool {
	return differ(m.callerCode(), c.callerCode()) || differ(m.calleeCode(), c.calleeCode())
}

func (w *matchWorker) flags(m, c *rec, more []rec) (f Flags) {
	if w.r.period.has(m.start) != w.r.period.has(c.start) {
		f |= CutOff
	}
	if abs(c.start-m.start) > w.r.startTolerance {
		f |= TimeDiffers
	}
	if numbersDiffer(m, c) {
		f |= NumberDiffers
		if m.plainPair() && exchanged(m, c) {
			f |= Swapped
		}
	}
	if m.clockUntrusted() || c.clockUntrusted() || slices.ContainsFunc(more, func(s rec) bool { return s.clockUntrusted() }) {
		f |= ClockUntrusted
	}
	return f
}

func (w *matchWorker) logPair(class Class, pass Pass, m, c *rec, more []rec, flags Flags) error {
	if len(more) > 0 {
		w.r.segmentsMu.Lock()
		w.r.segments[m.ord] = slices.Clone(more)
		w.r.segmentsMu.Unlock()
	}
	w.write(&caseRec{m: *m, c: *c, class: uint8(class), pass: uint8(pass), flags: uint8(flags),
		sides: hasMicrosoft | hasCarrier, segments: uint32(len(more))})
	return nil
}

// single gives one record its verdict.
func (w *matchWorker) single(class Class, side Side, c *rec) {
	if !w.r.period.has(c.start) {
		w.outside(side, c)
		return
	}
	w.t.single(class, side, c)
	var flags Flags
	if w.unassigned(c, nil) {
		flags = UnassignedNumber
		if !class.repeat() {
			w.t.unassigned.add(c.dur)
		}
	}
	if class.Discrepancy() || w.r.task.Verdicts {
		w.logSingle(class, side, c, flags)
	}
}

// outside counts a record that belongs to a neighbouring run.
func (w *matchWorker) outside(side Side, c *rec) {
	w.t.classes[side][OutsidePeriod].add(c.dur)
	if w.r.task.Verdicts {
		w.logSingle(OutsidePeriod, side, c, 0)
	}
}

func (w *matchWorker) logSingle(class Class, side Side, c *rec, flags Flags) {
	if c.clockUntrusted() {
		flags |= ClockUntrusted
	}
	k := caseRec{class: uint8(class), flags: uint8(flags), sides: hasMicrosoft}
	if side == Microsoft {
		k.m = *c
	} else {
		k.c, k.sides = *c, hasCarrier
	}
	w.write(&k)
}

// write adds a case to the log, near to others of its part of the file, so
// that their details are read together.
func (w *matchWorker) write(k *caseRec) {
	side, ord := Microsoft, k.m.ord
	if k.sides&hasMicrosoft == 0 {
		side, ord = Carrier, k.c.ord
	}
	w.log.Add(int(int64(ord)*logParts/max(w.r.sides[side].rows, 1)), k)
}

// logParts is how many parts of the files the log of cases is dealt out to.
const logParts = 256
