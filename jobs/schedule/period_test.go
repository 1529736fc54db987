package schedule

import (
	"testing"
	"time"
)

func TestPeriodsBeginAtMidnightOfTheCarrier(t *testing.T) {
	for _, c := range []struct{ name, period, from, to, zone string }{
		{"a day", "2026-10-01", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", "UTC"},
		{"a day in summer time", "2026-10-01", "2026-09-30T22:00:00Z", "2026-10-01T22:00:00Z", "Europe/Berlin"},
		{"the day on which the clock goes back has 25 hours", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Berlin"},
		{"the day on which it goes forward has 23", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "Europe/Berlin"},
		{"a month over a clock change", "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", "Europe/Berlin"},
		{"december", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "UTC"},
		{"a leap day", "2028-02-29", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "UTC"},
		{"a february with it", "2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", "UTC"},
		{"a day without a midnight begins at one", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", "America/Sao_Paulo"},
		{"and the day before it ends there", "2018-11-03", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "America/Sao_Paulo"},
		{"a day whose last hour comes twice has both", "2018-02-17", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z", "America/Sao_Paulo"},
		{"a day with two midnights begins at the first", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "America/Havana"},
		{"no midnight in Cairo", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z", "Africa/Cairo"},
		{"half an hour on Lord Howe", "2026-10-04", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", "Australia/Lord_Howe"},
		{"the day before one that was skipped", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "Pacific/Apia"},
		{"a month with a day skipped", "2011-12", "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z", "Pacific/Apia"},
		{"days from and to", "2026-10-01/2026-10-15", "2026-10-01T00:00:00Z", "2026-10-15T00:00:00Z", "UTC"},
		{"times from and to", "2026-10-01T10:00:00+02:00/2026-10-01T09:00:00Z", "2026-10-01T08:00:00Z", "2026-10-01T09:00:00Z", "Europe/Berlin"},
		{"a day to a month", "2026-10-15/2026-11", "2026-10-15T00:00:00Z", "2026-11-01T00:00:00Z", "UTC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ParsePeriod(c.period, zone(t, c.zone))
			if err != nil {
				t.Fatal(err)
			}
			if f, u := p.From.Format(time.RFC3339), p.To.Format(time.RFC3339); f != c.from || u != c.to {
				t.Errorf("%s to %s, want %s to %s", f, u, c.from, c.to)
			}
			if p.String() != c.period {
				t.Errorf("is told as %s", p)
			}
		})
	}
}

func TestPeriodsThatAreNoneAreRefused(t *testing.T) {
	east := time.FixedZone("east", 3600)
	for _, s := range []string{"", "/", "october", "2026-13", "2026-02-30", "2026-10-01/", "2026-10-02/2026-10-01", "2026-10-01/2026-10-01", "2026-10-01T00:00:00Z", "0000-01", "0001-01/2026-10", "9999-12", "2026-10/9999-12-31T23:00:00-02:00"} {
		for _, zone := range []*time.Location{time.UTC, east} {
			if _, err := ParsePeriod(s, zone); err == nil {
				t.Errorf("%q is taken for a period in %s", s, zone)
			}
		}
	}
	if p, err := ParsePeriod("2011-12-30", zone(t, "Pacific/Apia")); err == nil {
		t.Errorf("a day that was skipped is taken for %s to %s", p.From, p.To)
	}
}

func TestARelativePeriodIsTheOneBeforeTheRunWasDue(t *testing.T) {
	for _, c := range []struct {
		name, due, zone string
		day, month      string
	}{
		{"an ordinary night", "2026-10-02T04:00:00Z", "UTC", "2026-10-01", "2026-09"},
		{"the first of a month", "2026-10-01T00:00:00Z", "UTC", "2026-09-30", "2026-09"},
		{"the first of a year", "2027-01-01T05:00:00Z", "UTC", "2026-12-31", "2026-12"},
		{"the carrier's day is another than London's", "2026-10-01T22:30:00Z", "Europe/Berlin", "2026-10-01", "2026-09"},
		{"and its month", "2026-09-30T22:30:00Z", "Europe/Berlin", "2026-09-30", "2026-09"},
		{"after a leap day", "2028-03-01T01:00:00Z", "UTC", "2028-02-29", "2028-02"},
		{"after the end of february", "2027-03-01T01:00:00Z", "UTC", "2027-02-28", "2027-02"},
		{"on the 31st", "2026-03-31T01:00:00Z", "UTC", "2026-03-30", "2026-02"},
		{"in the repeated hour", "2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-24", "2026-09"},
		{"at the end of a day of 25 hours", "2026-10-25T22:59:00Z", "Europe/Berlin", "2026-10-24", "2026-09"},
		{"after it", "2026-10-25T23:00:00Z", "Europe/Berlin", "2026-10-25", "2026-09"},
		{"after a day of 23 hours", "2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-29", "2026-02"},
		{"midnight skipped", "2018-11-04T03:00:00Z", "America/Sao_Paulo", "2018-11-03", "2018-10"},
		{"yesterday was skipped", "2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-29", "2011-11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			due, where := instant(t, c.due), zone(t, c.zone)
			for r, want := range map[Relative]string{PreviousDay: c.day, PreviousMonth: c.month} {
				got := r.Resolve(due, where)
				if got.String() != want {
					t.Errorf("%s is %s, want %s", r, got, want)
				}
				if read, err := ParsePeriod(want, where); err != nil || read != got {
					t.Errorf("%s is %v, but is read as %v, %v", r, got, read, err)
				}
				if got.To.After(due) {
					t.Errorf("%s ends at %s, after the run was due", r, got.To)
				}
			}
		})
	}
	if err := Relative("previous_week").Validate(); err == nil {
		t.Error("previous_week is taken for a period")
	}
	if p := Relative("previous_week").Resolve(time.Unix(0, 0), time.UTC); p != (Period{}) {
		t.Errorf("an unknown word resolves to %v", p)
	}
}

// Each day of each zone begins where the one before it ends: no call is in two
// periods, or in none.
func TestDaysFollowOnEachOther(t *testing.T) {
	for _, name := range zones {
		where := zone(t, name)
		due := instant(t, "1985-01-01T12:00:00Z")
		last := PreviousDay.Resolve(due, where)
		for ; due.Year() < 2036; due = due.AddDate(0, 0, 1) {
			p := PreviousDay.Resolve(due, where)
			if p != last && !p.From.Equal(last.To) {
				t.Errorf("%s: %s follows %s, which ends at %s; it begins at %s", name, p, last, last.To, p.From)
			}
			last = p
		}
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}
