package formats

import (
	"fmt"
	"io"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"
)

// DictionaryEntry describes one column of a delivered file to its reader.
type DictionaryEntry struct {
	File    string // calls or quality
	Column  string
	Type    string // as in Parquet
	Unit    string // empty when there is none
	Null    bool
	Meaning string
}

// WriteDictionary writes entries as CSV.
func WriteDictionary(w io.Writer, entries []DictionaryEntry) error {
	b := []byte("file,column,type,unit,null,meaning\n")
	for _, e := range entries {
		null := "no"
		if e.Null {
			null = "yes"
		}
		for i, s := range []string{e.File, e.Column, e.Type, e.Unit, null, e.Meaning} {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendCSV(b, s)
		}
		b = append(b, '\n')
	}
	_, err := w.Write(b)
	return err
}

// TypeName returns a person's word for the type of a Parquet column.
func TypeName(c parquetio.WriteColumn) string {
	switch {
	case c.Logical == parquetio.String:
		return "text"
	case c.Logical == parquetio.Timestamp:
		return "timestamp(us)"
	case c.Logical == parquetio.Decimal:
		return fmt.Sprintf("decimal(%d,%d)", c.Precision, c.Scale)
	}
	return map[parquetio.Physical]string{
		parquetio.Boolean: "boolean", parquetio.Int32: "int32", parquetio.Int64: "int64", parquetio.Double: "double",
	}[c.Physical]
}

// CallDictionary describes the columns of a canonical file of Microsoft's call
// records, in the order given; nil is all of WrittenColumns.
func CallDictionary(columns []string) ([]DictionaryEntry, error) {
	fields, err := chosenFields(columns)
	if err != nil {
		return nil, err
	}
	entries := make([]DictionaryEntry, len(fields))
	for i := range fields {
		c := fields[i].column(engine.Microsoft)
		entries[i] = DictionaryEntry{
			File: "calls", Column: c.Name, Type: TypeName(c), Unit: fields[i].unit(), Null: c.Optional, Meaning: meaningOf(c.Name),
		}
	}
	return entries, nil
}

// unit returns what the field's value counts.
func (f *outField) unit() string {
	switch f.kind {
	case dialect.KindTime:
		return "UTC"
	case dialect.KindDuration:
		return "ms"
	case dialect.KindDecimal:
		return "currency"
	case dialect.KindNumber:
		return "E.164"
	}
	if f.name == "charge" || f.name == "connection_charge" {
		return "currency"
	}
	return ""
}

// meaningOf says what a field of a call record is.
func meaningOf(field string) string {
	switch field {
	case "record_id":
		return "id of the record, unique; a later version of a record has the same"
	case "correlation_id":
		return "id of the call that a carrier may echo; several legs may share it"
	case "carrier":
		return "the carrier that the call went through"
	case "tenant_id":
		return "the customer's Microsoft 365 tenant"
	case "user_id":
		return "the user's id in the customer's directory"
	case "direction":
		return "in, out or unknown, as the Teams user sees it"
	case "call_type":
		return "Microsoft's kind of call, such as user_in, user_out, conf_in, dr_out; more may come"
	case "caller":
		return "calling number; + and digits, hidden ones as *"
	case "callee":
		return "called number; + and digits, hidden ones as *"
	case "start":
		return "when the call was answered; of a call that never was, when it was tried"
	case "invite":
		return "when the call was offered"
	case "end":
		return "when the call ended"
	case "duration_ms":
		return "from answer to end; 0 for a call that was never answered"
	case "duration_source":
		return "microsoft, operator or unknown: who measured the duration"
	}
	return meaningOfDetail(field)
}

func meaningOfDetail(field string) string {
	switch field {
	case "answered":
		return "whether the call was answered"
	case "sip_code":
		return "final SIP response code"
	case "sip_subcode":
		return "Microsoft's own code beside the SIP code"
	case "cause":
		return "release cause by ITU-T Q.850"
	case "revision":
		return "revision of the record; a higher one supersedes a lower one"
	case "number_type":
		return "kind of number, such as Subscriber or Service"
	case "capability":
		return "licence that the call was made under"
	case "conference_id":
		return "id of the audio conference"
	case "country_usage":
		return "ISO 3166-1 alpha-2 code of the country that the user is in"
	case "country_tenant":
		return "ISO 3166-1 alpha-2 code of the tenant's country"
	case "charge":
		return "what Microsoft charges its customer for the call"
	case "connection_charge":
		return "what of the charge is for the connection"
	case "currency":
		return "ISO 4217 code of the charges' currency"
	case "caller_raw":
		return "calling number as it was sent, where caller differs"
	case "callee_raw":
		return "called number as it was sent, where callee differs"
	case "clock_untrusted":
		return "true when the local time of the record was ambiguous or does not exist"
	}
	return ""
}
