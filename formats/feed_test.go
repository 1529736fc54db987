package formats

import (
	"strings"
	"testing"
	"time"

	"concord/engine"

	"github.com/google/go-cmp/cmp"
)

const graphPSTN = `{"@odata.context":"x","value":[{"id":"i1","callId":"c1","userId":"u1","userPrincipalName":"someone@example.com",
"startDateTime":"2026-10-01T10:00:08.2589935Z","endDateTime":"2026-10-01T10:03:47.2589935Z","duration":219,"charge":0.00,"callType":"user_in",
"currency":"USD","calleeNumber":"+1234567890","callerNumber":"+12345678***","conferenceId":null,"operator":"Fabrikam","callDurationSource":"operator","newThing":{"a":[1,"}"]}}],
"@odata.nextLink":"https://example.com"}`

const graphDR = `{"value":[{"id":"i2","correlationId":"k1","userId":"u1","startDateTime":"0001-01-01T00:00:00Z","inviteDateTime":"2026-10-01T10:00:00Z",
"duration":0,"callType":"ByotOut","successfulCall":false,"finalSipCode":486,"callerNumber":"+1234567890","calleeNumber":"+1234567899"}]}`

func TestGraphPages(t *testing.T) {
	for _, c := range []struct {
		name, text string
		rows       int
	}{
		{"one page", graphPSTN, 1},
		{"pages one after the other", graphPSTN + "\n" + graphPSTN + graphDR, 3},
		{"an array of pages", "[" + graphPSTN + "," + graphDR + "]", 2},
		{"rows alone, a line each", `{"id":"i1","callId":"c1","startDateTime":"2026-10-01T10:00:00Z","duration":1}` + "\n" +
			`{"id":"i2","callId":"c1","startDateTime":"2026-10-01T10:00:00Z","duration":1}`, 2},
		{"an empty page", `{"value":[]}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readSide(t, engine.Microsoft, Options{Details: true}, 10, textInput("a.json", c.text))
			if r.err != nil || len(r.calls) != c.rows || len(r.bad) > 0 {
				t.Fatalf("%+v", r)
			}
		})
	}
}

func TestGraphFields(t *testing.T) {
	r := readSide(t, engine.Microsoft, Options{Details: true}, 10, textInput("a.json", graphPSTN+graphDR))
	if r.err != nil || len(r.calls) != 2 {
		t.Fatalf("%+v", r)
	}
	p, d := r.calls[0], r.calls[1]
	at := time.Date(2026, 10, 1, 10, 0, 8, 258993000, time.UTC).UnixMicro()
	if p.RecordID != "i1" || p.CorrelationID != "c1" || p.UserID != "u1" || p.Direction != engine.In || p.CallType != "user_in" ||
		p.Start != at || p.DurationMS != 219000 || p.Source != engine.SourceOperator || !p.Caller.Masked() || p.Callee.Full() != "+1234567890" {
		t.Errorf("%+v", p)
	}
	if x := p.Details; p.Carrier != "Fabrikam" || x.Currency != "USD" || x.Charge == "" || x.End == nil {
		t.Errorf("%+v", x)
	}
	if d.CorrelationID != "k1" || d.Direction != engine.Out || d.Start != at-8258993 || d.Details.Answered == nil || *d.Details.SIPCode != 486 {
		t.Errorf("%+v %+v", d, d.Details)
	}
	if diff := cmp.Diff([]string{"newThing"}, filterOut(r.infos[0].UnknownColumns)); diff != "" {
		t.Error(diff)
	}
}

func filterOut(names []string) (left []string) {
	for _, n := range names {
		if !strings.HasPrefix(n, "@") {
			left = append(left, n)
		}
	}
	return left
}

func TestBrokenGraph(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"cut in a row", graphPSTN[:200], "truncated: the JSON ends too early"},
		{"cut between rows", graphPSTN[:strings.Index(graphPSTN, "],")], "truncated"},
		{"cut behind the rows", graphPSTN[:strings.Index(graphPSTN, "],")+1], "truncated"},
		{"no JSON", `{"value":[{"id":x}]}`, "it is not JSON"},
		{"an error page", `{"error":{"code":"Forbidden"}}`, "neither PSTN nor Direct Routing"},
		{"another feed", `{"value":[{"id":"1","telephoneNumber":"+4930"}]}`, "neither PSTN nor Direct Routing"},
		{"a number", `[1,2]`, "neither pages nor rows"},
		{"a value too long", `{"value":[{"id":"` + strings.Repeat("x", 2<<20) + `"}]}`, "longer than 1048576 bytes"},
		{"rows that are no objects", `{"value":[1,2]}`, "neither PSTN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readSide(t, engine.Microsoft, Options{}, 10, textInput("a.json", c.text))
			if r.err == nil || !strings.Contains(r.err.Error(), c.want) {
				t.Fatalf("error %v, want %q", r.err, c.want)
			}
		})
	}
}

const teamsPSTN = "UsageId,Call ID,Conference ID,User Location,AAD ObjectId,UPN,User Display Name,Caller ID,Call Type,Number Type,Domestic/International,Destination Dialed,Destination Number,Start Time,End Time,Duration Seconds,Connection Fee,Charge,Currency,Capability,Operator,Source of Call Duration\n" +
	"g1,c1,,DE,u1,someone@example.com,Some One,+493012345678,user_out,Subscriber,Domestic,DE,+442071234567,2026-10-01 10:00:08.2589935,2026-10-01 10:01:08,60,0.00,0.12,EUR,MCOPSTN1,Fabrikam,Microsoft\n"

const teamsDR = "CorrelationId,AAD ObjectId,UPN,Display Name,User country,Invite time,Start time,Failure time,End time,Duration (seconds),Success,Caller Number,Callee Number,Call type,Azure region for Media,Final SIP code,Final Microsoft subcode\n" +
	"k1,u1,someone@example.com,Some One,DE,2026-10-01T10:00:00Z,2026-10-01T10:00:05Z,,2026-10-01T10:01:05Z,60,True,+4930123***,+442071234567,ByotIn,EUNO,0,0\n"

func TestTeamsExports(t *testing.T) {
	for _, c := range []struct {
		name, text, format, record, correlation string
		direction                               engine.Direction
	}{
		{"PSTN", teamsPSTN, "teams-pstn-csv", "g1", "c1", engine.Out},
		{"PSTN without usage ids", strings.ReplaceAll(strings.ReplaceAll(teamsPSTN, "UsageId,", ""), "g1,", ""), "teams-pstn-csv", "c1", "c1", engine.Out},
		{"Direct Routing", teamsDR, "teams-direct-routing-csv", "k1/2026-10-01T10:00:05Z/2026-10-01T10:00:00Z/u1/ByotIn", "k1", engine.In},
	} {
		t.Run(c.name, func(t *testing.T) {
			zipped := packZip(t, []string{"x.csv"}, []string{c.text})
			for _, in := range []Input{textInput("a.csv", c.text), bytesInput("a.zip", zipped)} {
				r := readSide(t, engine.Microsoft, Options{}, 10, in)
				if r.err != nil || len(r.calls) != 1 || len(r.bad) > 0 {
					t.Fatalf("%+v", r)
				}
				got := r.calls[0]
				if got.RecordID != c.record || got.CorrelationID != c.correlation || got.Direction != c.direction || got.DurationMS != 60000 || got.UserID != "u1" {
					t.Errorf("%+v", got)
				}
				if !strings.HasPrefix(r.infos[0].Format, c.format) {
					t.Error(r.infos[0].Format)
				}
			}
		})
	}
}
