package engine_test

import "testing"

func TestRepeats(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "a row sent twice is billed once",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 duplicate`,
		},
		{
			name:      "a row sent twice in two files is billed once, the first one",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				---
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 duplicate`,
		},
		{
			name:      "the same row with another revision says nothing new",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60 rev=1
				c1 12:00:00 60 rev=2`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 duplicate`,
		},
		{
			name:      "two calls under one id in one file: the first counts",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				c1 12:00:00 90`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 conflicting_duplicate`,
		},
		{
			name:      "a correction file replaces what it corrects",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90
				---
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a correction of a correction",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90
				---
				c1 12:00:00 80
				---
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a correction may take back what the one before it said",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60
				---
				c1 12:00:00 80
				---
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a higher revision stays though it came first",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60 rev=2
				---
				c1 12:00:00 90 rev=1`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 superseded`,
		},
		{
			name:      "a higher revision replaces a lower one in the same file",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90 rev=1
				c1 12:00:00 60 rev=2`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a lower revision later in the same file changes nothing",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 60 rev=0
				c1 12:00:00 90 rev=-1`,
			want: `m1 matched numbers c1
				c1 matched numbers m1
				c1 superseded`,
		},
		{
			name:      "equal revisions in two files: the later file stays",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90 rev=3
				---
				c1 12:00:00 60 rev=3`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a revision on one row only is no revision: the later file stays",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90 rev=3
				---
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "a revision on the later row only is no revision either",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:00 90
				---
				c1 12:00:00 60 rev=-1`,
			want: `m1 matched numbers c1
				c1 superseded
				c1 matched numbers m1`,
		},
		{
			name:      "without ids the same call twice is billed once",
			microsoft: `m1 12:00:00 60`,
			carrier: `- 12:00:00 60
				---
				- 12:00:00 60`,
			want: `m1 matched numbers 0:1
				0:1 matched numbers m1
				1:1 duplicate`,
		},
		{
			name: "without ids another duration is another call",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 90`,
			carrier: `- 12:00:00 60
				- 12:00:00 90`,
			want: `m1 matched numbers 0:1
				m2 matched numbers 0:2
				0:1 matched numbers m1
				0:2 matched numbers m2`,
		},
		{
			name:      "a row without an id is not the same row as one with an id",
			microsoft: `m1 12:00:00 60`,
			carrier: `- 12:00:00 60
				c1 12:00:00 60`,
			want: `m1 matched numbers 0:1
				0:1 matched numbers m1
				c1 duplicate`,
		},
		{
			name:      "each business field tells rows apart",
			microsoft: `m1 12:00:00 60 corr=x`,
			carrier: `c1 12:00:00 60 corr=x
				c1 12:00:00 60 corr=y
				c1 12:00:01 60 corr=x
				c1 12:00:00 61 corr=x
				c1 12:00:00 60 corr=x from=C
				c1 12:00:00 60 corr=x to=C`,
			want: `m1 matched id c1
				c1 matched id m1
				c1 conflicting_duplicate
				c1 conflicting_duplicate
				c1 conflicting_duplicate
				c1 conflicting_duplicate
				c1 conflicting_duplicate`,
		},
		{
			name: "Microsoft's rows repeat by the same rules",
			microsoft: `m1 12:00:00 60
				m1 12:00:00 60
				---
				m1 12:00:00 61
				m1 12:00:00 62`,
			carrier: `c1 12:00:00 61`,
			want: `m1 superseded
				m1 duplicate
				m1 matched numbers c1
				m1 conflicting_duplicate
				c1 matched numbers m1`,
		},
		{
			name:      "an id is unique within one side only",
			microsoft: `same 12:00:00 60`,
			carrier:   `same 12:00:00 60`,
			want: `same matched numbers same
				same matched numbers same`,
		},
		{
			name: "a row that cannot be read never matches",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 60 bad`,
			carrier: `c1 12:00:00 60 bad
				c1 12:00:00 60`,
			want: `m1 matched numbers c1
				m2 invalid
				c1 invalid
				c1 matched numbers m1`,
		},
	})
}
