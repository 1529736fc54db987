package qualityio

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/engine/quality"
	"concord/formats"
)

func written(t testing.TB, format formats.CanonicalFormat, rows []quality.Row) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, format)
	if err == nil {
		err = w.Write(rows)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// anyRow draws a row that a reader may produce: every field at its limits,
// at random and absent.
func anyRow(r *rand.Rand) quality.Row {
	texts := []string{"x", "a,b", `say "yes"`, "line\nbreak", "ünï", "'quoted'", "=1+1", "null", "0", "semi;colon|bar\ttab", "#x", " padded "}
	text := func() string { return texts[r.IntN(len(texts))] }
	delay := func() (o quality.Opt[time.Duration]) {
		switch r.IntN(4) {
		case 0:
			return o
		case 1:
			return quality.Some([]time.Duration{0, 1, 100, time.Millisecond, quality.MaxDelay}[r.IntN(5)])
		}
		return quality.Some(time.Duration(r.Int64N(int64(quality.MaxDelay) + 1)))
	}
	ratio := func(most float64) (o quality.Opt[float64]) {
		switch r.IntN(4) {
		case 0:
			return o
		case 1:
			return quality.Some([]float64{0, most, math.SmallestNonzeroFloat64, 0.1, most / 3}[r.IntN(5)])
		}
		return quality.Some(r.Float64() * most)
	}
	row := quality.Row{
		CallRecordID: text(), StreamID: text(), Version: r.Int64N(3), Direction: quality.Direction(r.IntN(3)),
		Metrics: quality.Metrics{
			JitterAvg: delay(), JitterMax: delay(), RTTAvg: delay(), RTTMax: delay(),
			LossAvg: ratio(1), LossMax: ratio(1), ConcealedAvg: ratio(1), ConcealedMax: ratio(1), MOSDegradation: ratio(quality.MaxDegradation),
		},
	}
	if r.IntN(2) == 0 {
		row.Version, row.Carrier, row.Codec = math.MaxInt64, text(), text()
		row.Start = quality.Some(engine.MinStart + r.Int64N(engine.MaxStart-engine.MinStart))
		row.NetworkMOS, row.Packets = quality.Some(1+4*r.Float64()), quality.Some(r.Int64N(quality.MaxPackets+1))
		row.MediaBypassed = quality.Some(r.IntN(2) == 0)
	}
	if row.Start.OK && r.IntN(2) == 0 {
		row.End = quality.Some(row.Start.Value + r.Int64N(engine.MaxStart-row.Start.Value))
	}
	row.Class = quality.Classify(&row.Metrics)
	return row
}

// Everything that a reader can produce is written and read back without loss,
// in both formats, and the same rows give the same bytes.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		rows := make([]quality.Row, r.IntN(400))
		for i := range rows {
			rows[i] = anyRow(r)
		}
		for _, format := range []formats.CanonicalFormat{formats.CanonicalCSV, formats.CanonicalParquet} {
			file := written(t, format, rows)
			out := readAll(file, Options{})
			if out.err != nil || out.bad != nil || !slices.Equal(out.rows, rows) {
				t.Fatalf("seed %d, format %d: %v %v", seed, format, out.err, out.bad)
			}
			if out.info.Accepted != int64(len(rows)) || len(out.info.UnknownColumns) > 0 {
				t.Fatalf("seed %d: %+v", seed, out.info)
			}
			if !bytes.Equal(file, written(t, format, out.rows)) {
				t.Fatalf("seed %d, format %d: other bytes for the same rows", seed, format)
			}
		}
	}
}

func TestCanonicalCSV(t *testing.T) {
	head := "stream_id,call_record_id,version,jitter_avg_ms,unheard_of,classification\n"
	out := readAll([]byte(head+"s,c,1,30.000001,x,good\ns,c,2,,,\n,c,1,1,,\ns,c,1,1e2,,\ns,c,one,1,,\ns,c,1,1,,superb\ns,c,1\n"), Options{Carrier: "f"})
	if out.err != nil {
		t.Fatal(out.err)
	}
	if len(out.rows) != 2 || out.rows[0].Class != quality.Poor || out.rows[1].Class != quality.Unclassified || out.rows[0].Carrier != "f" {
		t.Errorf("%+v", out.rows)
	}
	var reasons []string
	for _, b := range out.bad {
		reasons = append(reasons, b.Error())
	}
	want := []string{
		"line 4: stream_id: " + quality.ReasonEmpty, "line 5: jitter_avg_ms: " + reasonNumber, "line 6: version: " + reasonWhole,
		"line 7: classification: " + reasonWord, "line 8: too few fields",
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("%q", reasons)
	}
	if !slices.Equal(out.info.UnknownColumns, []string{"unheard_of"}) || len(out.info.Notes) != 1 {
		t.Errorf("%+v", out.info)
	}
	if out := readAll([]byte("call_record_id,version\nc,1\n"), Options{}); out.err == nil || !strings.Contains(out.err.Error(), "no column stream_id") {
		t.Error(out.err)
	}
}

func TestWriterRefusesWhatNobodyReads(t *testing.T) {
	for _, format := range []formats.CanonicalFormat{formats.CanonicalCSV, formats.CanonicalParquet} {
		w, err := NewWriter(new(bytes.Buffer), format)
		if err != nil {
			t.Fatal(err)
		}
		good := quality.Row{CallRecordID: "c", StreamID: "s"}
		if err := w.Write([]quality.Row{good, {CallRecordID: "c"}}); err == nil || err.Error() != "write row 2: stream_id: "+quality.ReasonEmpty {
			t.Error(err)
		}
		if w.Close() == nil {
			t.Error("closed as if nothing had happened")
		}
	}
}

// No JSON makes the reader panic, nor a row that a writer would refuse, nor
// one that does not come back.
func FuzzGraph(f *testing.F) {
	f.Add([]byte(record("call-1", 2, audio(fullStream))))
	f.Add([]byte(`{"value":[` + record("a", 1, audio(fullStream, `{"streamId":1,"averageJitter":"PT1H"}`)) + `],"@odata.nextLink":"x"}`))
	f.Add([]byte(`[{"id":"x","version":1,"sessions":[{"segments":[{"media":[{"label":"main-audio","streams":[{}]}]}]}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := readAll(data, Options{Record: 1 << 16})
		if i := out.info; i.Rows != i.Accepted+i.Rejected || int(i.Accepted) != len(out.rows) || int(i.Rejected) != len(out.bad) {
			t.Fatalf("%+v", i)
		}
		back := readAll(written(t, formats.CanonicalCSV, out.rows), Options{})
		if back.err != nil || !slices.Equal(back.rows, out.rows) {
			t.Fatalf("%v\n%+v\n%+v", back.err, out.rows, back.rows)
		}
	})
}

func TestPackedRowsAreUnpacked(t *testing.T) {
	p := NewPacker()
	for seed := range uint64(2000) {
		want := anyRow(rand.New(rand.NewPCG(seed, 2)))
		b := p.Pack(nil, &want)
		var got quality.Row
		if err := p.Unpack(b, &got); err != nil || got != want {
			t.Fatalf("%v\n%+v\n%+v", err, got, want)
		}
		if p.Unpack(b[:len(b)-1], &got) == nil || p.Unpack(append(b, 0), &got) == nil {
			t.Fatal("damage was not noticed")
		}
	}
}
