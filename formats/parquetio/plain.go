package parquetio

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder writes the next n values of a page to the front of v.
type decoder interface {
	decode(v *Vector, n int) error
}

// plain decodes the PLAIN encoding.
type plain struct {
	b        []byte
	bit      int // position in b of a Boolean page
	off      int // position in b of a page of byte strings
	physical Physical
	width    int // bytes of a value; 0 when they vary
	unsigned bool
}

// widths in bytes of a PLAIN value, by physical type
var plainWidth = [...]int{Int32: 4, Int64: 8, Int96: 12, Float: 4, Double: 8, ByteArray: 0, FixedLen: 0}

func newPlain(col *Column, b []byte) plain {
	p := plain{b: b, physical: col.Physical, width: plainWidth[col.Physical], unsigned: col.Unsigned}
	if p.physical == FixedLen {
		p.width = col.Width
	}
	return p
}

// decode implements decoder.
func (p *plain) decode(v *Vector, n int) error {
	switch p.physical {
	case Boolean:
		return p.bools(v, n)
	case ByteArray:
		return p.strings(v, n)
	case FixedLen:
		return p.fixed(v, n)
	}
	if n > len(p.b)/p.width {
		return errLevelsShort
	}
	b := p.b[:n*p.width]
	p.b = p.b[len(b):]
	switch p.physical {
	case Float, Double:
		v.Floats = grow(v.Floats, n)
		floats(v.Floats, b, p.width)
	case Int32:
		v.Ints = grow(v.Ints, n)
		int32s(v.Ints, b, p.unsigned)
	case Int64:
		v.Ints = grow(v.Ints, n)
		for i := range v.Ints {
			v.Ints[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	case Int96:
		v.Ints = grow(v.Ints, n)
		for i := range v.Ints {
			v.Ints[i] = int96Micros(b[12*i:])
		}
	}
	return nil
}

func int32s(dst []int64, b []byte, unsigned bool) {
	for i := range dst {
		v := binary.LittleEndian.Uint32(b[4*i:])
		if unsigned {
			dst[i] = int64(v)
		} else {
			dst[i] = int64(int32(v))
		}
	}
}

func floats(dst []float64, b []byte, width int) {
	for i := range dst {
		if width == 4 {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
}

// int96Micros converts nanoseconds of a day and a Julian day.
func int96Micros(b []byte) int64 {
	nanos := binary.LittleEndian.Uint64(b)
	day := int64(int32(binary.LittleEndian.Uint32(b[8:]))) - julianEpoch
	const farDay = 100_000_000 // days that still fit int64 as microseconds
	switch {
	case nanos >= nanosPerDay || day > farDay:
		return math.MaxInt64
	case day < -farDay:
		return math.MinInt64
	}
	return day*microsPerDay + int64(nanos/1000)
}

func (p *plain) bools(v *Vector, n int) error {
	if n > len(p.b)*8-p.bit {
		return errLevelsShort
	}
	v.Ints = grow(v.Ints, n)
	for i := range v.Ints {
		v.Ints[i] = int64(p.b[p.bit>>3] >> (p.bit & 7) & 1)
		p.bit++
	}
	return nil
}

func (p *plain) fixed(v *Vector, n int) error {
	if n > (len(p.b)-p.off)/p.width {
		return errLevelsShort
	}
	v.Data = p.b
	v.Spans = grow(v.Spans, n)
	for i := range v.Spans {
		v.Spans[i] = Span{uint32(p.off), uint32(p.width)}
		p.off += p.width
	}
	return nil
}

func (p *plain) strings(v *Vector, n int) error {
	v.Data = p.b
	v.Spans = grow(v.Spans, n)
	b, off := p.b, p.off
	for i := range v.Spans {
		if off+4 > len(b) {
			return errLevelsShort
		}
		size := binary.LittleEndian.Uint32(b[off:])
		off += 4
		if uint64(size) > uint64(len(b)-off) {
			return errLevelsShort
		}
		v.Spans[i] = Span{uint32(off), size}
		off += int(size)
	}
	p.off = off
	return nil
}

// indexes decodes the positions of values in a dictionary.
type indexes struct {
	h    hybrid
	dict *Dict
}

// newIndexes takes a page of dictionary positions: their width in a byte,
// then the hybrid encoding. A page of nulls only may be empty and needs no
// dictionary.
func newIndexes(b []byte, dict *Dict) (indexes, error) {
	x := indexes{dict: dict}
	if dict == nil {
		x.dict = &Dict{}
	}
	if len(b) == 0 {
		return x, nil
	}
	return x, x.h.reset(b[1:], int(b[0]))
}

// decode implements decoder.
func (x *indexes) decode(v *Vector, n int) error {
	v.Dict = x.dict
	v.Index = grow(v.Index, n)
	if err := x.h.next(v.Index); err != nil {
		return err
	}
	var most uint32
	for _, i := range v.Index {
		most = max(most, i)
	}
	if n > 0 && int64(most) >= int64(x.dict.N) {
		return fmt.Errorf("%w: a value is not in its dictionary", ErrCorrupt)
	}
	return nil
}

// rleBools decodes Boolean values in the hybrid encoding.
type rleBools struct {
	h   hybrid
	tmp []uint32
}

func newRLEBools(b []byte) (rleBools, error) {
	var r rleBools
	b, err := lengthPrefixed(b)
	if err != nil {
		return r, err
	}
	return r, r.h.reset(b, 1)
}

// lengthPrefixed returns the bytes that a four-byte length announces.
func lengthPrefixed(b []byte) ([]byte, error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, errLevelsShort
	}
	return b[4:][:binary.LittleEndian.Uint32(b)], nil
}

// decode implements decoder.
func (r *rleBools) decode(v *Vector, n int) error {
	r.tmp = grow(r.tmp, n)
	if err := r.h.next(r.tmp); err != nil {
		return err
	}
	v.Ints = grow(v.Ints, n)
	for i, x := range r.tmp {
		v.Ints[i] = int64(x)
	}
	return nil
}

// splitStream decodes BYTE_STREAM_SPLIT: the first bytes of all values, then
// the second bytes, and so on.
type splitStream struct {
	b     []byte
	count int // values in the page
	at    int
	col   *Column
	tmp   []byte
}

func newSplitStream(col *Column, b []byte) (splitStream, error) {
	width := newPlain(col, nil).width
	if width == 0 || col.Physical == Int96 {
		return splitStream{}, fmt.Errorf("%w: byte stream split of this type", ErrUnsupported)
	}
	return splitStream{b: b, count: len(b) / width, col: col}, nil
}

// decode implements decoder.
func (s *splitStream) decode(v *Vector, n int) error {
	if n > s.count-s.at {
		return errLevelsShort
	}
	width := newPlain(s.col, nil).width
	s.tmp = grow(s.tmp, n*width)
	for k := range width {
		for i := range n {
			s.tmp[i*width+k] = s.b[k*s.count+s.at+i]
		}
	}
	s.at += n
	p := newPlain(s.col, s.tmp)
	return p.decode(v, n)
}
