package records

import (
	"encoding/binary"
	"unsafe"

	"concord/engine"
	"concord/formats/parquetio"
)

// columns of the calls, in the order of their constants.
const (
	colRow = iota
	colStart
	colDuration
	colRecordID
	colCorrelationID
	colTenantID
	colUserID
	colCallType
	colCarrier
	colCaller
	colCallerText
	colCallee
	colCalleeText
	colRevision
	colDirection
	colSource
	colClockUntrusted
	numColumns
)

// callColumns describes the columns of the calls. A number is an integer, the
// digits behind the plus, or else a text; both are null when it is withheld.
func callColumns() []parquetio.WriteColumn {
	whole := func(name string, physical parquetio.Physical, optional, few bool) parquetio.WriteColumn {
		return parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: physical, Optional: optional}, Dictionary: few}
	}
	text := func(name string, few bool) parquetio.WriteColumn {
		return parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: parquetio.ByteArray, Logical: parquetio.String, Optional: true}, Dictionary: few}
	}
	cols := []parquetio.WriteColumn{
		colRow: whole("row", parquetio.Int64, false, false), colStart: whole("start", parquetio.Int64, false, false),
		colDuration: whole("duration_ms", parquetio.Int64, false, false),
		colRecordID: text("record_id", false), colCorrelationID: text("correlation_id", false),
		colTenantID: text("tenant_id", true), colUserID: text("user_id", true), colCallType: text("call_type", true), colCarrier: text("carrier", true),
		colCaller: whole("caller", parquetio.Int64, true, false), colCallerText: text("caller_text", true),
		colCallee: whole("callee", parquetio.Int64, true, false), colCalleeText: text("callee_text", true),
		colRevision: whole("revision", parquetio.Int32, true, true), colDirection: whole("direction", parquetio.Int32, false, true),
		colSource: whole("duration_source", parquetio.Int32, false, true), colClockUntrusted: whole("clock_untrusted", parquetio.Boolean, false, false),
	}
	start := &cols[colStart]
	start.Logical, start.Unit, start.UTC = parquetio.Timestamp, parquetio.Micros, true
	return cols
}

// writeCall writes one row.
func writeCall(w *parquetio.Writer, c *engine.Call) error {
	w.Column(colRow).Int(c.Row)
	w.Column(colStart).Int(c.Start)
	w.Column(colDuration).Int(c.DurationMS)
	writeText(w.Column(colRecordID), c.RecordID)
	writeText(w.Column(colCorrelationID), c.CorrelationID)
	writeText(w.Column(colTenantID), c.TenantID)
	writeText(w.Column(colUserID), c.UserID)
	writeText(w.Column(colCallType), c.CallType)
	writeText(w.Column(colCarrier), c.Carrier)
	writeNumber(w.Column(colCaller), w.Column(colCallerText), c.Caller)
	writeNumber(w.Column(colCallee), w.Column(colCalleeText), c.Callee)
	writeInt(w.Column(colRevision), int64(c.Revision), c.HasRevision)
	w.Column(colDirection).Int(int64(c.Direction))
	w.Column(colSource).Int(int64(c.Source))
	w.Column(colClockUntrusted).Int(b2i(c.ClockUntrusted))
	return w.EndRow()
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func writeText(col *parquetio.ColumnWriter, s string) {
	if s == "" {
		col.Null()
		return
	}
	col.String(s)
}

func writeInt(col *parquetio.ColumnWriter, v int64, present bool) {
	if !present {
		col.Null()
		return
	}
	col.Int(v)
}

func writeNumber(digits, text *parquetio.ColumnWriter, n engine.Number) {
	d := n.E164Digits()
	writeInt(digits, int64(d), d > 0)
	if d > 0 {
		text.Null()
		return
	}
	writeText(text, n.Full())
}

// flags of a row that waits for its day to be written
const (
	flagRevision = 1 << iota
	flagClockUntrusted
	flagDirection // two bits
	_
	flagSource // two bits
)

// appendRow encodes a call in few bytes.
func appendRow(b []byte, c *engine.Call) []byte {
	flags := byte(c.Direction)*flagDirection | byte(c.Source)*flagSource
	if c.HasRevision {
		flags |= flagRevision
	}
	if c.ClockUntrusted {
		flags |= flagClockUntrusted
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(c.Row))
	b = binary.AppendVarint(b, c.Start)
	b = binary.AppendUvarint(b, uint64(c.DurationMS))
	if c.HasRevision {
		b = binary.AppendVarint(b, int64(c.Revision))
	}
	for _, s := range [...]string{c.RecordID, c.CorrelationID, c.TenantID, c.UserID, c.CallType, c.Carrier} {
		b = appendText(b, s)
	}
	return appendNumber(appendNumber(b, c.Caller), c.Callee)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumber(b []byte, n engine.Number) []byte {
	d := n.E164Digits()
	b = binary.AppendUvarint(b, d)
	if d > 0 {
		return b
	}
	return appendText(b, n.Full())
}

// waiting takes apart what appendRow and its like have put together, which
// nothing but this process has seen. Texts point into it.
type waiting []byte

// call takes the next call.
func (w *waiting) call(c *engine.Call) {
	flags := (*w)[0]
	*w = (*w)[1:]
	c.Direction, c.Source = engine.Direction(flags/flagDirection&3), engine.DurationSource(flags/flagSource&3)
	c.HasRevision, c.ClockUntrusted = flags&flagRevision != 0, flags&flagClockUntrusted != 0
	c.Row, c.Start, c.DurationMS, c.Revision = int64(w.uint()), w.int(), int64(w.uint()), 0
	if c.HasRevision {
		c.Revision = int32(w.int())
	}
	for _, s := range [...]*string{&c.RecordID, &c.CorrelationID, &c.TenantID, &c.UserID, &c.CallType, &c.Carrier} {
		*s = w.text()
	}
	c.Caller, c.Callee = w.number(), w.number()
}

func (w *waiting) uint() uint64 {
	v, n := binary.Uvarint(*w)
	*w = (*w)[n:]
	return v
}

func (w *waiting) int() int64 {
	v, n := binary.Varint(*w)
	*w = (*w)[n:]
	return v
}

func (w *waiting) text() string {
	n := int(w.uint())
	s := unsafe.String(unsafe.SliceData(*w), n)
	*w = (*w)[n:]
	return s
}

func (w *waiting) number() engine.Number {
	if d := w.uint(); d > 0 {
		return engine.E164(d)
	}
	return engine.OtherNumber(w.text())
}
