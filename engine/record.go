package engine

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// rec is all that matching needs of one record: 48 bytes without pointers, so
// that it can be dealt out to partitions and spilled as it is.
type rec struct {
	corr   uint64 // keyed hash of the correlation id; 0 when there is none
	caller uint64 // number code and flags
	callee uint64 // number code
	start  int64  // microseconds; the carrier's once less its clock offset
	dur    int64  // milliseconds
	ord    uint32 // place among the rows of its side
	dim    uint32 // index of its dimension
}

// A number code is 52 bits: an E.164 number or another run of digits without
// loss, a keyed hash of any other text. 0 is a withheld number.
const (
	codeBits = 52
	codeMask = 1<<codeBits - 1

	tagShift  = 50
	tagE164   = 0
	tagDigits = 1 // digits after a leading 1, so that zeros count
	tagText   = 2
	tagMasked = 3

	flagOperator       = 1 << 52 // in rec.caller
	flagClockUntrusted = 1 << 53
	// flagAdmitted marks a record that admit has let through, so that a later
	// pass does not take the clock offset off again.
	flagAdmitted = 1 << 54
)

// The callee's country, where the call went, stands above the callee's code.
func (r *rec) destination() uint16 { return uint16(r.callee >> codeBits) }

func (r *rec) callerCode() uint64 { return r.caller & codeMask }
func (r *rec) calleeCode() uint64 { return r.callee & codeMask }
func (r *rec) answered() bool     { return r.dur > 0 }
func (r *rec) operator() bool     { return r.caller&flagOperator != 0 }
func (r *rec) clockUntrusted() bool {
	return r.caller&flagClockUntrusted != 0
}

// plain reports whether a coded number is present and unmasked.
func plain(code uint64) bool { return code != 0 && code>>tagShift != tagMasked }

// isText reports whether a coded number is a hash of its text.
func isText(code uint64) bool { return code>>tagShift >= tagText }

// plainPair reports whether both numbers are present and unmasked.
func (r *rec) plainPair() bool { return plain(r.callerCode()) && plain(r.calleeCode()) }

// end returns when the record ends, in microseconds.
func (r *rec) end() int64 { return r.start + r.dur*1000 }

// keys makes the hashes of one run. Its seeds are random: who writes a file
// cannot aim at a collision. Nothing in a report depends on them.
type keys struct {
	id, text   maphash.Seed
	mixA, mixB uint64    // salts of mix
	salt       [5]uint64 // salts of what is mixed
}

func newKeys() *keys {
	k := &keys{id: maphash.MakeSeed(), text: maphash.MakeSeed()}
	k.mixA = maphash.String(k.id, "a") | 1
	k.mixB = maphash.String(k.text, "b") | 1
	for i := range k.salt {
		k.salt[i] = maphash.String(k.id, hexDigits[:i+1])
	}
	return k
}

// ident returns the key of an id; 0 for an empty one.
func (k *keys) ident(s string) uint64 {
	if s == "" {
		return 0
	}
	return maphash.String(k.id, s) | 1
}

func (k *keys) number(n Number) uint64 {
	if n.text == "" {
		return n.e164
	}
	return k.otherNumber(n)
}

func (k *keys) otherNumber(n Number) uint64 {
	if n.Masked() {
		return tagMasked<<tagShift | maphash.String(k.text, n.text)>>(64-tagShift)
	}
	if v, ok := digitsCode(n.text); ok {
		return tagDigits<<tagShift | v
	}
	return tagText<<tagShift | maphash.String(k.text, n.text)>>(64-tagShift)
}

// digitsCode packs up to 14 digits without loss.
func digitsCode(s string) (uint64, bool) {
	if len(s) > 14 {
		return 0, false
	}
	v := uint64(1)
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	return v, true
}

// mix folds two words into one.
func (k *keys) mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^k.mixA, b^k.mixB)
	return hi ^ lo
}

// pair returns the key of a (caller, callee) pair of codes.
func (k *keys) pair(caller, callee uint64) uint64 {
	return k.mix(k.mix(caller, callee), caller<<7^callee^k.salt[0])
}

// single returns the key of one code.
func (k *keys) single(code uint64) uint64 { return k.mix(k.mix(code, k.salt[1]), code^k.salt[2]) }

// business returns the key of the fields that make two records the same
// report: the numbers, start, duration and correlation id.
func (k *keys) business(r *rec) uint64 {
	h := k.pair(r.callerCode(), r.calleeCode())
	h = k.mix(h^uint64(r.start), uint64(r.dur)+k.salt[1])
	return k.mix(h, r.corr^k.salt[2])
}

// businessAgain is a second, independent business key. Where nothing else
// tells two records apart, 64 bits are too few among millions.
func (k *keys) businessAgain(r *rec) uint64 {
	h := k.mix(uint64(r.start)^k.salt[3], uint64(r.dur)^k.salt[4])
	h = k.mix(h^r.calleeCode(), r.callerCode()^k.salt[0])
	return k.mix(h+r.corr, h^k.salt[1])
}

// recBytes is the size of a rec.
const recBytes = 48

// appendRec and takeRec turn a record into bytes and back.
func appendRec(b []byte, c *rec) []byte {
	for _, v := range [...]uint64{c.corr, c.caller, c.callee, uint64(c.start), uint64(c.dur), uint64(c.ord)<<32 | uint64(c.dim)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func takeRec(b []byte) rec {
	var v [6]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return rec{corr: v[0], caller: v[1], callee: v[2], start: int64(v[3]), dur: int64(v[4]), ord: uint32(v[5] >> 32), dim: uint32(v[5])}
}
