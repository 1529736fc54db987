package formats

import "slices"

// fieldID is a canonical field of a call or a duration record.
type fieldID uint8

const (
	fieldRecordID fieldID = iota
	fieldCorrelationID
	fieldCarrier
	fieldTenantID
	fieldUserID
	fieldDirection
	fieldCallType
	fieldCaller
	fieldCallee
	fieldStart
	fieldInvite
	fieldEnd
	fieldDuration
	fieldDurationSource
	fieldAnswered
	fieldSIPCode
	fieldSIPSubcode
	fieldCause
	fieldRevision
	fieldNumberType
	fieldCapability
	fieldConferenceID
	fieldCountryUsage
	fieldCountryTenant
	fieldCharge
	fieldConnectionCharge
	fieldCurrency
	fieldCallerRaw
	fieldCalleeRaw
	fieldClockUntrusted
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

// canonicalFields lists every field in the order in which Decode fills them.
// A function, so that nobody can change it.
func canonicalFields() [numFields]canonicalField {
	return [numFields]canonicalField{
		fieldRecordID:         {"record_id", KindText, false},
		fieldCorrelationID:    {"correlation_id", KindText, false},
		fieldCarrier:          {"carrier", KindText, true},
		fieldTenantID:         {"tenant_id", KindText, false},
		fieldUserID:           {"user_id", KindText, false},
		fieldDirection:        {"direction", KindDirection, false},
		fieldCallType:         {"call_type", KindText, false},
		fieldCaller:           {"caller", KindNumber, false},
		fieldCallee:           {"callee", KindNumber, false},
		fieldStart:            {"start", KindTime, false},
		fieldInvite:           {"invite", KindTime, true},
		fieldEnd:              {"end", KindTime, false},
		fieldDuration:         {"duration_ms", KindDuration, false},
		fieldDurationSource:   {"duration_source", KindSource, false},
		fieldAnswered:         {"answered", KindBool, true},
		fieldSIPCode:          {"sip_code", KindInt, true},
		fieldSIPSubcode:       {"sip_subcode", KindInt, true},
		fieldCause:            {"cause", KindInt, true},
		fieldRevision:         {"revision", KindInt, false},
		fieldNumberType:       {"number_type", KindText, true},
		fieldCapability:       {"capability", KindText, true},
		fieldConferenceID:     {"conference_id", KindText, true},
		fieldCountryUsage:     {"country_usage", KindText, true},
		fieldCountryTenant:    {"country_tenant", KindText, true},
		fieldCharge:           {"charge", KindDecimal, true},
		fieldConnectionCharge: {"connection_charge", KindDecimal, true},
		fieldCurrency:         {"currency", KindText, true},
		fieldCallerRaw:        {"caller_raw", KindText, true},
		fieldCalleeRaw:        {"callee_raw", KindText, true},
		fieldClockUntrusted:   {"clock_untrusted", KindBool, false},
	}
}

// info returns the description of the field.
func (f fieldID) info() canonicalField { return canonicalFields()[f] }

// String returns the name of the column in a canonical file.
func (f fieldID) String() string { return f.info().name }

// fieldNamed returns the field that a profile calls name; duration is
// another name of duration_ms, with a unit of its own.
func fieldNamed(name string) (fieldID, bool) {
	if name == "duration" {
		return fieldDuration, true
	}
	all := canonicalFields()
	i := slices.IndexFunc(all[:], func(f canonicalField) bool { return f.name == name })
	return fieldID(max(i, 0)), i >= 0
}

// CanonicalColumns returns the names of all canonical columns of a call or a
// duration record, in the order in which they are written.
func CanonicalColumns() []string {
	names := make([]string, 0, numFields)
	for _, f := range canonicalFields() {
		names = append(names, f.name)
	}
	return names
}
