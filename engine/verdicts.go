package engine

import (
	"context"
	"encoding/binary"
	"iter"

	"concord/engine/spill"
)

// addVerdicts notes the verdict on each record of a case.
func (v *resolver) addVerdicts(k *caseRec, id string, m wideRow, cs []rec, rows []wideRow) error {
	if k.sides&hasMicrosoft != 0 {
		err := v.addVerdict(k, id, Microsoft, &k.m, m.recordID, Pass(k.pass), cs)
		if err != nil {
			return err
		}
	}
	for i := range cs {
		pass := Pass(k.pass)
		if i > 0 {
			pass = PassSplit
		}
		var partner []rec
		if k.sides&hasMicrosoft != 0 {
			partner = []rec{k.m}
		}
		if err := v.addVerdict(k, id, Carrier, &cs[i], rows[i].recordID, pass, partner); err != nil {
			return err
		}
	}
	return nil
}

// addVerdict notes the verdict on one record; its partner is the first of
// partners, if there is one.
func (v *resolver) addVerdict(k *caseRec, id string, side Side, c *rec, recordID string, pass Pass, partners []rec) error {
	v.key = append(v.key[:0], byte(side))
	v.key = binary.BigEndian.AppendUint32(v.key, c.ord)
	v.val = append(v.val[:0], k.class, byte(pass), byte(min(len(partners), 1)))
	partner := uint32(0)
	if len(partners) > 0 {
		partner = partners[0].ord
	}
	v.val = binary.BigEndian.AppendUint32(v.val, partner)
	if Class(k.class) == OutsidePeriod {
		id = ""
	}
	v.val = appendText(appendText(v.val, id), recordID)
	return v.verdicts.Add(v.key, v.val)
}

// addInvalid notes the verdicts on rejected rows.
func (v *resolver) addInvalid(ctx context.Context) error {
	for side, d := range v.r.sides {
		for e, err := range d.allRejects(ctx) {
			if err != nil {
				return err
			}
			v.key = append(v.key[:0], byte(side))
			v.key = binary.BigEndian.AppendUint32(v.key, uint32(d.bases[e.File]+e.Row-1))
			v.val = append(v.val[:0], byte(Invalid), byte(PassNone), 0, 0, 0, 0, 0)
			v.val = appendText(appendText(v.val, v.r.invalidID(Side(side), e)), e.RecordID)
			if err := v.verdicts.Add(v.key, v.val); err != nil {
				return err
			}
		}
	}
	return nil
}

// invalidID derives the id of the case of a rejected row.
func (r *run) invalidID(side Side, e *RowError) string {
	h := append([]byte(r.task.Carrier), 0, byte(side), 'x')
	h = r.appendFile(h, side, e.File)
	return hashID(binary.BigEndian.AppendUint64(h, uint64(e.Row)))
}

// verdicts yields the records in order.
func (r *run) verdicts(ctx context.Context, sorters []*spill.Sorter) iter.Seq2[*Verdict, error] {
	return func(yield func(*Verdict, error) bool) {
		var v Verdict
		for e, err := range spill.Sorted(sorters...) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			r.decodeVerdict(e, &v)
			if !yield(&v, nil) {
				return
			}
		}
	}
}

func (r *run) decodeVerdict(e spill.Entry, v *Verdict) {
	*v = Verdict{Side: Side(e.Key[0]), Class: Class(e.Val[0]), Pass: Pass(e.Val[1]), HasPartner: e.Val[2] != 0}
	v.File, v.Row = r.place(v.Side, binary.BigEndian.Uint32(e.Key[1:]))
	if v.HasPartner {
		v.PartnerFile, v.PartnerRow = r.place(1-v.Side, binary.BigEndian.Uint32(e.Val[3:]))
	}
	rest := e.Val[7:]
	v.CaseID, rest = takeText(rest)
	v.RecordID, _ = takeText(rest)
}
