package parquetio

import (
	"encoding/binary"
	"math"
	"slices"
)

// Buffer gathers the values of one column of a row group: plainly encoded, so
// that buffers are put behind each other by copying. The zero Buffer is empty.
// A value is added by the method of its column's physical type; which nulls a
// column may have is up to its GroupWriter.
type Buffer struct {
	rows, nulls int
	valid       []byte // 1 for a value, 0 for a null, by row; only when there are both
	data        []byte // PLAIN, but that a Boolean takes a byte
}

// Rows returns the number of rows.
func (b *Buffer) Rows() int { return b.rows }

// Size returns how many bytes the rows take.
func (b *Buffer) Size() int { return len(b.data) + len(b.valid) }

// Reset empties the buffer and keeps its memory.
func (b *Buffer) Reset() {
	b.rows, b.nulls, b.valid, b.data = 0, 0, b.valid[:0], b.data[:0]
}

// mixed reports whether there are values as well as nulls, so that valid is
// needed.
func (b *Buffer) mixed() bool { return b.nulls > 0 && b.nulls < b.rows }

// Null adds a null.
func (b *Buffer) Null() { b.Nulls(1) }

// Nulls adds n nulls.
func (b *Buffer) Nulls(n int) {
	if n > 0 && b.nulls < b.rows {
		b.tell()
		b.valid = append(b.valid, make([]byte, n)...)
	}
	b.rows += n
	b.nulls += n
}

// tell makes valid say what was clear without it.
func (b *Buffer) tell() {
	if !b.mixed() {
		b.valid = fill(b.valid[:0], b.rows, b.nulls == 0)
	}
}

func fill(dst []byte, n int, ones bool) []byte {
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	v := byte(0)
	if ones {
		v = 1
	}
	for i := at; i < len(dst); i++ {
		dst[i] = v
	}
	return dst
}

// value notes that a value comes.
func (b *Buffer) value() {
	if b.nulls > 0 {
		b.tell()
		b.valid = append(b.valid, 1)
	}
	b.rows++
}

// Int64 adds a value to an Int64 column.
func (b *Buffer) Int64(v int64) {
	b.value()
	b.data = binary.LittleEndian.AppendUint64(b.data, uint64(v))
}

// Int32 adds a value to an Int32 column.
func (b *Buffer) Int32(v int32) {
	b.value()
	b.data = binary.LittleEndian.AppendUint32(b.data, uint32(v))
}

// Double adds a value to a Double column.
func (b *Buffer) Double(v float64) {
	b.value()
	b.data = binary.LittleEndian.AppendUint64(b.data, math.Float64bits(v))
}

// Bool adds a value to a Boolean column.
func (b *Buffer) Bool(v bool) {
	b.value()
	x := byte(0)
	if v {
		x = 1
	}
	b.data = append(b.data, x)
}

// String adds a value to a ByteArray column.
func (b *Buffer) String(s string) {
	b.value()
	b.data = binary.LittleEndian.AppendUint32(b.data, uint32(len(s)))
	b.data = append(b.data, s...)
}

// Bytes is String for text in bytes.
func (b *Buffer) Bytes(s []byte) {
	b.value()
	b.data = binary.LittleEndian.AppendUint32(b.data, uint32(len(s)))
	b.data = append(b.data, s...)
}

// Append adds the rows of another buffer of the same type.
func (b *Buffer) Append(o *Buffer) {
	if o.rows == 0 {
		return
	}
	if b.rows > 0 && (b.mixed() || o.mixed() || (b.nulls == 0) != (o.nulls == 0)) || o.mixed() {
		b.tell()
		if o.mixed() {
			b.valid = append(b.valid, o.valid...)
		} else {
			b.valid = fill(b.valid, o.rows, o.nulls == 0)
		}
	}
	b.rows += o.rows
	b.nulls += o.nulls
	b.data = append(b.data, o.data...)
}
