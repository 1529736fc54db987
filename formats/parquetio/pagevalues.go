package parquetio

import (
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
)

// pageValues are the values of a page, without nulls, as parquet-go holds
// them. One of its slices is set.
type pageValues struct {
	index   []uint32 // into the dictionary
	bits    []byte
	int32s  []int32
	int64s  []int64
	int96s  []deprecated.Int96
	floats  []float32
	doubles []float64
	offsets []uint32 // of byte arrays in data; one more than there are values
	data    []byte   // also of values of a fixed length
}

// indexes takes n dictionary indexes, each below size.
func (p *pageValues) indexes(v encoding.Values, n, size int) error {
	*p = pageValues{index: v.Uint32()}
	if len(p.index) != n {
		return errCounts
	}
	var top uint32
	for _, i := range p.index {
		top = max(top, i)
	}
	if n > 0 && int64(top) >= int64(size) {
		return fmt.Errorf("%w: an index lies beyond its dictionary", ErrCorrupt)
	}
	if p.index == nil {
		p.index = []uint32{}
	}
	return nil
}

// plain takes n values of the column. raw, when it is not 0, is how many bytes
// they took in the page.
func (p *pageValues) plain(c *Column, v encoding.Values, n, raw int) error {
	*p = pageValues{}
	have := n
	switch c.Physical {
	case Boolean:
		p.bits = v.Boolean()
		have = min(8*len(p.bits), n)
	case Int32:
		p.int32s = v.Int32()
		have = len(p.int32s)
	case Int64:
		p.int64s = v.Int64()
		have = len(p.int64s)
	case Int96:
		p.int96s = v.Int96()
		have = len(p.int96s)
	case Float:
		p.floats = v.Float()
		have = len(p.floats)
	case Double:
		p.doubles = v.Double()
		have = len(p.doubles)
	case FixedLen:
		p.data, _ = v.FixedLenByteArray()
		have = len(p.data) / c.Width
	default:
		return p.byteArrays(v, n, raw)
	}
	if have != n {
		return errCounts
	}
	return nil
}

func (p *pageValues) byteArrays(v encoding.Values, n, raw int) error {
	p.data, p.offsets = v.ByteArray()
	if n == 0 && len(p.offsets) == 0 {
		p.offsets = []uint32{0}
	}
	if len(p.offsets) != n+1 {
		return errCounts
	}
	last := int(p.offsets[n])
	if last > len(p.data) || raw > 0 && raw != last+4*n {
		return errCounts
	}
	for i, o := range p.offsets[1:] {
		if o < p.offsets[i] {
			return errCounts
		}
	}
	return nil
}

// fill puts n values from the given one on into v: as they are where the
// forms agree, else through the memory of work.
func (p *pageValues) fill(c *Column, v, work *Vector, from, n int) {
	switch c.Physical {
	case Int64:
		v.Ints = p.int64s[from : from+n : from+n]
	case Double:
		v.Floats = p.doubles[from : from+n : from+n]
	case Float:
		work.Floats = grow(work.Floats, n)
		v.Floats = work.Floats
		for i, x := range p.floats[from : from+n] {
			v.Floats[i] = float64(x)
		}
	case ByteArray, FixedLen:
		work.Spans = grow(work.Spans, n)
		v.Spans, v.Data = work.Spans, p.data
		p.spans(c, v.Spans, from)
	default:
		work.Ints = grow(work.Ints, n)
		v.Ints = work.Ints
		p.ints(c, v.Ints, from)
	}
}

func (p *pageValues) spans(c *Column, dst []Span, from int) {
	if c.Physical == FixedLen {
		for i := range dst {
			dst[i] = Span{Off: uint32((from + i) * c.Width), Len: uint32(c.Width)}
		}
		return
	}
	offsets := p.offsets[from:][:len(dst)+1]
	at := offsets[0]
	for i, end := range offsets[1:] {
		dst[i] = Span{Off: at, Len: end - at}
		at = end
	}
}

func (p *pageValues) ints(c *Column, dst []int64, from int) {
	switch {
	case c.Physical == Boolean:
		for i := range dst {
			k := from + i
			dst[i] = int64(p.bits[k/8]>>(k%8)) & 1
		}
	case c.Physical == Int96:
		for i, x := range p.int96s[from:][:len(dst)] {
			dst[i] = micros96(x)
		}
	case c.Unsigned:
		for i, x := range p.int32s[from:][:len(dst)] {
			dst[i] = int64(uint32(x))
		}
	default:
		for i, x := range p.int32s[from:][:len(dst)] {
			dst[i] = int64(x)
		}
	}
}

// micros96 converts nanoseconds of a day and a Julian day to microseconds
// since 1970.
func micros96(x deprecated.Int96) int64 {
	nanos := uint64(x[1])<<32 | uint64(x[0])
	day := int64(int32(x[2])) - julianEpoch
	const farDay = 100_000_000 // days that still fit int64 as microseconds
	switch {
	case nanos >= nanosPerDay || day > farDay:
		return math.MaxInt64
	case day < -farDay:
		return math.MinInt64
	}
	return day*microsPerDay + int64(nanos/1000)
}
