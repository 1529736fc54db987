package engine

import "sync/atomic"

// bitset holds a bit for each row of a side. set is safe for concurrent use.
type bitset []uint32

func newBitset(rows int64) bitset { return make(bitset, (rows+31)/32) }

func (b bitset) set(i uint32)      { atomic.OrUint32(&b[i/32], 1<<(i%32)) }
func (b bitset) has(i uint32) bool { return b[i/32]>>(i%32)&1 != 0 }

// marks is a set of rows of which few are in it. Most questions are answered
// by a filter that stays in a core's cache. add is safe for concurrent use;
// has is once all are added.
type marks struct {
	filter, rows bitset
}

const filterBits = 19

func newMarks(rows int64) marks { return marks{newBitset(1 << filterBits), newBitset(rows)} }

func (m marks) add(i uint32) {
	m.filter.set(i * 0x9e3779b9 >> (32 - filterBits))
	m.rows.set(i)
}

func (m marks) has(i uint32) bool {
	return m.filter.has(i*0x9e3779b9>>(32-filterBits)) && m.rows.has(i)
}

// state says what section 1 of MATCHING.md made of a row.
type state uint32

const (
	kept state = iota
	isDuplicate
	isConflicting
	isSuperseded
)

var stateClass = [...]Class{isDuplicate: Duplicate, isConflicting: ConflictingDuplicate, isSuperseded: Superseded}

// states holds a state for each row of a side. Rows are kept until they are
// set; set is safe for concurrent use on different rows.
type states struct {
	filter bitset // as in marks
	all    []uint32
}

func newStates(rows int64) states {
	return states{newBitset(1 << filterBits), make([]uint32, (rows+15)/16)}
}

func (s states) set(i uint32, v state) {
	s.filter.set(i * 0x9e3779b9 >> (32 - filterBits))
	atomic.AndUint32(&s.all[i/16], ^(3 << (i % 16 * 2)))
	atomic.OrUint32(&s.all[i/16], uint32(v)<<(i%16*2))
}

func (s states) get(i uint32) state {
	if !s.filter.has(i * 0x9e3779b9 >> (32 - filterBits)) {
		return kept
	}
	return state(s.all[i/16] >> (i % 16 * 2) & 3)
}
