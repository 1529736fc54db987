package engine_test

import (
	"testing"
	"time"

	"concord/engine"
)

func TestPeriod(t *testing.T) {
	decide(t, []ruleCase{
		{
			name: "a period includes its start and not its end",
			set:  day,
			microsoft: `m1 2026-10-01T00:00:00 60
				m2 2026-10-01T23:59:59.999999 60
				m3 2026-10-02T00:00:00 60
				m4 2026-09-30T23:59:59.999999 60`,
			want: `m1 missing_at_carrier
				m2 missing_at_carrier
				m3 outside_period
				m4 outside_period`,
		},
		{
			name:      "a call over midnight belongs to the day on which Microsoft saw it begin",
			set:       day,
			microsoft: `m1 2026-10-01T23:59:58 60`,
			carrier:   `c1 2026-10-02T00:00:01 60`,
			want: `m1 matched numbers c1
				c1 matched numbers m1`,
		},
		{
			name:      "and is no call of the next day's run",
			set:       func(w *world) { day(w); w.from, w.to = w.to, w.to.AddDate(0, 0, 1) },
			microsoft: `m1 2026-10-01T23:59:58 60`,
			carrier:   `c1 2026-10-02T00:00:01 60`,
			want: `m1 outside_period
				c1 outside_period`,
		},
		{
			name:      "a case over midnight says so",
			set:       day,
			microsoft: `m1 2026-10-01T23:59:58 60`,
			carrier:   `c1 2026-10-02T00:00:01 90`,
			want: `m1 duration_over numbers c1 cut_off
				c1 duration_over numbers m1 cut_off`,
		},
		{
			name:      "a case over the start of the period says so",
			set:       day,
			microsoft: `m1 2026-10-01T00:00:00 60`,
			carrier:   `c1 2026-09-30T23:59:58 90`,
			want: `m1 duration_over numbers c1 cut_off
				c1 duration_over numbers m1 cut_off`,
		},
		{
			name:      "a wrong clock alone cuts nothing off",
			set:       func(w *world) { day(w); w.rules.ClockOffset = 37 * time.Second },
			microsoft: `m1 2026-10-01T23:59:58 60`,
			carrier:   `c1 2026-10-02T00:00:35 90`,
			want: `m1 duration_over numbers c1
				c1 duration_over numbers m1`,
		},
		{
			name:      "records within the margin are looked at",
			set:       day,
			microsoft: `m1 2026-10-01T23:30:00 60 corr=x`,
			carrier:   `c1 2026-10-02T00:59:59 60 corr=x`,
			want: `m1 time_mismatch id c1 cut_off time_differs
				c1 time_mismatch id m1 cut_off time_differs`,
		},
		{
			name:      "records beyond the margin are not",
			set:       day,
			microsoft: `m1 2026-10-01T23:30:00 60 corr=x`,
			carrier:   `c1 2026-10-02T01:00:01 60 corr=x`,
			want: `m1 missing_at_carrier
				c1 outside_period`,
		},
		{
			name:      "the margin ends, like the period, before its end",
			set:       day,
			microsoft: `m1 2026-10-01T23:30:00 60 corr=x`,
			carrier:   `c1 2026-10-02T01:00:00 60 corr=x`,
			want: `m1 missing_at_carrier
				c1 outside_period`,
		},
		{
			name: "records before the margin are not",
			set:  day,
			microsoft: `m1 2026-10-01T00:30:00 60 corr=x
				m2 2026-10-01T00:40:00 60 corr=y`,
			carrier: `c1 2026-09-30T22:59:59.999999 60 corr=x
				c2 2026-09-30T23:00:00 60 corr=y`,
			want: `m1 missing_at_carrier
				m2 time_mismatch id c2 cut_off time_differs
				c1 outside_period
				c2 time_mismatch id m2 cut_off time_differs`,
		},
		{
			name: "a call in the margin keeps its partner from others",
			set:  day,
			microsoft: `m1 2026-10-01T23:59:59 60
				m2 2026-10-02T00:00:00 60`,
			carrier: `c1 2026-10-02T00:00:00 60`,
			want: `m1 missing_at_carrier
				m2 outside_period
				c1 outside_period`,
		},
		{
			name:      "a call of the day before, billed twice after midnight, is a duplicate",
			set:       day,
			microsoft: `m1 2026-09-30T23:59:59 60`,
			carrier: `c1 2026-10-01T00:00:01 60
				c2 2026-10-01T00:00:01 60`,
			want: `m1 outside_period
				c1 outside_period
				c2 duplicate`,
		},
		{
			name:    "a carrier's call belongs to the day that the right clock says",
			set:     func(w *world) { day(w); w.rules.ClockOffset = time.Hour },
			carrier: "c1 2026-10-02T00:30:00 60\nc2 2026-10-01T00:30:00 60",
			want: `c1 missing_at_microsoft
				c2 outside_period`,
		},
		{
			name: "a repeat belongs to its own day",
			set:  day,
			carrier: `c1 2026-10-01T12:00:00 60
				c1 2026-10-03T12:00:00 60
				c2 2026-10-03T12:00:00 60
				---
				c2 2026-10-01T13:00:00 60`,
			want: `c1 missing_at_microsoft
				c1 outside_period
				c2 outside_period
				c2 missing_at_microsoft`,
		},
		{
			name: "a repeat's day is told by the right clock",
			set:  func(w *world) { day(w); w.rules.ClockOffset = time.Hour },
			carrier: `c1 2026-10-02T00:30:00 60
				c1 2026-10-02T00:30:00 60
				c1 2026-10-02T01:00:00 60`,
			want: `c1 missing_at_microsoft
				c1 duplicate
				c1 outside_period`,
		},
		{
			name:      "a row that cannot be read is listed in every period",
			set:       day,
			microsoft: `m1 2026-01-01T00:00:00 60 bad`,
			want:      `m1 invalid`,
		},
		{
			name:      "a ring outside the period is left to the neighbour",
			set:       day,
			microsoft: `m1 2026-10-02T00:00:01 0`,
			want:      `m1 outside_period`,
		},
		{
			name:      "without a period every call counts",
			microsoft: `m1 1999-10-02T00:00:01 60`,
			want:      `m1 missing_at_carrier`,
		},
	})
}

func TestTotalsVerdict(t *testing.T) {
	for _, c := range []struct {
		name               string
		set                func(*world)
		microsoft, carrier string
		want               engine.TotalsVerdict
	}{
		{"equal minutes", nil, "m1 12:00:00 1000", "c1 12:00:00 1000", engine.TotalsOK},
		{"just below half a per cent", nil, "m1 12:00:00 1000", "c1 12:00:00 1004.999", engine.TotalsOK},
		{"half a per cent", nil, "m1 12:00:00 1000", "c1 12:00:00 1005", engine.TotalsWarning},
		{"half a per cent less", nil, "m1 12:00:00 1000", "c1 12:00:00 995", engine.TotalsWarning},
		{"just below one per cent", nil, "m1 12:00:00 1000", "c1 12:00:00 1009.999", engine.TotalsWarning},
		{"one per cent", nil, "m1 12:00:00 1000", "c1 12:00:00 1010", engine.TotalsDispute},
		{"one per cent less", nil, "m1 12:00:00 1000", "c1 12:00:00 990", engine.TotalsDispute},
		{"a share is of Microsoft's minutes", nil, "m1 12:00:00 1010", "c1 12:00:00 1000", engine.TotalsWarning},
		{"nothing at all", nil, "", "", engine.TotalsOK},
		{"minutes of which Microsoft knows none", nil, "", "c1 12:00:00 1", engine.TotalsDispute},
		{"minutes of which the carrier knows none", nil, "m1 12:00:00 1", "", engine.TotalsDispute},
		{"one way and the other make up for each other", nil, "m1 12:00:00 60\nm2 13:00:00 60", "c1 12:00:00 70\nc2 13:00:00 50", engine.TotalsOK},
		{"limits of the carrier's own", func(w *world) { w.rules.WarnAt, w.rules.DisputeAt = 20_000, 30_000 },
			"m1 12:00:00 1000", "c1 12:00:00 1020", engine.TotalsWarning},
		{"a repeat is not counted", nil, "m1 12:00:00 60", "c1 12:00:00 60\nc1 12:00:00 60\nc2 12:00:00 60", engine.TotalsOK},
		{"what is superseded is not counted", nil, "m1 12:00:00 60", "c1 12:00:00 90 rev=1\nc1 12:00:00 60 rev=2", engine.TotalsOK},
		{"what is outside the period is not counted", day, "m1 12:00:00 60", "c1 12:00:00 60\nc2 2026-10-05T12:00:00 60", engine.TotalsOK},
		{"what may still come in is not counted", asOf(time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)),
			"m1 12:00:00 60\nm2 13:00:00 60", "c1 12:00:00 60", engine.TotalsOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := storyWorld(t, c.set, c.microsoft, c.carrier)
			for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
				if got := a.totals.Verdict; got != c.want {
					t.Errorf("%s: %v (%+v), want %v", name, got, a.totals, c.want)
				}
			}
		})
	}
}
