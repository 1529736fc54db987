package engine

import (
	"hash/maphash"
	"strings"
)

// dimension is what usage groups by, but for the day.
type dimension struct {
	tenant, user, callType string
	direction              Direction
	other                  uint16 // country of the other party
}

// dimensions numbers the dimensions that one worker met. rec.dim holds the
// worker in its high bits, so that no worker waits for another.
type dimensions struct {
	users                   bool
	tenants, people, ctypes interner
	all                     []dimKey
	index                   map[dimKey]uint32
	slots                   []dimSlot // the last of each hash, before index
}

// dimKey is a dimension by the numbers of its texts.
type dimKey struct {
	tenant, user uint32
	rest         uint32 // call type, country and direction
}

type dimSlot struct {
	dimKey
	dim uint32 // plus one
}

const (
	dimBits    = 24 // of rec.dim; the rest is the worker
	maxDims    = 1 << dimBits
	maxWorkers = 1 << (32 - dimBits)
	dimSlots   = 1 << 14
	maxTypes   = 1 << 18 // call types that fit dimKey.rest beside the others
)

func newDimensions(k *keys, users bool) *dimensions {
	return &dimensions{
		users: users, index: map[dimKey]uint32{}, slots: make([]dimSlot, dimSlots),
		tenants: newInterner(k.text), people: newInterner(k.text), ctypes: newInterner(k.text),
	}
}

// of returns the index of the dimension of a call.
func (d *dimensions) of(c *Call, destination uint16) uint32 {
	other := destination
	if c.Direction == In {
		other = countryIndex(c.Caller.e164)
	}
	k := dimKey{tenant: d.tenants.id(c.TenantID), rest: d.ctypes.id(c.CallType)<<14 | uint32(other)<<2 | uint32(c.Direction)}
	if d.users {
		k.user = d.people.id(c.UserID)
	}
	h := (uint64(k.tenant)<<32 | uint64(k.rest)) * 0x9e3779b97f4a7c15
	h = (h ^ uint64(k.user)) * 0xd6e8feb86659fd93
	s := &d.slots[h>>(64-14)]
	if s.dimKey != k || s.dim == 0 {
		*s = dimSlot{k, d.lookUp(k) + 1}
	}
	return s.dim - 1
}

func (d *dimensions) lookUp(k dimKey) uint32 {
	i, ok := d.index[k]
	if !ok {
		i = uint32(len(d.all))
		d.index[k] = i
		d.all = append(d.all, k)
	}
	return i
}

// full reports whether there are more dimensions than can be told apart.
func (d *dimensions) full() bool { return len(d.all) > maxDims || len(d.ctypes.all) > maxTypes }

// at returns the dimension of an index.
func (d *dimensions) at(i uint32) dimension {
	k := d.all[i]
	return dimension{
		tenant: d.tenants.all[k.tenant], user: d.people.all[k.user], callType: d.ctypes.all[k.rest>>14],
		direction: Direction(k.rest & 3), other: uint16(k.rest >> 2 & 0xfff),
	}
}

// interner numbers texts; the empty one is 0.
type interner struct {
	seed  maphash.Seed
	index map[string]uint32
	all   []string
	slots []uint32 // the last of each hash, before index
}

const internSlots = 1 << 11

func newInterner(seed maphash.Seed) interner {
	return interner{seed: seed, index: map[string]uint32{"": 0}, all: []string{""}, slots: make([]uint32, internSlots)}
}

func (t *interner) id(s string) uint32 {
	if s == "" {
		return 0
	}
	slot := &t.slots[maphash.String(t.seed, s)%internSlots]
	if t.all[*slot] == s {
		return *slot
	}
	i, ok := t.index[s]
	if !ok {
		s = strings.Clone(s)
		i = uint32(len(t.all))
		t.all = append(t.all, s)
		t.index[s] = i
	}
	*slot = i
	return i
}
