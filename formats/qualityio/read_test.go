package qualityio

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"concord/engine"
	"concord/engine/quality"
	"concord/formats"
)

// outcome is all that a Reader says of a file.
type outcome struct {
	rows []quality.Row
	bad  []engine.RowError
	info formats.FileInfo
	err  error
}

func readAll(file []byte, o Options) (out outcome) {
	r, err := Open(formats.Input{Name: "f", R: bytes.NewReader(file), Size: int64(len(file))}, o)
	if err != nil {
		return outcome{err: err}
	}
	defer r.Close()
	dst := make([]quality.Row, 3)
	for {
		n, err := r.Read(context.Background(), dst)
		out.rows = append(out.rows, dst[:n]...)
		out.info = r.Info()
		switch bad, isRow := errors.AsType[*engine.RowError](err); {
		case isRow:
			out.bad = append(out.bad, *bad)
		case err == io.EOF:
			return out
		case err != nil:
			out.err = err
			return out
		}
	}
}

// record is a call record of one segment with the given media.
func record(id string, version int, media ...string) string {
	return fmt.Sprintf(`{"id":%q,"version":%d,"type":"peerToPeer","modalities":["audio"],
 "organizer_v2":{"identity":{"user":{"id":"u","displayName":"Ada Canary","userPrincipalName":"ada.canary@example.com"}}},
 "sessions":[{"id":"s","caller":{"associatedIdentity":{"userPrincipalName":"ada.canary@example.com"}},
  "segments":[{"id":"seg","startDateTime":"2026-10-01T10:00:00.1234567Z","endDateTime":"2026-10-01T10:05:00Z","media":[%s]}]}]}`,
		id, version, strings.Join(media, ","))
}

func audio(streams ...string) string {
	return `{"label":"main-audio","callerNetwork":{"ipAddress":"192.0.2.77"},"streams":[` + strings.Join(streams, ",") + `]}`
}

const fullStream = `{"streamId":"1504545584","streamDirection":"callerToCallee","startDateTime":"2026-10-01T10:00:01Z","endDateTime":"2026-10-01T10:04:59Z",
 "audioCodec":"silkWide","averageJitter":"PT0.0123456S","maxJitter":"PT0.2S","averageRoundTripTime":"PT0.051S","maxRoundTripTime":"PT1M0.5S",
 "averagePacketLossRate":0.0125,"maxPacketLossRate":0.5,"averageRatioOfConcealedSamples":0.25,"maxRatioOfConcealedSamples":1,
 "averageAudioDegradation":0.75,"packetUtilization":12000,"wasMediaBypassed":true}`

func fullRow() quality.Row {
	us := func(s string) quality.Opt[int64] {
		t, _ := time.Parse(time.RFC3339Nano, s)
		return quality.Some(t.UnixMicro())
	}
	return quality.Row{
		CallRecordID: "call-1", StreamID: "seg/1504545584/to_callee", Version: 2, Carrier: "fabrikam", Direction: quality.CallerToCallee,
		Start: us("2026-10-01T10:00:01Z"), End: us("2026-10-01T10:04:59Z"), Codec: "silkWide",
		Metrics: quality.Metrics{
			JitterAvg: quality.Some(12345600 * time.Nanosecond), JitterMax: quality.Some(200 * time.Millisecond),
			RTTAvg: quality.Some(51 * time.Millisecond), RTTMax: quality.Some(60500 * time.Millisecond),
			LossAvg: quality.Some(0.0125), LossMax: quality.Some(0.5), ConcealedAvg: quality.Some(0.25), ConcealedMax: quality.Some(1.0),
			MOSDegradation: quality.Some(0.75),
		},
		Packets: quality.Some[int64](12000), MediaBypassed: quality.Some(true), Class: quality.Poor,
	}
}

func TestGraphRecord(t *testing.T) {
	other := `{"streamId":"7","streamDirection":"calleeToCaller","averageAudioNetworkJitter":"PT0.004S","averageAudioDegradation":null}`
	text := record("call-1", 2, audio(fullStream, other), `{"label":"main-video","streams":[{"streamId":"9"}]}`)
	out := readAll([]byte(text), Options{Carrier: "fabrikam"})
	if out.err != nil || out.bad != nil {
		t.Fatal(out.err, out.bad)
	}
	if len(out.rows) != 2 || out.rows[0] != fullRow() {
		t.Fatalf("%+v", out.rows)
	}
	second := out.rows[1]
	if second.StreamID != "seg/7/to_caller" || second.Direction != quality.CalleeToCaller || second.Class != quality.Good ||
		second.JitterAvg != quality.Some(4*time.Millisecond) || second.Start != quality.Some[int64](1790848800123456) {
		t.Errorf("%+v", second)
	}
}

// The same records in every form in which they may come.
func TestGraphForms(t *testing.T) {
	a, b := record("call-1", 2, audio(fullStream)), record("call-2", 1, audio(fullStream))
	want := readAll([]byte(a+b), Options{}).rows
	if len(want) != 2 {
		t.Fatal(want)
	}
	line := func(s string) string { return strings.ReplaceAll(s, "\n", " ") }
	for name, file := range map[string][]byte{
		"a page":          []byte(`{"@odata.context":"x","value":[` + a + "," + b + `]}`),
		"two pages":       []byte(`{"value":[` + a + `]}` + "\n" + `{"value":[` + b + `]}`),
		"an array":        []byte("[" + a + "," + b + "]"),
		"an array pages":  []byte(`[{"value":[` + a + `]},{"value":[` + b + `]}]`),
		"lines":           []byte(line(a) + "\n" + line(b) + "\n"),
		"with a BOM":      []byte("\xEF\xBB\xBF" + a + b),
		"lines, gzipped":  gzipped([]byte(line(a) + "\n" + line(b) + "\n")),
		"a page, in zstd": zstded([]byte(`{"value":[` + a + "," + b + `]}`)),
	} {
		if out := readAll(file, Options{}); out.err != nil || !slices.Equal(out.rows, want) {
			t.Errorf("%s: %v %+v", name, out.err, out.rows)
		}
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zstded(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

func TestGraphNotes(t *testing.T) {
	a := strings.Replace(record("call-1", 1, audio(fullStream)), `"sessions":`, `"sessions@odata.nextLink":"https://x","sessions":`, 1)
	out := readAll([]byte(`{"value":[`+a+`,{"id":"call-2","version":1,"modalities":[]}],"@odata.nextLink":"https://y"}`), Options{})
	if out.err != nil || len(out.rows) != 1 || len(out.info.Notes) != 3 {
		t.Errorf("%v %q", out.err, out.info.Notes)
	}
}

func TestGraphBadStreams(t *testing.T) {
	stream := func(more string) string {
		return `{"streamId":"1","streamDirection":"callerToCallee"` + more + `}`
	}
	for _, c := range []struct{ name, media, field, reason string }{
		{"negative jitter", audio(stream(`,"averageJitter":"-PT0.01S"`)), "jitter_avg_ms", quality.ReasonNegative},
		{"an hour of jitter", audio(stream(`,"maxJitter":"PT1H"`)), "jitter_max_ms", quality.ReasonAbsurd},
		{"a duration without a unit", audio(stream(`,"averageJitter":"0.016"`)), "jitter_avg_ms", reasonDuration},
		{"a month", audio(stream(`,"averageRoundTripTime":"P1M"`)), "rtt_avg_ms", reasonDuration},
		{"loss in per cent", audio(stream(`,"averagePacketLossRate":12.5`)), "loss_avg", quality.ReasonRatio},
		{"loss below nothing", audio(stream(`,"maxPacketLossRate":-1`)), "loss_max", quality.ReasonNegative},
		{"not a number, as OData has it", audio(stream(`,"averagePacketLossRate":"NaN"`)), "loss_avg", reasonNumber},
		{"a nested number", audio(stream(`,"averageAudioDegradation":{"x":1}`)), "mos_degradation", reasonNumber},
		{"half a packet", audio(stream(`,"packetUtilization":0.5`)), "packets", reasonWhole},
		{"negative packets", audio(stream(`,"packetUtilization":-5`)), "packets", quality.ReasonNegative},
		{"no stream id", audio(`{"streamDirection":"callerToCallee"}`), "stream_id", quality.ReasonEmpty},
		{"a time that is none", audio(stream(`,"startDateTime":"yesterday"`)), "start", reasonTime},
		{"it ends before it starts", audio(stream(`,"startDateTime":"2026-10-01T11:00:00Z"`)), "end", quality.ReasonEndFirst},
		{"media is no list", `"x"`, "", reasonRecord},
		{"nested without end", `{"label":"main-audio","x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "", reasonDepth},
	} {
		out := readAll([]byte(record("first", 1, audio(stream("")))+record("bad", 1, c.media)), Options{})
		if out.err != nil || len(out.rows) != 1 || len(out.bad) != 1 {
			t.Errorf("%s: %v %v %v", c.name, out.err, out.rows, out.bad)
			continue
		}
		bad := out.bad[0]
		if bad.Row != 2 || bad.Field != c.field || bad.Reason != c.reason || bad.RecordID != "bad" && c.field != "" {
			t.Errorf("%s: %+v", c.name, bad)
		}
	}
}

func TestGraphBadRecordsAndFiles(t *testing.T) {
	good := record("call-1", 1, audio(fullStream))
	for _, c := range []struct{ name, file, want string }{
		{"cut short", good[:len(good)-3], "truncated"},
		{"cut between", `{"value":[` + good + `,`, "truncated"},
		{"calls, not call records", `{"value":[{"id":"x","callId":"y","duration":5}]}`, "no call records"},
		{"numbers in pages", `{"value":5}`, "neither pages nor rows"},
		{"numbers", "[1,2]", "no column call_record_id"},
		{"nothing at all", "", "empty"},
		{"a binary", "\x7fELF\x00\x00", "NUL"},
		{"too many bad ones", strings.Repeat(`{"id":"","sessions":[]}`, 20), "more than 5 %"},
	} {
		out := readAll([]byte(c.file), Options{})
		file, ok := errors.AsType[*formats.FileError](out.err)
		if !ok || !strings.Contains(out.err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, out.err)
			continue
		}
		if file.Incomplete != (c.want == "truncated" || c.want == "empty") {
			t.Errorf("%s: incomplete is %v", c.name, file.Incomplete)
		}
	}
	for _, c := range []struct{ name, text, reason string }{
		{"no version", strings.Replace(good, `"version":1,`, "", 1), reasonLackVer},
		{"no id", strings.Replace(good, `"call-1"`, `""`, 1), reasonNoID},
		{"a version in words", strings.Replace(good, `"version":1,`, `"version":"two",`, 1), reasonWhole},
	} {
		if out := readAll([]byte(good+c.text), Options{}); out.err != nil || len(out.bad) != 1 || out.bad[0].Reason != c.reason {
			t.Errorf("%s: %v %+v", c.name, out.err, out.bad)
		}
	}
}

// A record longer than allowed ends the reading before it is in memory.
func TestGraphRecordTooLong(t *testing.T) {
	long := record("call-1", 1, audio(fullStream), `{"label":"`+strings.Repeat("x", 1<<20)+`"}`)
	if out := readAll([]byte(long), Options{Record: 1 << 18}); out.err == nil || !strings.Contains(out.err.Error(), "longer than 262144 bytes") {
		t.Error(out.err)
	}
	if out := readAll([]byte(long), Options{}); out.err != nil {
		t.Error(out.err)
	}
}

func TestPersonalDataIsDropped(t *testing.T) {
	out := readAll([]byte(record("call-1", 1, audio(fullStream))+record("bad", 1, audio(`{"streamId":"1","averageJitter":"ada.canary@example.com"}`))), Options{})
	said := fmt.Sprintf("%+v", out)
	for _, secret := range []string{"Canary", "canary", "192.0.2"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is there: %s", secret, said)
		}
	}
}

func TestISODurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0.0123456S": 12345600, "PT0S": 0, "PT1S": time.Second, "PT1M2.5S": 62500 * time.Millisecond, "P1DT2H": 26 * time.Hour,
		"PT0,5S": 500 * time.Millisecond, "-PT1S": -time.Second, "PT0.0000000019S": 1, "P0D": 0, "PT36H": 36 * time.Hour,
	} {
		if got, ok := parseISO([]byte(text)); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1", "1S", "PTS", "PT.S", "P1S", "PT1D", "P1Y", "P1W", "PT1S1M", "PT1S2S", "PT1.5M", "PT1STT", "PT1ST", "PT--1S",
		"PT99999999999999999999S", "P200000D", "pt1s", "PT1S ", "PT1..5S"} {
		if got, ok := parseISO([]byte(text)); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
