package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/engine/numbers"
	"concord/formats/dialect"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// listed is everything that a listing gave.
type listed struct {
	rows []numbers.Assignment
	bad  []string // line known or not, place, field and reason
	info FileInfo
	err  error
}

func readListing(t testing.TB, name, text string, o NumbersOptions) (l listed) {
	t.Helper()
	if o.AsOf == 0 {
		o.AsOf = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	if o.Carrier == "" {
		o.Carrier = "fabrikam"
	}
	r, err := OpenNumbers(textInput(name, text), o)
	if err != nil {
		return listed{err: err}
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		var a numbers.Assignment
		err := r.Read(t.Context(), &a)
		var row *engine.RowError
		switch {
		case errors.Is(err, io.EOF):
			l.info = r.Info()
			return l
		case errors.As(err, &row):
			l.bad = append(l.bad, fmt.Sprintf("%v/%v", a.Digits != 0, row))
		case err != nil:
			l.err = err
			return l
		default:
			l.rows = append(l.rows, a)
		}
	}
}

const graphPage = `{"@odata.context":"x","value":[
{"id":"a","telephoneNumber":"+493012345678","operatorId":"83D289BC-0000-4000-8000-000000000001","numberType":"operatorConnect","activationState":"activated",
 "capabilities":[
	"userAssignment",
  "conferenceAssignment"
 ],"locationId":null,"civicAddressId":"00000000-0000-0000-0000-000000000000","assignmentTargetId":"22ed44ab","assignmentStatus":"userAssigned","isoCountryCode":"de","reverseNumberLookupOptions":[]},
{"id":"b","telephoneNumber":"+493012345679","operatorId":"83d289bc-0000-4000-8000-000000000001","numberType":"operatorConnect","assignmentTargetId":null,"assignmentStatus":"unassigned","capabilities":[]}]}
`

const powerShell = "#TYPE Selected.Microsoft.Teams.PowerShell\r\n" +
	`"TelephoneNumber","OperatorId","NumberType","ActivationState","AssignedPstnTargetId","Capability","CivicAddressId","IsoCountryCode","PstnAssignmentStatus","PstnPartnerName","UserPrincipalName","SipAddress","City"` + "\r\n" +
	`"+493012345678","83d289bc-0000-4000-8000-000000000001","OperatorConnect","Activated","22ed44ab","ConferenceAssignment, UserAssignment","00000000-0000-0000-0000-000000000000","DE","UserAssigned","Fabrikam","megan@contoso.example","sip:megan@contoso.example","Berlin"` + "\r\n" +
	`"tel:+493012345679","83d289bc-0000-4000-8000-000000000001","OperatorConnect","","","System.String[]","","","Unassigned","Fabrikam","","",""` + "\r\n"

func TestTheThreeFormsOfAListingSayTheSame(t *testing.T) {
	want := []numbers.Assignment{
		{Line: numbers.Line{Digits: 493012345678}, From: numbers.Unsaid, To: numbers.Open, Facts: numbers.Facts{
			NumberType: "operatorConnect", ActivationState: "activated", AssignmentStatus: "userAssigned", TargetID: "22ed44ab", TargetType: "user",
			Capabilities: "conferenceAssignment userAssignment", ISOCountry: "DE", TenantID: "contoso"}},
		{Line: numbers.Line{Digits: 493012345679}, From: numbers.Unsaid, To: numbers.Open, Facts: numbers.Facts{
			NumberType: "operatorConnect", AssignmentStatus: "unassigned", TenantID: "contoso"}},
	}
	canonical := "telephone_number,number_type,activation_state,assignment_status,tenant_id,capabilities,target_id,target_type,iso_country\n" +
		"+493012345678,operatorConnect,activated,userAssigned,contoso,userAssignment conferenceAssignment,22ed44ab,user,DE\n" +
		"+493012345679,operatorConnect,,unassigned,contoso,,,,\n"
	withSIP := func(rows []numbers.Assignment) []numbers.Assignment {
		list := append([]numbers.Assignment(nil), rows...)
		list[0].SIPURI = "sip:megan@contoso.example"
		return list
	}
	for name, c := range map[string]struct {
		text, format string
		want         []numbers.Assignment
		unknown      []string
	}{
		"Graph":      {graphPage, "graph-json", want, []string{"id", "reverseNumberLookupOptions"}},
		"PowerShell": {powerShell, "csv", withSIP(want), []string{"City"}},
		"canonical":  {canonical, "csv", want, nil},
		"semicolons": {strings.ReplaceAll(canonical, ",", ";"), "csv", want, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := readListing(t, "x", c.text, NumbersOptions{Tenant: "contoso"})
			if l.err != nil || len(l.bad) > 0 {
				t.Fatalf("%v %v", l.err, l.bad)
			}
			if d := cmp.Diff(c.want, l.rows); d != "" {
				t.Error(d)
			}
			if l.info.Format != c.format || l.info.Rows != 2 || l.info.Accepted != 2 || len(l.info.SHA256) != 64 {
				t.Errorf("%+v", l.info)
			}
			if d := cmp.Diff(c.unknown, l.info.UnknownColumns); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNumbersAsMicrosoftWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"+493012345678": "+493012345678", "493012345678": "+493012345678", "tel:+493012345678": "+493012345678", "TEL:+493012345678;ext=12": "+493012345678;ext=12",
		"+1 (425) 555-1234": "+14255551234", "+14255551234x99": "+14255551234;ext=99", "+112345": "+112345",
		"": "", "1.4E+10": "", "+49301234567x": "", "0049301234": "", "+4930123456789012": "", "anonymous": "", "+49 30 12 **": "",
	} {
		l, reason := lineOf([]byte(text))
		if (reason != "") != (want == "") || reason == "" && l.Full() != want {
			t.Errorf("%q is %q %q, want %q", text, l.Full(), reason, want)
		}
	}
}

func TestWhoseNumbers(t *testing.T) {
	const byName = "telephone_number,carrier\n+491,\n+492,fabrikam\n+493,litware\n+494,Fabrikam\n+495,OP-1\n"
	const byID = "TelephoneNumber,OperatorId,PstnPartnerName\n+491,,\n+492,op-1,\n+493,op-2,Litware\n+494,,Fabrikam\n+495,OP-1,x\n"
	const oneID = "TelephoneNumber,OperatorId\n+491,\n+492,op-1\n+493,OP-1\n"
	for _, c := range []struct {
		name, text string
		o          NumbersOptions
		want, err  string
	}{
		{"a shared listing with names", byName, NumbersOptions{Shared: true}, "492 494", ""},
		{"the name that Microsoft has for it", byName, NumbersOptions{Shared: true, Operators: []string{"op-1"}}, "492 494 495", ""},
		{"the carrier's own listing", byName, NumbersOptions{}, "491 492 494", ""},
		{"a shared listing with ids", byID, NumbersOptions{Shared: true, Operators: []string{"op-1", "fabrikam"}}, "492 494 495", ""},
		{"its own listing, with ids", byID, NumbersOptions{Operators: []string{"op-1"}}, "491 492 495", ""},
		{"its own listing, of one operator", oneID, NumbersOptions{}, "491 492 493", ""},
		{"its own listing, of several operators", byID, NumbersOptions{}, "", "several operators"},
		{"a shared listing that names nobody", "TelephoneNumber\n+491\n", NumbersOptions{Shared: true}, "", "no column says"},
		{"a shared listing with ids of nobody known", oneID, NumbersOptions{Shared: true}, "", "no column says"},
		{"Graph's listing of several, and no id", graphPage, NumbersOptions{Shared: true}, "", "none is known"},
		{"Graph's listing of several", graphPage, NumbersOptions{Shared: true, Operators: []string{"83d289bc-0000-4000-8000-000000000001"}}, "493012345678 493012345679", ""},
		{"Graph's listing of others", graphPage, NumbersOptions{Shared: true, Operators: []string{"other"}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := readListing(t, "x", c.text, c.o)
			var got []string
			for _, a := range l.rows {
				got = append(got, fmt.Sprint(a.Digits))
			}
			if (l.err != nil) != (c.err != "") || l.err != nil && !strings.Contains(l.err.Error(), c.err) {
				t.Fatalf("error %v, want %q", l.err, c.err)
			}
			if s := strings.Join(got, " "); l.err == nil && (s != c.want || len(l.bad) > 0 || l.info.Filtered+l.info.Accepted != l.info.Rows) {
				t.Errorf("%s, want %s; %v %+v", s, c.want, l.bad, l.info)
			}
		})
	}
}

func TestRowsOfAListingThatCannotBeRead(t *testing.T) {
	const head = "telephone_number,carrier,sip_uri,target_id,valid_from,valid_to\n"
	for _, c := range []struct{ name, row, want string }{
		{"no number", ",,,u,,", "false/line 3: telephone_number: empty, but every record must have it"},
		{"no E.164", "030/123,,,u,,", "false/line 3: telephone_number: not a number in E.164"},
		{"too few fields", "+492", "false/line 3: too few fields"},
		{"no SIP URI", "+492,,megan,u,,", "true/line 3: sip_uri: not a SIP URI"},
		{"control characters", "+492,,,a\x01b,,", "true/line 3: target_id: it holds control characters"},
		{"not UTF-8", "+492,,,\xff,,", "true/line 3: target_id: " + reasonUTF8},
		{"too long", "+492,,," + strings.Repeat("x", 600) + ",,", "true/line 3: target_id: " + reasonWide},
		{"no time", "+492,,,u,1 October,", "true/line 3: valid_from: not a time in RFC 3339"},
		{"another century", "+492,,,u,1066-10-01T00:00:00Z,", "true/line 3: valid_from: outside the years 1900 to 2261"},
		{"to come", "+492,,,u,2026-10-02T00:00:00Z,", "true/line 3: valid_from: it begins after the listing was made"},
		{"backwards", "+492,,,u,2026-09-02T00:00:00Z,2026-09-01T00:00:00Z", "true/line 3: valid_to: it ends before it begins"},
		{"an end only", "+492,,,u,,2026-09-01T00:00:00Z", "true/line 3: valid_to: an end needs a beginning, valid_from"},
		{"somebody else's, whatever it holds", "030/123,litware,megan,u,x,y", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := readListing(t, "x", head+"+491,,,,,\n"+c.row+"\n+493,,,,,\n", NumbersOptions{})
			if l.err != nil || strings.Join(l.bad, "; ") != c.want || len(l.rows) != 2 {
				t.Errorf("%v, %q, %d rows", l.err, l.bad, len(l.rows))
			}
		})
	}
}

func TestListingsThatCannotBeUsed(t *testing.T) {
	many := "telephone_number,carrier\n" + strings.Repeat("x,fabrikam\n", 30) + strings.Repeat("+491,litware\n", 30)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "it is empty"},
		{"blank", "\n\n", "blank lines only"},
		{"no number", "a,b\n1,2\n", "no column telephone_number"},
		{"a headerless file shows nothing", "+493012345678,x\n", "looks like data"},
		{"a column twice", "TelephoneNumber,telephone_number\n", "two columns are telephone_number"},
		{"cut short", "TelephoneNumber,a\n+491,x", "it may be cut short"},
		{"pages that follow", `{"value":[{"telephoneNumber":"+491"}],"@odata.nextLink":"https://x"}`, "it is not the whole listing"},
		{"pages cut short", graphPage[:200], "truncated"},
		{"other JSON", `["a"]`, "numberAssignments"},
		{"HTML", "<html>", "HTML"},
		{"a zip", "PK\x03\x04", "zip"},
		{"NUL bytes", "a\x00b", "NUL"},
		{"bad rows", many, "more than 5 % of its rows"},
		{"no Parquet", "PAR1xxxxxxxxPAR1", "Parquet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := readListing(t, "x", c.text, NumbersOptions{})
			var file *FileError
			if !errors.As(l.err, &file) || !strings.Contains(l.err.Error(), c.want) {
				t.Errorf("%v", l.err)
			}
			if l.err != nil && strings.Contains(l.err.Error(), "3012345678") {
				t.Errorf("it shows a number: %v", l.err)
			}
		})
	}
}

// assignments are rows of a listing as a reader may give them.
func assignments() *rapid.Generator[numbers.Change] {
	word := rapid.StringMatching(`[a-zäß,"; ]{0,12}[a-z]`)
	return rapid.Custom(func(t *rapid.T) (c numbers.Change) {
		c.Digits = rapid.Uint64Range(1000, 999_999_999_999_999).Draw(t, "digits")
		c.Ext = rapid.StringMatching(`[0-9]{0,4}`).Draw(t, "ext")
		c.From, c.To = numbers.Unsaid, numbers.Open
		if rapid.Bool().Draw(t, "history") {
			c.From = rapid.Int64Range(0, 1_700_000_000_000_000).Draw(t, "from")
			if rapid.Bool().Draw(t, "over") {
				c.To = c.From + rapid.Int64Range(1, 1_000_000_000).Draw(t, "length")
			}
		}
		for i, to := range c.Facts.Fields() {
			if name := numbers.FactNames()[i]; name != "acquired_on" && name != "sip_uri" && rapid.Bool().Draw(t, "has") {
				*to = word.Draw(t, name)
			}
		}
		c.TenantID, c.ISOCountry, c.SIPURI = "t1", "DE", rapid.SampledFrom([]string{"", "sip:a@b", "sips:a;b@c"}).Draw(t, "sip")
		c.Capabilities, c.TargetType = "a b", "user"
		c.TargetID = strings.TrimSpace(c.TargetID)
		for _, to := range c.Facts.Fields() {
			*to = strings.TrimSpace(*to)
		}
		return c
	})
}

// What was written is read back without loss, whatever the format.
func TestAWrittenListingIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(assignments(), 1, 30).Draw(t, "rows")
		for _, format := range []CanonicalFormat{CanonicalCSV, CanonicalParquet} {
			text := writeNumbers(t, format, false, rows)
			if again := writeNumbers(t, format, false, rows); again != text {
				t.Fatal("the same rows give other bytes")
			}
			l := listed{}
			r, err := OpenNumbers(textInput("x", text), NumbersOptions{Carrier: "fabrikam", AsOf: engine.MaxStart, Shared: true})
			for a := (numbers.Assignment{}); err == nil; {
				if err = r.Read(t.Context(), &a); err == nil {
					l.rows = append(l.rows, a)
				}
			}
			if !errors.Is(err, io.EOF) {
				t.Fatalf("%v in %q", err, text)
			}
			for i := range rows {
				if d := cmp.Diff(rows[i].Assignment, l.rows[i]); d != "" {
					t.Fatalf("format %d: %s", format, d)
				}
			}
		}
	})
}

func writeNumbers(t rapid.TB, format CanonicalFormat, changes bool, rows []numbers.Change) string {
	var b bytes.Buffer
	w, err := NewNumbersWriter(&b, format, "fabrikam", changes)
	for i := range rows {
		if err == nil {
			err = w.Write(&rows[i])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSpreadsheetsDoNotCalculateWithNumbers(t *testing.T) {
	c := numbers.Change{Kind: numbers.Changed, Fields: []string{"sip_uri", "usage"}, Assignment: numbers.Assignment{
		Line: numbers.Line{Digits: 493012345678, Ext: "1"}, From: 0, To: numbers.Open, Facts: numbers.Facts{Usage: "=HYPERLINK(1)", NumberType: "@x", SIPURI: "sip:a@b"}}}
	want := "change,changed_fields," + strings.Join(NumbersColumns(false), ",") + "\n" +
		"changed,sip_uri usage,\"+493012345678;ext=1\",fabrikam,\"'@x\",,,,\"'=HYPERLINK(1)\",,,,sip:a@b,,,,,1970-01-01T00:00:00Z,\n"
	if got := writeNumbers(t, CanonicalCSV, true, []numbers.Change{c}); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

func TestTheListingsInTheDocumentAreAccepted(t *testing.T) {
	doc, err := os.ReadFile("FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	list := examples(string(doc), "listings of numbers")
	if len(list) != 4 {
		t.Fatalf("%d examples, want 4", len(list))
	}
	users, err := ReadAddresses(t.Context(), textInput("users", list[3].text), dialect.Limits{}, 10)
	if err != nil || users["2713551e-ed63-415d-9175-fc4ff825a0be"] != "sip:line1@example.com" {
		t.Errorf("%v, %v", users, err)
	}
	for _, e := range list[:3] {
		l := readListing(t, "example", e.text, NumbersOptions{Operators: []string{"83d289bc-a4d3-41e6-8a3f-cff260a3f091"}})
		if l.err != nil || len(l.bad) > 0 || len(l.rows) != 1 {
			t.Errorf("%v %v %v", l.err, l.bad, l.rows)
		}
	}
	for _, changes := range []bool{false, true} {
		if head := strings.Join(NumbersColumns(changes), ","); !strings.Contains(string(doc), head+"\n") {
			t.Errorf("the header %s is not in the document", head)
		}
	}
}

func TestSIPURIsComeFromAListOfUsers(t *testing.T) {
	for name, text := range map[string]string{
		"PowerShell": "\"UserPrincipalName\",\"Identity\",\"SipAddress\"\r\n\"a@x\",\"22ED44AB\",\"sip:line1@example.com\"\r\n\"b@x\",\"u2\",\"\"\r\n\"c@x\",\"u3\",\"no address\"\r\n\"d@x\",\"22ed44ab\",\"sip:other@example.com\"\r\n",
		"Graph":      `{"value":[{"id":"22ed44ab","displayName":"M","imAddresses":["line1@example.com","x@example.com"]},{"id":"u2","imAddresses":[]},{"id":"u3","imAddresses":null}]}`,
	} {
		users, err := ReadAddresses(t.Context(), textInput("users", text), dialect.Limits{}, 10)
		if d := cmp.Diff(map[string]string{"22ed44ab": "sip:line1@example.com"}, users); d != "" || err != nil {
			t.Errorf("%s: %s, %v", name, d, err)
		}
		l := readListing(t, "x", graphPage, NumbersOptions{Addresses: users})
		if len(l.rows) != 2 || l.rows[0].SIPURI != "sip:line1@example.com" || l.rows[1].SIPURI != "" {
			t.Errorf("%s: %+v, %v", name, l.rows, l.err)
		}
		l = readListing(t, "x", powerShell, NumbersOptions{Addresses: map[string]string{"22ed44ab": "sip:other@example.com"}})
		if len(l.rows) != 2 || l.rows[0].SIPURI != "sip:megan@contoso.example" {
			t.Errorf("what the listing says itself counts: %+v, %v", l.rows, l.err)
		}
	}
	for text, want := range map[string]string{
		"TelephoneNumber,a\n": "it lists no users", "": "it is empty", "Identity,SipAddress\nu,sip:a@b": "cut short",
		"Identity,SipAddress\na,sip:a@b\nb,sip:a@b\nc,sip:a@b\n": "more than 2 users", `{"value":[],"@odata.nextLink":"x"}`: "not the whole listing",
	} {
		var file *FileError
		if _, err := ReadAddresses(t.Context(), textInput("users", text), dialect.Limits{}, 2); !errors.As(err, &file) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzNumbers feeds anything to the reader: it must neither fail to end nor
// lose count, and what it accepts it must accept again when it is written.
func FuzzNumbers(f *testing.F) {
	for _, text := range []string{graphPage, powerShell, "telephone_number;valid_from\n+491;2026-01-01T00:00:00Z\n", "LineUri\n\"tel:+1\"\n", "[", "#TYPE x\n", "\xff\xfea\x00"} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	var b bytes.Buffer
	if w, err := NewNumbersWriter(&b, CanonicalParquet, "fabrikam", false); err != nil || w.Close() != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), false)
	f.Fuzz(func(t *testing.T, text []byte, shared bool) {
		l := readListing(t, "x", string(text), NumbersOptions{Shared: shared, Operators: []string{"op"}})
		if l.err != nil {
			return
		}
		if i := l.info; i.Rows != i.Accepted+i.Rejected+i.Filtered || int(i.Accepted) != len(l.rows) || int(i.Rejected) != len(l.bad) {
			t.Fatalf("%+v, %d rows, %d bad", i, len(l.rows), len(l.bad))
		}
		var rows []numbers.Change
		for _, a := range l.rows {
			rows = append(rows, numbers.Change{Assignment: a})
		}
		again := readListing(t, "x", writeNumbers(t, CanonicalCSV, false, rows), NumbersOptions{Shared: true})
		if len(again.rows) != len(rows) {
			t.Fatalf("%d rows were written and %d read: %v", len(rows), len(again.rows), again.bad)
		}
	})
}
