package schedule

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func parse(t testing.TB, spec, zone string) Schedule {
	t.Helper()
	s, err := Parse(spec, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchedulesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, spec, zone, says string }{
		{"nothing", "", "UTC", "required; write five fields"},
		{"blanks", " \t ", "UTC", "required; write five fields"},
		{"no zone", "0 4 * * *", "", "zone: required"},
		{"an unknown zone", "0 4 * * *", "Europe/Berln", `zone "Europe/Berln": unknown`},
		{"the zone of the machine", "0 4 * * *", "Local", "unknown"},
		{"a zone that is a path", "0 4 * * *", "../../etc/passwd", "unknown"},
		{"both wrong, both told", "0 24 * * *", "Mars", "hour"},
		{"a zone in front, without fields", "CRON_TZ=UTC", "UTC", "the zone is a setting of its own"},
		{"a zone in front", "CRON_TZ=UTC 0 4 * * *", "UTC", "the zone is a setting of its own"},
		{"a short zone in front", "TZ=UTC 0 4 * * *", "UTC", "the zone is a setting of its own"},
		{"a zone with a tab", "TZ=UTC\t0 4 * * *", "UTC", "the zone is a setting of its own"},
		{"seconds", "0 0 4 * * *", "UTC", "without seconds"},
		{"four fields", "0 4 * *", "UTC", "has 4 of five fields"},
		{"seven fields", "0 0 4 * * * 2026", "UTC", "has 7 of five fields"},
		{"a word that is none", "@fortnightly", "UTC", "unknown word"},
		{"a word with more", "@daily 4", "UTC", "unknown word"},
		{"when the machine starts", "@reboot", "UTC", "unknown word"},
		{"every so often", "@every 15m", "UTC", "depends on when the service started"},
		{"a minute too many", "60 4 * * *", "UTC", `minute "60"`},
		{"sunday as 7", "0 4 * * 7", "UTC", "0 (Sunday) to 6"},
		{"a day 0", "0 4 0 * *", "UTC", "1 to 31"},
		{"over midnight", "0 22-4 * * *", "UTC", `hour "22-4"`},
		{"no number", "0 four * * *", "UTC", `hour "four"`},
		{"a sign", "+5 4 * * *", "UTC", `"+5" is no value`},
		{"a star to a number", "*-5 4 * * *", "UTC", `"*-5" is no value`},
		{"a question mark", "0 4 ? * *", "UTC", `"?" is no value`},
		{"an empty list", ", 4 * * *", "UTC", `"" is no value`},
		{"a gap in a list", "1,,2 4 * * *", "UTC", `"" is no value`},
		{"a step of nothing", "*/0 4 * * *", "UTC", "positive number"},
		{"every ninety minutes", "*/90 * * * *", "UTC", "a step of 90 leaves the field"},
		{"every seventh weekday", "0 4 * * */7", "UTC", "a step of 7 leaves the field"},
		{"two ways to read it", "0 4 */2 * mon", "UTC", "understood in two ways"},
		{"two ways, the other way round", "0 4 1 * */2", "UTC", "understood in two ways"},
		{"31 February", "0 4 31 2 *", "UTC", "never comes"},
		{"30 February", "0 4 30,31 feb *", "UTC", "never comes"},
		{"31 of short months", "0 4 31 4,6,9,11 *", "UTC", "never comes"},
		{"too long", "0 4 " + strings.Repeat("1,", 300) + "1 * *", "UTC", "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(c.spec, c.zone)
			if err == nil {
				t.Fatalf("%q is taken for a schedule, next %v", c.spec, s.Upcoming(time.Unix(0, 0), 2))
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not say %q: %v", c.says, err)
			}
		})
	}
}

func TestSchedulesThatAreTaken(t *testing.T) {
	for _, c := range []struct{ spec, first, second string }{
		{"30 4 * * *", "2026-10-01T04:30:00Z", "2026-10-02T04:30:00Z"},
		{"  30   4 * * *  ", "2026-10-01T04:30:00Z", "2026-10-02T04:30:00Z"},
		{"@daily", "2026-10-02T00:00:00Z", "2026-10-03T00:00:00Z"},
		{"@midnight", "2026-10-02T00:00:00Z", "2026-10-03T00:00:00Z"},
		{"@hourly", "2026-10-01T01:00:00Z", "2026-10-01T02:00:00Z"},
		{"@weekly", "2026-10-04T00:00:00Z", "2026-10-11T00:00:00Z"},
		{"@monthly", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"@yearly", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"},
		{"@annually", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"},
		{"*/15 * * * *", "2026-10-01T00:15:00Z", "2026-10-01T00:30:00Z"},
		{"7/20 3 * * *", "2026-10-01T03:07:00Z", "2026-10-01T03:27:00Z"},
		{"0 6 * * mon-fri", "2026-10-01T06:00:00Z", "2026-10-02T06:00:00Z"},
		{"0 6 * OCT SAT,sun", "2026-10-03T06:00:00Z", "2026-10-04T06:00:00Z"},
		{"0 6 13 * 5", "2026-10-02T06:00:00Z", "2026-10-09T06:00:00Z"},
		{"0 6 */2 * *", "2026-10-01T06:00:00Z", "2026-10-03T06:00:00Z"},
		{"0 6 31 * *", "2026-10-31T06:00:00Z", "2026-12-31T06:00:00Z"},
		{"0 6 29 2 *", "2028-02-29T06:00:00Z", "2032-02-29T06:00:00Z"},
		{"0 6 31 2 mon", "2027-02-01T06:00:00Z", "2027-02-08T06:00:00Z"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			s := parse(t, c.spec, "UTC")
			got := s.Upcoming(instant(t, "2026-10-01T00:00:00Z"), 2)
			if len(got) != 2 || !got[0].Equal(instant(t, c.first)) || !got[1].Equal(instant(t, c.second)) {
				t.Errorf("comes at %v, want %s and %s", got, c.first, c.second)
			}
			if want := strings.TrimSpace(c.spec) + " UTC"; s.String() != want {
				t.Errorf("is told as %q, want %q", s, want)
			}
		})
	}
}

func TestTheZeroScheduleIsNever(t *testing.T) {
	var s Schedule
	if next := s.Next(time.Unix(0, 0)); !next.IsZero() || s.Upcoming(time.Unix(0, 0), 3) != nil || s.String() != "never" {
		t.Errorf("%s comes at %v", s, next)
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{"30 4 * * *", "@daily", "@every 1h", "CRON_TZ=UTC", "TZ= 1 2 3 4 5", "0 0 31 2 *", "0 0 29 2 *", "*/15 0-6 * * *", "0 0 1,15 * mon", ",,,,", "@", "5/9223372036854775807 * * * *"} {
		f.Add(spec, "Europe/Berlin", int64(1_790_000_000))
	}
	f.Add("0 4 * * *", "", int64(0))
	f.Add("0 4 * * *", "../UTC", int64(-1<<62))
	f.Fuzz(func(t *testing.T, spec, zone string, unix int64) {
		s, err := Parse(spec, zone)
		if err != nil {
			return
		}
		again, err := Parse(s.spec, s.zone.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q is read as %s, and that as %s, %v", spec, s, again, err)
		}
		after := time.Unix(unix, 0)
		for _, next := range s.Upcoming(after, 3) {
			if !next.After(after) {
				t.Fatalf("%s comes at %s, not after %s", s, next, after)
			}
			after = next
		}
		if next := s.Next(time.Unix(1_790_000_000, 0)); next.IsZero() || next.Year() > 2036 {
			t.Errorf("%s is taken and comes in the year %d", s, next.Year())
		}
	})
}
