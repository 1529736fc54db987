package engine

// tally is what one worker has counted.
type tally struct {
	classes   [2][NumClasses]Tally
	cases     [NumClasses]int64
	rules     *Rules
	rounding  int64 // milliseconds that rounding explains
	days      days
	byDay     map[int32]*Balance
	lately    [64]recentDay
	byCountry []Balance // by index of the destination
	usage     usageTable

	unassigned Tally // calls on numbers that were not assigned to the carrier
}

// recentDay saves looking a day up again.
type recentDay struct {
	day int32
	of  *Balance
}

func newTally(rules *Rules) *tally {
	return &tally{rules: rules, days: newDays(rules.Zone), byDay: map[int32]*Balance{}, byCountry: make([]Balance, len(countryPrefixes))}
}

// day returns the balance of a day.
func (t *tally) day(day int32) *Balance {
	l := &t.lately[day&63]
	if l.of == nil || l.day != day {
		b := t.byDay[day]
		if b == nil {
			b = new(Balance)
			t.byDay[day] = b
		}
		*l = recentDay{day, b}
	}
	return l.of
}

// pair counts a pair inside the period. sum is the duration of all its
// segments.
func (t *tally) pair(class Class, m, c *rec, more []rec, sum int64, agreed agreement) {
	t.cases[class]++
	t.classes[Microsoft][class].add(m.dur)
	t.classes[Carrier][class].add(c.dur)
	for i := range more {
		t.classes[Carrier][class].add(more[i].dur)
	}
	if class != AnswerConflict && agreed != disagree && t.rules.billed(m.dur, sum) {
		t.rounding += sum - m.dur
	}
	day := t.days.of(m.start)
	for _, b := range [...]*Balance{t.day(day), &t.byCountry[m.destination()]} {
		b.Microsoft.add(m.dur)
		b.Carrier.merge(Tally{1 + int64(len(more)), sum})
	}
	used := sum
	if agreed == disagree {
		used = m.dur
	}
	t.usage.add(m, day, sum, used)
}

// single counts an unpaired record inside the period.
func (t *tally) single(class Class, side Side, c *rec) {
	t.cases[class]++
	t.classes[side][class].add(c.dur)
	if class.repeat() {
		return
	}
	day := t.days.of(c.start)
	if side == Microsoft {
		t.usage.add(c, day, 0, c.dur)
	}
	if class != MissingAtCarrier && class != MissingAtMicrosoft {
		return
	}
	for _, b := range [...]*Balance{t.day(day), &t.byCountry[c.destination()]} {
		if side == Microsoft {
			b.Microsoft.add(c.dur)
		} else {
			b.Carrier.add(c.dur)
		}
	}
}

// usageCell sums Microsoft's records of one dimension and day.
type usageCell struct {
	key             uint64 // dimension and day, plus one; 0: empty
	calls, operator uint32
	m, c, used      int64 // milliseconds
}

// usageTable holds cells by key in one piece of memory. Additions wait in a
// queue, so that the processor fetches many cells at once.
type usageTable struct {
	slots []usageCell
	n     int
	queue [64]usageCell
	wait  int
}

func (c *usageCell) dim() uint32 { return uint32((c.key - 1) >> 32) }
func (c *usageCell) day() int32  { return int32(uint32(c.key - 1)) }

func usageKey(dim uint32, day int32) uint64 { return (uint64(dim)<<32 | uint64(uint32(day))) + 1 }

// add counts one of Microsoft's records.
func (u *usageTable) add(m *rec, day int32, carrier, used int64) {
	q := &u.queue[u.wait]
	*q = usageCell{key: usageKey(m.dim, day), calls: 1, m: m.dur, c: carrier, used: used}
	if m.operator() {
		q.operator = 1
	}
	if u.wait++; u.wait == len(u.queue) {
		u.flush()
	}
}

// flush works the queue off.
func (u *usageTable) flush() {
	for 2*(u.n+u.wait) > len(u.slots) {
		u.grow()
	}
	var at [len(u.queue)]uint64
	mask, touched := uint64(len(u.slots)-1), uint64(0)
	for i := range u.queue[:u.wait] {
		at[i] = mixKey(u.queue[i].key) & mask
		touched += u.slots[at[i]].key // begins to fetch
	}
	_ = touched
	for i := range u.queue[:u.wait] {
		u.sum(u.queue[i].key, at[i], &u.queue[i])
	}
	u.wait = 0
}

// sum adds to the cell of a key, looking from slot at on.
func (u *usageTable) sum(key, at uint64, c *usageCell) {
	s := u.find(key, at)
	if s.key == 0 {
		s.key = key
		u.n++
	}
	s.calls += c.calls
	s.operator += c.operator
	s.m += c.m
	s.c += c.c
	s.used += c.used
}

// addCell adds a whole cell under another key.
func (u *usageTable) addCell(key uint64, c *usageCell) {
	if 2*(u.n+1) > len(u.slots) {
		u.grow()
	}
	u.sum(key, mixKey(key)&uint64(len(u.slots)-1), c)
}

// find returns the cell of a key, or the empty one where it goes.
func (u *usageTable) find(key, at uint64) *usageCell {
	mask := uint64(len(u.slots) - 1)
	for u.slots[at].key != key && u.slots[at].key != 0 {
		at = (at + 1) & mask
	}
	return &u.slots[at]
}

func (u *usageTable) grow() {
	old := u.slots
	u.slots = make([]usageCell, max(1024, 2*len(old)))
	for i := range old {
		if k := old[i].key; k != 0 {
			*u.find(k, mixKey(k)&uint64(len(u.slots)-1)) = old[i]
		}
	}
}

func mixKey(k uint64) uint64 {
	k *= 0x9e3779b97f4a7c15
	return k ^ k>>29
}

// each calls fn with every cell.
func (u *usageTable) each(fn func(c *usageCell)) {
	u.flush()
	for i := range u.slots {
		if c := &u.slots[i]; c.key != 0 {
			fn(c)
		}
	}
}

// cells returns every cell.
func (u *usageTable) cells() (out []*usageCell) {
	out = make([]*usageCell, 0, u.n)
	u.each(func(c *usageCell) { out = append(out, c) })
	return out
}
