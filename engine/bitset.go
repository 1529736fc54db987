package engine

import "sync/atomic"

// bitset holds a bit for each row of a side. set is safe for concurrent use.
type bitset []uint32

func newBitset(rows int64) bitset { return make(bitset, (rows+31)/32) }

func (b bitset) set(i uint32)      { atomic.OrUint32(&b[i/32], 1<<(i%32)) }
func (b bitset) has(i uint32) bool { return b[i/32]>>(i%32)&1 != 0 }

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
type states []uint32

func newStates(rows int64) states { return make(states, (rows+15)/16) }

func (s states) set(i uint32, v state) {
	atomic.AndUint32(&s[i/16], ^(3 << (i % 16 * 2)))
	atomic.OrUint32(&s[i/16], uint32(v)<<(i%16*2))
}

func (s states) get(i uint32) state { return state(s[i/16] >> (i % 16 * 2) & 3) }
