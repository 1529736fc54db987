package engine

import "sync/atomic"

// bitset holds a bit for each row of a side. set is safe for concurrent use.
type bitset []uint32

func newBitset(rows int64) bitset { return make(bitset, (rows+31)/32) }

func (b bitset) set(i uint32)      { atomic.OrUint32(&b[i/32], 1<<(i%32)) }
func (b bitset) has(i uint32) bool { return b[i/32]>>(i%32)&1 != 0 }

// sieve tells for most rows that they are not in a set of few: it stays in a
// core's cache.
type sieve struct {
	bits  bitset
	shift uint
}

// newSieve returns a sieve for a side of so many rows: 64 to 512 KiB.
func newSieve(rows int64) sieve {
	n := uint(19)
	for 1<<n < rows/16 && n < 22 {
		n++
	}
	return sieve{newBitset(1 << n), 32 - n}
}

func (s sieve) add(i uint32)      { s.bits.set(i * 0x9e3779b9 >> s.shift) }
func (s sieve) has(i uint32) bool { return s.bits.has(i * 0x9e3779b9 >> s.shift) }

// marks is a set of rows of which few are in it. add is safe for concurrent
// use; has is once all are added.
type marks struct {
	sieve sieve
	rows  bitset
}

func newMarks(rows int64) marks { return marks{newSieve(rows), newBitset(rows)} }

func (m marks) add(i uint32) {
	m.sieve.add(i)
	m.rows.set(i)
}

func (m marks) has(i uint32) bool { return m.sieve.has(i) && m.rows.has(i) }

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
	sieve sieve
	all   []uint32
}

func newStates(rows int64) states {
	return states{newSieve(rows), make([]uint32, (rows+15)/16)}
}

func (s states) set(i uint32, v state) {
	s.sieve.add(i)
	atomic.AndUint32(&s.all[i/16], ^(3 << (i % 16 * 2)))
	atomic.OrUint32(&s.all[i/16], uint32(v)<<(i%16*2))
}

func (s states) get(i uint32) state {
	if !s.sieve.has(i) {
		return kept
	}
	return state(s.all[i/16] >> (i % 16 * 2) & 3)
}
