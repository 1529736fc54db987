package alert_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/state"
)

// expecting has fabrikam's file about a day due at six the morning after.
func expecting(t *testing.T, zone, now string) *world {
	t.Helper()
	w := newWorld(t, now)
	w.config.Carriers[1].Expected = dueAtSix(t, zone)
	return w
}

func dueAtSix(t *testing.T, zone string) *config.Expected {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return &config.Expected{Hour: 6, Zone: z, Days: 1}
}

// on is the content of a file with calls on days of October 2026.
func on(days ...int) (list []jobs.Day) {
	for _, d := range days {
		list = append(list, jobs.Day{Date: fmt.Sprintf("2026-10-%02d", d), Rows: 900})
	}
	return list
}

func (w *world) fileAt(received string, e jobs.Entry) {
	w.Helper()
	w.now = at(received)
	w.file(e)
}

func missing(day string) string  { return "raised file_missing/fabrikam/" + day }
func arrived(day string) string  { return "resolved file_missing/fabrikam/" + day }
func october(day int) jobs.Entry { return jobs.Entry{Days: on(day)} }

func TestAFileThatDoesNotComeIsToldOnceAndWhenItComes(t *testing.T) {
	w := expecting(t, "Europe/Berlin", "2026-10-02T02:00:00Z")
	w.file(october(1))
	w.tickAt("2026-10-03T03:59:59Z")
	w.told()
	w.tickAt("2026-10-03T04:00:00Z") // six in Berlin
	w.tickAt("2026-10-03T04:00:30Z")
	w.restart()
	w.tickAt("2026-10-03T04:01:00Z")
	w.told(missing("2026-10-02"))
	w.says(w.text("file_missing/fabrikam/2026-10-02"), "2026-10-02", "2026-10-03 06:00 CEST", "concord files --carrier fabrikam")
	w.fileAt("2026-10-03T22:30:00Z", jobs.Entry{Days: []jobs.Day{{Date: "2026-10-02", Rows: 20}, {Date: "2026-10-03", Rows: 900}}})
	w.tick()
	w.told() // that was the one about the day after
	w.fileAt("2026-10-03T23:00:00Z", jobs.Entry{Days: on(2), Microsoft: true})
	w.fileAt("2026-10-03T23:00:00Z", jobs.Entry{Days: on(2), Carrier: "contoso"})
	w.tick()
	w.told()
	w.fileAt("2026-10-03T23:10:00Z", october(2))
	w.tick()
	w.told(arrived("2026-10-02"))
	w.tickAt("2026-10-04T05:00:00Z")
	w.told()
}

func TestDueTimesFollowTheClockOnTheWall(t *testing.T) {
	for name, c := range map[string]struct{ zone, first, before, due, day string }{
		"winter begins":   {"Europe/Berlin", "2026-10-23T10:00:00Z", "2026-10-25T04:59:59Z", "2026-10-25T05:00:00Z", "2026-10-24"},
		"summer begins":   {"Europe/Berlin", "2026-03-27T10:00:00Z", "2026-03-29T03:59:59Z", "2026-03-29T04:00:00Z", "2026-03-28"},
		"far in the west": {"America/Los_Angeles", "2026-10-01T20:00:00Z", "2026-10-02T12:59:59Z", "2026-10-02T13:00:00Z", "2026-10-01"},
		"far in the east": {"Pacific/Auckland", "2026-10-01T00:00:00Z", "2026-10-01T16:59:59Z", "2026-10-01T17:00:00Z", "2026-10-01"},
	} {
		t.Run(name, func(t *testing.T) {
			w := expecting(t, c.zone, c.first)
			first, err := time.Parse(time.DateOnly, c.day)
			w.must(err)
			w.file(jobs.Entry{Date: first.AddDate(0, 0, -1).Format(time.DateOnly)})
			w.tickAt(c.before)
			w.told()
			w.tickAt(c.due)
			w.told(missing(c.day))
		})
	}
}

func TestFilesWithNothingToReport(t *testing.T) {
	for name, c := range map[string]struct {
		received string
		want     []string
	}{
		"in time":                      {"2026-10-03T01:00:00Z", nil},
		"before the day was over":      {"2026-10-02T21:00:00Z", []string{missing("2026-10-02")}},
		"late, when nothing else came": {"2026-10-03T12:00:00Z", []string{missing("2026-10-02"), arrived("2026-10-02")}},
	} {
		t.Run(name, func(t *testing.T) {
			w := expecting(t, "Europe/Berlin", "2026-10-01T22:30:00Z")
			w.file(october(1))
			if received := at(c.received); received.Before(at("2026-10-03T04:00:00Z")) {
				w.fileAt(c.received, jobs.Entry{})
			}
			w.tickAt("2026-10-03T04:00:00Z")
			if w.now.Before(at(c.received)) {
				w.fileAt(c.received, jobs.Entry{})
				w.tick()
			}
			w.told(c.want...)
		})
	}
}

// An empty file speaks for one day: not for another one that is missing.
func TestAnEmptyFileIsAboutOneDay(t *testing.T) {
	w := expecting(t, "Europe/Berlin", "2026-10-01T22:30:00Z")
	w.file(october(1))
	w.tickAt("2026-10-03T04:00:00Z")
	w.told(missing("2026-10-02"))
	w.fileAt("2026-10-04T01:00:00Z", jobs.Entry{})
	for d := 4; d < 12; d++ {
		w.tickAt(fmt.Sprintf("2026-10-%02dT04:00:00Z", d))
		w.fileAt(fmt.Sprintf("2026-10-%02dT23:00:00Z", d), october(d))
		w.restart()
	}
	w.told()
	w.fileAt("2026-10-11T23:30:00Z", jobs.Entry{}) // sent when somebody asked
	w.tick()
	w.told(arrived("2026-10-02"))
}

func TestACarrierThatBegins(t *testing.T) {
	w := expecting(t, "Europe/Berlin", "2026-10-20T10:00:00Z")
	w.tick()
	w.told(missing("2026-10-19"))
	w.tickAt("2026-10-21T10:00:00Z")
	w.tickAt("2026-10-22T10:00:00Z")
	w.told() // one is enough while it has sent nothing
	w.fileAt("2026-10-22T11:00:00Z", october(21))
	w.tick()
	w.told(arrived("2026-10-19"))
	w.tickAt("2026-10-23T10:00:00Z")
	w.told(missing("2026-10-22"))
}

func TestOnlyTheLastDaysAreAskedFor(t *testing.T) {
	w := expecting(t, "UTC", "2026-09-01T01:00:00Z")
	w.file(jobs.Entry{Days: []jobs.Day{{Date: "2026-08-31", Rows: 9}}})
	w.tickAt("2026-10-20T10:00:00Z")
	w.told(missing("2026-10-13"), missing("2026-10-14"), missing("2026-10-15"), missing("2026-10-16"), missing("2026-10-17"), missing("2026-10-18"), missing("2026-10-19"))
	w.tickAt("2026-11-20T10:00:00Z")
	w.messages()
	w.fileAt("2026-11-20T11:00:00Z", october(14))
	w.tick()
	w.told(arrived("2026-10-14")) // long after
	w.config.Carriers[1].Expected = nil
	w.tick()
	for _, m := range w.messages() {
		w.says(m, "resolved file_missing/fabrikam/")
	}
	list, err := w.store.Alerts(t.Context(), jobs.AlertFilter{Open: true})
	w.must(err)
	if len(list) > 0 {
		t.Error(list)
	}
}

// counted counts what is asked of a state.
type counted struct {
	*state.Store
	lists int
}

func (c *counted) ListFiles(ctx context.Context, f jobs.FileFilter) ([]jobs.Entry, error) {
	c.lists++
	return c.Store.ListFiles(ctx, f)
}

// A tick must stay cheap with hundreds of carriers: what is known is not asked
// for again.
func TestWhatIsKnownIsNotLookedForAgain(t *testing.T) {
	w := newWorld(t, "2026-10-02T03:00:00Z")
	w.config.Carriers = nil
	for n := range 50 {
		name := fmt.Sprintf("carrier%03d", n)
		w.config.Carriers = append(w.config.Carriers, &config.Carrier{Name: name, Expected: dueAtSix(t, "Europe/Berlin")})
		w.record(jobs.Entry{Carrier: name, Days: on(1)})
	}
	s := &counted{Store: w.store}
	w.desk = w.newDesk(s)
	w.tick()
	for name, c := range map[string]struct {
		do   func()
		most int
	}{
		"nothing new":           {func() {}, 0},
		"one carrier's file":    {func() { w.file(jobs.Entry{Carrier: "carrier007", Days: on(1)}) }, 2},
		"one of Microsoft's":    {func() { w.file(jobs.Entry{Carrier: "carrier007", Days: on(1), Microsoft: true}) }, 0},
		"a due time has passed": {func() { w.now = w.now.Add(24 * time.Hour) }, 100},
	} {
		s.lists = 0
		c.do()
		w.tick()
		if s.lists > c.most {
			t.Errorf("%s: %d lists of files", name, s.lists)
		}
	}
}

func TestADatabaseOutOfOrderDelaysAlertsAboutMissingFiles(t *testing.T) {
	for broken := 0; ; broken++ {
		w := expecting(t, "Europe/Berlin", "2026-10-02T02:00:00Z")
		w.file(october(1))
		s := &shaky{Store: w.store, at: broken}
		w.desk = w.newDesk(s)
		w.now = at("2026-10-03T04:00:00Z")
		w.tickUntilFine()
		w.fileAt("2026-10-03T05:00:00Z", october(2))
		w.tickUntilFine()
		w.told(missing("2026-10-02"), arrived("2026-10-02"))
		if !s.failed {
			return
		}
	}
}
