package formats

import (
	"unsafe"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"
)

// setter puts the values of one canonical column into calls as they are.
type setter struct {
	field  dialect.Field
	kind   dialect.Kind
	offset uintptr // of the Call's field, for KindText and KindNumber
	micros int64   // in one unit of a time column, or 0: nanoseconds
	most   uint32  // bytes of a text
}

// typedSetters returns how the columns of the plan are set, or nil when one of
// them is not plain canonical: then all values go through Plan.Decoder.
func typedSetters(pl *dialect.Plan, cols []parquetio.Column, j *job) []setter {
	if j.opts.Details || !pl.Plain() {
		return nil
	}
	specs := pl.Specs()
	set := make([]setter, len(specs))
	for i, s := range specs {
		u := s.Uses[0]
		set[i] = setter{field: u.Field, kind: u.Kind, most: uint32(j.opts.Limits.Field)}
		if !set[i].fits(cols[s.Column], u) {
			return nil
		}
	}
	return set
}

// fits reports whether the column's type is what the field is made of.
func (s *setter) fits(c parquetio.Column, u dialect.Use) bool {
	whole := c.Logical == parquetio.None && (c.Physical == parquetio.Int32 || c.Physical == parquetio.Int64 && !c.Unsigned)
	text := c.Physical == parquetio.ByteArray && c.Logical != parquetio.Decimal
	var ok bool
	switch s.kind {
	case dialect.KindText, dialect.KindNumber:
		s.offset, ok = callOffset(s.field)
		return ok && text
	case dialect.KindDirection, dialect.KindSource:
		return text
	case dialect.KindTime:
		s.micros = [...]int64{parquetio.Millis: 1000, parquetio.Micros: 1, parquetio.Nanos: 0}[c.Unit]
		return c.Logical == parquetio.Timestamp && (c.UTC || u.Zone == nil) && s.field != dialect.FieldInvite
	case dialect.KindDuration, dialect.KindInt:
		return whole && (s.field == dialect.FieldDuration || s.field == dialect.FieldRevision)
	case dialect.KindBool:
		return c.Physical == parquetio.Boolean && s.field == dialect.FieldClockUntrusted
	}
	return false
}

// callOffset returns where in a Call a text or number stands.
func callOffset(f dialect.Field) (uintptr, bool) {
	var c engine.Call
	switch f {
	case dialect.FieldRecordID:
		return unsafe.Offsetof(c.RecordID), true
	case dialect.FieldCorrelationID:
		return unsafe.Offsetof(c.CorrelationID), true
	case dialect.FieldTenantID:
		return unsafe.Offsetof(c.TenantID), true
	case dialect.FieldUserID:
		return unsafe.Offsetof(c.UserID), true
	case dialect.FieldCallType:
		return unsafe.Offsetof(c.CallType), true
	case dialect.FieldCaller:
		return unsafe.Offsetof(c.Caller), true
	case dialect.FieldCallee:
		return unsafe.Offsetof(c.Callee), true
	}
	return 0, false
}
