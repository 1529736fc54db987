package jobs

import (
	"testing"
	"time"
)

func TestPeriodsBeginAtMidnightOfTheCarrier(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, period, from, to string
		zone                   *time.Location
	}{
		{"a day", "2026-10-01", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", time.UTC},
		{"a day in summer time", "2026-10-01", "2026-09-30T22:00:00Z", "2026-10-01T22:00:00Z", berlin},
		{"the day on which the clock goes back has 25 hours", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", berlin},
		{"a month over a clock change", "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", berlin},
		{"december", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", time.UTC},
		{"days from and to", "2026-10-01/2026-10-15", "2026-10-01T00:00:00Z", "2026-10-15T00:00:00Z", time.UTC},
		{"times from and to", "2026-10-01T10:00:00+02:00/2026-10-01T09:00:00Z", "2026-10-01T08:00:00Z", "2026-10-01T09:00:00Z", berlin},
		{"a day to a month", "2026-10-15/2026-11", "2026-10-15T00:00:00Z", "2026-11-01T00:00:00Z", time.UTC},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to, err := ParsePeriod(c.period, c.zone)
			if err != nil {
				t.Fatal(err)
			}
			if f, u := from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339); f != c.from || u != c.to {
				t.Errorf("%s to %s, want %s to %s", f, u, c.from, c.to)
			}
		})
	}
}

func TestPeriodsThatAreNoneAreRefused(t *testing.T) {
	east := time.FixedZone("east", 3600)
	for _, s := range []string{"", "/", "october", "2026-13", "2026-02-30", "2026-10-01/", "2026-10-02/2026-10-01", "2026-10-01/2026-10-01", "2026-10-01T00:00:00Z", "0000-01", "0001-01/2026-10", "9999-12", "2026-10/9999-12-31T23:00:00-02:00"} {
		for _, zone := range []*time.Location{time.UTC, east} {
			if _, _, err := ParsePeriod(s, zone); err == nil {
				t.Errorf("%q is taken for a period in %s", s, zone)
			}
		}
	}
}
