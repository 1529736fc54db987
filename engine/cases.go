package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"concord/engine/spill"
)

// resolver turns logged cases into what reports show, with the details of
// their records. Each worker has one.
type resolver struct {
	r        *run
	wide     [2]wideReader
	loaded   []caseRec
	cases    *spill.Sorter // discrepancies by start, then id
	verdicts *spill.Sorter // all records by side and place
	key, val []byte
}

// resolve reads the log back, part by part.
func (r *run) resolve(ctx context.Context) ([]*resolver, error) {
	var next atomic.Int64
	all := make([]*resolver, r.workers)
	for i := range all {
		v := &resolver{r: r, cases: spill.NewSorter(r.task.Scratch, 2*r.sortBytes()), verdicts: spill.NewSorter(r.task.Scratch, 2*r.sortBytes())}
		v.wide[Microsoft].w, v.wide[Carrier].w = r.sides[Microsoft].wide, r.sides[Carrier].wide
		r.closers = append(r.closers, v.cases, v.verdicts)
		all[i] = v
	}
	err := r.parallel(ctx, func(ctx context.Context, worker int) error {
		for {
			p := int(next.Add(1)) - 1
			if p >= logParts {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := all[worker].part(p); err != nil {
				return err
			}
		}
	})
	return all, err
}

func (v *resolver) part(p int) (err error) {
	if v.loaded, err = v.r.log.Load(p, v.loaded[:0]); err != nil {
		return err
	}
	slices.SortFunc(v.loaded, func(a, b caseRec) int {
		return cmp.Or(cmp.Compare(a.sides&hasMicrosoft, b.sides&hasMicrosoft), cmp.Compare(a.m.ord, b.m.ord), cmp.Compare(a.c.ord, b.c.ord))
	})
	for i := range v.loaded {
		if err := v.one(&v.loaded[i]); err != nil {
			return err
		}
	}
	return nil
}

// one resolves a case.
func (v *resolver) one(k *caseRec) error {
	var m wideRow
	var err error
	if k.sides&hasMicrosoft != 0 {
		if m, err = v.wide[Microsoft].get(k.m.ord); err != nil {
			return err
		}
	}
	cs, rows, err := v.segments(k)
	if err != nil {
		return err
	}
	if len(rows) > 0 && k.sides&hasMicrosoft != 0 && Pass(k.pass) == PassID && m.correlationID != rows[0].correlationID {
		return ErrCollision
	}
	id := v.caseID(k, m, cs, rows)
	if Class(k.class).Discrepancy() {
		if err := v.addCase(k, id, m, cs, rows); err != nil {
			return err
		}
	}
	if v.r.task.Verdicts {
		return v.addVerdicts(k, id, m, cs, rows)
	}
	return nil
}

// segments returns the carrier's records of a case with their details.
func (v *resolver) segments(k *caseRec) (cs []rec, rows []wideRow, err error) {
	if k.sides&hasCarrier == 0 {
		return nil, nil, nil
	}
	cs = append(cs, k.c)
	if k.segments > 0 {
		cs = append(cs, v.r.segments[k.m.ord]...)
	}
	for i := range cs {
		row, err := v.wide[Carrier].get(cs[i].ord)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return cs, rows, nil
}

// caseID derives the id of a case from the carrier and the records in it.
func (v *resolver) caseID(k *caseRec, m wideRow, cs []rec, rows []wideRow) string {
	h := append([]byte(nil), v.r.task.Carrier...)
	if k.sides&hasMicrosoft != 0 {
		h = v.appendIdentity(h, Class(k.class), Microsoft, &k.m, m)
	}
	for i := range cs {
		h = v.appendIdentity(h, Class(k.class), Carrier, &cs[i], rows[i])
	}
	return hashID(h)
}

func hashID(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// appendIdentity appends what tells a record from all others of its side: its
// record id, else its business fields. Repeats share those with the record
// they repeat, so they add where they stand.
func (v *resolver) appendIdentity(b []byte, class Class, side Side, c *rec, row wideRow) []byte {
	b = append(b, 0, byte(side))
	if row.recordID != "" {
		b = append(append(b, 'i'), row.recordID...)
	} else {
		b = append(b, 'b')
		b = appendText(b, numberOf(c.callerCode(), row.caller).Full())
		b = appendText(b, numberOf(c.calleeCode(), row.callee).Full())
		b = appendText(b, row.correlationID)
		b = binary.BigEndian.AppendUint64(b, uint64(v.sent(side, c)))
		b = binary.BigEndian.AppendUint64(b, uint64(c.dur))
	}
	if v.r.sides[side].repeats.get(c.ord) != kept {
		file, row := v.r.place(side, c.ord)
		b = v.r.appendFile(append(b, 'r'), side, file)
		b = binary.BigEndian.AppendUint64(b, uint64(row))
	}
	return b
}

// appendFile appends what tells a file from all others of its side: its name,
// and how many of that name came before it.
func (r *run) appendFile(b []byte, side Side, file int) []byte {
	b = appendText(b, r.task.Files[side][file])
	if n := r.namesakes[side][file]; n > 0 {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// countNamesakes returns, for each file, how many before it have its name.
func countNamesakes(names []string) []uint32 {
	seen, before := make(map[string]uint32, len(names)), make([]uint32, len(names))
	for i, name := range names {
		before[i] = seen[name]
		seen[name]++
	}
	return before
}

// sent returns a record's start as it was sent.
func (v *resolver) sent(side Side, c *rec) int64 {
	if side == Carrier {
		return c.start + v.r.offset
	}
	return c.start
}

// place returns the file of a row and its number there.
func (r *run) place(side Side, ord uint32) (file int, row int64) {
	d := r.sides[side]
	file = fileOf(d.bases, ord)
	return file, int64(ord) - d.bases[file] + 1
}

func (v *resolver) addCase(k *caseRec, id string, m wideRow, cs []rec, rows []wideRow) error {
	side, first := Microsoft, &k.m
	if k.sides&hasMicrosoft == 0 {
		side, first = Carrier, &k.c
	}
	v.key = binary.BigEndian.AppendUint64(v.key[:0], uint64(v.sent(side, first))^1<<63)
	v.key = append(v.key, id...)
	v.val = append(v.val[:0], k.class, k.pass, k.flags, k.sides)
	if k.sides&hasMicrosoft != 0 {
		v.val = v.appendLeg(v.val, Microsoft, &k.m, m)
	}
	v.val = binary.AppendUvarint(v.val, uint64(len(cs)))
	for i := range cs {
		v.val = v.appendLeg(v.val, Carrier, &cs[i], rows[i])
	}
	return v.cases.Add(v.key, v.val)
}

func (v *resolver) appendLeg(b []byte, side Side, c *rec, row wideRow) []byte {
	b = binary.AppendVarint(b, v.sent(side, c))
	b = binary.AppendVarint(b, c.dur)
	b = binary.AppendUvarint(b, uint64(c.ord))
	b = binary.AppendUvarint(b, uint64(c.dim))
	b = binary.AppendUvarint(b, c.caller)
	b = binary.AppendUvarint(b, c.callee)
	for _, text := range []string{row.recordID, row.correlationID, row.caller, row.callee} {
		b = appendText(b, text)
	}
	return b
}

// addRejects adds a case for each rejected row, before all that have a start.
func (v *resolver) addRejects(ctx context.Context) error {
	for side, d := range v.r.sides {
		for e, err := range d.allRejects(ctx) {
			if err != nil {
				return err
			}
			v.key = append(append(v.key[:0], 0, 0, 0, 0, 0, 0, 0, 0), v.r.invalidID(Side(side), e)...)
			key, val := encodeReject(e)
			v.val = append(append(append(v.val[:0], byte(Invalid), byte(side)), key...), val...)
			if err := v.cases.Add(v.key, v.val); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeInvalid rebuilds the case of a rejected row.
func decodeInvalid(id string, b []byte) Case {
	e := decodeReject(spill.Entry{Key: b[2:14], Val: b[14:]})
	k := Case{ID: id, Class: Invalid, Reject: e}
	l := Leg{Call: Call{RecordID: e.RecordID, Row: e.Row}, File: e.File}
	if Side(b[1]) == Microsoft {
		k.Microsoft = &l
	} else {
		k.Carrier = []Leg{l}
	}
	return k
}

// decodeCase rebuilds a case from its sorter.
func (r *run) decodeCase(e spill.Entry, k *Case) {
	b := e.Val
	if Class(b[0]) == Invalid {
		*k = decodeInvalid(string(e.Key[8:]), b)
		return
	}
	*k = Case{ID: string(e.Key[8:]), Class: Class(b[0]), Pass: Pass(b[1]), Flags: Flags(b[2])}
	sides := b[3]
	b = b[4:]
	if sides&hasMicrosoft != 0 {
		k.Microsoft = new(Leg)
		b = r.takeLeg(b, Microsoft, k.Microsoft)
	}
	n, used := binary.Uvarint(b)
	b = b[used:]
	k.Carrier = make([]Leg, n)
	for i := range k.Carrier {
		b = r.takeLeg(b, Carrier, &k.Carrier[i])
	}
}

func (r *run) takeLeg(b []byte, side Side, l *Leg) []byte {
	signed := func() int64 {
		v, n := binary.Varint(b)
		b = b[n:]
		return v
	}
	unsigned := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return v
	}
	text := func() (s string) {
		s, b = takeText(b)
		return s
	}
	l.Start, l.DurationMS = signed(), signed()
	l.File, l.Call.Row = r.place(side, uint32(unsigned()))
	dim := r.dimension(uint32(unsigned()))
	l.TenantID, l.UserID, l.CallType, l.Direction = dim.tenant, dim.user, dim.callType, dim.direction
	caller, callee := unsigned(), unsigned()
	l.RecordID, l.CorrelationID = text(), text()
	l.Caller, l.Callee = numberOf(caller&codeMask, text()), numberOf(callee&codeMask, text())
	if caller&flagOperator != 0 {
		l.Source = SourceOperator
	}
	l.ClockUntrusted = caller&flagClockUntrusted != 0
	return b
}

func (r *run) dimension(dim uint32) dimension {
	return r.dims[dim>>dimBits].at(dim & (maxDims - 1))
}
