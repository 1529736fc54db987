package engine_test

import (
	"testing"
	"time"

	"concord/engine"
)

func TestPairVerdicts(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "one side saw an answer: before any duration",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 0 corr=x from=C`,
			want: `m1 answer_conflict id c1 number_differs
				c1 answer_conflict id m1 number_differs`,
		},
		{
			name:      "only the carrier saw an answer",
			microsoft: `m1 12:00:00 0 corr=x`,
			carrier:   `c1 12:00:00 60 corr=x`,
			want: `m1 answer_conflict id c1
				c1 answer_conflict id m1`,
		},
		{
			name:      "a second of answer is an answer, whatever the tolerance",
			microsoft: `m1 12:00:00 1 corr=x`,
			carrier:   `c1 12:00:00 0 corr=x`,
			want: `m1 answer_conflict id c1
				c1 answer_conflict id m1`,
		},
		{
			name:      "billed too long: before wrong numbers and times",
			microsoft: `m1 12:00:00 60 corr=x operator`,
			carrier:   `c1 12:00:10 90 corr=x from=C`,
			want: `m1 duration_over id c1 time_differs number_differs
				c1 duration_over id m1 time_differs number_differs`,
		},
		{
			name:      "billed too short",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:10 30 corr=x to=C`,
			want: `m1 duration_under id c1 time_differs number_differs
				c1 duration_under id m1 time_differs number_differs`,
		},
		{
			name:      "another caller under the same id: before a wrong time",
			microsoft: `m1 12:00:00 60 corr=x operator`,
			carrier:   `c1 12:00:10 60 corr=x from=C`,
			want: `m1 number_mismatch id c1 time_differs number_differs
				c1 number_mismatch id m1 time_differs number_differs`,
		},
		{
			name:      "another callee under the same id",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 60 corr=x to=C`,
			want: `m1 number_mismatch id c1 number_differs
				c1 number_mismatch id m1 number_differs`,
		},
		{
			name:      "a ring under the same id with another callee",
			microsoft: `m1 12:00:00 0 corr=x`,
			carrier:   `c1 12:00:00 0 corr=x to=C`,
			want: `m1 number_mismatch id c1 number_differs
				c1 number_mismatch id m1 number_differs`,
		},
		{
			name:      "a hidden number cannot be wrong",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 60 corr=x from=- to=+4444***`,
			want: `m1 matched id c1
				c1 matched id m1`,
		},
		{
			name:      "a wrong time under the same id: before its source",
			microsoft: `m1 12:00:00 60 corr=x operator`,
			carrier:   `c1 12:00:05.000001 60 corr=x`,
			want: `m1 time_mismatch id c1 time_differs
				c1 time_mismatch id m1 time_differs`,
		},
		{
			name:      "a start at the tolerance is not a wrong time",
			microsoft: `m1 12:00:05 60 corr=x`,
			carrier:   `c1 12:00:00 60 corr=x`,
			want: `m1 matched id c1
				c1 matched id m1`,
		},
		{
			name:      "a figure that came from the carrier proves nothing: before rounding",
			set:       rounding("60/60 up"),
			microsoft: `m1 12:00:00 61 operator`,
			carrier:   `c1 12:00:00 120`,
			want: `m1 not_independent numbers c1
				c1 not_independent numbers m1`,
		},
		{
			name:      "a figure that came from the carrier proves nothing: before split",
			microsoft: `m1 12:00:00 120 operator`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60`,
			want: `m1 not_independent numbers c1
				c1 not_independent numbers m1
				c2 not_independent split m1`,
		},
		{
			name:      "split goes before rounding",
			set:       rounding("60/60 up"),
			microsoft: `m1 12:00:00 115`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1`,
		},
		{
			name:      "an untrusted clock on either side is told of the case",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier:   `c1 12:00:00 90 corr=x untrusted`,
			want: `m1 duration_over id c1 clock_untrusted
				c1 duration_over id m1 clock_untrusted`,
		},
	})
}

func TestUnpairedVerdicts(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "calls that one side does not know",
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 13:00:00 60`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "rings that one side does not know",
			microsoft: `m1 12:00:00 0`,
			carrier:   `c1 13:00:00 0`,
			want: `m1 unanswered_one_sided
				c1 unanswered_one_sided`,
		},
		{
			name:      "a call billed twice under two ids",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				c2 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c2 duplicate`,
		},
		{
			name:      "a paired record later in order makes a duplicate too",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier: `c1 12:00:00 60
				c2 12:00:00 60 corr=x`,
			want: `m1 matched id c2
				c1 duplicate
				c2 matched id m1`,
		},
		{
			name:      "an unknown call billed twice is missing once",
			microsoft: ``,
			carrier: `c2 12:00:00 60
				c1 12:00:00 60`,
			want: `c2 duplicate
				c1 missing_at_microsoft`,
		},
		{
			name:      "a ring sent twice",
			microsoft: ``,
			carrier: `c1 12:00:00 0
				c2 12:00:00 0`,
			want: `c1 unanswered_one_sided
				c2 duplicate`,
		},
		{
			name:      "a segment billed twice",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60
				c3 12:01:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1
				c3 duplicate`,
		},
		{
			name:      "another caller, callee, start or duration is another call",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				c2 12:00:00 60 from=D
				c3 12:00:00 60 to=D
				c4 12:00:00.000001 60
				c5 12:00:00 60.001`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c2 missing_at_microsoft
				c3 missing_at_microsoft
				c4 missing_at_microsoft
				c5 missing_at_microsoft`,
		},
		{
			name:      "calls with hidden numbers are not called duplicates",
			microsoft: ``,
			carrier: `c1 12:00:00 60 from=-
				c2 12:00:00 60 from=-
				c3 12:00:00 60 to=+3314***
				c4 12:00:00 60 to=+3314***`,
			want: `c1 missing_at_microsoft
				c2 missing_at_microsoft
				c3 missing_at_microsoft
				c4 missing_at_microsoft`,
		},
		{
			name: "Microsoft's own records are never left-over duplicates",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 60`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier`,
		},
	})
}

// asOf sets when the run looks at the world.
func asOf(at time.Time) func(*world) {
	return func(w *world) { w.asOf = at }
}

func TestPendingLate(t *testing.T) {
	// A call at 12:00:00 of 60 seconds may come in for 72 hours after its end.
	last := time.Date(2026, 10, 4, 12, 1, 0, 0, time.UTC)
	early := last.Add(-time.Microsecond)
	decide(t, []ruleCase{
		{
			name:      "a call that may still come in is not missing",
			set:       asOf(early),
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:00 60 from=C to=D`,
			want: `m1 pending_late
				c1 pending_late`,
		},
		{
			name:      "a call that can no longer come in is missing",
			set:       asOf(last),
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:00 60 from=C to=D`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "nothing is pending when nobody says what time it is",
			microsoft: `m1 12:00:00 60`,
			want:      `m1 missing_at_carrier`,
		},
		{
			name: "the late window is the carrier's own",
			set: func(w *world) {
				w.asOf, w.rules.LateWindow = last.Add(-time.Hour), 71*time.Hour
			},
			microsoft: `m1 12:00:00 60`,
			want:      `m1 missing_at_carrier`,
		},
		{
			name:      "a ring, a duplicate or a pair does not wait",
			set:       asOf(early),
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				c2 12:00:00 60
				c3 12:00:00 0`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c2 duplicate
				c3 unanswered_one_sided`,
		},
		{
			name: "a carrier's call is timed by the right clock",
			set: func(w *world) {
				w.asOf, w.rules.ClockOffset = last, time.Hour
			},
			carrier: `c1 13:00:00 60
				c2 13:00:00.000001 60`,
			want: `c1 missing_at_microsoft
				c2 pending_late`,
		},
	})
}

func TestDiscrepancies(t *testing.T) {
	quiet := map[engine.Class]bool{
		engine.Matched: true, engine.MatchedRounding: true, engine.MatchedSplit: true, engine.NotIndependent: true,
		engine.UnansweredOneSided: true, engine.Superseded: true, engine.PendingLate: true, engine.OutsidePeriod: true,
	}
	for c := range engine.Class(engine.NumClasses) {
		if c.Discrepancy() == quiet[c] {
			t.Errorf("%v: discrepancy %v", c, c.Discrepancy())
		}
		if quiet[c] != (c.Action() == "nobody" || c.Action() == "nobody yet") && c != engine.Duplicate {
			t.Errorf("%v: %s acts", c, c.Action())
		}
	}
}
