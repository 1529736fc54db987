package dialect

import (
	"strings"
	"testing"
	"time"

	"concord/engine"

	"github.com/google/go-cmp/cmp"
)

// rowOf binds a profile to the columns of table's first line and decodes
// its second; fields are cut at '|' and \N is null.
func rowOf(t testing.TB, p *Profile, side engine.Side, table string, options ...BindOption) (engine.Call, *engine.RowError) {
	t.Helper()
	header, row, _ := strings.Cut(table, "\n")
	pl, err := p.Bind(side, strings.Split(header, "|"), options...)
	if err != nil {
		t.Fatal(err)
	}
	var c engine.Call
	rowErr := pl.Decoder().Decode(fieldsOf(pl, strings.Split(row, "|")), &c)
	return c, rowErr
}

func fieldsOf(pl *Plan, row []string) [][]byte {
	fields := make([][]byte, len(pl.Columns()))
	for i, at := range pl.Columns() {
		if row[at] != `\N` {
			fields[i] = []byte(row[at])
		}
	}
	return fields
}

func micros(t testing.TB, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func TestCanonicalRowBecomesACall(t *testing.T) {
	got, rowErr := rowOf(t, Canonical(), engine.Microsoft, "duration_ms|start|record_id|correlation_id|caller|callee|tenant_id|user_id|direction|call_type|duration_source|revision\n"+
		"61500|2026-10-01T12:00:00.5Z|r1|c1|+493012345678||t1|u1|out|user_out|operator|3")
	if rowErr != nil {
		t.Fatal(rowErr)
	}
	want := engine.Call{
		RecordID: "r1", CorrelationID: "c1", TenantID: "t1", UserID: "u1", CallType: "user_out",
		Caller: engine.E164(493012345678), Start: micros(t, "2026-10-01T12:00:00.5Z"), DurationMS: 61_500,
		Revision: 3, HasRevision: true, Direction: engine.Out, Source: engine.SourceOperator,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(engine.Number{})); diff != "" {
		t.Error(diff)
	}
}

func TestDetailsAreFilledWhenWanted(t *testing.T) {
	p := mustProfile(t, `carrier: fabrikam
columns:
  start: S
  duration_ms: D
  caller: A
  callee: B
  end: E
  invite: I
  answered: OK
  sip_code: SIP
  cause: Q
  charge: {column: EUR, decimal: ","}
  connection_charge: {column: CENT, divide: 100}
  currency: {const: EUR}
  number_type: NT
numbers: {country: DE, national_prefix: "0"}
`)
	table := "S|D|A|B|E|I|OK|SIP|Q|EUR|CENT|NT\n2026-10-01T12:00:00Z|1000|03012345678|+493012345679|2026-10-01T12:00:01Z||true|200|16|1,50|7|geo"
	got, rowErr := rowOf(t, p, engine.Carrier, table, WithDetails)
	if rowErr != nil {
		t.Fatal(rowErr)
	}
	end, yes, ok, cause := micros(t, "2026-10-01T12:00:01Z"), true, int32(200), int32(16)
	want := &engine.Details{
		CallerRaw: "03012345678", End: &end, Answered: &yes, SIPCode: &ok, Cause: &cause,
		Charge: "1.50", ConnectionCharge: "0.07", Currency: "EUR", NumberType: "geo",
	}
	if diff := cmp.Diff(want, got.Details); diff != "" {
		t.Error(diff)
	}
	if got.Carrier != "fabrikam" {
		t.Errorf("the carrier is %q", got.Carrier)
	}
	if got, _ = rowOf(t, p, engine.Carrier, table); got.Details != nil {
		t.Error("details that nobody wanted")
	}
}

func TestExpressionsOfColumns(t *testing.T) {
	const rest = ", duration_ms: D}\n"
	cases := []struct {
		name, columns, table string
		check                func(c engine.Call) any
		want                 any
	}{
		{"date and time joined", `{start: {columns: [DAY, TIME], layout: "02/01/2006 15:04:05", zone: UTC}, duration_ms: D}`,
			"DAY|TIME|D\n01/10/2026|12:00:00|5", callFieldStart, int64(1790856000_000000)},
		{"an id of two parts", `{record_id: {columns: [A, B], join: "-"}, start: S` + rest[:len(rest)-1],
			"A|B|S|D\nx|y|2026-10-01T12:00:00Z|5", callFieldRecordID, "x-y"},
		{"an id of which a part is null", `{record_id: {columns: [A, B]}, start: S` + rest[:len(rest)-1],
			"A|B|S|D\nx||2026-10-01T12:00:00Z|5", callFieldRecordID, ""},
		{"the other column for an empty one", `{start: {column: ANSWER, or: S}` + rest[:len(rest)-1],
			"ANSWER|S|D\n|2026-10-01T12:00:00Z|5", callFieldStart, int64(1790856000_000000)},
		{"words mapped", `{start: S, duration_ms: D, direction: {column: T, map: {MO: out, MT: in}}}`,
			"S|D|T\n2026-10-01T12:00:00Z|5|MT", callFieldDirection, engine.In},
		{"any other word", `{start: S, duration_ms: D, direction: {column: T, map: {MO: out}, other: unknown}}`,
			"S|D|T\n2026-10-01T12:00:00Z|5|??", callFieldDirection, engine.DirectionUnknown},
		{"a constant", `{start: S, duration_ms: D, direction: {const: out}}`, "S|D\n2026-10-01T12:00:00Z|5", callFieldDirection, engine.Out},
		{"a default for an empty field", `{start: S, duration: {column: D, unit: s, default: "0"}}`, "S|D\n2026-10-01T12:00:00Z|", callFieldDuration, int64(0)},
		{"a null of its own", `{start: {column: ANSWER, or: S, null: "0", layout: unix}, duration_ms: D}`, "ANSWER|S|D\n0|1790856000|5", callFieldStart, int64(1790856000_000000)},
		{"the end less the start", `{start: S, end: E, duration: end - start}`, "S|E\n2026-10-01T12:00:00Z|2026-10-01T12:00:01.2506Z", callFieldDuration, int64(1251)},
		{"the end less the invite", `{start: S, invite: I, end: E, duration: end - invite}`,
			"S|I|E\n2026-10-01T12:00:00Z|2026-10-01T11:59:58Z|2026-10-01T12:00:01Z", callFieldDuration, int64(3000)},
		{"a call over the hour that comes twice", `{start: {column: S, layout: "02.01.2006 15:04:05", zone: Europe/Berlin}, end: {column: E, layout: "02.01.2006 15:04:05", zone: Europe/Berlin}, duration: end - start}`,
			"S|E\n25.10.2026 02:50:00|25.10.2026 02:10:00", callFieldDuration, int64(1_200_000)},
		{"spaces around a field", `{start: S, duration_ms: D, record_id: R}`, "S|D|R\n 2026-10-01T12:00:00Z | 5|\tx ", callFieldRecordID, "x"},
		{"an optional column that is absent", `{start: S, duration_ms: D, record_id: {column: R, optional: true}}`, "S|D\n2026-10-01T12:00:00Z|5", callFieldRecordID, ""},
		{"a name in another case", `{start: s, duration_ms: d}`, "S| D \n2026-10-01T12:00:00Z|5", callFieldDuration, int64(5)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, rowErr := rowOf(t, mustProfile(t, "columns: "+c.columns+"\n"), engine.Carrier, c.table)
			if rowErr != nil {
				t.Fatal(rowErr)
			}
			if v := c.check(got); v != c.want {
				t.Errorf("got %v, want %v", v, c.want)
			}
		})
	}
}

func callFieldStart(c engine.Call) any     { return c.Start }
func callFieldRecordID(c engine.Call) any  { return c.RecordID }
func callFieldDirection(c engine.Call) any { return c.Direction }
func callFieldDuration(c engine.Call) any  { return c.DurationMS }

func TestBadRowsSayFieldAndReasonButNoValue(t *testing.T) {
	columns := `columns: {record_id: R, start: S, end: E, duration: {column: D, unit: s}, caller: A, revision: V, direction: {column: T, map: {MO: out}}}` + "\nnull: [NULL]\n"
	p := mustProfile(t, columns)
	good := []string{"id7", "2026-10-01T12:00:00Z", "2026-10-01T12:01:00Z", "60", "+493012345678", "1", "MO"}
	cases := []struct {
		name          string
		at            int
		value         string
		field, reason string
	}{
		{"no start", 1, "", "start", ReasonEmpty},
		{"a null start", 1, `\N`, "start", ReasonEmpty},
		{"a start that is the word for null", 1, "NULL", "start", ReasonEmpty},
		{"a start that is none", 1, "+493012345678", "start", reasonNotRFC3339},
		{"a start before telephony", 1, "1800-01-01T00:00:00Z", "start", ReasonYears},
		{"the end first", 2, "2026-10-01T11:59:59Z", "end", ReasonEndFirst},
		{"an end that is none", 2, "later", "end", reasonNotRFC3339},
		{"no duration", 3, "", "duration_ms", ReasonEmpty},
		{"a negative duration", 3, "-60", "duration_ms", ReasonNegative},
		{"a duration of a lifetime", 3, "9999999999", "duration_ms", ReasonLong},
		{"a revision of words", 5, "first", "revision", "not a whole number, or too large"},
		{"a direction that nobody mapped", 6, "XX", "direction", "value is not in the map of the profile"},
	}
	header := "R|S|E|D|A|V|T\n"
	if _, rowErr := rowOf(t, p, engine.Carrier, header+strings.Join(good, "|")); rowErr != nil {
		t.Fatal(rowErr)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			row := append([]string(nil), good...)
			row[c.at] = c.value
			_, rowErr := rowOf(t, p, engine.Carrier, header+strings.Join(row, "|"))
			want := engine.RowError{RecordID: "id7", Field: c.field, Reason: c.reason}
			if rowErr == nil || *rowErr != want {
				t.Errorf("got %+v, want %+v", rowErr, want)
			}
		})
	}
}

func TestMicrosoftMustNameItsRecords(t *testing.T) {
	_, rowErr := rowOf(t, Canonical(), engine.Microsoft, "record_id|start|duration_ms\n|2026-10-01T12:00:00Z|5")
	if rowErr == nil || rowErr.Field != "record_id" || rowErr.Reason != ReasonEmpty {
		t.Errorf("got %v", rowErr)
	}
	if _, rowErr = rowOf(t, Canonical(), engine.Carrier, "record_id|start|duration_ms\n|2026-10-01T12:00:00Z|5"); rowErr != nil {
		t.Errorf("the carrier need not: %v", rowErr)
	}
}

func TestRowsThatTheProfileLeavesOutAreFiltered(t *testing.T) {
	p := mustProfile(t, minimal+"rows: {where: {TYPE: [call, conf]}, except: {TEST: \"1\"}}\n")
	for row, filtered := range map[string]bool{"call|0": false, "conf|": false, "text|0": true, "|0": true, "call|1": true, "call | 1": true} {
		_, rowErr := rowOf(t, p, engine.Carrier, "S|D|TYPE|TEST\n2026-10-01T12:00:00Z|5|"+row)
		if (rowErr == Filtered) != filtered {
			t.Errorf("%s: got %v", row, rowErr)
		}
	}
}

func TestTypedTimesNeedNoLayout(t *testing.T) {
	p := mustProfile(t, `columns: {start: {column: S, layout: "02.01.2006 15:04:05", zone: Europe/Berlin}, duration_ms: D}`+"\n")
	for typed, text := range map[TypedTime]string{TypedInstant: "2026-10-01T10:00:00.5Z", TypedLocal: "2026-10-01T12:00:00.5", NotTyped: "01.10.2026 12:00:00.5"} {
		pl, err := p.Bind(engine.Carrier, []string{"S", "D"})
		if err != nil {
			t.Fatal(err)
		}
		pl.SetTyped(0, typed)
		var c engine.Call
		if rowErr := pl.Decoder().Decode(fieldsOf(pl, []string{text, "5"}), &c); rowErr != nil || c.Start != micros(t, "2026-10-01T10:00:00.5Z") {
			t.Errorf("%s: got %d, %v", text, c.Start, rowErr)
		}
	}
}

func TestBindNamesEveryMissingColumn(t *testing.T) {
	cases := []struct {
		name    string
		profile *Profile
		side    engine.Side
		columns string
		want    string
	}{
		{"canonical, carrier", Canonical(), engine.Carrier, "caller|callee", `columns "start", "duration_ms" are missing`},
		{"canonical, Microsoft", Canonical(), engine.Microsoft, "start|duration_ms", `column "record_id" is missing`},
		{"a profile's own", mustProfile(t, fabrikam), engine.Carrier, "CDR_ID|A_NUMMER|BEGINN|dauer", `column "B_NUMMER" is missing`},
		{"a filter's", mustProfile(t, minimal+"rows: {where: {TYPE: call}}\n"), engine.Carrier, "S|D", `column "TYPE" is missing`},
		{"twice", mustProfile(t, minimal), engine.Carrier, "S|D|S", `column "S" is there more than once`},
		{"an id for Microsoft", mustProfile(t, minimal), engine.Microsoft, "S|D", "add columns.record_id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.profile.Bind(c.side, strings.Split(c.columns, "|"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s", err, c.want)
			}
		})
	}
}

func TestPlanReadsOnlyWhatIsNeeded(t *testing.T) {
	pl, err := Canonical().Bind(engine.Carrier, []string{"x", "charge", "start", "duration_ms", "caller"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{4, 2, 3}, pl.Columns()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x"}, pl.Unknown()); diff != "" {
		t.Error(diff)
	}
	for _, s := range pl.Specs() {
		if len(s.Uses) != 1 || !s.Uses[0].Canonical || s.Uses[0].Field.String() != s.Name {
			t.Errorf("got %+v", s)
		}
	}
	pl, err = mustProfile(t, fabrikam).Bind(engine.Carrier, []string{"CDR_ID", "A_NUMMER", "B_NUMMER", "BEGINN", "DAUER"})
	if err != nil {
		t.Fatal(err)
	}
	for i, canonical := range []bool{true, false, false, false, false} {
		if pl.Specs()[i].Uses[0].Canonical != canonical {
			t.Errorf("%+v: canonical should be %v", pl.Specs()[i], canonical)
		}
	}
}

func TestDecodingARowTakesNoMemory(t *testing.T) {
	for name, table := range benchTables() {
		t.Run(name, func(t *testing.T) {
			d, fields := benchDecoder(t, table)
			var c engine.Call
			if n := testing.AllocsPerRun(100, func() { d.Decode(fields, &c) }); n > 0 {
				t.Errorf("%v allocations for a row", n)
			}
		})
	}
}

type benchTable struct{ profile, header, row string }

func benchTables() map[string]benchTable {
	return map[string]benchTable{
		"canonical": {"", "record_id|correlation_id|caller|callee|start|duration_ms|direction", "r-0000001|c-0000001|+493012345678|+442079460000|2026-10-01T12:34:56.789Z|61500|out"},
		"semicolon": {fabrikam, "CDR_ID|A_NUMMER|B_NUMMER|BEGINN|DAUER", "r-0000001|03012345678|00442079460000|01.10.2026 12:34:56|120"},
	}
}

func benchDecoder(t testing.TB, b benchTable) (*Decoder, [][]byte) {
	t.Helper()
	p := Canonical()
	if b.profile != "" {
		p = mustProfile(t, b.profile)
	}
	pl, err := p.Bind(engine.Carrier, strings.Split(b.header, "|"))
	if err != nil {
		t.Fatal(err)
	}
	d, fields := pl.Decoder(), fieldsOf(pl, strings.Split(b.row, "|"))
	var c engine.Call
	if rowErr := d.Decode(fields, &c); rowErr != nil {
		t.Fatal(rowErr)
	}
	return d, fields
}

func BenchmarkDecodeRow(b *testing.B) {
	for name, table := range benchTables() {
		b.Run(name, func(b *testing.B) {
			d, fields := benchDecoder(b, table)
			var c engine.Call
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(fields, &c)
			}
		})
	}
}
