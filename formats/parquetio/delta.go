package parquetio

import (
	"encoding/binary"
	"fmt"
)

// delta decodes DELTA_BINARY_PACKED, a few values at a time.
type delta struct {
	b       []byte
	left    int // values not yet handed out
	perMini int // values in a miniblock
	minis   int // miniblocks in a block
	first   bool
	last    int64
	min     int64
	widths  []byte // of the miniblocks not yet begun
	inMini  int    // values left in the current miniblock
	width   uint
	bits    []byte
	bit     int
}

var errDelta = fmt.Errorf("%w: a delta-encoded page makes no sense", ErrCorrupt)

func newDelta(b []byte) (delta, error) {
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > 1<<31 {
			return delta{}, errDelta
		}
		head[i], b = v, b[n:]
	}
	d := delta{b: b, minis: int(head[1]), left: int(head[2]), first: true}
	if d.minis == 0 || head[0] == 0 || head[0]%head[1] != 0 || head[0] > 1<<20 {
		return delta{}, errDelta
	}
	if d.perMini = int(head[0] / head[1]); d.perMini%8 != 0 {
		return delta{}, errDelta
	}
	v, n := binary.Varint(b)
	if n <= 0 {
		return delta{}, errDelta
	}
	d.b, d.last = b[n:], v
	return d, nil
}

// next fills dst.
func (d *delta) next(dst []int64) error {
	if len(dst) > d.left {
		return errLevelsShort
	}
	d.left -= len(dst)
	if d.first && len(dst) > 0 {
		dst[0], dst, d.first = d.last, dst[1:], false
	}
	for len(dst) > 0 {
		if d.inMini == 0 {
			if err := d.mini(); err != nil {
				return err
			}
		}
		n := min(d.inMini, len(dst))
		for i := range n {
			d.last += d.min + int64(bitsAt64(d.bits, d.bit, d.width))
			d.bit += int(d.width)
			dst[i] = d.last
		}
		d.inMini -= n
		dst = dst[n:]
	}
	return nil
}

// mini begins the next miniblock, and the next block before it if need be.
func (d *delta) mini() error {
	if len(d.widths) == 0 {
		v, n := binary.Varint(d.b)
		if n <= 0 || len(d.b)-n < d.minis {
			return errDelta
		}
		d.min, d.widths, d.b = v, d.b[n:n+d.minis], d.b[n+d.minis:]
	}
	d.width, d.widths = uint(d.widths[0]), d.widths[1:]
	size := d.perMini / 8 * int(d.width)
	if d.width > 64 || size > len(d.b) {
		return errDelta
	}
	d.bits, d.bit, d.b, d.inMini = d.b[:size], 0, d.b[size:], d.perMini
	return nil
}

// bitsAt64 is bitsAt with one load where the bytes allow it.
func bitsAt64(b []byte, bit int, width uint) uint64 {
	if width <= 56 && bit>>3+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7) & (1<<width - 1)
	}
	return bitsAt(b, bit, width)
}

// rest passes over all values and returns what follows them.
func (d delta) rest() ([]byte, error) {
	var tmp [256]int64
	for d.left > 0 {
		if err := d.next(tmp[:min(len(tmp), d.left)]); err != nil {
			return nil, err
		}
	}
	return d.b, nil
}

// deltaInts decodes a page of integers.
type deltaInts struct {
	d      delta
	narrow bool // Int32: sums wrap at 32 bits
	signed bool
}

// decode implements decoder.
func (x *deltaInts) decode(v *Vector, n int) error {
	v.Ints = grow(v.Ints, n)
	if err := x.d.next(v.Ints); err != nil || !x.narrow {
		return err
	}
	for i, w := range v.Ints {
		if x.signed {
			v.Ints[i] = int64(int32(w))
		} else {
			v.Ints[i] = int64(uint32(w))
		}
	}
	return nil
}

// deltaLength decodes DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
type deltaLength struct {
	lengths delta
	b       []byte
	off     int
	tmp     []int64
}

func newDeltaLength(b []byte) (x deltaLength, err error) {
	if x.lengths, err = newDelta(b); err != nil {
		return x, err
	}
	x.b, err = x.lengths.rest()
	return x, err
}

// decode implements decoder.
func (x *deltaLength) decode(v *Vector, n int) error {
	x.tmp = grow(x.tmp, n)
	if err := x.lengths.next(x.tmp); err != nil {
		return err
	}
	v.Data = x.b
	v.Spans = grow(v.Spans, n)
	for i, size := range x.tmp {
		if size < 0 || size > int64(len(x.b)-x.off) {
			return errLevelsShort
		}
		v.Spans[i] = Span{uint32(x.off), uint32(size)}
		x.off += int(size)
	}
	return nil
}

// deltaBytes decodes DELTA_BYTE_ARRAY: how much of the value before is kept,
// and what follows it.
type deltaBytes struct {
	prefixes delta
	suffixes deltaLength
	last     []byte
	tmp      []int64
	suffix   Vector
	arena    []byte
}

// maxArena bounds what the values of one batch may take: a prefix costs the
// file nothing, so that a small page could hold long values without end.
const maxArena = 64 << 20

func newDeltaBytes(b []byte) (x deltaBytes, err error) {
	if x.prefixes, err = newDelta(b); err != nil {
		return x, err
	}
	if b, err = x.prefixes.rest(); err != nil {
		return x, err
	}
	x.suffixes, err = newDeltaLength(b)
	return x, err
}

// decode implements decoder.
func (x *deltaBytes) decode(v *Vector, n int) error {
	x.tmp = grow(x.tmp, n)
	if err := x.prefixes.next(x.tmp); err != nil {
		return err
	}
	if err := x.suffixes.decode(&x.suffix, n); err != nil {
		return err
	}
	v.Spans = grow(v.Spans, n)
	arena := x.arena[:0]
	for i, keep := range x.tmp {
		if keep < 0 || keep > int64(len(x.last)) {
			return errDelta
		}
		if len(arena)+int(keep)+int(x.suffix.Spans[i].Len) > maxArena {
			return fmt.Errorf("%w: a batch of delta-encoded values has more than %d bytes", ErrLimit, maxArena)
		}
		from := len(arena)
		arena = append(arena, x.last[:keep]...)
		arena = append(arena, x.suffix.Spans[i].In(x.suffix.Data)...)
		v.Spans[i] = Span{uint32(from), uint32(len(arena) - from)}
		x.last = arena[from:]
	}
	// the next batch writes over the arena
	x.last = append([]byte(nil), x.last...)
	x.arena, v.Data = arena, arena
	return nil
}
