package engine_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"concord/engine"
)

// midnight is where the worlds' periods begin or end.
var midnight = time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)

// Small pools make ties, collisions and repeats common.
var (
	numberPool = []string{
		"+4930111", "+4930111", "+4930222", "+33140333", "+3120444", "110",
		"+4930***", "+49301**", "+33140***", "+3314****", "",
	}
	durationPool = []int64{0, 0, 1000, 2000, 3000, 29_000, 30_000, 31_000, 31_500, 59_000, 60_000, 61_000, 62_001, 90_000, 120_000}
	jitterPool   = []int64{0, 0, 0, 1, -1, 1000, -1000, 2000, 4999, 5000, 5001, -5000, 10_000, 3_600_000} // ms
	stretchPool  = []int64{0, 0, 0, 0, 0, 1000, -1000, 2000, -2000, 2001, -2001, 30_000, -30_000}
	roundings    = []string{"none", "none", "60/60 up", "30/6 up", "6/6 nearest", "60/1 down", "30/30 nearest", "1/1 up", "60/60 down"}
)

func pick[T any](t *rapid.T, label string, pool []T) T {
	return pool[rapid.IntRange(0, len(pool)-1).Draw(t, label)]
}

// once reports true one time in n.
func once(t *rapid.T, label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

// A crowd is how dense a world is: who calls, and within how many seconds.
type crowd struct {
	numbers []string
	seconds int
}

var crowds = []crowd{
	{numberPool, 60},
	{numberPool, 8},
	{[]string{"+4930111", "+33140333"}, 20},
	{[]string{"+4930111", "+4930111", "+4930111", "+33140333", "+4930***", ""}, 10},
	{[]string{"+4930111"}, 100},
}

func drawWorld(t *rapid.T) *world {
	w := &world{rules: drawRules(t)}
	drawPeriod(t, w)
	among := pick(t, "crowd", crowds)
	var ms, cs []row
	for range rapid.IntRange(0, 14).Draw(t, "microsoft") {
		m := drawRow(t, engine.Microsoft, among)
		ms = append(ms, m)
		if !once(t, "lost", 4) {
			cs = append(cs, echoes(t, w.rules, m)...)
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "noise") {
		cs = append(cs, drawRow(t, engine.Carrier, among))
	}
	if w.rules.ClockOffset != 0 && !w.rules.AutoOffset {
		shift(cs, w.rules.ClockOffset.Microseconds())
	}
	w.sides[engine.Microsoft] = files(t, repeated(t, ms))
	w.sides[engine.Carrier] = files(t, repeated(t, cs))
	return w
}

func shift(rows []row, us int64) {
	for i := range rows {
		rows[i].Start += us
	}
}

func drawRules(t *rapid.T) engine.Rules {
	r := engine.DefaultRules()
	r.AutoOffset = once(t, "auto", 2)
	r.ClockOffset = pick(t, "offset", []time.Duration{0, 0, time.Second, -37 * time.Second, time.Hour})
	if r.AutoOffset {
		r.ClockOffset = 0
	}
	r.StartTolerance = pick(t, "start_tolerance", []time.Duration{5 * time.Second, 5 * time.Second, time.Second, 0, time.Minute})
	r.IDWindow = pick(t, "id_window", []time.Duration{24 * time.Hour, 24 * time.Hour, 10 * time.Second, 0})
	r.SplitGap = pick(t, "split_gap", []time.Duration{2 * time.Second, 2 * time.Second, 0, 10 * time.Second})
	r.DurationTolerance = pick(t, "duration_tolerance", []time.Duration{2 * time.Second, 2 * time.Second, 0, 10 * time.Second})
	r.Rounding, _ = engine.ParseRounding(pick(t, "rounding", roundings))
	r.LateWindow = pick(t, "late_window", []time.Duration{72 * time.Hour, time.Minute, 0})
	r.WarnAt = pick(t, "warn_at", []int64{5000, 1, 100_000})
	r.DisputeAt = max(r.WarnAt, pick(t, "dispute_at", []int64{10_000, 500_000}))
	r.Zone = pick(t, "zone", []*time.Location{time.UTC, nil, time.FixedZone("", 7200), time.FixedZone("", -5*3600)})
	return r
}

// drawPeriod draws a period that begins or ends amid the calls, or none.
func drawPeriod(t *rapid.T, w *world) {
	w.rules.Margin = pick(t, "margin", []time.Duration{time.Hour, 5 * time.Second, 0})
	edge := midnight.Add(pick(t, "edge", []time.Duration{0, 30 * time.Second, 10 * time.Second}))
	switch rapid.IntRange(0, 3).Draw(t, "period") {
	case 1:
		w.from, w.to = edge, edge.AddDate(0, 0, 1)
	case 2:
		w.from, w.to = edge.AddDate(0, 0, -1), edge
	case 3:
		w.from, w.to = edge, edge.Add(20*time.Second)
	}
	if once(t, "as_of", 2) {
		w.asOf = midnight.Add(pick(t, "as_of_at", []time.Duration{time.Minute, 72 * time.Hour, 72*time.Hour + time.Minute, 200 * time.Hour}))
	}
}

// drawRow draws a record that need not have a partner.
func drawRow(t *rapid.T, side engine.Side, among crowd) row {
	if once(t, "bad", 40) {
		return row{bad: true}
	}
	var r row
	r.RecordID = drawID(t, side)
	r.CorrelationID = pick(t, "correlation_id", []string{"", "", "x", "y", "z"})
	r.Caller = engine.ParseNumber(pick(t, "caller", among.numbers))
	r.Callee = engine.ParseNumber(pick(t, "callee", among.numbers))
	at := midnight.Add(time.Duration(rapid.IntRange(0, among.seconds).Draw(t, "second")) * time.Second)
	r.Start = at.UnixMicro() + pick(t, "fraction", []int64{0, 0, 0, 1, 500_000})
	if once(t, "far", 10) {
		r.Start += pick(t, "distance", []int64{-3600_000000, 3600_000000, 86400_000000, -7 * 86400_000000})
	}
	r.DurationMS = pick(t, "duration", durationPool)
	r.ClockUntrusted = once(t, "clock", 12)
	if once(t, "revised", 5) {
		r.HasRevision, r.Revision = true, int32(rapid.IntRange(-1, 2).Draw(t, "revision"))
	}
	if side == engine.Microsoft {
		r.Source = pick(t, "source", []engine.DurationSource{engine.SourceUnknown, engine.SourceMicrosoft, engine.SourceOperator})
		r.TenantID = pick(t, "tenant", []string{"", "8d0a8a35-51c3-4f3c-8a3e-0d6f3f7f9b11", "1b7a2d5e-0c41-4a7e-9a39-5f1f0c2f7e22"})
		r.UserID = pick(t, "user", []string{"", "u1", "u2"})
		r.CallType = pick(t, "call_type", []string{"", "user_in", "user_out"})
		r.Direction = pick(t, "direction", []engine.Direction{engine.DirectionUnknown, engine.In, engine.Out})
	}
	return r
}

func drawID(t *rapid.T, side engine.Side) string {
	id := rapid.IntRange(0, 60).Draw(t, "record_id")
	if id == 0 || id < 15 && side == engine.Carrier {
		return ""
	}
	return fmt.Sprintf("r%d", id) // the same on both sides
}

// echoes draws what the carrier says of m: one record, or several segments.
func echoes(t *rapid.T, rules engine.Rules, m row) []row {
	c := m
	c.RecordID = drawID(t, engine.Carrier)
	c.TenantID, c.UserID, c.CallType, c.Direction, c.Source = "", "", "", engine.DirectionUnknown, engine.SourceUnknown
	if once(t, "no_echo", 2) {
		c.CorrelationID = ""
	}
	c.Start += pick(t, "jitter", jitterPool) * 1000
	switch rapid.IntRange(0, 8).Draw(t, "numbers") {
	case 0:
		c.Caller = engine.ParseNumber(pick(t, "other_caller", numberPool))
	case 1:
		c.Callee = engine.ParseNumber(pick(t, "other_callee", numberPool))
	case 2:
		c.Caller, c.Callee = c.Callee, c.Caller
	}
	if rules.Rounding.Set() && once(t, "rounded", 2) {
		c.DurationMS = bill(rules.Rounding, c.DurationMS)
	}
	c.DurationMS = max(0, c.DurationMS+pick(t, "stretch", stretchPool))
	if !once(t, "split", 4) {
		return []row{c}
	}
	return cut(t, c)
}

// cut splits a record into up to four with gaps between them.
func cut(t *rapid.T, c row) (segments []row) {
	n := rapid.IntRange(2, 4).Draw(t, "segments")
	for i := range n {
		s := c
		s.RecordID = drawID(t, engine.Carrier)
		s.DurationMS = c.DurationMS / int64(n)
		s.Start = c.Start + int64(i)*s.DurationMS*1000 + pick(t, "gap", []int64{0, 0, 1, -1, 2, 3})*1_000_000
		if once(t, "other_id", 6) {
			s.CorrelationID = ""
		}
		segments = append(segments, s)
	}
	return segments
}

// repeated sends some rows again, some of them changed.
func repeated(t *rapid.T, rows []row) []row {
	for _, r := range rows {
		if !once(t, "again", 8) {
			continue
		}
		switch rapid.IntRange(0, 3).Draw(t, "change") {
		case 0:
			r.DurationMS += 1000
		case 1:
			r.HasRevision, r.Revision = true, int32(rapid.IntRange(0, 3).Draw(t, "revision"))
			r.Start += 1_000_000
		case 2:
			r.RecordID = drawID(t, engine.Carrier)
		}
		rows = append(rows, r)
	}
	return rows
}

// files deals the rows out in some order to up to three files.
func files(t *rapid.T, rows []row) [][]row {
	out := make([][]row, rapid.IntRange(1, 3).Draw(t, "files"))
	for _, r := range rows {
		f := rapid.IntRange(0, len(out)-1).Draw(t, "file")
		out[f] = append(out[f], r)
	}
	return out
}

// drawLongWorld puts n worlds after each other, ten minutes apart, in the same
// files. Most record ids are of one world only; correlation ids are not.
func drawLongWorld(t *rapid.T, n int) *world {
	long := drawWorld(t)
	for i := range n {
		w := drawWorld(t)
		for side := range w.sides {
			for f, rows := range w.sides[side] {
				shift(rows, int64(i-n/2)*600_000_000)
				for k := range rows {
					if rows[k].RecordID != "" && k%10 > 0 {
						rows[k].RecordID += fmt.Sprintf("-%d", i)
					}
				}
				f %= len(long.sides[side])
				long.sides[side][f] = append(long.sides[side][f], rows...)
			}
		}
	}
	return long
}

// drawClock adds about fifty calls between numbers of their own, seen by both
// sides, of which about four in five show the same clock error.
func drawClock(t *rapid.T, w *world) {
	n := pick(t, "clock_pairs", []int{48, 49, 50, 51, 60})
	good := n*4/5 + rapid.IntRange(-2, 2).Draw(t, "good")
	if once(t, "all_good", 3) {
		good = n
	}
	wrong := pick(t, "clock_error", []int64{37_000_000, -3600_000_000, 500_000, -500_000, 499_999, 1_500_000, 0})
	spread := pick(t, "spread", []int64{0, 1, 1_000_000, 5_000_000, 5_500_000})
	for i := range n {
		var r row
		r.Caller, r.Callee = engine.E164(uint64(493000000+i)), engine.E164(33_111_111)
		r.RecordID = fmt.Sprintf("clock%d", i)
		r.Start = midnight.UnixMicro() + int64(i)*1_000_000
		r.DurationMS = 60_000
		c := r
		c.Start += wrong
		switch {
		case i >= good:
			c.Start += 100_000_000 * int64(1+i)
		case i%2 == 0:
			c.Start += spread
		}
		w.sides[engine.Microsoft][0] = append(w.sides[engine.Microsoft][0], r)
		w.sides[engine.Carrier][0] = append(w.sides[engine.Carrier][0], c)
	}
}
