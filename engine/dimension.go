package engine

import (
	"hash/maphash"
	"strings"
)

// dimension is what reports group by.
type dimension struct {
	tenant, user, callType string
	direction              Direction
	other, destination     uint16 // countries
}

// dimensions numbers the dimensions that one worker met. rec.dim holds the
// worker in its high bits, so that no worker waits for another.
type dimensions struct {
	seed   maphash.Seed
	users  bool
	slots  []uint32 // index+1 into all
	all    []dimension
	hashes []uint64
}

const (
	dimBits    = 24 // of rec.dim; the rest is the worker
	maxDims    = 1 << dimBits
	maxWorkers = 1 << (32 - dimBits)
)

func newDimensions(k *keys, users bool) *dimensions {
	return &dimensions{seed: k.text, users: users, slots: make([]uint32, 1024)}
}

// of returns the index of the dimension of a call.
func (d *dimensions) of(c *Call) uint32 {
	want := dimension{tenant: c.TenantID, callType: c.CallType, direction: c.Direction}
	want.destination = countryIndex(c.Callee.e164)
	want.other = want.destination
	if c.Direction == In {
		want.other = countryIndex(c.Caller.e164)
	}
	if d.users {
		want.user = c.UserID
	}
	h := d.hash(&want)
	for i := h; ; i++ {
		i &= uint64(len(d.slots) - 1)
		s := d.slots[i]
		if s == 0 {
			return d.insert(want, h)
		}
		if e := &d.all[s-1]; d.hashes[s-1] == h && *e == want {
			return s - 1
		}
	}
}

func (d *dimensions) hash(w *dimension) uint64 {
	h := maphash.String(d.seed, w.tenant) + uint64(w.direction) + uint64(w.other)<<8 + uint64(w.destination)<<24
	if n := len(w.callType); n > 0 {
		h += uint64(w.callType[n-1])<<40 + uint64(w.callType[0])<<48 + uint64(n)<<56
	}
	if w.user != "" {
		h += maphash.String(d.seed, w.user) << 1
	}
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}

func (d *dimensions) insert(w dimension, h uint64) uint32 {
	w.tenant, w.user, w.callType = strings.Clone(w.tenant), strings.Clone(w.user), strings.Clone(w.callType)
	d.all = append(d.all, w)
	d.hashes = append(d.hashes, h)
	if 2*len(d.all) > len(d.slots) {
		d.slots = make([]uint32, 2*len(d.slots))
		for i := range d.all {
			d.place(i)
		}
	} else {
		d.place(len(d.all) - 1)
	}
	return uint32(len(d.all) - 1)
}

func (d *dimensions) place(index int) {
	mask := uint64(len(d.slots) - 1)
	i := d.hashes[index] & mask
	for d.slots[i] != 0 {
		i = (i + 1) & mask
	}
	d.slots[i] = uint32(index + 1)
}
