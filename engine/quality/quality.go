// Package quality says how good one audio stream of a call was, and which of
// several versions of the same stream counts.
//
// It knows rows, not files: formats/quality reads and writes them. It has no
// clock, no state and no limits of its own but those of Check.
package quality

import (
	"strings"
	"time"
	"unicode/utf8"

	"concord/engine"
)

// Opt is a value that may be absent. The zero Opt is.
type Opt[T comparable] struct {
	Value T
	OK    bool
}

// Some returns an Opt that holds v.
func Some[T comparable](v T) Opt[T] { return Opt[T]{v, true} }

// Direction says which way the audio of a stream went.
type Direction uint8

// Directions.
const (
	DirectionUnknown Direction = iota
	CallerToCallee
	CalleeToCaller
)

// String returns caller_to_callee, callee_to_caller or unknown.
func (d Direction) String() string {
	return [...]string{"unknown", "caller_to_callee", "callee_to_caller"}[d]
}

// ParseDirection is the inverse of Direction.String.
func ParseDirection(s string) (Direction, bool) {
	return parse(s, DirectionUnknown, CallerToCallee, CalleeToCaller)
}

// Class is what Classify makes of a row.
type Class uint8

// Classes.
const (
	Unclassified Class = iota // no metric is there to judge by
	Good
	Poor
)

// String returns unclassified, good or poor.
func (c Class) String() string {
	return [...]string{"unclassified", "good", "poor"}[c]
}

// ParseClass is the inverse of Class.String.
func ParseClass(s string) (Class, bool) {
	return parse(s, Unclassified, Good, Poor)
}

// parse finds the value that calls itself s.
func parse[T interface{ String() string }](s string, values ...T) (v T, ok bool) {
	for _, v := range values {
		if v.String() == s {
			return v, true
		}
	}
	return v, false
}

// Row is one audio stream of a call, in one version of its record.
type Row struct {
	CallRecordID string
	StreamID     string // unique within the call record, in each of its versions
	Version      int64
	Carrier      string // who may see the row; empty when nothing says so
	Direction    Direction
	Start, End   Opt[int64] // microseconds since 1970
	Codec        string
	Metrics
	NetworkMOS    Opt[float64] // 1 to 5
	Packets       Opt[int64]
	MediaBypassed Opt[bool]
	Class         Class
}

// Metrics are what was measured of a stream.
type Metrics struct {
	JitterAvg, JitterMax       Opt[time.Duration]
	RTTAvg, RTTMax             Opt[time.Duration]
	LossAvg, LossMax           Opt[float64] // shares of packets, 0 to 1
	ConcealedAvg, ConcealedMax Opt[float64] // shares of samples, 0 to 1
	MOSDegradation             Opt[float64] // points of the MOS that the network cost
}

// From which values on, exclusively, a stream is poor.
const (
	PoorMOSDegradation = 1.0
	PoorRTT            = 500 * time.Millisecond
	PoorLoss           = 0.1
	PoorJitter         = 30 * time.Millisecond
	PoorConcealed      = 0.07
)

// Classify judges a stream: poor when any of the metrics is beyond its
// threshold (exactly on it is still good), good when one is there and none is
// beyond, unclassified when none is there. A stream of which nothing is known
// is never good.
//
// The averages count, as in Microsoft's own classifier, which states each
// condition on the average over the stream. The maxima are for people who look
// for the reason: a single late packet does not make a poor call. Microsoft
// has since taken degradation and concealment out, and judges only streams of
// more than 500 packets; here they stay in, and packets do not count, so that
// a short bad call is not overlooked.
//
// Source: "Stream Classification in Call Quality Dashboard",
// https://learn.microsoft.com/microsoftteams/stream-classification-in-call-quality-dashboard
func Classify(m *Metrics) Class {
	judged := Unclassified
	judge := func(known, poor bool) {
		if known {
			if poor {
				judged = Poor
			} else if judged == Unclassified {
				judged = Good
			}
		}
	}
	judge(m.MOSDegradation.OK, m.MOSDegradation.Value > PoorMOSDegradation)
	judge(m.RTTAvg.OK, m.RTTAvg.Value > PoorRTT)
	judge(m.LossAvg.OK, m.LossAvg.Value > PoorLoss)
	judge(m.JitterAvg.OK, m.JitterAvg.Value > PoorJitter)
	judge(m.ConcealedAvg.OK, m.ConcealedAvg.Value > PoorConcealed)
	return judged
}

// Beyond these a value was not measured but made up. They are generous: a
// network that is truly bad stays well inside.
const (
	MaxDelay       = 10 * time.Minute // of jitter and round trips
	MaxDegradation = 5.0
	MinMOS, MaxMOS = 1.0, 5.0
	MaxPackets     = 1 << 40
	MaxText        = 1024 // bytes of an id or a name
)

// Why a row is refused; fixed phrases, as of engine.RowError.
const (
	ReasonEmpty    = "the field is required"
	ReasonNegative = "the value is negative"
	ReasonAbsurd   = "the value is beyond anything that can be measured"
	ReasonRatio    = "not a ratio between 0 and 1"
	ReasonMOS      = "not a MOS between 1 and 5"
	ReasonText     = "the text is too long, not UTF-8 or holds NUL characters"
	ReasonYears    = "the year is beyond 1900 to 2261"
	ReasonEndFirst = "the stream ends before it starts"
)

// Check says what is wrong with a row: the field, by its canonical name, and
// the reason; both are empty when nothing is. The class is not looked at.
func (r *Row) Check() (field, reason string) {
	for _, c := range [...]struct{ field, reason string }{
		{"call_record_id", required(r.CallRecordID)},
		{"stream_id", required(r.StreamID)},
		{"call_record_id", text(r.CallRecordID)},
		{"stream_id", text(r.StreamID)},
		{"carrier", text(r.Carrier)},
		{"codec", text(r.Codec)},
		{"version", negative(r.Version)},
		{"start", year(r.Start)},
		{"end", year(r.End)},
		{"end", order(r.Start, r.End)},
		{"jitter_avg_ms", delay(r.JitterAvg)},
		{"jitter_max_ms", delay(r.JitterMax)},
		{"rtt_avg_ms", delay(r.RTTAvg)},
		{"rtt_max_ms", delay(r.RTTMax)},
		{"loss_avg", ratio(r.LossAvg)},
		{"loss_max", ratio(r.LossMax)},
		{"concealed_avg", ratio(r.ConcealedAvg)},
		{"concealed_max", ratio(r.ConcealedMax)},
		{"mos_degradation", degradation(r.MOSDegradation)},
		{"network_mos", mos(r.NetworkMOS)},
		{"packets", packets(r.Packets)},
	} {
		if c.reason != "" {
			return c.field, c.reason
		}
	}
	return "", ""
}

func required(s string) string {
	if s == "" {
		return ReasonEmpty
	}
	return ""
}

func text(s string) string {
	if len(s) > MaxText || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return ReasonText
	}
	return ""
}

func negative(v int64) string {
	if v < 0 {
		return ReasonNegative
	}
	return ""
}

func year(t Opt[int64]) string {
	if t.OK && (t.Value < engine.MinStart || t.Value >= engine.MaxStart) {
		return ReasonYears
	}
	return ""
}

func order(start, end Opt[int64]) string {
	if start.OK && end.OK && end.Value < start.Value {
		return ReasonEndFirst
	}
	return ""
}

func delay(d Opt[time.Duration]) string {
	switch {
	case d.Value < 0:
		return ReasonNegative
	case d.Value > MaxDelay:
		return ReasonAbsurd
	}
	return ""
}

// ratio refuses NaN, too, which no comparison holds for.
func ratio(v Opt[float64]) string {
	switch {
	case v.Value < 0:
		return ReasonNegative
	case !(v.Value <= 1):
		return ReasonRatio
	}
	return ""
}

func degradation(v Opt[float64]) string {
	switch {
	case v.Value < 0:
		return ReasonNegative
	case !(v.Value <= MaxDegradation):
		return ReasonAbsurd
	}
	return ""
}

func mos(v Opt[float64]) string {
	if v.OK && !(v.Value >= MinMOS && v.Value <= MaxMOS) {
		return ReasonMOS
	}
	return ""
}

func packets(v Opt[int64]) string {
	switch {
	case v.Value < 0:
		return ReasonNegative
	case v.Value > MaxPackets:
		return ReasonAbsurd
	}
	return ""
}
