package engine_test

import (
	"testing"
	"time"
)

func TestAssign(t *testing.T) {
	decide(t, []ruleCase{
		{
			name: "two calls a second apart keep their order",
			microsoft: `m1 12:00:00 60
				m2 12:00:01 60`,
			carrier: `c1 12:00:01 60
				c2 12:00:02 60`,
			want: `m1 matched numbers c1
				m2 matched numbers c2
				c1 matched numbers m1
				c2 matched numbers m2`,
		},
		{
			name: "the nearest is not taken when that loses a pair",
			microsoft: `m1 12:00:00 60
				m2 12:00:04 60`,
			carrier: `c1 12:00:03 60
				c2 12:00:09 60`,
			want: `m1 matched numbers c1
				m2 matched numbers c2
				c1 matched numbers m1
				c2 matched numbers m2`,
		},
		{
			name:      "of two records the nearer one is the call",
			microsoft: `m1 12:00:02 60`,
			carrier: `c1 12:00:00 60
				c2 12:00:03 60`,
			want: `m1 matched numbers c2
				c1 missing_at_microsoft
				c2 matched numbers m1`,
		},
		{
			name:      "of two records as near the one with the nearer duration is the call",
			microsoft: `m1 12:00:02 60`,
			carrier: `c1 12:00:01 50
				c2 12:00:03 59`,
			want: `m1 matched numbers c2
				c1 missing_at_microsoft
				c2 matched numbers m1`,
		},
		{
			name:      "time counts before duration",
			microsoft: `m1 12:00:02 60`,
			carrier: `c1 12:00:02.000001 20
				c2 12:00:02.000002 60`,
			want: `m1 duration_under numbers c1
				c1 duration_under numbers m1
				c2 missing_at_microsoft`,
		},
		{
			name:      "all else equal the heads are paired",
			microsoft: `m1 12:00:02 60`,
			carrier: `c1 12:00:01 60
				c2 12:00:03 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c2 missing_at_microsoft`,
		},
		{
			name: "all else equal the earlier of Microsoft's is paired",
			microsoft: `m1 12:00:01 60
				m2 12:00:03 60`,
			carrier: `c1 12:00:02 60`,
			want: `m1 matched numbers c1
				m2 missing_at_carrier
				c1 matched numbers m1`,
		},
		{
			name: "equal records pair in order of id, then file, then row",
			microsoft: `m2 12:00:00 60
				m1 12:00:00 60`,
			carrier: `c2 12:00:00 60
				---
				c1 12:00:00 60 corr=no`,
			want: `m2 matched numbers c2
				m1 matched numbers c1
				c2 matched numbers m2
				c1 matched numbers m1`,
		},
		{
			name: "equal records without ids pair in order of file and row",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 60
				m3 12:00:00 60`,
			carrier: `- 12:00:00 60 corr=a
				- 12:00:00 60 corr=b
				---
				- 12:00:00 60 corr=c`,
			want: `m1 matched numbers 0:1
				m2 matched numbers 0:2
				m3 matched numbers 1:1
				0:1 matched numbers m1
				0:2 matched numbers m2
				1:1 matched numbers m3`,
		},
		{
			name: "a start at the tolerance is the call",
			microsoft: `m1 12:00:00 60
				m2 13:00:05 60`,
			carrier: `c1 12:00:05 60
				c2 13:00:00 60`,
			want: `m1 matched numbers c1
				m2 matched numbers c2
				c1 matched numbers m1
				c2 matched numbers m2`,
		},
		{
			name: "a start a microsecond beyond the tolerance is not",
			microsoft: `m1 12:00:00 60
				m2 13:00:05.000001 60`,
			carrier: `c1 12:00:05.000001 60
				c2 13:00:00 60`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier
				c1 missing_at_microsoft
				c2 missing_at_microsoft`,
		},
		{
			name: "an answered call is not paired with a ring while an answered one is near",
			microsoft: `m1 12:00:00 60
				m2 12:00:01 0`,
			carrier: `c1 12:00:00 0
				c2 12:00:03 60`,
			want: `m1 matched numbers c2
				m2 matched numbers c1
				c1 matched numbers m2
				c2 matched numbers m1`,
		},
		{
			name: "what is left is paired, answered or not",
			microsoft: `m1 12:00:00 60
				m2 12:00:01 60`,
			carrier: `c1 12:00:00 60
				c2 12:00:01 0`,
			want: `m1 matched numbers c1
				m2 answer_conflict numbers c2
				c1 matched numbers m1
				c2 answer_conflict numbers m2`,
		},
		{
			name: "the carrier's clock is put right before calls are compared",
			set:  func(w *world) { w.rules.ClockOffset = 37 * time.Second },
			microsoft: `m1 12:00:00 60
				m2 12:00:37 60`,
			carrier: `c1 12:00:37 60
				c2 12:01:14 60`,
			want: `m1 matched numbers c1
				m2 matched numbers c2
				c1 matched numbers m1
				c2 matched numbers m2`,
		},
	})
}
