package engine_test

import (
	"testing"
	"time"

	"concord/engine"
)

func TestDurationsAgree(t *testing.T) {
	for _, c := range []struct {
		name      string
		rule      string
		tolerance time.Duration
		m, c      float64 // seconds
		want      engine.Class
	}{
		{"two seconds more are within", "none", 2 * time.Second, 60, 62, engine.Matched},
		{"a millisecond beyond is over", "none", 2 * time.Second, 60, 62.001, engine.DurationOver},
		{"two seconds less are within", "none", 2 * time.Second, 60, 58, engine.Matched},
		{"a millisecond beyond is under", "none", 2 * time.Second, 60, 57.999, engine.DurationUnder},
		{"no tolerance means equal", "none", 0, 60, 60, engine.Matched},
		{"no tolerance means not a millisecond", "none", 0, 60, 60.001, engine.DurationOver},
		{"rounding that is not agreed explains nothing", "none", 2 * time.Second, 61, 120, engine.DurationOver},

		{"rounded up to the next minute", "60/60 up", 2 * time.Second, 61, 120, engine.MatchedRounding},
		{"within goes before rounding", "60/60 up", 2 * time.Second, 59, 60, engine.Matched},
		{"a short call is billed the first minute", "60/60 up", 2 * time.Second, 1, 60, engine.MatchedRounding},
		{"a figure that the rule cannot give is not rounding", "60/60 up", 2 * time.Second, 61, 119, engine.DurationOver},
		{"a minute too many is not rounding", "60/60 up", 2 * time.Second, 61, 180, engine.DurationOver},
		{"a whole minute may have been a second more", "60/60 up", 2 * time.Second, 60, 120, engine.MatchedRounding},
		{"the tolerance just reaches the next minute", "60/60 up", 2 * time.Second, 58.001, 120, engine.MatchedRounding},
		{"the tolerance just does not reach the next minute", "60/60 up", 2 * time.Second, 58, 120, engine.DurationOver},
		{"rounding up never bills less", "60/60 up", 2 * time.Second, 62.001, 60, engine.DurationUnder},
		{"a minute too few is under", "60/60 up", 2 * time.Second, 121, 60, engine.DurationUnder},

		{"rounded up to the next six seconds", "30/6 up", 2 * time.Second, 31, 36, engine.MatchedRounding},
		{"six seconds after thirty, not multiples of thirty", "30/6 up", 2 * time.Second, 37, 42, engine.MatchedRounding},
		{"the first thirty seconds count whole", "30/6 up", 2 * time.Second, 10, 30, engine.MatchedRounding},
		{"six seconds before thirty are not billed", "30/6 up", 2 * time.Second, 10, 24, engine.DurationOver},
		{"no step lies between", "30/6 up", 2 * time.Second, 28, 33, engine.DurationOver},
		{"six and six, as far as the tolerance reaches", "6/6 up", 2 * time.Second, 10.001, 18, engine.MatchedRounding},
		{"six and six, not further", "6/6 up", 2 * time.Second, 10, 18, engine.DurationOver},
		{"up is what is meant when nothing is said", "6/6", 2 * time.Second, 13, 18, engine.MatchedRounding},

		{"to the nearest six, half goes up", "6/6 nearest", 0, 9, 12, engine.MatchedRounding},
		{"to the nearest six, half does not go down", "6/6 nearest", 0, 9, 6, engine.DurationUnder},
		{"to the nearest six, under half goes down", "6/6 nearest", 0, 8.999, 6, engine.MatchedRounding},
		{"to the nearest thirty, the first from half of it on", "30/30 nearest", 0, 15, 30, engine.MatchedRounding},
		{"to the nearest thirty, the first not before half of it", "30/30 nearest", 0, 14.999, 30, engine.DurationOver},
		{"to the nearest thirty, the next from half of it on", "30/30 nearest", 0, 45, 60, engine.MatchedRounding},
		{"to the nearest thirty, the next not before half of it", "30/30 nearest", 0, 44.999, 60, engine.DurationOver},
		{"to the nearest minute, the tolerance reaches back under half", "60/60 nearest", 2 * time.Second, 91.999, 60, engine.MatchedRounding},
		{"to the nearest minute, the tolerance does not reach back", "60/60 nearest", 2 * time.Second, 92, 60, engine.DurationUnder},

		{"down gives the minutes reached", "60/60 down", 0, 119, 60, engine.MatchedRounding},
		{"down gives seconds after the first minute", "60/1 down", 0, 60.999, 60, engine.MatchedRounding},
		{"down does not give a second before its end", "60/1 down", 0, 60.999, 61, engine.DurationOver},
		{"down does not drop a whole second", "60/1 down", 0, 61, 60, engine.DurationUnder},
		{"down does not bill a first minute before its end", "60/60 down", 0, 59.999, 60, engine.DurationOver},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := storyWorld(t, rounding(c.rule), "m1 12:00:00 0 corr=x", "c1 12:00:00 0 corr=x")
			w.rules.DurationTolerance = c.tolerance
			w.sides[engine.Microsoft][0][0].DurationMS = int64(c.m*1000 + 0.5)
			w.sides[engine.Carrier][0][0].DurationMS = int64(c.c*1000 + 0.5)
			for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
				if got := a.verdicts[0].class; got != c.want {
					t.Errorf("%s: %v, want %v", name, got, c.want)
				}
			}
		})
	}
}
