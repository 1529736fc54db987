package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestWhenClocksChange(t *testing.T) {
	const (
		berlin = "Europe/Berlin"
		howe   = "Australia/Lord_Howe"
		sao    = "America/Sao_Paulo"
		apia   = "Pacific/Apia"
		cairo  = "Africa/Cairo"
	)
	for _, c := range []struct {
		name, spec, zone string
		after            string   // in UTC
		want             []string // as the clocks of the zone show it
	}{
		{"a time that is skipped comes when the clocks change", "30 2 * * *", berlin, "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"times that are skipped together come once", "0,10,20 2 * * *", berlin, "2026-03-29T00:59:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"a time skipped to another of the schedule comes once", "0 2,3 * * *", berlin, "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"a time that repeats comes the first time", "30 2 * * *", berlin, "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"and not for a service that starts between the two", "30 2 * * *", berlin, "2026-10-25T01:10:00Z",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"the hour after the repeated one", "0 3 * * *", berlin, "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T03:00:00+01:00", "2026-10-26T03:00:00+01:00"}},
		{"every second hour has a run for each, skipped ones too", "0 */2 * * *", berlin, "2026-03-28T23:30:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"}},
		{"every quarter of an hour goes on over a skip", "*/15 * * * *", berlin, "2026-03-29T00:40:00Z",
			[]string{"2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"}},
		{"and through the repeated hour", "*/15 * * * *", berlin, "2026-10-25T00:40:00Z",
			[]string{"2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T02:45:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"every hour is every real hour", "5 * * * *", berlin, "2026-10-24T23:30:00Z",
			[]string{"2026-10-25T02:05:00+02:00", "2026-10-25T02:05:00+01:00", "2026-10-25T03:05:00+01:00"}},
		{"every hour, nothing made up", "5 * * * *", berlin, "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:05:00+01:00", "2026-03-29T03:05:00+02:00"}},
		{"quarters of some hours, the skipped one once", "*/15 2 * * *", berlin, "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"quarters of some hours, the repeated one twice", "*/30 2 * * *", berlin, "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-26T02:00:00+01:00"}},
		{"half an hour skipped", "15 2 * * *", howe, "2026-10-03T00:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		{"half an hour repeated", "45 1 * * *", howe, "2026-04-04T00:00:00Z",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		{"half an hour repeated, every quarter", "*/15 * * * *", howe, "2026-04-04T14:40:00Z",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30", "2026-04-05T02:00:00+10:30"}},
		{"no midnight", "0 0 * * *", sao, "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"the last hour of the day repeats", "30 23 * * *", sao, "2018-02-17T12:00:00Z",
			[]string{"2018-02-17T23:30:00-02:00", "2018-02-18T23:30:00-03:00"}},
		{"midnight after a repeated hour", "0 0 * * *", sao, "2018-02-17T12:00:00Z",
			[]string{"2018-02-18T00:00:00-03:00", "2018-02-19T00:00:00-03:00"}},
		{"the first of a month, at a midnight that is skipped", "0 0 1 4 *", "Asia/Amman", "2021-12-01T00:00:00Z",
			[]string{"2022-04-01T00:00:00+03:00", "2023-04-01T00:00:00+03:00"}},
		{"no midnight in Cairo", "@daily", cairo, "2026-04-23T12:00:00Z",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"}},
		{"Cairo's midnight after a repeated hour", "@daily", cairo, "2026-10-29T12:00:00Z",
			[]string{"2026-10-30T00:00:00+02:00", "2026-10-31T00:00:00+02:00"}},
		{"a skipped day's run and the next one's", "0 5 * * *", apia, "2011-12-29T12:00:00Z",
			[]string{"2011-12-29T05:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T05:00:00+14:00"}},
		{"a monthly run on the skipped day", "0 5 30 12 *", apia, "2011-01-01T00:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2012-12-30T05:00:00+14:00"}},
		{"a weekday that was skipped", "0 5 * * fri", apia, "2011-12-24T00:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2012-01-06T05:00:00+14:00"}},
		{"month ends", "0 0 31 * *", berlin, "2026-03-01T00:00:00Z",
			[]string{"2026-03-31T00:00:00+02:00", "2026-05-31T00:00:00+02:00", "2026-07-31T00:00:00+02:00"}},
		{"leap days eight years apart", "0 12 29 2 *", "UTC", "2092-03-01T00:00:00Z",
			[]string{"2096-02-29T12:00:00Z", "2104-02-29T12:00:00Z"}},
		{"a leap day of every hour", "0 * 29 2 *", berlin, "2096-02-29T22:30:00Z",
			[]string{"2104-02-29T00:00:00+01:00"}},
		{"between two seconds", "30 4 * * *", "UTC", "2026-10-01T04:29:59.999999999Z",
			[]string{"2026-10-01T04:30:00Z"}},
		{"at the instant itself the next one", "30 4 * * *", "UTC", "2026-10-01T04:30:00Z",
			[]string{"2026-10-02T04:30:00Z"}},
		{"the end of time", "0 0 1 1 *", "UTC", "9999-06-01T00:00:00Z", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.spec, c.zone)
			var got []string
			for _, at := range s.Upcoming(instant(t, c.after), max(1, len(c.want))) {
				got = append(got, at.Format(time.RFC3339))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s comes at\n%v, want\n%v", s, got, c.want)
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, spec, zone string }{
		{"daily", "30 4 * * *", "Europe/Berlin"},
		{"quarters", "*/15 * * * *", "Europe/Berlin"},
		{"quarters of some hours", "*/15 0-6 * * *", "Europe/Berlin"},
		{"leap day", "0 4 29 2 *", "Europe/Berlin"},
		{"leap day in the next century", "0 4 29 2 *", "UTC"},
		{"leap day, every minute", "* * 29 2 *", "America/New_York"},
		{"leap day with a month of fasting", "0 4 29 2 *", "Africa/Casablanca"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := parse(b, c.spec, c.zone)
			after := instant(b, "2028-03-02T00:00:00Z")
			if c.zone == "UTC" {
				after = instant(b, "2096-03-02T00:00:00Z")
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Next(after)
			}
		})
	}
}
