package alert

import (
	"fmt"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/config"

	"github.com/google/go-cmp/cmp"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// daysAround returns three weeks in a zone.
func daysAround(t *testing.T, name, date string) []day {
	t.Helper()
	x := &config.Expected{Hour: 6, Zone: zone(t, name), Days: 1}
	noon, err := time.ParseInLocation("2006-01-02 15", date+" 12", x.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return daysOf(x, noon.AddDate(0, 0, -10), noon.AddDate(0, 0, 10))
}

func aboutDates(e *jobs.Entry, days []day) (list []string) {
	for i, is := range about(e, days) {
		if is {
			list = append(list, days[i].date)
		}
	}
	return list
}

// holding is a file with so many calls at each of some hours.
func holding(from, to time.Time, calls func(hour time.Time) int64) *jobs.Entry {
	e := &jobs.Entry{}
	for h := from; h.Before(to); h = h.Add(time.Hour) {
		n, date := calls(h), h.UTC().Format(time.DateOnly)
		switch last := len(e.Days) - 1; {
		case n == 0:
		case last >= 0 && e.Days[last].Date == date:
			e.Days[last].Rows += n
		default:
			e.Days = append(e.Days, jobs.Day{Date: date, Rows: n})
		}
	}
	return e
}

func evenly(time.Time) int64 { return 60 }

// atWork is when offices call: little in the night.
func atWork(h time.Time) int64 {
	if n := h.Hour(); n >= 8 && n < 18 {
		return 500
	}
	return 2
}

func weekly(h time.Time) int64 {
	if d := h.Weekday(); d == time.Saturday || d == time.Sunday {
		return atWork(h)/9 + 1
	}
	return atWork(h)
}

// A file with the calls of one day is about that day and no other, wherever the
// clock hangs and whatever it does that day.
func TestAFileOfOneDayIsAboutThatDay(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Asia/Tokyo",
		"Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Honolulu", "America/Sao_Paulo", "America/Havana",
	} {
		for _, date := range []string{"2026-03-08", "2026-03-29", "2026-07-01", "2026-10-25", "2026-11-01", "2026-04-05", "2026-12-31"} {
			days := daysAround(t, name, date)
			for _, d := range days[3 : len(days)-3] {
				for what, calls := range map[string]func(time.Time) int64{"evenly": evenly, "at work": atWork} {
					e := holding(d.start.In(zone(t, name)), d.end, calls)
					if diff := cmp.Diff([]string{d.date}, aboutDates(e, days)); diff != "" {
						t.Errorf("%s %s: %s: %s", name, what, d.date, diff)
					}
				}
			}
		}
	}
}

// A file of several days is about each of them, also about the weekend.
func TestAFileOfSomeDaysIsAboutEach(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Tokyo"} {
		days := daysAround(t, name, "2026-10-25")
		for first := 3; first < 14; first++ {
			for n := 2; n < 6; n++ {
				e := holding(days[first].start.In(zone(t, name)), days[first+n-1].end, weekly)
				var want []string
				for _, d := range days[first : first+n] {
					want = append(want, d.date)
				}
				if diff := cmp.Diff(want, aboutDates(e, days)); diff != "" {
					t.Errorf("%s: %v: %s", name, e.Days, diff)
				}
			}
		}
	}
}

func TestWhatAFileIsAbout(t *testing.T) {
	on := func(days ...any) (list []jobs.Day) {
		for i := 0; i < len(days); i += 2 {
			list = append(list, jobs.Day{Date: fmt.Sprintf("2026-10-%02d", days[i]), Rows: int64(days[i+1].(int))})
		}
		return list
	}
	for name, c := range map[string]struct {
		zone string
		e    jobs.Entry
		want []string
	}{
		"the date in the name, whatever is inside":             {"Europe/Berlin", jobs.Entry{Date: "2026-10-14", Days: on(12, 900)}, []string{"2026-10-14"}},
		"a date in the name of an empty file":                  {"Europe/Berlin", jobs.Entry{Date: "2026-10-14"}, []string{"2026-10-14"}},
		"the next day begins in the same day of UTC":           {"Europe/Berlin", jobs.Entry{Days: on(14, 8, 15, 900)}, []string{"2026-10-15"}},
		"a night without calls":                                {"Europe/Berlin", jobs.Entry{Days: on(15, 900)}, []string{"2026-10-15"}},
		"calls that began before midnight":                     {"UTC", jobs.Entry{Days: on(14, 3, 15, 900)}, []string{"2026-10-15"}},
		"a few calls that came late":                           {"UTC", jobs.Entry{Days: on(10, 2, 15, 900)}, []string{"2026-10-15"}},
		"a few calls that came late, and a night":              {"Europe/Berlin", jobs.Entry{Days: on(10, 2, 13, 1, 14, 30, 15, 900)}, []string{"2026-10-15"}},
		"a day without calls in the middle":                    {"UTC", jobs.Entry{Days: on(13, 500, 15, 900)}, []string{"2026-10-13", "2026-10-14", "2026-10-15"}},
		"nothing at all":                                       {"UTC", jobs.Entry{}, nil},
		"an evening in the west, which is the next day of UTC": {"America/Los_Angeles", jobs.Entry{Days: on(14, 600, 15, 300)}, []string{"2026-10-14"}},
	} {
		if diff := cmp.Diff(c.want, aboutDates(&c.e, daysAround(t, c.zone, "2026-10-15"))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTextsOfOthersShowNoPhoneNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"bad caller +4930123456789 in row 3":                     "bad caller …6789 in row 3",
		"sip:4930123456789@example.com":                          "sip:…6789@example.com",
		"+49 (30) 123 456":                                       "…3456",
		"CDR_20261001060000.csv and 20261001 at 2026-10-01 12:5": "CDR_20261001060000.csv and 20261001 at 2026-10-01 12:5",
		"run 01920000-0000-7000-8000-000000000000\nmore":         "run 01920000-0000-7000-8000-000000000000",
		"zero \x00 and \xff":                                     "zero \uFFFD and \uFFFD",
	} {
		if got := brief(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := brief(string(make([]byte, 300)) + "ü")
	if len(long) > mostText+len("…") {
		t.Errorf("%d bytes", len(long))
	}
}

// The example that the specification's libraries are tested with.
func TestTheSignatureIsThatOfTheStandard(t *testing.T) {
	got := sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if string(secretKey("whsec_not base64")) != "whsec_not base64" || string(secretKey("plain")) != "plain" {
		t.Error("a secret that encodes nothing is not the key as it is")
	}
}
