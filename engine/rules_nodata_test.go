package engine_test

import (
	"strings"
	"testing"

	"concord/engine"
)

// A feed that is down would pass for a day on which both sides agree.
func TestASideWithoutRecordsIsTold(t *testing.T) {
	for _, c := range []struct {
		name               string
		set                func(*world)
		microsoft, carrier string
		want               string // how the finding begins; empty: there is none
	}{
		{"nobody has a call", day, "", "", "neither side has a record of the period"},
		{"all calls are of another day", day, "m1 2026-10-07T12:00:00 5", "c1 2026-10-07T12:00:00 5", "neither side has a record of the period"},
		{"Microsoft's feed is down", day, "m1 2026-10-07T12:00:00 5", "c1 12:00:00 60", "Microsoft's side has no record of the period"},
		{"the carrier's file has not come", day, "m1 12:00:00 60", "", "the carrier's side has no record of the period"},
		{"none of the carrier's rows can be read", day, "m1 12:00:00 60", "c1 12:00:00 60 bad", "the carrier's side has no record of the period"},
		{"without a period", nil, "", "c1 12:00:00 60", "Microsoft's side has no record,"},
		{"a call that is not answered", day, "m1 12:00:00 0", "c1 15:00:00 60", ""},
		{"a quiet day with one call on each side", day, "m1 12:00:00 60", "c1 15:00:00 60", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := mustRun(t, storyWorld(t, c.set, c.microsoft, c.carrier))
			var got string
			if len(a.findings) > 0 && a.findings[0].Code == "no_data" {
				got = a.findings[0].Text
			}
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("first of the findings %+v, want %q", a.findings, c.want)
			}
		})
	}
}

func TestRecordsThatWaitAreSome(t *testing.T) {
	var s engine.Summary
	s.Classes[engine.Microsoft][engine.PendingLate].Records = 1
	s.Classes[engine.Carrier][engine.OutsidePeriod].Records = 1
	if got := s.Empty(); got != [2]bool{engine.Carrier: true} {
		t.Errorf("empty sides: %v", got)
	}
}
