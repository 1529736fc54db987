package alert_test

import (
	"testing"
	"time"

	"concord/jobs"
)

const (
	noData      = "no_data/fabrikam/20261001T000000Z/20261002T000000Z/"
	nobodysData = noData + "both"
)

// reported tells the desk that a report of 1 October was made.
func (w *world) reported(microsoft, carrier bool) {
	w.Helper()
	w.must(w.desk.Empty(w.Context(), jobs.Run{
		Job: "daily", Carrier: "fabrikam", Period: jobs.Period{From: at("2026-10-01T00:00:00Z"), To: at("2026-10-02T00:00:00Z"), Text: "2026-10-01"},
	}, microsoft, carrier))
}

func TestASideWithoutRecordsIsToldUntilItHasSome(t *testing.T) {
	w := newWorld(t, "2026-10-02T06:00:00Z")
	w.reported(true, true)
	w.reported(true, true)
	w.told("raised " + nobodysData)
	w.says(w.text(nobodysData), "neither side has a record")
	w.file(jobs.Entry{Name: "late.csv", Days: []jobs.Day{{Date: "2026-10-01", Rows: 5}}})
	w.told()
	w.reported(true, false)
	w.told("raised "+noData+"microsoft", "resolved "+nobodysData)
	w.tick()
	w.reported(false, false)
	w.told("resolved " + noData + "microsoft")
	w.reported(false, true)
	w.told("raised " + noData + "carrier")
	w.config.Jobs = nil
	w.tick()
	w.told("resolved " + noData + "carrier")
}

// A carrier without calls says so by a file without rows: nothing is missing.
func TestACarrierThatSaysThatThereIsNothingLacksNothing(t *testing.T) {
	for name, c := range map[string]struct {
		file jobs.Entry
		says bool // of 1 October
	}{
		"the day is in its name":              {file: jobs.Entry{Date: "2026-10-01"}, says: true},
		"another day is in its name":          {file: jobs.Entry{Date: "2026-10-02"}},
		"it came on the day after":            {file: jobs.Entry{Received: at("2026-10-02T02:00:00Z")}, says: true},
		"it came on the day itself":           {file: jobs.Entry{Received: at("2026-10-01T02:00:00Z")}},
		"it came long after":                  {file: jobs.Entry{Received: at("2026-10-05T02:00:00Z")}},
		"it is Microsoft's":                   {file: jobs.Entry{Date: "2026-10-01", Microsoft: true}},
		"it has rows":                         {file: jobs.Entry{Date: "2026-10-01", Days: []jobs.Day{{Date: "2026-10-01", Rows: 1}}}},
		"it was rejected, so it says nothing": {file: rejected("empty_2026-10-01.csv", "no header", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := newWorld(t, "2026-10-06T06:00:00Z"), newWorld(t, "2026-10-06T06:00:00Z")
			before.record(c.file)
			before.reported(true, true)
			after.reported(true, true)
			after.messages()
			after.record(c.file)
			after.restart() // it was decided, and a crash kept it from being told
			after.tick()
			if c.says {
				before.told()
				after.told("resolved " + nobodysData)
				return
			}
			before.text(nobodysData)
			after.text(nobodysData)
		})
	}
}

func TestAFileAboutADaySaysNothingOfItsMonth(t *testing.T) {
	w := newWorld(t, "2026-11-02T06:00:00Z")
	w.record(jobs.Entry{Received: at("2026-11-01T02:00:00Z")})
	r := jobs.Run{Job: "daily", Carrier: "fabrikam", Period: jobs.Period{From: at("2026-10-01T00:00:00Z"), To: at("2026-11-01T00:00:00Z"), Text: "2026-10"}}
	w.must(w.desk.Empty(t.Context(), r, false, true))
	w.told("raised no_data/fabrikam/20261001T000000Z/20261101T000000Z/carrier")
}

func TestAPeriodThatIsNotOverLacksNothing(t *testing.T) {
	w := newWorld(t, "2026-10-01T12:00:00Z")
	w.reported(true, true)
	w.told()
	w.now = w.now.Add(12 * time.Hour)
	w.reported(true, true)
	w.told("raised " + nobodysData)
}
