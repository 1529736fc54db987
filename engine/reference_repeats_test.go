package engine_test

import (
	"slices"
	"time"

	"concord/engine"
)

// business holds what makes two records of one side the same call.
type business struct {
	caller, callee    engine.Number
	start, durationMS int64
	correlationID     string
}

func (r *record) business() business {
	return business{r.Caller, r.Callee, r.Start, r.DurationMS, r.CorrelationID}
}

// keep applies section 1.3 to one side's records in the order received and
// returns those that stay.
func keep(records []*record) (kept []*record) {
	stays := map[string]*record{}
	seen := map[business]bool{}
	for _, r := range records {
		old := stays[r.RecordID]
		switch {
		case r.RecordID == "" && seen[r.business()]:
			r.takeOut(engine.Duplicate)
		case r.RecordID == "":
			seen[r.business()] = true
		case old == nil:
			stays[r.RecordID] = r
		case repeats(old, r):
			stays[r.RecordID] = r
		}
	}
	for _, r := range records {
		if !r.repeat {
			kept = append(kept, r)
		}
	}
	return kept
}

// repeats compares a later record with the one that stays so far, takes one
// of them out and reports whether the later one stays.
func repeats(old, later *record) bool {
	switch {
	case later.business() == old.business():
		later.takeOut(engine.Duplicate)
	case old.HasRevision && later.HasRevision && old.Revision > later.Revision:
		later.takeOut(engine.Superseded)
	case old.HasRevision && later.HasRevision && old.Revision < later.Revision:
		old.takeOut(engine.Superseded)
		return true
	case later.file == old.file:
		later.takeOut(engine.ConflictingDuplicate)
	default:
		old.takeOut(engine.Superseded)
		return true
	}
	return false
}

func (r *record) takeOut(class engine.Class) { r.class, r.repeat = class, true }

// clock returns the offset of the carrier's clock by section 2, and how many
// pairs of numbers it was measured on.
func clock(w *world, kept [2][]*record) (time.Duration, int64) {
	rules := w.rules
	if !rules.AutoOffset {
		return rules.ClockOffset, 0
	}
	differences := clockDifferences(w, kept)
	n := len(differences)
	if n < 50 {
		return 0, int64(n)
	}
	slices.Sort(differences)
	offset := wholeSecond(differences[(n-1)/2])
	near := 0
	for _, d := range differences {
		if abs(d-offset) <= rules.StartTolerance.Microseconds() {
			near++
		}
	}
	if near*100 < n*80 {
		return 0, int64(n)
	}
	return time.Duration(offset) * time.Microsecond, int64(n)
}

func clockDifferences(w *world, kept [2][]*record) (differences []int64) {
	reach := (w.rules.Margin + 14*time.Hour).Microseconds()
	type numbers struct{ caller, callee engine.Number }
	var calls [2]map[numbers][]*record
	for side := range kept {
		calls[side] = map[numbers][]*record{}
		for _, r := range kept[side] {
			if (!w.nearClock || w.near(r.Start, reach)) && r.answered() && !r.Caller.Withheld() && !r.Callee.Withheld() {
				key := numbers{r.Caller, r.Callee}
				calls[side][key] = append(calls[side][key], r)
			}
		}
	}
	for key, ms := range calls[engine.Microsoft] {
		if cs := calls[engine.Carrier][key]; len(ms) == 1 && len(cs) == 1 {
			differences = append(differences, cs[0].Start-ms[0].Start)
		}
	}
	return differences
}

// wholeSecond rounds microseconds to seconds, halves away from zero.
func wholeSecond(us int64) int64 {
	if us < 0 {
		return -wholeSecond(-us)
	}
	return (us + 500_000) / 1_000_000 * 1_000_000
}

func abs(x int64) int64 { return max(x, -x) }
