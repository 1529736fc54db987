package formats

import (
	"concord/engine"

	"concord/formats/dialect"
)

// outField is one column of a canonical file and where its value is found.
type outField struct {
	name   string
	kind   dialect.Kind
	few    bool // few distinct values are expected
	always bool // every call has a value
	// one of these, by kind; an empty text is null
	text   func(*engine.Call, *engine.Details) string
	number func(*engine.Call) engine.Number
	int    func(*engine.Call, *engine.Details) (v int64, ok bool)
}

// WrittenColumns returns the columns of a canonical file in the order in which
// they are written.
func WrittenColumns() []string {
	fields := outFields()
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return names
}

// outFields lists the columns that a canonical file may have: every field that
// a reader fills.
func outFields() []outField {
	return []outField{
		{name: "record_id", kind: dialect.KindText, text: func(c *engine.Call, d *engine.Details) string { return c.RecordID }},
		{name: "correlation_id", kind: dialect.KindText, text: func(c *engine.Call, d *engine.Details) string { return c.CorrelationID }},
		{name: "carrier", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return c.Carrier }},
		{name: "tenant_id", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return c.TenantID }},
		{name: "user_id", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return c.UserID }},
		{name: "direction", kind: dialect.KindDirection, few: true, always: true, text: func(c *engine.Call, d *engine.Details) string { return c.Direction.String() }},
		{name: "call_type", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return c.CallType }},
		{name: "caller", kind: dialect.KindNumber, number: func(c *engine.Call) engine.Number { return c.Caller }},
		{name: "callee", kind: dialect.KindNumber, number: func(c *engine.Call) engine.Number { return c.Callee }},
		{name: "start", kind: dialect.KindTime, always: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return c.Start, true }},
		{name: "invite", kind: dialect.KindTime, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return deref(d.Invite) }},
		{name: "end", kind: dialect.KindTime, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return deref(d.End) }},
		{name: "duration_ms", kind: dialect.KindDuration, always: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return c.DurationMS, true }},
		{name: "duration_source", kind: dialect.KindSource, few: true, always: true, text: func(c *engine.Call, d *engine.Details) string { return c.Source.String() }},
		{name: "answered", kind: dialect.KindBool, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return fromBool(d.Answered) }},
		{name: "sip_code", kind: dialect.KindInt, few: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return deref(d.SIPCode) }},
		{name: "sip_subcode", kind: dialect.KindInt, few: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return deref(d.SIPSubcode) }},
		{name: "cause", kind: dialect.KindInt, few: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return deref(d.Cause) }},
		{name: "revision", kind: dialect.KindInt, few: true, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return int64(c.Revision), c.HasRevision }},
		{name: "number_type", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.NumberType }},
		{name: "capability", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.Capability }},
		{name: "conference_id", kind: dialect.KindText, text: func(c *engine.Call, d *engine.Details) string { return d.ConferenceID }},
		{name: "country_usage", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.CountryUsage }},
		{name: "country_tenant", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.CountryTenant }},
		{name: "charge", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.Charge }},
		{name: "connection_charge", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.ConnectionCharge }},
		{name: "currency", kind: dialect.KindText, few: true, text: func(c *engine.Call, d *engine.Details) string { return d.Currency }},
		{name: "caller_raw", kind: dialect.KindText, text: func(c *engine.Call, d *engine.Details) string { return d.CallerRaw }},
		{name: "callee_raw", kind: dialect.KindText, text: func(c *engine.Call, d *engine.Details) string { return d.CalleeRaw }},
		{name: "clock_untrusted", kind: dialect.KindBool, int: func(c *engine.Call, d *engine.Details) (int64, bool) { return 1, c.ClockUntrusted }},
	}
}

// deref returns what p points to; nil is null.
func deref[T int32 | int64](p *T) (int64, bool) {
	if p == nil {
		return 0, false
	}
	return int64(*p), true
}

func fromBool(p *bool) (int64, bool) {
	if p == nil || !*p {
		return 0, p != nil
	}
	return 1, true
}
