package dialect

import (
	"strconv"

	"concord/engine"
)

// set reads the text b of a step into its field of c.
func (d *Decoder) set(s *stepReader, b []byte, c *engine.Call) string {
	switch s.kind {
	case KindNumber:
		d.setNumber(s.field, b, c)
		return ""
	case KindTime:
		return d.setTime(s, b, c)
	case KindDuration:
		ms, reason := s.dur.read(b)
		c.DurationMS = ms
		return reason
	case KindInt:
		return d.setInt(s.field, b, c)
	case KindDirection:
		dir, reason := ParseDirection(textOf(b))
		c.Direction = dir
		return reason
	case KindSource:
		src, reason := ParseSource(textOf(b))
		c.Source = src
		return reason
	case KindBool:
		return d.setBool(s.field, b, c)
	case KindDecimal:
		return d.setDecimal(s, b, c)
	}
	setText(s.field, textOf(b), c)
	return ""
}

func setText(f Field, s string, c *engine.Call) {
	switch f {
	case FieldRecordID:
		c.RecordID = s
	case FieldCorrelationID:
		c.CorrelationID = s
	case FieldTenantID:
		c.TenantID = s
	case FieldUserID:
		c.UserID = s
	case FieldCallType:
		c.CallType = s
	case FieldCarrier:
		c.Carrier = s
	default:
		if c.Details != nil {
			setDetailText(f, s, c.Details)
		}
	}
}

func setDetailText(f Field, s string, t *engine.Details) {
	switch f {
	case FieldNumberType:
		t.NumberType = s
	case FieldCapability:
		t.Capability = s
	case FieldConferenceID:
		t.ConferenceID = s
	case FieldCountryUsage:
		t.CountryUsage = s
	case FieldCountryTenant:
		t.CountryTenant = s
	case FieldCurrency:
		t.Currency = s
	case FieldCallerRaw:
		t.CallerRaw = s
	case FieldCalleeRaw:
		t.CalleeRaw = s
	}
}

func (d *Decoder) setNumber(f Field, b []byte, c *engine.Call) {
	n := d.numbers.read(b)
	raw := ""
	if c.Details != nil && (n.E164Digits() == 0 || n.E164Digits() != plainDigits(b)) && n.Full() != string(b) {
		raw = textOf(b)
	}
	if f == FieldCaller {
		c.Caller = n
		if c.Details != nil {
			c.Details.CallerRaw = raw
		}
		return
	}
	c.Callee = n
	if c.Details != nil {
		c.Details.CalleeRaw = raw
	}
}

func (d *Decoder) setTime(s *stepReader, b []byte, c *engine.Call) string {
	us, trusted, reason := s.times.read(b)
	if reason != "" {
		return reason
	}
	switch s.field {
	case FieldStart:
		c.Start, d.start = us, us
		c.ClockUntrusted = !trusted
	case FieldEnd:
		if !trusted && us < d.start && d.have>>FieldStart&1 == 1 {
			// The call began before the clock went back and ended after.
			if later, ok := s.times.second(b); ok {
				us = later
			}
		}
		d.end = us
		if c.Details != nil {
			c.Details.End = d.ints.of(us)
		}
	case FieldInvite:
		d.invite = us
		if c.Details != nil {
			c.Details.Invite = d.ints.of(us)
		}
	}
	return ""
}

func (d *Decoder) setInt(f Field, b []byte, c *engine.Call) string {
	v, err := strconv.ParseInt(textOf(b), 10, 32)
	if err != nil {
		return "not a whole number, or too large"
	}
	if f == FieldRevision {
		c.Revision, c.HasRevision = int32(v), true
		return ""
	}
	if c.Details == nil {
		return ""
	}
	p := d.ints32.of(int32(v))
	switch f {
	case FieldSIPCode:
		c.Details.SIPCode = p
	case FieldSIPSubcode:
		c.Details.SIPSubcode = p
	case FieldCause:
		c.Details.Cause = p
	}
	return ""
}

// ParseDirection reads the word of a canonical file for a direction, or says
// why it is none.
func ParseDirection(text string) (dir engine.Direction, reason string) {
	switch text {
	case "in":
		return engine.In, ""
	case "out":
		return engine.Out, ""
	case "unknown":
		return dir, ""
	}
	return dir, "not in, out or unknown; a profile can map other words"
}

// ParseSource reads the word of a canonical file for who measured a duration,
// or says why it is none.
func ParseSource(text string) (src engine.DurationSource, reason string) {
	switch text {
	case "microsoft":
		return engine.SourceMicrosoft, ""
	case "operator":
		return engine.SourceOperator, ""
	case "unknown":
		return src, ""
	}
	return src, "not microsoft, operator or unknown; a profile can map other words"
}

func (d *Decoder) setBool(f Field, b []byte, c *engine.Call) string {
	v := false
	switch string(b) {
	case "true", "TRUE", "True", "1":
		v = true
	case "false", "FALSE", "False", "0":
	default:
		return "not true or false; a profile can map other words"
	}
	switch {
	case f == FieldClockUntrusted:
		c.ClockUntrusted = c.ClockUntrusted || v
	case c.Details != nil:
		c.Details.Answered = d.bools.of(v)
	}
	return ""
}

func (d *Decoder) setDecimal(s *stepReader, b []byte, c *engine.Call) string {
	text, ok := s.dec.read(b)
	if !ok {
		return ReasonDecimal
	}
	if c.Details == nil {
		return ""
	}
	if s.field == FieldCharge {
		c.Details.Charge = text
	} else {
		c.Details.ConnectionCharge = text
	}
	return ""
}

// difference computes a duration from two times of the row.
func (d *Decoder) difference(s *stepReader) string {
	from, to := s.expr.minus[1], s.expr.minus[0]
	if d.have>>from&1 == 0 || d.have>>to&1 == 0 {
		return ""
	}
	us := d.timeOf(to) - d.timeOf(from)
	if us < 0 {
		return ReasonEndFirst
	}
	d.lasted = (us + 500) / 1000
	d.have |= 1 << FieldDuration
	return ""
}

func (d *Decoder) timeOf(f Field) int64 {
	switch f {
	case FieldStart:
		return d.start
	case FieldEnd:
		return d.end
	}
	return d.invite
}

// check judges the row as a whole.
func (d *Decoder) check(c *engine.Call) *engine.RowError {
	if d.lasted >= 0 {
		c.DurationMS = d.lasted
		if c.DurationMS > engine.MaxDuration {
			return reject(FieldDuration, ReasonLong, c)
		}
	}
	if d.have&d.must != d.must {
		return reject(d.absent(), ReasonEmpty, c)
	}
	if d.have>>FieldEnd&1 == 1 && d.end < d.start {
		return reject(FieldEnd, ReasonEndFirst, c)
	}
	return nil
}

// absent returns the first required field that is null.
func (d *Decoder) absent() Field {
	for f := range numFields {
		if d.must&^d.have>>f&1 == 1 {
			return f
		}
	}
	return FieldStart
}
