package formats

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

func setText(f fieldID, s string, c *engine.Call) {
	switch f {
	case fieldRecordID:
		c.RecordID = s
	case fieldCorrelationID:
		c.CorrelationID = s
	case fieldTenantID:
		c.TenantID = s
	case fieldUserID:
		c.UserID = s
	case fieldCallType:
		c.CallType = s
	default:
		if c.Details != nil {
			setDetailText(f, s, c.Details)
		}
	}
}

func setDetailText(f fieldID, s string, t *engine.Details) {
	switch f {
	case fieldCarrier:
		t.Carrier = s
	case fieldNumberType:
		t.NumberType = s
	case fieldCapability:
		t.Capability = s
	case fieldConferenceID:
		t.ConferenceID = s
	case fieldCountryUsage:
		t.CountryUsage = s
	case fieldCountryTenant:
		t.CountryTenant = s
	case fieldCurrency:
		t.Currency = s
	case fieldCallerRaw:
		t.CallerRaw = s
	case fieldCalleeRaw:
		t.CalleeRaw = s
	}
}

func (d *Decoder) setNumber(f fieldID, b []byte, c *engine.Call) {
	n := d.numbers.read(b)
	raw := ""
	if c.Details != nil && (n.E164Digits() == 0 || n.E164Digits() != plainDigits(b)) && n.Full() != string(b) {
		raw = textOf(b)
	}
	if f == fieldCaller {
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
	case fieldStart:
		c.Start, d.start = us, us
		c.ClockUntrusted = !trusted
	case fieldEnd:
		if !trusted && us < d.start && d.have>>fieldStart&1 == 1 {
			// The call began before the clock went back and ended after.
			if later, ok := s.times.second(b); ok {
				us = later
			}
		}
		d.end = us
		if c.Details != nil {
			c.Details.End = d.ints.of(us)
		}
	case fieldInvite:
		d.invite = us
		if c.Details != nil {
			c.Details.Invite = d.ints.of(us)
		}
	}
	return ""
}

func (d *Decoder) setInt(f fieldID, b []byte, c *engine.Call) string {
	v, err := strconv.ParseInt(textOf(b), 10, 32)
	if err != nil {
		return "not a whole number, or too large"
	}
	if f == fieldRevision {
		c.Revision, c.HasRevision = int32(v), true
		return ""
	}
	if c.Details == nil {
		return ""
	}
	p := d.ints32.of(int32(v))
	switch f {
	case fieldSIPCode:
		c.Details.SIPCode = p
	case fieldSIPSubcode:
		c.Details.SIPSubcode = p
	case fieldCause:
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

func (d *Decoder) setBool(f fieldID, b []byte, c *engine.Call) string {
	v := false
	switch string(b) {
	case "true", "TRUE", "True", "1":
		v = true
	case "false", "FALSE", "False", "0":
	default:
		return "not true or false; a profile can map other words"
	}
	switch {
	case f == fieldClockUntrusted:
		c.ClockUntrusted = c.ClockUntrusted || v
	case c.Details != nil:
		c.Details.Answered = d.bools.of(v)
	}
	return ""
}

func (d *Decoder) setDecimal(s *stepReader, b []byte, c *engine.Call) string {
	text, ok := s.dec.read(b)
	if !ok {
		return "not a decimal number"
	}
	if c.Details == nil {
		return ""
	}
	if s.field == fieldCharge {
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
		return reasonEndFirst
	}
	d.lasted = (us + 500) / 1000
	d.have |= 1 << fieldDuration
	return ""
}

func (d *Decoder) timeOf(f fieldID) int64 {
	switch f {
	case fieldStart:
		return d.start
	case fieldEnd:
		return d.end
	}
	return d.invite
}

const reasonEndFirst = "the call ends before it starts"

// check judges the row as a whole.
func (d *Decoder) check(c *engine.Call) *engine.RowError {
	if d.lasted >= 0 {
		c.DurationMS = d.lasted
		if c.DurationMS > engine.MaxDuration {
			return reject(fieldDuration, reasonLong, c)
		}
	}
	if d.have&d.must != d.must {
		return reject(d.absent(), reasonEmpty, c)
	}
	if d.have>>fieldEnd&1 == 1 && d.end < d.start {
		return reject(fieldEnd, reasonEndFirst, c)
	}
	return nil
}

// absent returns the first required field that is null.
func (d *Decoder) absent() fieldID {
	for f := range numFields {
		if d.must&^d.have>>f&1 == 1 {
			return f
		}
	}
	return fieldStart
}
