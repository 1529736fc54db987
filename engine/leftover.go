package engine

import (
	"bytes"
	"context"
	"encoding/binary"

	"concord/engine/spill"
)

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
	err = left[Carrier].Each(0, func(cs []rec) error {
		for i := range cs {
			c := &cs[i]
			if c.plainPair() && r.sides[Carrier].twins.has(c.ord) {
				if err := w.noteLeftTwin(c); err != nil {
					return err
				}
				continue
			}
			w.unpaired(Carrier, c, MissingAtMicrosoft)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := w.judgeTwins(ctx); err != nil {
		return err
	}
	return w.closeWriters()
}

// Twins are carrier's records of the same numbers, start and duration. Their
// sorters hold a paired one before leftovers, and leftovers in the sort order
// of the rules.
const (
	twinKey    = 32 // bytes of the key that twins share
	twinPaired = 0
	twinLeft   = 1
)

func appendTwin(b []byte, c *rec, kind byte) []byte {
	for _, v := range [...]uint64{c.callerCode(), c.calleeCode(), uint64(c.start), uint64(c.dur)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return append(b, kind)
}

// noteTwin remembers a paired record that another one may repeat.
func (w *matchWorker) noteTwin(c *rec) error {
	if !w.r.sides[Carrier].twins.has(c.ord) || !c.plainPair() {
		return nil
	}
	return w.twins.Add(appendTwin(nil, c, twinPaired), nil)
}

// noteLeftTwin keeps a leftover that may repeat another record.
func (w *matchWorker) noteLeftTwin(c *rec) error {
	row, err := w.wide[Carrier].get(c.ord)
	if err != nil {
		return err
	}
	key := appendTwin(nil, c, twinLeft)
	key = append(append(key, row.recordID...), 0)
	return w.twins.Add(binary.BigEndian.AppendUint32(key, c.ord), appendRec(nil, c))
}

// judgeTwins tells duplicates among leftovers that look like another of the
// carrier's records: of a paired one, or of an earlier leftover.
func (w *matchWorker) judgeTwins(ctx context.Context) error {
	var before []byte
	for e, err := range spill.Sorted(w.r.twins...) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		repeats := bytes.Equal(before, e.Key[:twinKey])
		if e.Key[twinKey] == twinLeft {
			c := takeRec(e.Val)
			if repeats {
				w.single(Duplicate, Carrier, &c)
			} else {
				w.unpaired(Carrier, &c, MissingAtMicrosoft)
			}
		}
		before = append(before[:0], e.Key[:twinKey]...)
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
