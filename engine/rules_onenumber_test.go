package engine_test

import (
	"testing"
)

func TestOneNumber(t *testing.T) {
	decide(t, []ruleCase{
		{
			name:      "the caller is withheld by the carrier",
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:01 60 from=-`,
			want: `m1 matched one_number c1
				c1 matched one_number m1`,
		},
		{
			name:      "the caller is withheld on both sides",
			microsoft: `m1 12:00:00 60 from=-`,
			carrier:   `c1 12:00:01 60 from=-`,
			want: `m1 matched one_number c1
				c1 matched one_number m1`,
		},
		{
			name:      "the caller's last digits are hidden",
			microsoft: `m1 12:00:00 60 from=+4930****`,
			carrier:   `c1 12:00:01 60 from=+49301000`,
			want: `m1 matched one_number c1
				c1 matched one_number m1`,
		},
		{
			name:      "hidden digits on both sides agree as far as both are known",
			microsoft: `m1 12:00:00 60 from=+4930****`,
			carrier:   `c1 12:00:01 60 from=+49301***`,
			want: `m1 matched one_number c1
				c1 matched one_number m1`,
		},
		{
			name:      "known digits that disagree are another caller",
			microsoft: `m1 12:00:00 60 from=+4931****`,
			carrier:   `c1 12:00:01 60 from=+49301000`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "a hidden number of another length is another caller",
			microsoft: `m1 12:00:00 60 from=+4930***`,
			carrier:   `c1 12:00:01 60 from=+49301000`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "the callee is hidden by Microsoft",
			microsoft: `m1 12:00:00 60 to=+3314****`,
			carrier:   `c1 12:00:01 60`,
			want: `m1 matched one_number c1
				c1 matched one_number m1`,
		},
		{
			name:      "another caller was sent",
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:01 60 from=C`,
			want: `m1 number_mismatch one_number c1 number_differs
				c1 number_mismatch one_number m1 number_differs`,
		},
		{
			name:      "another callee was sent",
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:01 60 to=C`,
			want: `m1 number_mismatch one_number c1 number_differs
				c1 number_mismatch one_number m1 number_differs`,
		},
		{
			name:      "caller and callee are exchanged",
			microsoft: `m1 12:00:00 60`,
			carrier:   `c1 12:00:01 60 from=B to=A`,
			want: `m1 number_mismatch one_number c1 number_differs swapped
				c1 number_mismatch one_number m1 number_differs swapped`,
		},
		{
			name:      "two withheld numbers are not an equal callee",
			microsoft: `m1 12:00:00 60 from=A to=-`,
			carrier:   `c1 12:00:01 60 from=- to=-`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name:      "two calls that fit are none",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 60 from=-
				c2 12:00:02 60 from=-`,
			want: `m1 missing_at_carrier
				c1 missing_at_microsoft
				c2 missing_at_microsoft`,
		},
		{
			name: "two calls of Microsoft's that fit are none",
			microsoft: `m1 12:00:00 60
				m2 12:00:01 60 from=C`,
			carrier: `c1 12:00:01 60 from=-`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier
				c1 missing_at_microsoft`,
		},
		{
			name: "a rival that has another candidate is a rival all the same",
			microsoft: `m1 12:00:00 60
				m2 12:00:04 60`,
			carrier: `c1 12:00:04 60 from=-
				c2 12:00:08 60 from=-`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier
				c1 missing_at_microsoft
				c2 missing_at_microsoft`,
		},
		{
			name:      "a start beyond the tolerance is no candidate",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:05 60 from=-
				c2 12:00:05.000001 60 from=-`,
			want: `m1 matched one_number c1
				c1 matched one_number m1
				c2 missing_at_microsoft`,
		},
		{
			name:      "a duration that does not agree is no candidate",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 63 from=-
				c2 12:00:01 62 from=-`,
			want: `m1 matched one_number c2
				c1 missing_at_microsoft
				c2 matched one_number m1`,
		},
		{
			name:      "rounding makes durations agree here too",
			set:       rounding("60/60 up"),
			microsoft: `m1 12:00:00 61`,
			carrier:   `c1 12:00:01 120 from=-`,
			want: `m1 matched_rounding one_number c1
				c1 matched_rounding one_number m1`,
		},
		{
			name:      "a ring with one number is not looked at",
			microsoft: `m1 12:00:00 0`,
			carrier:   `c1 12:00:00 0 from=-`,
			want: `m1 unanswered_one_sided
				c1 unanswered_one_sided`,
		},
		{
			name:      "a withheld caller goes before a withheld callee",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 60 to=-
				c2 12:00:01 60 from=-`,
			want: `m1 matched one_number c2
				c1 missing_at_microsoft
				c2 matched one_number m1`,
		},
		{
			name:      "a withheld callee goes before another caller",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 60 from=C
				c2 12:00:01 60 to=-`,
			want: `m1 matched one_number c2
				c1 missing_at_microsoft
				c2 matched one_number m1`,
		},
		{
			name:      "another caller goes before another callee",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 60 to=C
				c2 12:00:01 60 from=C`,
			want: `m1 number_mismatch one_number c2 number_differs
				c1 missing_at_microsoft
				c2 number_mismatch one_number m1 number_differs`,
		},
		{
			name:      "another callee goes before an exchange of both",
			microsoft: `m1 12:00:00 60`,
			carrier: `c1 12:00:01 60 from=B to=A
				c2 12:00:01 60 to=C`,
			want: `m1 number_mismatch one_number c2 number_differs
				c1 missing_at_microsoft
				c2 number_mismatch one_number m1 number_differs`,
		},
		{
			name: "what one sub-pass paired is no rival in the next",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 60 to=-`,
			carrier: `c1 12:00:01 60 from=-
				c2 12:00:01 60 to=C`,
			want: `m1 matched one_number c1
				m2 matched one_number c2
				c1 matched one_number m1
				c2 matched one_number m2`,
		},
		{
			name: "an ambiguous withheld caller is not another caller",
			microsoft: `m1 12:00:00 60
				m2 12:00:00 60 from=C`,
			carrier: `c1 12:00:01 60 from=-`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier
				c1 missing_at_microsoft`,
		},
	})
}
