package dialect

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestTimesAreReadAsTheProfileSays(t *testing.T) {
	de := berlin(t)
	cases := []struct {
		name, layout string
		zone         *time.Location
		text, want   string // want in UTC; empty: refused
		trusted      bool
	}{
		{"canonical in UTC", "rfc3339", nil, "2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z", true},
		{"canonical with an offset", "rfc3339", nil, "2026-10-01T12:00:00.25+02:00", "2026-10-01T10:00:00.25Z", true},
		{"finer than a microsecond is cut off", "rfc3339", nil, "2026-10-01T12:00:00.1234569Z", "2026-10-01T12:00:00.123456Z", true},
		{"before 1970", "rfc3339", nil, "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z", true},
		{"no offset where one is needed", "rfc3339", nil, "2026-10-01T12:00:00", "", true},
		{"no such day", "rfc3339", nil, "2026-02-29T12:00:00Z", "", true},
		{"a leap day", "rfc3339", nil, "2028-02-29T12:00:00Z", "2028-02-29T12:00:00Z", true},
		{"too early to be a call", "rfc3339", nil, "1899-12-31T23:59:59Z", "", true},
		{"too late to be a call", "rfc3339", nil, "2262-01-01T00:00:00Z", "", true},
		{"German, winter", "02.01.2006 15:04:05", de, "05.01.2026 12:00:00", "2026-01-05T11:00:00Z", true},
		{"German, summer", "02.01.2006 15:04:05", de, "05.07.2026 12:00:00", "2026-07-05T10:00:00Z", true},
		{"the hour that comes twice: the first", "02.01.2006 15:04:05", de, "25.10.2026 02:30:00", "2026-10-25T00:30:00Z", false},
		{"just before it", "02.01.2006 15:04:05", de, "25.10.2026 01:59:59", "2026-10-24T23:59:59Z", true},
		{"just after it", "02.01.2006 15:04:05", de, "25.10.2026 03:00:00", "2026-10-25T02:00:00Z", true},
		{"the hour that never comes: moved on", "02.01.2006 15:04:05", de, "29.03.2026 02:30:00", "2026-03-29T01:30:00Z", false},
		{"just before it, in spring", "02.01.2006 15:04:05", de, "29.03.2026 01:59:59", "2026-03-29T00:59:59Z", true},
		{"just after it, in spring", "02.01.2006 15:04:05", de, "29.03.2026 03:00:00", "2026-03-29T01:00:00Z", true},
		{"American, twelve hours", "01/02/2006 03:04:05 PM", time.UTC, "10/05/2026 01:02:03 PM", "2026-10-05T13:02:03Z", true},
		{"a fraction that the layout does not name", "2006-01-02 15:04:05", time.UTC, "2026-10-05 13:02:03.250", "2026-10-05T13:02:03.25Z", true},
		{"a fraction of three digits", "2006-01-02 15:04:05.000", time.UTC, "2026-10-05 13:02:03.250", "2026-10-05T13:02:03.25Z", true},
		{"a fraction that is missing", "2006-01-02 15:04:05.000", time.UTC, "2026-10-05 13:02:03", "", true},
		{"without separators", "20060102150405", time.UTC, "20261005130203", "2026-10-05T13:02:03Z", true},
		{"an offset of its own beats the zone", "2006-01-02 15:04:05 -0700", de, "2026-10-05 13:02:03 +0530", "2026-10-05T07:32:03Z", true},
		{"a year of two digits", "02.01.06 15:04", time.UTC, "05.10.26 13:02", "2026-10-05T13:02:00Z", true},
		{"seconds since 1970", "unix", nil, "1587324155", "2020-04-19T19:22:35Z", true},
		{"seconds with a fraction", "unix", nil, "1587324155.2500001", "2020-04-19T19:22:35.25Z", true},
		{"seconds before 1970", "unix", nil, "-1.5", "1969-12-31T23:59:58.5Z", true},
		{"milliseconds", "unix_ms", nil, "1587324155250", "2020-04-19T19:22:35.25Z", true},
		{"microseconds", "unix_us", nil, "1587324155250001", "2020-04-19T19:22:35.250001Z", true},
		{"nanoseconds", "unix_ns", nil, "1587324155250001999", "", true},
		{"an epoch that is none", "unix", nil, "12:00", "", true},
		{"an epoch without end", "unix", nil, strings.Repeat("9", 40), "", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newTimeReader([]string{c.layout}, c.zone)
			for range 2 { // the second time from the cache of the zone
				us, trusted, reason := r.read([]byte(c.text))
				got := ""
				if reason == "" {
					got = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
				}
				if got != c.want || trusted != c.trusted {
					t.Fatalf("%q in %q: got %q, trusted %v (%s), want %q, %v", c.text, c.layout, got, trusted, reason, c.want, c.trusted)
				}
			}
		})
	}
}

func TestSeveralLayoutsAreTriedInTurn(t *testing.T) {
	r := newTimeReader([]string{"02.01.2006 15:04:05", "2006-01-02 15:04:05"}, time.UTC)
	for _, text := range []string{"05.10.2026 13:02:03", "2026-10-05 13:02:03"} {
		us, _, reason := r.read([]byte(text))
		if got := time.UnixMicro(us).UTC().Format(time.DateTime); reason != "" || got != "2026-10-05 13:02:03" {
			t.Errorf("%q: got %s, %s", text, got, reason)
		}
	}
}

// timeText draws a text that is a time in the layout, or nearly one.
func timeText(t *rapid.T, layout string) string {
	at := time.Unix(rapid.Int64Range(-2208988800, 9214646399).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
	off := rapid.IntRange(-14*60, 14*60).Draw(t, "offset")
	b := []byte(at.In(time.FixedZone("", off*60)).Format(layout))
	for range rapid.IntRange(0, 2).Draw(t, "changes") {
		i := rapid.IntRange(0, len(b)-1).Draw(t, "i")
		b[i] = rapid.SampledFrom([]byte("0123456789:-+.TZ ,a")).Draw(t, "to")
	}
	return string(b)
}

func TestRFC3339AgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := timeText(t, rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano}).Draw(t, "layout"))
		us, ok := parseRFC3339([]byte(text))
		want, err := time.Parse(time.RFC3339Nano, text)
		strict := err == nil && len(text) > 18 && text[13] == ':' && !strings.Contains(text, ",")
		if ok && err != nil || !ok && strict {
			t.Fatalf("%q: read %v, standard library says %v", text, ok, err)
		}
		if ok && us != want.UnixMicro() {
			t.Fatalf("%q: got %d, want %d", text, us, want.UnixMicro())
		}
	})
}

func TestFixedLayoutsAgreeWithTheStandardLibrary(t *testing.T) {
	layouts := []string{
		"02.01.2006 15:04:05", "2006-01-02 15:04:05", "20060102150405", "2006-01-02T15:04:05Z07:00", "2006/01/02 15:04",
		"02-01-06 15.04.05", "2006-01-02 15:04:05.000", "2006-01-02 15:04:05.999999", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05.000Z0700",
		"01/02/2006 15:04:05 -07:00",
	}
	for _, layout := range layouts {
		if parts, _ := compileParts(layout); parts == nil {
			t.Fatalf("%q has no fast path", layout)
		}
		t.Run(layout, func(t *testing.T) {
			parts, _ := compileParts(layout)
			rapid.Check(t, func(t *rapid.T) {
				text := timeText(t, layout)
				w, ok := parseParts(parts, []byte(text))
				want, err := time.Parse(layout, text)
				if ok && (err != nil || w.sec*1_000_000+w.us != want.UnixMicro()) {
					t.Fatalf("%q: got %v, standard library says %v, %v", text, w, want, err)
				}
				if f := compileFixed(parts); f != nil && len(text) == f.width {
					if fixed, same := f.parse([]byte(text)); fixed != w || same != ok {
						t.Fatalf("%q: got %v, %v by place, but %v, %v by piece", text, fixed, same, w, ok)
					}
				}
			})
		})
	}
}

func TestLocalTimesAreTheirInstants(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		z := newZoneClock(loc)
		for range 4 {
			at := time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(t, "at"), 0).In(loc)
			_, off := at.Zone()
			sec, trusted := z.instant(at.Unix() + int64(off))
			if trusted && sec != at.Unix() || !trusted && sec > at.Unix() {
				t.Fatalf("%s: got %d, trusted %v", at, sec, trusted)
			}
		}
	})
}

func TestClockChangesAreFlaggedToTheSecond(t *testing.T) {
	loc := berlin(t)
	z := newZoneClock(loc)
	base := time.Date(2026, time.October, 24, 20, 0, 0, 0, time.UTC).Unix()
	for wall := base; wall < base+12*3600; wall += 61 {
		_, trusted := z.instant(wall)
		clock := time.Unix(wall, 0).UTC()
		twice := clock.Day() == 25 && clock.Hour() == 2
		if trusted == twice {
			t.Fatalf("%s: trusted %v", clock.Format(time.DateTime), trusted)
		}
	}
}

func BenchmarkRFC3339(b *testing.B) {
	text := []byte("2026-10-01T12:34:56.789Z")
	for b.Loop() {
		if _, ok := parseRFC3339(text); !ok {
			b.Fatal("not read")
		}
	}
}

func BenchmarkLocalLayout(b *testing.B) {
	r := newTimeReader([]string{"02.01.2006 15:04:05"}, berlin(b))
	text := []byte("01.10.2026 12:34:56")
	for b.Loop() {
		if _, _, reason := r.read(text); reason != "" {
			b.Fatal(reason)
		}
	}
}
