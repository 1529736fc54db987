package parquetio

import "encoding/binary"

// thriftWriter writes Thrift's compact encoding. Fields of a struct are
// written in ascending order of their ids.
type thriftWriter struct {
	b    []byte
	last []int // id of the last field, by nesting
}

func (t *thriftWriter) begin() { t.last = append(t.last, 0) }

func (t *thriftWriter) end() {
	t.b = append(t.b, 0)
	t.last = t.last[:len(t.last)-1]
}

func (t *thriftWriter) field(id int, typ byte) {
	last := &t.last[len(t.last)-1]
	t.b = append(t.b, byte(id-*last)<<4|typ)
	*last = id
}

func (t *thriftWriter) i32(id, v int) {
	t.field(id, thriftI32)
	t.b = binary.AppendVarint(t.b, int64(v))
}

func (t *thriftWriter) i64(id int, v int64) {
	t.field(id, thriftI64)
	t.b = binary.AppendVarint(t.b, v)
}

func (t *thriftWriter) string(id int, s string) {
	t.field(id, thriftBinary)
	t.rawString(s)
}

func (t *thriftWriter) rawString(s string) {
	t.b = binary.AppendUvarint(t.b, uint64(len(s)))
	t.b = append(t.b, s...)
}

func (t *thriftWriter) list(id int, typ byte, n int) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|typ)
		return
	}
	t.b = append(t.b, 0xf0|typ)
	t.b = binary.AppendUvarint(t.b, uint64(n))
}

// inner writes a struct as a field.
func (t *thriftWriter) inner(id int, fill func()) {
	t.field(id, thriftStruct)
	t.element(fill)
}

// element writes a struct as an element of a list.
func (t *thriftWriter) element(fill func()) {
	t.begin()
	fill()
	t.end()
}

func (t *thriftWriter) bool(id int, v bool) {
	if v {
		t.field(id, thriftTrue)
	} else {
		t.field(id, thriftFalse)
	}
}

// empty writes a struct without fields.
func (t *thriftWriter) empty(id int) { t.inner(id, func() {}) }
