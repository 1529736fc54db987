package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones have changed their clocks in every way there is: by an hour, by half
// of one, by two, by a day; at midnight, just after it and at its last hour;
// for the winter, for a month of fasting and for good.
var zones = []string{
	"UTC", "Europe/Berlin", "Europe/Dublin", "Europe/Lisbon", "America/New_York", "America/St_Johns", "America/Havana",
	"America/Sao_Paulo", "America/Asuncion", "America/Nuuk", "America/Caracas", "Africa/Cairo", "Africa/Casablanca",
	"Asia/Tehran", "Asia/Gaza", "Asia/Beirut", "Asia/Amman", "Asia/Kathmandu", "Asia/Pyongyang", "Antarctica/Troll",
	"Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein",
}

// field is one field of a schedule and which values it has, drawn together so
// that the reference shares no code with Parse.
type field struct {
	text string
	has  map[int]bool
	all  bool
}

func drawField(t *rapid.T, name string, first, last int) field {
	f := field{has: map[int]bool{}}
	add := func(from, to, step int) {
		for v := from; v <= to; v += step {
			f.has[v] = true
		}
	}
	value := rapid.IntRange(first, last)
	switch rapid.IntRange(0, 4).Draw(t, name+" is") {
	case 0:
		f.text, f.all = "*", true
		add(first, last, 1)
	case 1:
		step := rapid.IntRange(2, last-first).Draw(t, name+" step")
		f.text = "*/" + strconv.Itoa(step)
		add(first, last, step)
	case 2:
		a, b := value.Draw(t, name+" a"), value.Draw(t, name+" b")
		f.text = fmt.Sprintf("%d-%d", min(a, b), max(a, b))
		add(min(a, b), max(a, b), 1)
	default:
		var list []string
		for range rapid.IntRange(1, 3).Draw(t, name+" values") {
			v := value.Draw(t, name)
			list = append(list, strconv.Itoa(v))
			add(v, v, 1)
		}
		f.text = strings.Join(list, ",")
	}
	return f
}

// drawn is a schedule as the reference knows it.
type drawn struct{ minute, hour, day, month, weekday field }

func (d drawn) String() string {
	return strings.Join([]string{d.minute.text, d.hour.text, d.day.text, d.month.text, d.weekday.text}, " ")
}

func drawSchedule(t *rapid.T) drawn {
	every := field{text: "*", all: true, has: map[int]bool{}}
	for v := range 32 {
		every.has[v] = true
	}
	d := drawn{drawField(t, "minute", 0, 59), drawField(t, "hour", 0, 23), every, every, every}
	if rapid.Bool().Draw(t, "some hours at night") {
		d.hour = field{"0-3,23", map[int]bool{0: true, 1: true, 2: true, 3: true, 23: true}, false}
	}
	switch rapid.IntRange(0, 5).Draw(t, "days") {
	case 0:
		d.day = drawField(t, "day", 1, 31)
	case 1:
		d.weekday = drawField(t, "weekday", 0, 6)
	case 2:
		d.month = drawField(t, "month", 1, 12)
	case 3:
		d.day, d.weekday = drawField(t, "day", 1, 31), drawField(t, "weekday", 0, 6)
	}
	return d
}

// shows reports whether a clock on the wall shows a time of the schedule.
func (d drawn) shows(w time.Time) bool {
	if !d.minute.has[w.Minute()] || !d.hour.has[w.Hour()] || !d.month.has[int(w.Month())] {
		return false
	}
	day, weekday := d.day.has[w.Day()], d.weekday.has[int(w.Weekday())]
	if d.day.all || d.weekday.all {
		return day && weekday
	}
	return day || weekday
}

// walk looks at the clock every minute, as a person in the zone would.
func (d drawn) walk(zone *time.Location, from, to time.Time) []time.Time {
	everyHour := len(d.hour.has) >= 24
	star := strings.Contains(d.minute.text, "*")
	var due []time.Time
	var reached time.Time
	for at := from.Add(-50 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
		y, m, day := at.In(zone).Date()
		now := time.Date(y, m, day, at.In(zone).Hour(), at.In(zone).Minute(), 0, 0, time.UTC)
		if reached.IsZero() {
			reached = now
		}
		fires := (everyHour || star) && d.shows(now)
		for ; reached.Before(now); reached = reached.Add(time.Minute) {
			fires = fires || !everyHour && d.shows(reached.Add(time.Minute))
		}
		if fires && at.After(from) {
			due = append(due, at)
		}
	}
	return due
}

// changes returns when the clocks of a zone change from 1990 to 2039.
func changes(zone *time.Location) []time.Time {
	var all []time.Time
	at := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	for at.Year() < 2039 {
		all = append(all, at.UTC().Truncate(time.Minute))
		if _, at = at.In(zone).ZoneBounds(); at.IsZero() {
			break
		}
	}
	return all
}

func agrees(t interface {
	Helper()
	Errorf(string, ...any)
}, d drawn, zone *time.Location, from, to time.Time) {
	t.Helper()
	s, err := Parse(d.String(), zone.String())
	if err != nil {
		return // days of no month, and those understood in two ways
	}
	want := d.walk(zone, from, to)
	var got []time.Time
	for at := s.Next(from); !at.IsZero() && at.Before(to); at = s.Next(at) {
		got = append(got, at)
		if len(got) > len(want)+1 {
			break
		}
	}
	if slices.EqualFunc(got, want, time.Time.Equal) {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i].Equal(want[i]) {
		i++
	}
	t.Errorf("%s from %s comes at %v, the reference says %v", s, from, got[i:min(i+2, len(got))], want[i:min(i+2, len(want))])
}

func TestNextAgreesWithOneWhoWatchesTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		d := drawSchedule(t)
		change := rapid.SampledFrom(changes(zone)).Draw(t, "change")
		from := change.Add(-time.Duration(rapid.IntRange(0, 60*60).Draw(t, "minutes before")) * time.Minute)
		agrees(t, d, zone, from, change.Add(30*time.Hour))
	})
}

func TestNextAgreesOverWeeks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawSchedule(t)
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(rapid.IntRange(1990, 2035).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 0, 0, 0, 0, time.UTC)
		agrees(t, d, zone, from, from.AddDate(0, 0, 14))
	})
}

// Whether one asks after each instant or from anywhere between two, the answer
// is the same: a service that starts anew agrees with the one before it.
func TestNextDoesNotDependOnWhereOneAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		s, err := Parse(drawSchedule(t).String(), name)
		if err != nil {
			t.Skip("no schedule")
		}
		change := rapid.SampledFrom(changes(s.Zone())).Draw(t, "change")
		a := s.Next(change.Add(-time.Duration(rapid.Int64Range(0, int64(3*24*time.Hour)).Draw(t, "before"))))
		b := s.Next(a)
		between := a.Add(time.Duration(rapid.Int64Range(0, int64(b.Sub(a))-1).Draw(t, "between")))
		if got := s.Next(between); !got.Equal(b) {
			t.Errorf("%s: after %s comes %s, but after %s %s", s, a, b, between, got)
		}
	})
}
