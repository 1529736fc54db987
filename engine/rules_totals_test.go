package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
)

func tally(records, seconds int64) engine.Tally {
	return engine.Tally{Records: records, MS: seconds * 1000}
}

// totalsWorld has a pair over the period zone's midnight, calls to three
// countries, and calls that the other side does not know.
func totalsWorld(t *testing.T) *world {
	return storyWorld(t, func(w *world) {
		w.rules.Zone = time.FixedZone("", 2*3600)
		w.rules.ClockOffset = 10 * time.Second
	}, `m1 2026-10-01T21:59:58 100 from=A to=B
		m2 2026-10-01T22:00:00 100 from=A to=C
		m3 2026-10-01T20:00:00 30 from=C to=D`,
		`c1 2026-10-01T22:00:09 101 from=A to=B
		c2 2026-10-01T22:00:10 150 from=A to=C
		c3 2026-10-01T22:00:09 7 from=C to=110`)
}

func TestTotalsByDay(t *testing.T) {
	want := map[string]engine.Balance{
		"2026-10-01": {Microsoft: tally(2, 130), Carrier: tally(2, 108), Verdict: engine.TotalsDispute},
		"2026-10-02": {Microsoft: tally(1, 100), Carrier: tally(1, 150), Verdict: engine.TotalsDispute},
	}
	w := totalsWorld(t)
	for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
		if diff := cmp.Diff(want, a.days); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", name, diff)
		}
	}
}

func TestTotalsByDestination(t *testing.T) {
	want := map[string]engine.Balance{
		"FR": {Microsoft: tally(1, 100), Carrier: tally(1, 101), Verdict: engine.TotalsDispute},
		"NL": {Microsoft: tally(1, 100), Carrier: tally(1, 150), Verdict: engine.TotalsDispute},
		"DE": {Microsoft: tally(1, 30), Verdict: engine.TotalsDispute},
		"":   {Carrier: tally(1, 7), Verdict: engine.TotalsDispute},
	}
	w := totalsWorld(t)
	for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
		if diff := cmp.Diff(want, a.countries); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", name, diff)
		}
	}
}

func TestTieOut(t *testing.T) {
	w := storyWorld(t, day, `m1 12:00:00 60
		m1 12:00:00 60
		m2 13:00:00 0
		m3 14:00:00 60 bad
		---
		m4 2026-10-07T12:00:00 5`,
		`c1 12:00:00 61
		c1 12:00:00 99
		c9 12:00:00 61`)
	wantFiles := [2][]engine.FileTally{
		{{Rows: 4, Accepted: 3, Rejected: 1, MS: 120_000}, {Rows: 1, Accepted: 1, MS: 5_000}},
		{{Rows: 3, Accepted: 3, MS: 221_000}},
	}
	var want [2][engine.NumClasses]engine.Tally
	want[0][engine.Matched] = tally(1, 60)
	want[0][engine.Duplicate] = tally(1, 60)
	want[0][engine.UnansweredOneSided] = tally(1, 0)
	want[0][engine.Invalid] = tally(1, 0)
	want[0][engine.OutsidePeriod] = tally(1, 5)
	want[1][engine.Matched] = tally(1, 61)
	want[1][engine.ConflictingDuplicate] = tally(1, 99)
	want[1][engine.Duplicate] = tally(1, 61)
	for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
		if diff := cmp.Diff(wantFiles, a.files); diff != "" {
			t.Errorf("%s files, want (-), got (+):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, a.classes); diff != "" {
			t.Errorf("%s classes, want (-), got (+):\n%s", name, diff)
		}
	}
}

// What rounding alone explains is not in dispute, and finance wants its sum.
func TestRoundingExplained(t *testing.T) {
	w := storyWorld(t, rounding("60/60 up"), `m1 12:00:00 61
		m2 13:00:00 59
		m3 14:00:00 61
		m4 15:00:00 1`,
		`c1 12:00:00 120
		c2 13:00:00 60
		c3 14:00:00 180
		c4 15:00:00 60`)
	for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
		if a.roundingMS != 59_000+1_000+59_000 {
			t.Errorf("%s: %d ms by rounding alone", name, a.roundingMS)
		}
	}
}

// Rounding is in calls of any class: one whose figure Microsoft has from the
// carrier, one in two parts, one with another number, one within tolerance. A
// sum over one class would tell finance that the rest is something else.
func TestRoundingIsExplainedInEveryClass(t *testing.T) {
	for _, c := range []struct {
		name, rule         string
		microsoft, carrier string
		want               int64
	}{
		{"Microsoft has its figure from the carrier", "60/60 up", "m1 12:00:00 61 operator", "c1 12:00:00 120", 59_000},
		{"a call in two parts", "60/60 up", "m1 12:00:00 125", "c1 12:00:00 120\nc2 12:02:00 60", 55_000},
		{"another number", "60/60 up", "m1 12:00:00 61 corr=x", "c1 12:00:00 120 corr=x from=C", 59_000},
		{"another time", "60/60 up", "m1 12:00:00 61 corr=x", "c1 12:00:30 120 corr=x", 59_000},
		{"within tolerance", "30/6 up", "m1 12:00:00 59", "c1 12:00:00 60", 1_000},
		{"a figure that the rule cannot give", "30/6 up", "m1 12:00:00 59", "c1 12:00:00 61", 0},
		{"no rounding agreed", "none", "m1 12:00:00 59", "c1 12:00:00 60", 0},
		{"too long", "60/60 up", "m1 12:00:00 61", "c1 12:00:00 180", 0},
		{"answered on one side", "60/60 up", "m1 12:00:00 0 corr=x", "c1 12:00:00 60 corr=x", 0},
		{"missing", "60/60 up", "", "c1 12:00:00 120", 0},
	} {
		w := storyWorld(t, rounding(c.rule), c.microsoft, c.carrier)
		for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
			if a.roundingMS != c.want {
				t.Errorf("%s, %s: %d ms by rounding, want %d", c.name, name, a.roundingMS, c.want)
			}
		}
	}
}

func TestUsedSeconds(t *testing.T) {
	for _, c := range []struct {
		name               string
		set                func(*world)
		microsoft, carrier string
		want               engine.UsageRow // its sums
	}{
		{"the carrier's duration where both agree", nil, "m1 12:00:00 60", "c1 12:00:00 62",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, CarrierMS: 62_000, UsedMS: 62_000}},
		{"the carrier's rounded duration where rounding explains it", rounding("60/60 up"), "m1 12:00:00 61", "c1 12:00:00 120",
			engine.UsageRow{Calls: 1, MicrosoftMS: 61_000, CarrierMS: 120_000, UsedMS: 120_000}},
		{"Microsoft's where they do not agree", nil, "m1 12:00:00 60", "c1 12:00:00 90",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, CarrierMS: 90_000, UsedMS: 60_000}},
		{"Microsoft's where the carrier has none", nil, "m1 12:00:00 60", "",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, UsedMS: 60_000}},
		{"all segments of a split call", nil, "m1 12:00:00 120", "c1 12:00:00 60\nc2 12:01:00 61",
			engine.UsageRow{Calls: 1, MicrosoftMS: 120_000, CarrierMS: 121_000, UsedMS: 121_000}},
		{"a wrong number does not change the time", nil, "m1 12:00:00 60", "c1 12:00:00 61 from=C",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, CarrierMS: 61_000, UsedMS: 61_000}},
		{"an answer that Microsoft did not see costs nobody", nil, "m1 12:00:00 0", "c1 12:00:00 60",
			engine.UsageRow{Calls: 1, CarrierMS: 60_000}},
		{"repeats are no usage, nor is what Microsoft does not know", nil, "m1 12:00:00 60\nm1 12:00:00 60", "c1 12:00:00 60\nc2 15:00:00 60",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, CarrierMS: 60_000, UsedMS: 60_000}},
		{"what is superseded is no usage", nil, "m1 12:00:00 60\n---\nm1 12:00:00 90", "c1 12:00:00 90",
			engine.UsageRow{Calls: 1, MicrosoftMS: 90_000, CarrierMS: 90_000, UsedMS: 90_000}},
		{"calls of another period are no usage", day, "m1 12:00:00 60\nm2 2026-10-02T00:00:00 60", "c1 12:00:00 60\nc2 2026-10-02T00:00:00 60",
			engine.UsageRow{Calls: 1, MicrosoftMS: 60_000, CarrierMS: 60_000, UsedMS: 60_000}},
		{"calls whose duration came from the carrier are counted", nil, "m1 12:00:00 60 operator\nm2 13:00:00 60", "c1 12:00:00 60",
			engine.UsageRow{Calls: 2, MicrosoftMS: 120_000, CarrierMS: 60_000, UsedMS: 120_000, OperatorSourcedCalls: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := storyWorld(t, c.set, c.microsoft, c.carrier)
			for name, a := range map[string]*answer{"reference": reference(w), "engine": mustRun(t, w)} {
				if diff := cmp.Diff(map[usageKey]engine.UsageRow{{date: "2026-10-01"}: c.want}, a.usage, cmp.AllowUnexported(usageKey{})); diff != "" {
					t.Errorf("%s, want (-), got (+):\n%s", name, diff)
				}
			}
		})
	}
}

// Usage is told apart by tenant, day, direction, call type and the country of
// the other party, and by user and month when asked for.
func TestUsageRows(t *testing.T) {
	w := storyWorld(t, func(w *world) { w.rules.Zone = time.FixedZone("", 3*3600) },
		`m1 2026-09-30T20:59:59 1 tenant=t2 out type=user_out from=A to=B
		m2 2026-09-30T21:00:00 2 tenant=t2 out type=user_out from=A to=B
		m3 2026-09-30T21:00:00 4 tenant=t2 in type=user_in from=C to=A user=u1
		m4 2026-10-01T21:00:00 8 tenant=t2 in type=user_in from=C to=A user=u1
		m5 2026-10-01T21:00:00 16 tenant=t1 out type=user_out from=A to=-`, ``)
	a := mustRun(t, w)
	row := func(tenant, user, date string, d engine.Direction, callType, country string, calls, seconds int64) engine.UsageRow {
		return engine.UsageRow{
			TenantID: tenant, UserID: user, Date: date, Direction: d, CallType: callType, Country: country,
			Calls: calls, MicrosoftMS: seconds * 1000, UsedMS: seconds * 1000,
		}
	}
	want := []engine.UsageRow{
		row("t1", "", "2026-10-02", engine.Out, "user_out", "", 1, 16),
		row("t2", "", "2026-09-30", engine.Out, "user_out", "FR", 1, 1),
		row("t2", "", "2026-10-01", engine.In, "user_in", "NL", 1, 4),
		row("t2", "", "2026-10-01", engine.Out, "user_out", "FR", 1, 2),
		row("t2", "", "2026-10-02", engine.In, "user_in", "NL", 1, 8),
	}
	if diff := cmp.Diff(want, a.usageRows); diff != "" {
		t.Errorf("usage, want (-), got (+):\n%s", diff)
	}
	wantUsers := []engine.UsageRow{
		row("t1", "", "2026-10", engine.Out, "user_out", "", 1, 16),
		row("t2", "", "2026-09", engine.Out, "user_out", "FR", 1, 1),
		row("t2", "", "2026-10", engine.Out, "user_out", "FR", 1, 2),
		row("t2", "u1", "2026-10", engine.In, "user_in", "NL", 2, 12),
	}
	if diff := cmp.Diff(wantUsers, a.userRows); diff != "" {
		t.Errorf("usage by user, want (-), got (+):\n%s", diff)
	}
}
