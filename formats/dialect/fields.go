package dialect

import "slices"

// Field is a canonical field of a call or a duration record.
type Field uint8

// Canonical fields, in the order in which Decode fills them.
const (
	FieldRecordID Field = iota
	FieldCorrelationID
	FieldCarrier
	FieldTenantID
	FieldUserID
	FieldDirection
	FieldCallType
	FieldCaller
	FieldCallee
	FieldStart
	FieldInvite
	FieldEnd
	FieldDuration
	FieldDurationSource
	FieldAnswered
	FieldSIPCode
	FieldSIPSubcode
	FieldCause
	FieldRevision
	FieldNumberType
	FieldCapability
	FieldConferenceID
	FieldCountryUsage
	FieldCountryTenant
	FieldCharge
	FieldConnectionCharge
	FieldCurrency
	FieldCallerRaw
	FieldCalleeRaw
	FieldClockUntrusted
	numFields
)

// Kind says what the text of a field stands for.
type Kind uint8

// Kinds of field.
const (
	KindText     Kind = iota
	KindNumber        // a telephone number
	KindTime          // an instant
	KindDuration      // a length of time
	KindInt           // a whole number of 32 bits
	KindBool
	KindDecimal // an amount, kept as text
	KindDirection
	KindSource // who measured the duration
)

// canonicalField describes one field: detail fields are read only when
// details are wanted.
type canonicalField struct {
	name   string
	kind   Kind
	detail bool
}

// canonicalFields lists every field.
// A function, so that nobody can change it.
func canonicalFields() [numFields]canonicalField {
	return [numFields]canonicalField{
		FieldRecordID:         {"record_id", KindText, false},
		FieldCorrelationID:    {"correlation_id", KindText, false},
		FieldCarrier:          {"carrier", KindText, true},
		FieldTenantID:         {"tenant_id", KindText, false},
		FieldUserID:           {"user_id", KindText, false},
		FieldDirection:        {"direction", KindDirection, false},
		FieldCallType:         {"call_type", KindText, false},
		FieldCaller:           {"caller", KindNumber, false},
		FieldCallee:           {"callee", KindNumber, false},
		FieldStart:            {"start", KindTime, false},
		FieldInvite:           {"invite", KindTime, true},
		FieldEnd:              {"end", KindTime, false},
		FieldDuration:         {"duration_ms", KindDuration, false},
		FieldDurationSource:   {"duration_source", KindSource, false},
		FieldAnswered:         {"answered", KindBool, true},
		FieldSIPCode:          {"sip_code", KindInt, true},
		FieldSIPSubcode:       {"sip_subcode", KindInt, true},
		FieldCause:            {"cause", KindInt, true},
		FieldRevision:         {"revision", KindInt, false},
		FieldNumberType:       {"number_type", KindText, true},
		FieldCapability:       {"capability", KindText, true},
		FieldConferenceID:     {"conference_id", KindText, true},
		FieldCountryUsage:     {"country_usage", KindText, true},
		FieldCountryTenant:    {"country_tenant", KindText, true},
		FieldCharge:           {"charge", KindDecimal, true},
		FieldConnectionCharge: {"connection_charge", KindDecimal, true},
		FieldCurrency:         {"currency", KindText, true},
		FieldCallerRaw:        {"caller_raw", KindText, true},
		FieldCalleeRaw:        {"callee_raw", KindText, true},
		FieldClockUntrusted:   {"clock_untrusted", KindBool, false},
	}
}

// info returns the description of the field.
func (f Field) info() canonicalField { return canonicalFields()[f] }

// String returns the name of the column in a canonical file.
func (f Field) String() string { return f.info().name }

// fieldNamed returns the field that a profile calls name; duration is
// another name of duration_ms, with a unit of its own.
func fieldNamed(name string) (Field, bool) {
	if name == "duration" {
		return FieldDuration, true
	}
	all := canonicalFields()
	i := slices.IndexFunc(all[:], func(f canonicalField) bool { return f.name == name })
	return Field(max(i, 0)), i >= 0
}

// fieldNames returns the names of all canonical columns of a call or a
// duration record, in the order in which they are written.
func fieldNames() []string {
	names := make([]string, 0, numFields)
	for _, f := range canonicalFields() {
		names = append(names, f.name)
	}
	return names
}
