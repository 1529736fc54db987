package engine_test

import (
	"testing"
)

func TestSplitCalls(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "a call sent as three segments is one call",
			microsoft: `m1 12:00:00 180`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60
				c3 12:02:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1
				c3 matched_split split m1`,
		},
		{
			name:      "a segment within the gap belongs to the call",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:02 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1`,
		},
		{
			name:      "a segment may begin before the last one ends, within the gap",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:00:58 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1`,
		},
		{
			name:      "a segment beyond the gap does not",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:02.000001 60`,
			want: `m1 duration_under numbers c1
				c1 duration_under numbers m1
				c2 missing_at_microsoft`,
		},
		{
			name:      "a call short by the tolerance takes no segment",
			microsoft: `m1 12:00:00 62`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c2 missing_at_microsoft`,
		},
		{
			name:      "segments stop once the call is full",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60
				c3 12:02:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1
				c3 missing_at_microsoft`,
		},
		{
			name:      "segments stop once the call is full but for the tolerance",
			microsoft: `m1 12:00:00 122`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60
				c3 12:02:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1
				c3 missing_at_microsoft`,
		},
		{
			name:      "segments that do not make up the call are still its segments",
			microsoft: `m1 12:00:00 180`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 60`,
			want: `m1 duration_under numbers c1
				c1 duration_under numbers m1
				c2 duration_under split m1`,
		},
		{
			name:      "segments are billed together, and too long together",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 90`,
			want: `m1 duration_over numbers c1
				c1 duration_over numbers m1
				c2 duration_over split m1`,
		},
		{
			name:      "a ring that goes on as a segment is an answered call",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier: `c1 12:00:00 0 corr=x
				c2 12:00:01 60`,
			want: `m1 matched_split id c1
				c1 matched_split id m1
				c2 matched_split split m1`,
		},
		{
			name:      "the nearest segment is taken, not the first",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:00:58.5 60
				c3 12:01:01 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 missing_at_microsoft
				c3 matched_split split m1`,
		},
		{
			name:      "of segments equally near the earlier is taken",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:01 60
				c3 12:00:59 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 missing_at_microsoft
				c3 matched_split split m1`,
		},
		{
			name:      "a segment under the same id belongs though its numbers are withheld",
			microsoft: `m1 12:00:00 120 corr=x`,
			carrier: `c1 12:00:00 60 corr=x
				c2 12:01:00 60 corr=x from=- to=-`,
			want: `m1 matched_split id c1
				c1 matched_split id m1
				c2 matched_split split m1`,
		},
		{
			name:      "a segment with the same numbers belongs though its id is not there",
			microsoft: `m1 12:00:00 120 corr=x`,
			carrier: `c1 12:00:00 60 corr=x
				c2 12:01:00 60`,
			want: `m1 matched_split id c1
				c1 matched_split id m1
				c2 matched_split split m1`,
		},
		{
			name:      "withheld numbers tie no segments together",
			microsoft: `m1 12:00:00 120 corr=x from=- to=-`,
			carrier: `c1 12:00:00 60 corr=x from=- to=-
				c2 12:01:00 60 from=- to=-`,
			want: `m1 duration_under id c1
				c1 duration_under id m1
				c2 missing_at_microsoft`,
		},
		{
			name:      "a ring is no segment",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 0`,
			want: `m1 duration_under numbers c1
				c1 duration_under numbers m1
				c2 unanswered_one_sided`,
		},
		{
			name:      "a ring is no segment though others are near",
			microsoft: `m1 12:00:00 120`,
			carrier: `c1 12:00:00 60
				c2 12:01:00 0
				c3 12:10:00 60`,
			want: `m1 duration_under numbers c1
				c1 duration_under numbers m1
				c2 unanswered_one_sided
				c3 missing_at_microsoft`,
		},
		{
			name: "a segment goes to the earlier call",
			microsoft: `m1 12:00:00 120
				m2 12:00:30 91`,
			carrier: `c1 12:00:00 60
				c2 12:00:30 31
				c3 12:01:00.4 60`,
			want: `m1 matched_split numbers c1
				m2 duration_under numbers c2
				c1 matched_split numbers m1
				c2 duration_under numbers m2
				c3 matched_split split m1`,
		},
		{
			name: "of calls at the same time the segment goes to the lower id",
			microsoft: `m2 12:00:00 120
				m1 12:00:00 121`,
			carrier: `c1 12:00:00 60
				c2 12:00:00 60.5
				c3 12:01:00.2 60`,
			want: `m2 duration_under numbers c1
				m1 matched_split numbers c2
				c1 duration_under numbers m2
				c2 matched_split numbers m1
				c3 matched_split split m1`,
		},
		{
			name:      "a segment needs an end that the gap reaches, one after the other",
			set:       func(w *world) { w.rules.SplitGap = 0 },
			microsoft: `m1 12:00:00 180`,
			carrier: `c1 12:00:00 60
				c2 12:02:00 60
				c3 12:01:00 60`,
			want: `m1 matched_split numbers c1
				c1 matched_split numbers m1
				c2 matched_split split m1
				c3 matched_split split m1`,
		},
	})
}
