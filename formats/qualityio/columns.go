package qualityio

import (
	"time"

	"concord/engine/quality"
	"concord/formats/parquetio"
)

// column is one column of a canonical file of quality rows, and where its
// value is kept. Exactly one of the places is set; it says what the column is.
type column struct {
	name, unit, meaning string
	required            bool // the file must have it, and each row a value
	few                 bool // few distinct values are expected

	text   func(*quality.Row) *string
	whole  func(*quality.Row) *int64
	count  func(*quality.Row) *quality.Opt[int64]
	micros func(*quality.Row) *quality.Opt[int64] // since 1970
	delay  func(*quality.Row) *quality.Opt[time.Duration]
	real   func(*quality.Row) *quality.Opt[float64]
	flag   func(*quality.Row) *quality.Opt[bool]
	word   *word
}

// word is a value out of a closed list.
type word struct {
	get func(*quality.Row) string
	set func(*quality.Row, string) bool
}

// columns lists every column in the order in which they are written.
func columns() []column {
	type row = quality.Row
	return []column{
		{name: "call_record_id", required: true, meaning: "id of Microsoft's call record; a call that Microsoft cuts into several records has several",
			text: func(r *row) *string { return &r.CallRecordID }},
		{name: "stream_id", required: true, meaning: "id of the audio stream, the same in every version of its record: segment/stream/direction",
			text: func(r *row) *string { return &r.StreamID }},
		{name: "version", required: true, few: true, meaning: "version of the call record; the highest one of a stream counts",
			whole: func(r *row) *int64 { return &r.Version }},
		{name: "carrier", few: true, meaning: "the carrier that the call went through",
			text: func(r *row) *string { return &r.Carrier }},
		{name: "stream_direction", few: true, meaning: "caller_to_callee, callee_to_caller or unknown: which way the audio went",
			word: &word{func(r *row) string { return r.Direction.String() }, setDirection}},
		{name: "start", unit: "UTC", meaning: "when the stream, or else its segment, began",
			micros: func(r *row) *quality.Opt[int64] { return &r.Start }},
		{name: "end", unit: "UTC", meaning: "when the stream, or else its segment, ended",
			micros: func(r *row) *quality.Opt[int64] { return &r.End }},
		{name: "codec", few: true, meaning: "audio codec, in Microsoft's words",
			text: func(r *row) *string { return &r.Codec }},
		{name: "jitter_avg_ms", unit: "ms", meaning: "average jitter; above 30 the stream is poor",
			delay: func(r *row) *quality.Opt[time.Duration] { return &r.JitterAvg }},
		{name: "jitter_max_ms", unit: "ms", meaning: "highest jitter",
			delay: func(r *row) *quality.Opt[time.Duration] { return &r.JitterMax }},
		{name: "rtt_avg_ms", unit: "ms", meaning: "average round trip; above 500 the stream is poor",
			delay: func(r *row) *quality.Opt[time.Duration] { return &r.RTTAvg }},
		{name: "rtt_max_ms", unit: "ms", meaning: "longest round trip",
			delay: func(r *row) *quality.Opt[time.Duration] { return &r.RTTMax }},
		{name: "loss_avg", unit: "ratio 0-1", meaning: "average share of packets lost; above 0.1 the stream is poor",
			real: func(r *row) *quality.Opt[float64] { return &r.LossAvg }},
		{name: "loss_max", unit: "ratio 0-1", meaning: "highest share of packets lost",
			real: func(r *row) *quality.Opt[float64] { return &r.LossMax }},
		{name: "concealed_avg", unit: "ratio 0-1", meaning: "average share of samples made up to conceal losses; above 0.07 the stream is poor",
			real: func(r *row) *quality.Opt[float64] { return &r.ConcealedAvg }},
		{name: "concealed_max", unit: "ratio 0-1", meaning: "highest share of samples made up to conceal losses",
			real: func(r *row) *quality.Opt[float64] { return &r.ConcealedMax }},
		{name: "mos_degradation", unit: "MOS points", meaning: "what the network took from the mean opinion score; above 1.0 the stream is poor",
			real: func(r *row) *quality.Opt[float64] { return &r.MOSDegradation }},
		{name: "network_mos", unit: "MOS 1-5", meaning: "mean opinion score of the network; Microsoft Graph does not tell it",
			real: func(r *row) *quality.Opt[float64] { return &r.NetworkMOS }},
		{name: "packets", unit: "packets", meaning: "packets of the stream",
			count: func(r *row) *quality.Opt[int64] { return &r.Packets }},
		{name: "media_bypassed", meaning: "whether the audio went past Microsoft's mediation",
			flag: func(r *row) *quality.Opt[bool] { return &r.MediaBypassed }},
		{name: "classification", few: true, meaning: "good, poor or unclassified: made of the averages here and of nothing else; unclassified when all are null",
			word: &word{func(r *row) string { return r.Class.String() }, setClass}},
	}
}

func setDirection(r *quality.Row, s string) (ok bool) {
	r.Direction, ok = quality.ParseDirection(s)
	return ok
}

func setClass(r *quality.Row, s string) (ok bool) {
	r.Class, ok = quality.ParseClass(s)
	return ok
}

// always reports whether every row has a value: then the column is not
// optional.
func (c *column) always() bool { return c.required || c.word != nil }

// delayScale is the number of decimals of a millisecond that are kept: down to
// a nanosecond.
const delayScale = 6

// parquet describes the column to a writer.
func (c *column) parquet() parquetio.WriteColumn {
	w := parquetio.WriteColumn{Dictionary: c.few}
	w.Name, w.Optional = c.name, !c.always()
	w.Physical = parquetio.Int64
	switch {
	case c.text != nil || c.word != nil:
		w.Physical, w.Logical = parquetio.ByteArray, parquetio.String
	case c.micros != nil:
		w.Logical, w.Unit, w.UTC = parquetio.Timestamp, parquetio.Micros, true
	case c.delay != nil:
		w.Logical, w.Scale, w.Precision = parquetio.Decimal, delayScale, 18
	case c.real != nil:
		w.Physical = parquetio.Double
	case c.flag != nil:
		w.Physical = parquetio.Boolean
	}
	return w
}
