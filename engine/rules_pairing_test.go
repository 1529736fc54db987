package engine_test

import (
	"testing"
	"time"

	"concord/engine"
)

func TestPassByID(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "the echoed id finds the call though numbers are withheld",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 60 corr=x from=- to=-`,
			want: `m1 matched id c1
				c1 matched id m1`,
		},
		{
			name: "the id goes before the numbers",
			microsoft: `m1 12:00:00 60 corr=x
				m2 12:00:03 60 corr=y`,
			carrier: `c1 12:00:00 60 corr=y
				c2 12:00:03 60 corr=x`,
			want: `m1 matched id c2
				m2 matched id c1
				c1 matched id m2
				c2 matched id m1`,
		},
		{
			name:      "two empty ids are not the same id",
			microsoft: `m1 12:00:00 60 from=C`,
			carrier:   `c1 12:00:00 60 to=C`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "an id used again beyond the window is another call",
			microsoft: `m1 2026-10-01T00:00:00 60 corr=x`,
			carrier:   `c1 2026-10-02T00:00:00.000001 60 corr=x`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "an id at the window is the call, at the wrong time",
			microsoft: `m1 2026-10-01T00:00:00 60 corr=x`,
			carrier:   `c1 2026-10-02T00:00:00 60 corr=x`,
			want: `m1 time_mismatch id c1 time_differs
				c1 time_mismatch id m1 time_differs`,
		},
		{
			name: "legs under one id pair answered with answered",
			microsoft: `m1 12:00:00 0 corr=x
				m2 12:00:10 60 corr=x`,
			carrier: `c1 12:00:00 60 corr=x
				c2 12:00:10 0 corr=x`,
			want: `m1 time_mismatch id c2 time_differs
				m2 time_mismatch id c1 time_differs
				c1 time_mismatch id m2 time_differs
				c2 time_mismatch id m1 time_differs`,
		},
		{
			name:      "an id that the other side does not know leaves the numbers to decide",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 60 corr=own-7`,
			want: `m1 matched numbers c1
				c1 matched numbers m1`,
		},
	})
}

func TestPassByNumbers(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "both withheld on both sides are not the same numbers",
			microsoft: `m1 12:00:00 60 from=- to=-`,
			carrier:   `c1 12:00:00 60 from=- to=-`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "a masked number is not identity, even the same text",
			microsoft: `m1 12:00:00 60 from=+4930*** to=+3314****`,
			carrier:   `c1 12:00:00 60 from=+4930*** to=+3314****`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "a short code is a number like any other",
			microsoft: `m1 12:00:00 0 to=110`,
			carrier:   `c1 12:00:00 0 to=110`,
			want: `m1 matched numbers c1
				c1 matched numbers m1`,
		},
		{
			name:      "a call the other way round is not the same numbers",
			microsoft: `m1 12:00:00 0 from=A to=B`,
			carrier:   `c1 12:00:00 0 from=B to=A`,
			want: `m1 unanswered_one_sided
				c1 unanswered_one_sided`,
		},
	})
}

func TestPassesLeaveOver(t *testing.T) {
	decide(t, []ruleCase{
		{
			name: "a segment is no candidate for another call",
			microsoft: `m1 12:00:00 120
				m2 12:01:00 60 from=-`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60`,
			want: `m1 matched_split numbers c1
				m2 missing_at_carrier
				c1 matched_split numbers m1
				c2 matched_split split m1`,
		},
		{
			name: "what pass 4 pairs takes no segments",
			set: func(w *world) {
				w.rules.DurationTolerance = 2 * time.Second
				w.rules.Rounding = engine.Rounding{First: 60_000, Next: 60_000, Mode: engine.RoundDown}
			},
			microsoft: `m1 12:00:00 119`,
			carrier: `c1 12:00:00 60 from=C
				c2 12:01:00 59 from=C`,
			want: `m1 number_mismatch one_number c1 number_differs
				c1 number_mismatch one_number m1 number_differs
				c2 missing_at_microsoft`,
		},
	})
}
