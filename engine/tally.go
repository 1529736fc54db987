package engine

// cell sums the calls of one dimension and day.
type cell struct {
	calls, operator int64
	// of Microsoft's records, whatever became of them, and of the carrier's
	// in their pairs; what the customer is shown
	m, c, used int64
	// the balance: of paired and missing records
	mTally, cTally Tally
}

func (c *cell) merge(o *cell) {
	c.calls += o.calls
	c.operator += o.operator
	c.m += o.m
	c.c += o.c
	c.used += o.used
	c.mTally.merge(o.mTally)
	c.cTally.merge(o.cTally)
}

// tally is what one worker has counted.
type tally struct {
	classes  [2][NumClasses]Tally
	cases    [NumClasses]int64
	rounding int64 // milliseconds that rounding explains
	days     days
	cells    map[uint64]*cell // by dimension and day
	last     uint64
	lastCell *cell
	twins    map[twin]struct{} // of paired records
	hasTwin  bitset
}

func newTally(d days, hasTwin bitset) *tally {
	return &tally{days: d, cells: map[uint64]*cell{}, twins: map[twin]struct{}{}, hasTwin: hasTwin}
}

// cell returns the cell of a record.
func (t *tally) cell(c *rec) *cell {
	k := uint64(c.dim)<<32 | uint64(uint32(t.days.of(c.start)))
	if t.lastCell != nil && k == t.last {
		return t.lastCell
	}
	x := t.cells[k]
	if x == nil {
		x = new(cell)
		t.cells[k] = x
	}
	t.last, t.lastCell = k, x
	return x
}

// pair counts a pair inside the period.
func (t *tally) pair(class Class, m, c *rec, more []rec, sum int64, agreed agreement) {
	t.cases[class]++
	t.classes[Microsoft][class].add(m.dur)
	t.carrierOf(class, c)
	for i := range more {
		t.carrierOf(class, &more[i])
	}
	if class == MatchedRounding {
		t.rounding += sum - m.dur
	}
	x := t.cell(m)
	x.usage(m, sum, agreed)
	x.mTally.add(m.dur)
	x.cTally.merge(Tally{1 + int64(len(more)), sum})
}

func (t *tally) carrierOf(class Class, c *rec) {
	t.classes[Carrier][class].add(c.dur)
	t.noteTwin(c)
}

// noteTwin remembers a paired record that another one repeats.
func (t *tally) noteTwin(c *rec) {
	if t.hasTwin.has(c.ord) {
		t.twins[twinOf(c)] = struct{}{}
	}
}

// usage counts a call of the customer's: the carrier's duration where the
// two agree, else Microsoft's own.
func (x *cell) usage(m *rec, carrier int64, agreed agreement) {
	x.calls++
	x.m += m.dur
	x.c += carrier
	if agreed == disagree {
		x.used += m.dur
	} else {
		x.used += carrier
	}
	if m.operator() {
		x.operator++
	}
}

// single counts an unpaired record inside the period.
func (t *tally) single(class Class, side Side, c *rec) {
	t.cases[class]++
	t.classes[side][class].add(c.dur)
	switch class {
	case Duplicate, ConflictingDuplicate, Superseded:
		return
	}
	if side == Microsoft {
		x := t.cell(c)
		x.usage(c, 0, disagree)
		if class == MissingAtCarrier {
			x.mTally.add(c.dur)
		}
	} else if class == MissingAtMicrosoft {
		t.cell(c).cTally.add(c.dur)
	}
}
