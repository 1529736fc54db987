package qualityio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"concord/engine"
	"concord/engine/quality"
	"concord/formats"
)

// The parts of a Graph callRecord that are read. Names, addresses, devices and
// networks of people are not among them, and so never leave the decoder.
// Values stay as they are written, so that a bad one costs its stream only.
type (
	callRecord struct {
		ID       string
		Version  json.RawMessage
		Sessions []session
		More     json.RawMessage `json:"sessions@odata.nextLink"`
	}
	session struct {
		Segments []segment
		More     json.RawMessage `json:"segments@odata.nextLink"`
	}
	segment struct {
		ID            string
		StartDateTime json.RawMessage
		EndDateTime   json.RawMessage
		Media         []media
	}
	media struct {
		Label   string
		Streams []stream
	}
	stream struct {
		StreamID                       json.RawMessage
		StreamDirection                string
		StartDateTime, EndDateTime     json.RawMessage
		AudioCodec                     json.RawMessage
		AverageJitter, MaxJitter       json.RawMessage
		AverageAudioNetworkJitter      json.RawMessage
		MaxAudioNetworkJitter          json.RawMessage
		AverageRoundTripTime           json.RawMessage
		MaxRoundTripTime               json.RawMessage
		AveragePacketLossRate          json.RawMessage
		MaxPacketLossRate              json.RawMessage
		AverageRatioOfConcealedSamples json.RawMessage
		MaxRatioOfConcealedSamples     json.RawMessage
		AverageAudioDegradation        json.RawMessage
		PacketUtilization              json.RawMessage
		WasMediaBypassed               json.RawMessage
	}
)

const (
	mainAudio = "main-audio" // label of the audio between the endpoints
	// maxDepth is far more than a call record nests.
	maxDepth = 64

	hintGraph     = "export callRecords with $expand=sessions($expand=segments)"
	reasonDepth   = "the record is nested too deeply"
	reasonRecord  = "the record is not of the form of a callRecord"
	reasonNoID    = "the record has no id"
	reasonLackVer = "the record has no version"
)

// graphSource reads Microsoft Graph's callRecords.
type graphSource struct {
	text    *formats.Text
	rows    *formats.JSONRows
	carrier string
	record  int64 // number of the current one, from 1
	queue   []result
	bare    int64 // records without sessions
	partial int64 // records of which more sessions or segments follow
}

// result is what became of one stream.
type result struct {
	row quality.Row
	bad *engine.RowError
}

func newGraphSource(text *formats.Text, carrier string) *graphSource {
	return &graphSource{text: text, rows: text.JSONRows(hintGraph), carrier: carrier}
}

// next implements source.
func (g *graphSource) next(ctx context.Context, r *quality.Row) (*engine.RowError, error) {
	for len(g.queue) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		raw, err := g.rows.Next()
		if err != nil {
			return nil, err
		}
		if g.record++; g.record == 1 && !looksLikeRecord(raw) {
			return nil, errNotRecords
		}
		g.queue = g.streams(g.queue[:0], raw)
	}
	one := g.queue[0]
	g.queue = g.queue[1:]
	*r = one.row
	return one.bad, nil
}

var errNotRecords = errors.New("its JSON has no call records: they have an id and sessions")

// looksLikeRecord tells a call record from a row of another report.
func looksLikeRecord(raw json.RawMessage) bool {
	return formats.HasKey(raw, "id") && (formats.HasKey(raw, "sessions") || formats.HasKey(raw, "modalities"))
}

// streams appends what became of each audio stream of a record. A record that
// is bad as a whole is one bad row.
func (g *graphSource) streams(queue []result, raw json.RawMessage) []result {
	var rec callRecord
	bad := func(field, reason string) []result {
		return append(queue, result{bad: &engine.RowError{Row: g.record, RecordID: shortID(rec.ID), Field: field, Reason: reason}})
	}
	if deeperThan(raw, maxDepth) {
		return bad("", reasonDepth)
	}
	if json.Unmarshal(raw, &rec) != nil {
		return bad("", reasonRecord)
	}
	version, isWhole := parseWhole(plain(rec.Version))
	switch {
	case rec.ID == "":
		return bad("call_record_id", reasonNoID)
	case len(plain(rec.Version)) == 0:
		return bad("version", reasonLackVer)
	case !isWhole:
		return bad("version", reasonWhole)
	}
	g.count(&rec)
	for _, ses := range rec.Sessions {
		for i := range ses.Segments {
			seg := &ses.Segments[i]
			for _, m := range seg.Media {
				if m.Label != mainAudio {
					continue
				}
				for k := range m.Streams {
					queue = append(queue, g.stream(&rec, version, seg, &m.Streams[k]))
				}
			}
		}
	}
	return queue
}

// shortID returns an id for a message, and nothing for one that is none.
func shortID(id string) string {
	if len(id) > quality.MaxText {
		return ""
	}
	return id
}

// count notes what is missing from a record.
func (g *graphSource) count(rec *callRecord) {
	more := len(rec.More) > 0
	for _, s := range rec.Sessions {
		more = more || len(s.More) > 0
	}
	if more {
		g.partial++
	}
	if len(rec.Sessions) == 0 {
		g.bare++
	}
}

// stream makes a row of one stream.
func (g *graphSource) stream(rec *callRecord, version int64, seg *segment, s *stream) result {
	r := quality.Row{CallRecordID: rec.ID, Version: version, Carrier: g.carrier}
	field, reason := s.fill(&r, seg)
	if reason == "" {
		field, reason = r.Check()
	}
	if reason != "" {
		return result{bad: &engine.RowError{Row: g.record, RecordID: shortID(rec.ID), Field: field, Reason: reason}}
	}
	r.Class = quality.Classify(&r.Metrics)
	return result{row: r}
}

// fill sets the row's fields. Microsoft's ids of streams are drawn anew in
// every segment and may come again in another or in the opposite direction:
// the id of the row says all three.
func (s *stream) fill(r *quality.Row, seg *segment) (field, reason string) {
	id := plain(s.StreamID)
	if len(id) == 0 {
		return "stream_id", quality.ReasonEmpty
	}
	mark := "unknown"
	switch s.StreamDirection {
	case "callerToCallee":
		r.Direction, mark = quality.CallerToCallee, "to_callee"
	case "calleeToCaller":
		r.Direction, mark = quality.CalleeToCaller, "to_caller"
	}
	r.StreamID = seg.ID + "/" + string(id) + "/" + mark
	r.Codec = string(plain(s.AudioCodec))
	return firstFault(
		optional("start", &r.Start, parseTime, s.StartDateTime, seg.StartDateTime),
		optional("end", &r.End, parseTime, s.EndDateTime, seg.EndDateTime),
		optional("jitter_avg_ms", &r.JitterAvg, parseISO, s.AverageJitter, s.AverageAudioNetworkJitter),
		optional("jitter_max_ms", &r.JitterMax, parseISO, s.MaxJitter, s.MaxAudioNetworkJitter),
		optional("rtt_avg_ms", &r.RTTAvg, parseISO, s.AverageRoundTripTime),
		optional("rtt_max_ms", &r.RTTMax, parseISO, s.MaxRoundTripTime),
		optional("loss_avg", &r.LossAvg, parseReal, s.AveragePacketLossRate),
		optional("loss_max", &r.LossMax, parseReal, s.MaxPacketLossRate),
		optional("concealed_avg", &r.ConcealedAvg, parseReal, s.AverageRatioOfConcealedSamples),
		optional("concealed_max", &r.ConcealedMax, parseReal, s.MaxRatioOfConcealedSamples),
		optional("mos_degradation", &r.MOSDegradation, parseReal, s.AverageAudioDegradation),
		optional("packets", &r.Packets, parseWhole, s.PacketUtilization),
		optional("media_bypassed", &r.MediaBypassed, parseBool, s.WasMediaBypassed),
	)
}

// fault is a field that cannot be read; the zero fault is none.
type fault struct{ field, reason string }

func firstFault(faults ...fault) (field, reason string) {
	for _, f := range faults {
		if f.reason != "" {
			return f.field, f.reason
		}
	}
	return "", ""
}

// optional reads the first of the values that is not null.
func optional[T comparable](field string, o *quality.Opt[T], parse func([]byte) (T, bool), values ...json.RawMessage) fault {
	for _, raw := range values {
		b := plain(raw)
		if len(b) == 0 || bytes.HasPrefix(b, []byte(noTime)) {
			continue
		}
		if !put(o, b, parse) {
			return fault{field, reasonOf(field, o)}
		}
		return fault{}
	}
	return fault{}
}

// noTime is how Microsoft writes a time that is not there.
const noTime = "0001-01-01T00:00:00"

// reasonOf says what a value should have been.
func reasonOf[T comparable](field string, o *quality.Opt[T]) string {
	if field == "start" || field == "end" {
		return reasonTime
	}
	switch any(o).(type) {
	case *quality.Opt[float64]:
		return reasonNumber
	case *quality.Opt[bool]:
		return reasonBool
	case *quality.Opt[int64]:
		return reasonWhole
	}
	return reasonDuration
}

// plain returns the text of a scalar without its quotes; nothing for null and
// for what is no scalar.
func plain(raw json.RawMessage) []byte {
	switch {
	case len(raw) == 0, raw[0] == 'n':
		return nil
	case raw[0] == '{', raw[0] == '[':
		return []byte("nested")
	case raw[0] != '"':
		return raw
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil
	}
	return []byte(s)
}

// deeperThan reports whether raw, which is valid JSON, nests deeper than limit.
func deeperThan(raw []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// finish implements source.
func (g *graphSource) finish(_ context.Context, i *formats.FileInfo) (err error) {
	i.SHA256, err = g.text.Finish()
	i.OwnEnd, i.Format = true, packedFormat("graph-callrecords", g.text.Packed)
	if g.rows.More() {
		i.Notes = append(i.Notes, "the last page says that more pages follow")
	}
	i.Notes = note(i.Notes, g.bare, "call records without sessions: "+hintGraph)
	i.Notes = note(i.Notes, g.partial, "call records of which more sessions or segments follow elsewhere")
	return err
}

// close implements source.
func (g *graphSource) close() error {
	g.text.Close()
	return nil
}
