package quality

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Metrics
		want Class
	}{
		{"nothing was measured", Metrics{}, Unclassified},
		{"only maxima were sent, however bad", Metrics{JitterMax: Some(900 * ms), RTTMax: Some(9 * time.Second), LossMax: Some(1.0), ConcealedMax: Some(1.0)}, Unclassified},
		{"a perfect line", Metrics{JitterAvg: Some(0 * ms), LossAvg: Some(0.0)}, Good},
		{"one metric is enough to be good", Metrics{MOSDegradation: Some(0.2)}, Good},
		{"every metric exactly on its threshold", Metrics{
			MOSDegradation: Some(1.0), RTTAvg: Some(500 * ms), LossAvg: Some(0.1), JitterAvg: Some(30 * ms), ConcealedAvg: Some(0.07),
		}, Good},
		{"degradation just above", Metrics{MOSDegradation: Some(math.Nextafter(1, 2))}, Poor},
		{"round trip just above", Metrics{RTTAvg: Some(500*ms + 100)}, Poor},
		{"loss just above", Metrics{LossAvg: Some(math.Nextafter(0.1, 1))}, Poor},
		{"jitter just above", Metrics{JitterAvg: Some(30*ms + 100)}, Poor},
		{"concealment just above", Metrics{ConcealedAvg: Some(math.Nextafter(0.07, 1))}, Poor},
		{"one bad among good ones", Metrics{MOSDegradation: Some(0.0), RTTAvg: Some(10 * ms), LossAvg: Some(0.2), JitterAvg: Some(ms), ConcealedAvg: Some(0.0)}, Poor},
		{"a peak alone does not make it poor", Metrics{JitterAvg: Some(ms), JitterMax: Some(500 * ms)}, Good},
	} {
		if got := Classify(&c.m); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Row{CallRecordID: "c", StreamID: "s"}
	for _, c := range []struct {
		field, reason string
		spoil         func(*Row)
	}{
		{"", "", func(*Row) {}},
		{"call_record_id", ReasonEmpty, func(r *Row) { r.CallRecordID = "" }},
		{"stream_id", ReasonEmpty, func(r *Row) { r.StreamID = "" }},
		{"stream_id", ReasonText, func(r *Row) { r.StreamID = "a\x00b" }},
		{"carrier", ReasonText, func(r *Row) { r.Carrier = "\xff" }},
		{"codec", ReasonText, func(r *Row) { r.Codec = strings.Repeat("x", MaxText+1) }},
		{"version", ReasonNegative, func(r *Row) { r.Version = -1 }},
		{"start", ReasonYears, func(r *Row) { r.Start = Some[int64](math.MaxInt64) }},
		{"end", ReasonYears, func(r *Row) { r.End = Some[int64](math.MinInt64) }},
		{"end", ReasonEndFirst, func(r *Row) { r.Start, r.End = Some[int64](1), Some[int64](0) }},
		{"jitter_avg_ms", ReasonNegative, func(r *Row) { r.JitterAvg = Some(-time.Nanosecond) }},
		{"rtt_max_ms", ReasonAbsurd, func(r *Row) { r.RTTMax = Some(MaxDelay + 1) }},
		{"loss_avg", ReasonRatio, func(r *Row) { r.LossAvg = Some(1.01) }},
		{"loss_max", ReasonRatio, func(r *Row) { r.LossMax = Some(math.NaN()) }},
		{"concealed_avg", ReasonNegative, func(r *Row) { r.ConcealedAvg = Some(-0.1) }},
		{"mos_degradation", ReasonAbsurd, func(r *Row) { r.MOSDegradation = Some(math.Inf(1)) }},
		{"network_mos", ReasonMOS, func(r *Row) { r.NetworkMOS = Some(0.0) }},
		{"packets", ReasonAbsurd, func(r *Row) { r.Packets = Some[int64](math.MaxInt64) }},
	} {
		r := good
		c.spoil(&r)
		if field, reason := r.Check(); field != c.field || reason != c.reason {
			t.Errorf("%s %s: got %s: %s", c.field, c.reason, field, reason)
		}
	}
}

func TestNamesAreReadBack(t *testing.T) {
	for _, d := range []Direction{DirectionUnknown, CallerToCallee, CalleeToCaller} {
		if got, ok := ParseDirection(d.String()); !ok || got != d {
			t.Errorf("%v is read as %v", d, got)
		}
	}
	for _, c := range []Class{Unclassified, Good, Poor} {
		if got, ok := ParseClass(c.String()); !ok || got != c {
			t.Errorf("%v is read as %v", c, got)
		}
	}
	if _, ok := ParseClass("excellent"); ok {
		t.Error("a class that does not exist was read")
	}
}

func TestSupersede(t *testing.T) {
	row := func(version, packets int64) *Row {
		return &Row{CallRecordID: "c", StreamID: "s", Version: version, Packets: Some(packets)}
	}
	for _, c := range []struct {
		name     string
		now, got *Row
		want     Verdict
		counts   bool
	}{
		{"a correction", row(1, 5), row(2, 6), Newer, true},
		{"a new version that says the same", row(1, 5), row(2, 5), Newer, true},
		{"an old version that comes late", row(3, 5), row(2, 6), Older, false},
		{"the same page fetched twice", row(2, 5), row(2, 5), Repeat, false},
		{"the same version with other content", row(2, 5), row(2, 6), Altered, true},
	} {
		if v := Supersede(c.now, c.got); v != c.want || v.Counts() != c.counts {
			t.Errorf("%s: %v, want %v", c.name, v, c.want)
		}
	}
}

// However versions are shuffled, the highest one counts; of one version the
// one received last.
func TestLatest(t *testing.T) {
	row := func(stream string, version, packets int64) Row {
		return Row{CallRecordID: "c", StreamID: stream, Version: version, Packets: Some(packets)}
	}
	rows := []Row{row("a", 2, 1), row("b", 1, 2), row("a", 3, 3), row("a", 1, 4), row("a", 3, 5), row("b", 1, 2)}
	got, altered := Latest(slices.Values(rows))
	if want := []Row{row("a", 3, 5), row("b", 1, 2)}; !slices.Equal(got, want) || altered != 1 {
		t.Errorf("%d altered, %+v", altered, got)
	}
}
