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
	offset uintptr // of the field in the Call, or in its Details; for texts and numbers
	detail bool    // it is in the Details
	micros int64   // in one unit of a time column, or 0: nanoseconds
	most   uint32  // bytes of a text
}

// typedSetters returns how the columns of the plan are set, or nil when one of
// them is not plain canonical: then all values go through Plan.Decoder.
func typedSetters(pl *dialect.Plan, cols []parquetio.Column, j *job) []setter {
	if j.opts.texts || !pl.Plain() {
		return nil
	}
	specs := pl.Specs()
	set := make([]setter, len(specs))
	for i, s := range specs {
		u := s.Uses[0]
		set[i] = setter{field: u.Field, kind: u.Kind, most: uint32(j.opts.Limits.Field), detail: j.opts.Details}
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
	case dialect.KindText, dialect.KindNumber, dialect.KindDecimal:
		if s.offset, ok = callOffset(s.field); !ok && s.detail {
			s.offset, ok = detailOffset(s.field)
		} else if s.kind != dialect.KindNumber {
			s.detail = false
		}
		return ok && text
	case dialect.KindDirection, dialect.KindSource:
		return text
	case dialect.KindTime:
		s.micros = [...]int64{parquetio.Millis: 1000, parquetio.Micros: 1, parquetio.Nanos: 0}[c.Unit]
		return c.Logical == parquetio.Timestamp && (c.UTC || u.Zone == nil) && (s.detail || s.field != dialect.FieldInvite)
	case dialect.KindDuration, dialect.KindInt:
		return whole && (s.detail || s.field == dialect.FieldDuration || s.field == dialect.FieldRevision)
	case dialect.KindBool:
		return c.Physical == parquetio.Boolean && (s.detail || s.field == dialect.FieldClockUntrusted)
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
	case dialect.FieldCarrier:
		return unsafe.Offsetof(c.Carrier), true
	case dialect.FieldCaller:
		return unsafe.Offsetof(c.Caller), true
	case dialect.FieldCallee:
		return unsafe.Offsetof(c.Callee), true
	}
	return 0, false
}

// detailOffset returns where in Details a text stands.
func detailOffset(f dialect.Field) (uintptr, bool) {
	var d engine.Details
	switch f {
	case dialect.FieldNumberType:
		return unsafe.Offsetof(d.NumberType), true
	case dialect.FieldCapability:
		return unsafe.Offsetof(d.Capability), true
	case dialect.FieldConferenceID:
		return unsafe.Offsetof(d.ConferenceID), true
	case dialect.FieldCountryUsage:
		return unsafe.Offsetof(d.CountryUsage), true
	case dialect.FieldCountryTenant:
		return unsafe.Offsetof(d.CountryTenant), true
	case dialect.FieldCharge:
		return unsafe.Offsetof(d.Charge), true
	case dialect.FieldConnectionCharge:
		return unsafe.Offsetof(d.ConnectionCharge), true
	case dialect.FieldCurrency:
		return unsafe.Offsetof(d.Currency), true
	case dialect.FieldCallerRaw:
		return unsafe.Offsetof(d.CallerRaw), true
	case dialect.FieldCalleeRaw:
		return unsafe.Offsetof(d.CalleeRaw), true
	}
	return 0, false
}
