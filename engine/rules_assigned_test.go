package engine_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concord/engine"
	"concord/engine/numbers"
)

func TestEngineJoinsAssignmentsAsTheReference(t *testing.T) {
	flagged := 0
	check(t, 1500, func(t *rapid.T) {
		w := drawWorld(t)
		drawAssigned(t, w)
		sameAsReference(t, w)
		for _, v := range reference(w).verdicts {
			if v.flags&engine.UnassignedNumber != 0 {
				flagged++
			}
		}
	})
	if flagged < 300 {
		t.Errorf("only %d records are flagged: worlds are too plain", flagged)
	}
}

// One number, +49301, assigned from the listing at second 100 until the one at
// second 200. The first listing was at second 50.
func TestUnassignedNumbers(t *testing.T) {
	second := func(n int64) int64 { return time.Unix(1790812800+n, 0).UnixMicro() }
	known := &assigned{
		sources: map[string]int64{"": second(50)},
		rows:    []numbers.Assignment{{Line: numbers.Line{Digits: 49301}, From: second(100), To: second(200)}},
	}
	ours, theirs := engine.E164(49301), engine.E164(33155)
	for _, c := range []struct {
		name      string
		direction engine.Direction
		caller    engine.Number
		callee    engine.Number
		at        int64
		want      bool
	}{
		{"an outgoing call while it was assigned", engine.Out, ours, theirs, 150, false},
		{"in the instant in which it is assigned", engine.Out, ours, theirs, 100, false},
		{"in the instant in which that ends", engine.Out, ours, theirs, 200, true},
		{"before it was assigned", engine.Out, ours, theirs, 99, true},
		{"before anything was known", engine.Out, ours, theirs, 49, false},
		{"an incoming call is on its callee", engine.In, theirs, ours, 150, false},
		{"an incoming call that is not", engine.In, ours, theirs, 150, true},
		{"a direction that nobody knows, one end is ours", engine.DirectionUnknown, theirs, ours, 150, false},
		{"a direction that nobody knows, no end is ours", engine.DirectionUnknown, theirs, ours, 250, true},
		{"a direction that nobody knows, and one end is hidden", engine.DirectionUnknown, engine.Number{}, theirs, 150, false},
		{"a withheld number", engine.Out, engine.Number{}, theirs, 250, false},
		{"a masked number", engine.Out, engine.OtherNumber("+4930***"), theirs, 250, false},
		{"a short code", engine.Out, engine.OtherNumber("110"), theirs, 250, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{rules: engine.DefaultRules(), assigned: known}
			w.sides[engine.Microsoft] = [][]row{{{Call: engine.Call{
				RecordID: "m", Caller: c.caller, Callee: c.callee, Direction: c.direction, Start: second(c.at), DurationMS: 90_000,
			}}}}
			w.sides[engine.Carrier] = [][]row{{}}
			a, err := run(context.Background(), w, setups[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := a.verdicts[0].flags&engine.UnassignedNumber != 0; got != c.want {
				t.Errorf("flagged: %v", got)
			}
			if got := a.unassigned == (engine.Tally{Records: 1, MS: 90_000}); got != c.want {
				t.Errorf("counted: %+v", a.unassigned)
			}
			if got := slices.ContainsFunc(a.findings, func(f engine.Finding) bool { return f.Code == "unassigned_number" }); got != c.want {
				t.Errorf("findings: %+v", a.findings)
			}
		})
	}
}

// BenchmarkAssignments matches a million calls, with the assignments of none and
// of 500,000 numbers.
func BenchmarkAssignments(b *testing.B) {
	const n, count = 1_000_000, 500_000
	ms, cs := benchWorld(n, true)
	h := numbers.NewHolders(engine.MinStart)
	for i := range uint64(count) {
		h.Add(numbers.Tenure{Digits: 4930000000000 + 2*i, From: engine.MinStart, To: engine.MaxStart})
	}
	for name, known := range map[string]engine.Assignments{"none": nil, "500000": h} {
		b.Run("numbers="+name, func(b *testing.B) {
			for b.Loop() {
				res, err := engine.Run(b.Context(), engine.Task{
					Carrier: "fabrikam", Rules: engine.DefaultRules(), Memory: 4 << 30, Scratch: benchScratch{b.TempDir()},
					Sources: [2]engine.Source{&benchSide{calls: ms}, &benchSide{calls: cs}}, Files: [2][]string{{"m"}, {"c"}},
					Assignments: known,
				})
				if err != nil {
					b.Fatal(err)
				}
				if err := res.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("one question", func(b *testing.B) {
		r := rand.New(rand.NewPCG(1, 2))
		for b.Loop() {
			h.Unassigned(4930000000000+r.Uint64N(n), 0)
		}
	})
}
