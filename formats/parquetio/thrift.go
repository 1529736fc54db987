package parquetio

import (
	"encoding/binary"
	"fmt"
)

// Thrift compact types.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// maxDepth bounds nesting. The format needs seven levels.
const maxDepth = 16

// thrift walks Thrift's compact encoding without trusting any size in it:
// each element of a list takes at least one byte of what is left. The first
// error sticks and makes every later call return zeros.
type thrift struct {
	b     []byte
	pos   int
	depth int
	err   error
	short bool // err is that the bytes ended
}

func (t *thrift) fail(reason string) {
	if t.err == nil {
		t.err = fmt.Errorf("%w: %s at byte %d of the metadata", ErrCorrupt, reason, t.pos)
	}
}

func (t *thrift) ended() {
	if t.err == nil {
		t.fail("it ends")
		t.short = true
	}
}

func (t *thrift) left() int { return len(t.b) - t.pos }

func (t *thrift) byte() byte {
	if t.err != nil || t.left() < 1 {
		t.ended()
		return 0
	}
	t.pos++
	return t.b[t.pos-1]
}

func (t *thrift) uvarint() uint64 {
	if t.err != nil {
		return 0
	}
	v, n := binary.Uvarint(t.b[t.pos:])
	switch {
	case n == 0:
		t.ended()
		return 0
	case n < 0:
		t.fail("a number is too long")
		return 0
	}
	t.pos += n
	return v
}

func (t *thrift) varint() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thrift) i32() int {
	v := t.varint()
	if int64(int32(v)) != v {
		t.fail("a number is out of range")
		return 0
	}
	return int(v)
}

func (t *thrift) bytes() []byte {
	n := t.uvarint()
	if t.err != nil {
		return nil
	}
	if n > uint64(t.left()) {
		t.ended()
		return nil
	}
	t.pos += int(n)
	return t.b[t.pos-int(n) : t.pos]
}

// list reads a list header and returns the type and number of its elements.
func (t *thrift) list() (typ byte, n int) {
	h := t.byte()
	typ = h & 15
	size := uint64(h >> 4)
	if size == 15 {
		size = t.uvarint()
	}
	if size > uint64(t.left()) {
		t.ended()
		return 0, 0
	}
	return typ, int(size)
}

// each reads a list whose elements have the given type.
func (t *thrift) each(want byte, visit func()) {
	typ, n := t.list()
	if n > 0 && typ != want {
		t.fail("a list holds another type")
	}
	for ; n > 0 && t.err == nil; n-- {
		visit()
	}
}

// fields reads a struct. visit consumes the value of a field it knows and
// returns true, or returns false to have it skipped.
func (t *thrift) fields(visit func(id int, typ byte) bool) {
	if t.depth++; t.depth > maxDepth {
		t.fail("it is nested too deeply")
	}
	for id := 0; t.err == nil; {
		h := t.byte()
		if h == 0 {
			break
		}
		if h>>4 != 0 {
			id += int(h >> 4)
		} else {
			id = int(int16(t.varint()))
		}
		if typ := h & 15; !visit(id, typ) {
			t.skip(typ)
		}
	}
	t.depth--
}

func (t *thrift) skip(typ byte) {
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		t.byte()
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		t.advance(8)
	case thriftUUID:
		t.advance(16)
	case thriftBinary:
		t.bytes()
	case thriftList, thriftSet:
		t.skipList()
	case thriftMap:
		t.skipMap()
	case thriftStruct:
		t.fields(func(int, byte) bool { return false })
	default:
		t.fail("a field has an unknown type")
	}
}

func (t *thrift) advance(n int) {
	if t.err != nil || n > t.left() {
		t.ended()
		return
	}
	t.pos += n
}

func (t *thrift) skipList() {
	typ, n := t.list()
	t.nested(func() {
		for ; n > 0 && t.err == nil; n-- {
			t.skipElement(typ)
		}
	})
}

func (t *thrift) skipMap() {
	n := t.uvarint()
	if n == 0 || t.err != nil {
		return
	}
	types := t.byte()
	if n > uint64(t.left()) {
		t.ended()
	}
	t.nested(func() {
		for ; n > 0 && t.err == nil; n-- {
			t.skipElement(types >> 4)
			t.skipElement(types & 15)
		}
	})
}

// skipElement differs from skip in that a boolean takes a byte here.
func (t *thrift) skipElement(typ byte) {
	if typ == thriftTrue || typ == thriftFalse {
		t.byte()
		return
	}
	t.skip(typ)
}

func (t *thrift) nested(visit func()) {
	if t.depth++; t.depth > maxDepth {
		t.fail("it is nested too deeply")
		return
	}
	visit()
	t.depth--
}
