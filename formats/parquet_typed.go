package formats

import (
	"unsafe"

	"concord/engine"
	"concord/formats/parquetio"
)

// setter puts the values of one canonical column into calls as they are.
type setter struct {
	field  fieldID
	kind   Kind
	offset uintptr // of the Call's field, for KindText and KindNumber
	micros int64   // in one unit of a time column, or 0: nanoseconds
	most   uint32  // bytes of a text
}

// typedSetters returns how the columns of the plan are set, or nil when one of
// them is not plain canonical: then all values go through Plan.Decoder.
func typedSetters(pl *Plan, cols []parquetio.Column, j *job) []setter {
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
func (s *setter) fits(c parquetio.Column, u Use) bool {
	whole := c.Logical == parquetio.None && (c.Physical == parquetio.Int32 || c.Physical == parquetio.Int64 && !c.Unsigned)
	text := c.Physical == parquetio.ByteArray && c.Logical != parquetio.Decimal
	var ok bool
	switch s.kind {
	case KindText, KindNumber:
		s.offset, ok = callOffset(s.field)
		return ok && text
	case KindDirection, KindSource:
		return text
	case KindTime:
		s.micros = [...]int64{parquetio.Millis: 1000, parquetio.Micros: 1, parquetio.Nanos: 0}[c.Unit]
		return c.Logical == parquetio.Timestamp && (c.UTC || u.Zone == nil) && s.field != fieldInvite
	case KindDuration, KindInt:
		return whole && (s.field == fieldDuration || s.field == fieldRevision)
	case KindBool:
		return c.Physical == parquetio.Boolean && s.field == fieldClockUntrusted
	}
	return false
}

// callOffset returns where in a Call a text or number stands.
func callOffset(f fieldID) (uintptr, bool) {
	var c engine.Call
	switch f {
	case fieldRecordID:
		return unsafe.Offsetof(c.RecordID), true
	case fieldCorrelationID:
		return unsafe.Offsetof(c.CorrelationID), true
	case fieldTenantID:
		return unsafe.Offsetof(c.TenantID), true
	case fieldUserID:
		return unsafe.Offsetof(c.UserID), true
	case fieldCallType:
		return unsafe.Offsetof(c.CallType), true
	case fieldCaller:
		return unsafe.Offsetof(c.Caller), true
	case fieldCallee:
		return unsafe.Offsetof(c.Callee), true
	}
	return 0, false
}
