package engine

import (
	"context"
	"slices"

	"concord/engine/spill"
)

// twin identifies calls of the carrier's that say the same.
type twin struct {
	caller, callee uint64
	start, dur     int64
}

func twinOf(c *rec) twin {
	return twin{c.callerCode(), c.calleeCode(), c.start, c.dur}
}

// judgeLeft gives the records that no pass has paired their verdicts.
func (r *run) judgeLeft(ctx context.Context, left [2]*spill.Shuffle[rec]) error {
	w := r.newMatchWorker(0)
	err := left[Microsoft].Each(0, func(ms []rec) error {
		for i := range ms {
			w.unpaired(Microsoft, &ms[i], MissingAtCarrier)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	var twins []rec
	err = left[Carrier].Each(0, func(cs []rec) error {
		for i := range cs {
			c := &cs[i]
			if c.plainPair() && r.sides[Carrier].twins.has(c.ord) {
				twins = append(twins, *c)
				continue
			}
			w.unpaired(Carrier, c, MissingAtMicrosoft)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := w.judgeTwins(twins); err != nil {
		return err
	}
	return w.closeWriters()
}

// judgeTwins tells duplicates among leftovers that look like another of the
// carrier's records: of a paired one, or of an earlier leftover.
func (w *matchWorker) judgeTwins(twins []rec) error {
	seen := w.r.pairedTwins
	slices.SortFunc(twins, func(a, b rec) int { return compareTimes(&a, &b) })
	if err := w.g.settleTies(Carrier, twins); err != nil {
		return err
	}
	for i := range twins {
		c := &twins[i]
		k := twinOf(c)
		if _, ok := seen[k]; ok {
			w.single(Duplicate, Carrier, c)
			continue
		}
		seen[k] = struct{}{}
		w.unpaired(Carrier, c, MissingAtMicrosoft)
	}
	return nil
}

// unpaired judges a leftover that is no duplicate.
func (w *matchWorker) unpaired(side Side, c *rec, missing Class) {
	switch {
	case !c.answered():
		w.single(UnansweredOneSided, side, c)
	case w.r.asOf < c.end()+w.r.late:
		w.single(PendingLate, side, c)
	default:
		w.single(missing, side, c)
	}
}
