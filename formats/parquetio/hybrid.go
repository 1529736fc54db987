package parquetio

import (
	"encoding/binary"
	"fmt"
)

// hybrid decodes the RLE and bit-packing hybrid, a few values at a time.
type hybrid struct {
	b      []byte
	width  uint
	run    int    // values left of a repeated value
	val    uint32 // the repeated value
	packed int    // values left of a packed run
	bits   []byte // the packed run
	bit    int    // position in it
}

var errLevelsShort = fmt.Errorf("%w: a page has fewer values than it says", ErrCorrupt)

// reset starts over on b.
func (h *hybrid) reset(b []byte, width int) error {
	if width > 32 {
		return fmt.Errorf("%w: values of %d bits", ErrCorrupt, width)
	}
	*h = hybrid{b: b, width: uint(width)}
	return nil
}

// refill reads the header of the next run.
func (h *hybrid) refill() error {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		return errLevelsShort
	}
	h.b = h.b[n:]
	count := v >> 1
	if count == 0 || count > 1<<31 {
		return fmt.Errorf("%w: a run of values has an impossible length", ErrCorrupt)
	}
	if v&1 == 0 {
		return h.repeated(int(count))
	}
	return h.unpacked(int(count))
}

func (h *hybrid) repeated(count int) error {
	size := int(h.width+7) / 8
	if len(h.b) < size {
		return errLevelsShort
	}
	var v uint32
	for i := range size {
		v |= uint32(h.b[i]) << (8 * i)
	}
	h.b, h.run, h.val = h.b[size:], count, v
	return nil
}

// unpacked takes a run of count groups of eight values. Some writers cut the
// last group short.
func (h *hybrid) unpacked(count int) error {
	size := min(count*int(h.width), len(h.b))
	h.packed = count * 8
	if h.width > 0 {
		h.packed = min(h.packed, size*8/int(h.width))
	}
	if h.packed == 0 {
		return errLevelsShort
	}
	h.bits, h.bit, h.b = h.b[:size], 0, h.b[size:]
	return nil
}

// next fills dst.
func (h *hybrid) next(dst []uint32) error {
	for len(dst) > 0 {
		switch {
		case h.run > 0:
			n := min(h.run, len(dst))
			for i := range dst[:n] {
				dst[i] = h.val
			}
			h.run -= n
			dst = dst[n:]
		case h.packed > 0:
			n := min(h.packed, len(dst))
			h.unpack(dst[:n])
			h.packed -= n
			dst = dst[n:]
		default:
			if err := h.refill(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *hybrid) unpack(dst []uint32) {
	mask := uint64(1)<<h.width - 1
	b, bit, width := h.bits, h.bit, int(h.width)
	i := 0
	for ; i < len(dst) && bit>>3+8 <= len(b); i++ {
		dst[i] = uint32(binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7) & mask)
		bit += width
	}
	for ; i < len(dst); i++ {
		dst[i] = uint32(bitsAt(b, bit, h.width))
		bit += width
	}
	h.bit = bit
}

// allOnes reports whether the next n values are one run of ones, and consumes
// them if so: the levels of a column without nulls.
func (h *hybrid) allOnes(n int) bool {
	if h.run == 0 && h.packed == 0 && h.refill() != nil {
		return false
	}
	if h.run < n || h.val != 1 {
		return false
	}
	h.run -= n
	return true
}

// bitsAt returns width bits from position bit on; bits beyond the end are
// zero.
func bitsAt(b []byte, bit int, width uint) uint64 {
	if width == 0 {
		return 0
	}
	var v uint64
	for i, got := bit>>3, -(bit & 7); got < int(width) && i < len(b); i, got = i+1, got+8 {
		if got < 0 {
			v |= uint64(b[i]) >> -got
		} else {
			v |= uint64(b[i]) << got
		}
	}
	if width == 64 {
		return v
	}
	return v & (1<<width - 1)
}
