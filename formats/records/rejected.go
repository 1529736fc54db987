package records

import (
	"encoding/binary"
	"strings"

	"concord/engine"
	"concord/formats/parquetio"
)

// columns of the rejected rows
const (
	badRow = iota
	badLine
	badGroup
	badRecordID
	badField
	badReason
)

// rejectedColumns describes the columns of the rejected rows.
func rejectedColumns() []parquetio.WriteColumn {
	whole := func(name string) parquetio.WriteColumn {
		return parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: parquetio.Int64}}
	}
	text := func(name string, few bool) parquetio.WriteColumn {
		return parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: parquetio.ByteArray, Logical: parquetio.String, Optional: true}, Dictionary: few}
	}
	return []parquetio.WriteColumn{
		badRow: whole("row"), badLine: whole("line"), badGroup: whole("row_group"),
		badRecordID: text("record_id", false), badField: text("field", true), badReason: text("reason", true),
	}
}

func writeRejected(w *parquetio.Writer, e *engine.RowError) error {
	w.Column(badRow).Int(e.Row)
	w.Column(badLine).Int(e.Line)
	w.Column(badGroup).Int(int64(e.RowGroup))
	writeText(w.Column(badRecordID), e.RecordID)
	writeText(w.Column(badField), e.Field)
	writeText(w.Column(badReason), e.Reason)
	return w.EndRow()
}

// appendRejected encodes a rejected row in few bytes.
func appendRejected(b []byte, e *engine.RowError) []byte {
	for _, v := range [...]uint64{uint64(e.Row), uint64(e.Line), uint64(e.RowGroup)} {
		b = binary.AppendUvarint(b, v)
	}
	for _, s := range [...]string{e.RecordID, e.Field, e.Reason} {
		b = appendText(b, s)
	}
	return b
}

// rejected takes the next rejected row.
func (w *waiting) rejected(e *engine.RowError) {
	e.Row, e.Line, e.RowGroup = int64(w.uint()), int64(w.uint()), int(w.uint())
	e.RecordID, e.Field, e.Reason = w.text(), w.text(), w.text()
}

// rejectedAt returns row i of a batch as an error of its own.
func rejectedAt(r *parquetio.Reader, i, file int) *engine.RowError {
	return &engine.RowError{
		File: file, Row: intAt(r.Vector(badRow), i), Line: intAt(r.Vector(badLine), i), RowGroup: int(intAt(r.Vector(badGroup), i)),
		RecordID: strings.Clone(textAt(r.Vector(badRecordID), i)),
		Field:    strings.Clone(textAt(r.Vector(badField), i)), Reason: strings.Clone(textAt(r.Vector(badReason), i)),
	}
}

// textAt returns a text of a batch; a null is empty.
func textAt(v *parquetio.Vector, i int) string {
	switch {
	case v.Nulls != nil && v.Nulls[i]:
		return ""
	case v.Dict != nil:
		return v.Dict.Spans[v.Index[i]].In(v.Dict.Data)
	}
	return v.Spans[i].In(v.Data)
}

// intAt returns a whole number of a batch; a null is 0.
func intAt(v *parquetio.Vector, i int) int64 {
	switch {
	case v.Nulls != nil && v.Nulls[i]:
		return 0
	case v.Dict != nil:
		return v.Dict.Ints[v.Index[i]]
	}
	return v.Ints[i]
}
