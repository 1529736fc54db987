package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// words are the schedules that have a name.
var words = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
}

// fieldKind is one of the five fields.
type fieldKind struct {
	name   string
	option cron.ParseOption
	values int
	hint   string
}

var fieldKinds = [...]fieldKind{
	{"minute", cron.Minute, 60, "0 to 59"},
	{"hour", cron.Hour, 24, "0 to 23"},
	{"day of the month", cron.Dom, 31, "1 to 31"},
	{"month", cron.Month, 12, "1 to 12 or jan to dec"},
	{"day of the week", cron.Dow, 7, "0 (Sunday) to 6 or sun to sat"},
}

const (
	minute = iota
	hour
	day
	month
	weekday
)

// maxSpec is more than anybody writes by hand.
const maxSpec = 500

// starBit is how the cron library marks a field that leaves everything open.
const starBit = 1 << 63

// Parse reads a schedule of five fields (minute, hour, day of the month,
// month, day of the week) or a word such as @daily, told in a zone of the time
// zone database. A day matches both of the day fields if one of them is *, and
// any of the two otherwise, as in every cron.
//
// Refused is what crons understand in different ways or what would surprise:
// zones and seconds within the schedule, days of no month, steps longer than
// the field. @every is refused too: it counts from when a service started, so
// nobody could say what was missed while it was down.
func Parse(spec, zone string) (Schedule, error) {
	location, zoneErr := loadZone(zone)
	s, err := parseSpec(spec)
	if err != nil {
		err = fmt.Errorf("schedule %q: %w", abridged(spec), err)
	}
	if err = errors.Join(err, zoneErr); err != nil {
		return Schedule{}, err
	}
	s.zone = location
	return s, nil
}

func abridged(spec string) string {
	const enough = 60
	if len(spec) > enough {
		return spec[:enough] + "…"
	}
	return spec
}

// loadZone refuses the machine's own zone, which another machine may not have.
func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return nil, errors.New("zone: required; write a name of the time zone database, such as Europe/Berlin or UTC")
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("zone %q: unknown; write a name of the time zone database, such as Europe/Berlin or UTC", abridged(name))
	}
	return zone, nil
}

func parseSpec(spec string) (Schedule, error) {
	fields, err := split(spec)
	if err != nil {
		return Schedule{}, err
	}
	var errs []error
	for i, kind := range fieldKinds {
		errs = append(errs, kind.check(fields[i]))
	}
	if err := errors.Join(errs...); err != nil {
		return Schedule{}, err
	}
	return build(strings.TrimSpace(spec), fields)
}

// split returns the five fields.
func split(spec string) ([]string, error) {
	if len(spec) > maxSpec {
		return nil, fmt.Errorf("is longer than %d characters", maxSpec)
	}
	fields := strings.Fields(spec)
	switch {
	case len(fields) == 0:
		return nil, errors.New("required; write five fields, such as 30 4 * * *, or a word, such as @daily")
	case strings.Contains(fields[0], "="):
		return nil, errors.New("the zone is a setting of its own; remove it from the schedule")
	case fields[0] == "@every":
		return nil, errors.New("@every depends on when the service started; write times of the calendar, such as */15 * * * *")
	case fields[0][0] == '@':
		meaning, known := words[strings.Join(fields, " ")]
		if !known {
			return nil, errors.New("unknown word; there are @hourly, @daily, @weekly, @monthly and @yearly")
		}
		return strings.Fields(meaning), nil
	case len(fields) == len(fieldKinds)+1:
		return nil, errors.New("has six fields; write five, without seconds: minute, hour, day of the month, month, day of the week")
	case len(fields) != len(fieldKinds):
		return nil, fmt.Errorf("has %d of five fields: minute, hour, day of the month, month, day of the week", len(fields))
	}
	return fields, nil
}

// itemShape is stricter than the cron library, which takes *-5 for * and +5
// for 5. An item is a star, a value or a range, with a step or without.
var itemShape = regexp.MustCompile(`^(?:\*|(?:[0-9]{1,2}|[A-Za-z]{3})(?:-(?:[0-9]{1,2}|[A-Za-z]{3}))?)(?:/([0-9]{1,2}))?$`)

// check refuses a field that is wrong on its own.
func (k fieldKind) check(field string) error {
	wrong := func(why string) error {
		return fmt.Errorf("%s %q: %s; write %s, a range (a-b), a list (a,b), a step (*/n) or *", k.name, abridged(field), why, k.hint)
	}
	for item := range strings.SplitSeq(field, ",") {
		parts := itemShape.FindStringSubmatch(item)
		if parts == nil {
			return wrong(fmt.Sprintf("%q is no value", abridged(item)))
		}
		if _, err := cron.NewParser(k.option).Parse(item); err != nil {
			return wrong(err.Error())
		}
		if step, _ := strconv.Atoi(parts[1]); step >= k.values {
			return wrong(fmt.Sprintf("a step of %d leaves the field, which has %d values", step, k.values))
		}
	}
	return nil
}

// build puts checked fields together.
func build(spec string, fields []string) (Schedule, error) {
	const five = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow
	parsed, err := cron.NewParser(five).Parse(strings.Join(fields, " "))
	if err != nil {
		return Schedule{}, err
	}
	bits, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Schedule{}, errors.New("is no schedule of five fields")
	}
	bits.Location = time.UTC
	s := Schedule{spec: spec, fields: bits, rhythm: rhythmOf(bits, fields)}
	// Crons do not agree whether every second day that is a Monday is meant,
	// or every second day and every Monday.
	if (bits.Dom|bits.Dow)&starBit == 0 && strings.Contains(fields[day]+fields[weekday], "*") {
		return Schedule{}, errors.New("a step of all days (*/n) beside another day field is understood in two ways; list the days, or make the other field *")
	}
	if s.match(time.Unix(0, 0).UTC()).IsZero() {
		return Schedule{}, fmt.Errorf("never comes: no month of %q has a day %q", fields[month], fields[day])
	}
	return s, nil
}

func rhythmOf(bits *cron.SpecSchedule, fields []string) rhythm {
	const allHours = 1<<24 - 1
	switch {
	case bits.Hour&allHours == allHours:
		return realTime
	case strings.Contains(fields[minute], "*"):
		return both
	}
	return timesOfDay
}
