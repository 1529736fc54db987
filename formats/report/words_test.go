package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"concord/engine"
)

func TestEveryColumnClassAndSettingIsExplained(t *testing.T) {
	used := map[string]bool{}
	for _, table := range dictionary() {
		for _, c := range table.Columns {
			used[c.Name] = true
			if c.Words == "" {
				t.Errorf("column %s of %s is not explained", c.Name, table.Name)
			}
		}
	}
	for name := range columnWords {
		if !used[name] {
			t.Errorf("column %s is explained nowhere", name)
		}
	}
	for i, words := range classWords {
		if words == "" {
			t.Errorf("class %v is not explained", engine.Class(i))
		}
	}
	b, err := json.Marshal(settingsDoc{Numbers: "aa"})
	if err != nil {
		t.Fatal(err)
	}
	var names map[string]any
	if err := json.Unmarshal(b, &names); err != nil {
		t.Fatal(err)
	}
	for name := range names {
		if settingWords[name] == "" {
			t.Errorf("setting %s is not explained", name)
		}
	}
	if len(pageSettings(settingsDoc{Numbers: "aa"})) != len(names) {
		t.Error("a setting of summary.json is not shown")
	}
}

// What the totals compare comes first, then the size of the difference, then the
// order of the list; what is not among the first is not kept.
func TestTheTopDiscrepanciesComeInOrder(t *testing.T) {
	var top topCases
	for i, c := range []struct {
		class engine.Class
		ms    [2]int64
	}{
		{engine.Duplicate, [2]int64{0, 9_000_000}}, {engine.DurationOver, [2]int64{60_000, 90_000}}, {engine.MissingAtCarrier, [2]int64{45_000, 0}},
		{engine.DurationUnder, [2]int64{90_000, 60_000}}, {engine.MissingAtMicrosoft, [2]int64{0, 31_000}}, {engine.Invalid, [2]int64{}},
	} {
		x := engine.Case{ID: fmt.Sprint(i), Class: c.class, Microsoft: &engine.Leg{Call: engine.Call{DurationMS: c.ms[0]}}, Carrier: []engine.Leg{{Call: engine.Call{DurationMS: c.ms[1]}}}}
		top.add(&x)
	}
	order := func() (ids string) {
		for _, c := range top.cases() {
			ids += c.ID
		}
		return ids
	}
	if got := order(); got != "241305" {
		t.Errorf("order %s", got)
	}
	for range maxTop {
		top.add(&engine.Case{ID: "x", Class: engine.DurationOver, Carrier: []engine.Leg{{Call: engine.Call{DurationMS: 30_500}}}})
	}
	if got := order(); got != "24"+strings.Repeat("x", maxTop-2) {
		t.Errorf("order %s", got)
	}
}

func TestRoundingIsExplainedInWords(t *testing.T) {
	r := engine.Rounding{First: 60_000, Next: 60_000}
	for _, c := range []struct {
		explained, raw int64
		want           string
	}{
		{0, 60_000, ""},
		{26 * 60_000, 100 * 60_000, "rounding 60/60 up explains at least 26 % of the raw difference: +26.00 of +100.00 minutes, in calls that agree by it"},
		{-30_000, -60_000, "rounding 60/60 up explains at least 50 % of the raw difference: −0.50 of −1.00 minutes, in calls that agree by it"},
		{120_000, 60_000, "rounding 60/60 up makes at least +2.00 minutes, in calls that agree by it; the raw difference is +1.00 minutes, so that other calls differ the other way"},
		{60_000, 0, "rounding 60/60 up makes at least +1.00 minutes, in calls that agree by it; the raw difference is 0.00 minutes, so that other calls differ the other way"},
		{60_000, -60_000, "rounding 60/60 up makes at least +1.00 minutes, in calls that agree by it; the raw difference is −1.00 minutes, so that other calls differ the other way"},
	} {
		s := &engine.Summary{RoundingExplainedMS: c.explained}
		s.Totals.Carrier.MS = 1e9 + c.raw
		s.Totals.Microsoft.MS = 1e9
		if got := roundingWords(s, r); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.explained, c.raw, got, c.want)
		}
	}
}

// A day on which both sides lost their records adds up to nothing, and is the
// one to look at first.
func TestADayWithoutRecordsIsShown(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := &engine.Summary{From: time.Date(2026, 10, 24, 0, 0, 0, 0, berlin), To: time.Date(2026, 10, 28, 0, 0, 0, 0, berlin)}
	d := &summaryDoc{Period: periodOf(s, berlin.String()), Days: []namedDoc{{Name: "2026-10-24"}, {Name: "2026-10-27"}}}
	var got []string
	for _, n := range d.everyDay() {
		got = append(got, n.Name+" "+n.Verdict)
	}
	if want := "2026-10-24 , 2026-10-25 no records, 2026-10-26 no records, 2026-10-27 "; strings.Join(got, ", ") != want {
		t.Errorf("days %q, want %q", got, want)
	}
	if want := "2 days of 4 without any record of either side: 2026-10-25, 2026-10-26"; d.emptyDays() != want {
		t.Errorf("%q, want %q", d.emptyDays(), want)
	}
	for name, d := range map[string]*summaryDoc{
		"no period":     {Days: d.Days},
		"of many years": {Days: d.Days, Period: periodOf(&engine.Summary{From: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), To: s.To}, "UTC")},
		"another zone":  {Days: []namedDoc{{Name: "2026-11-03"}}, Period: d.Period},
	} {
		if got := d.everyDay(); len(got) != len(d.Days) {
			t.Errorf("%s: %d days", name, len(got))
		}
	}
}

func TestAPeriodIsNamedAsPeopleCallIt(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string][2]time.Time{
		"2026-10 (Europe/Paris)":                                       {time.Date(2026, 10, 1, 0, 0, 0, 0, paris), time.Date(2026, 11, 1, 0, 0, 0, 0, paris)},
		"2026-10-25 (Europe/Paris)":                                    {time.Date(2026, 10, 25, 0, 0, 0, 0, paris), time.Date(2026, 10, 26, 0, 0, 0, 0, paris)},
		"2026-10-01 to 2026-10-07 (Europe/Paris)":                      {time.Date(2026, 10, 1, 0, 0, 0, 0, paris), time.Date(2026, 10, 8, 0, 0, 0, 0, paris)},
		"2026-10-01 06:00:00 up to 2026-10-02 06:00:00 (Europe/Paris)": {time.Date(2026, 10, 1, 6, 0, 0, 0, paris), time.Date(2026, 10, 2, 6, 0, 0, 0, paris)},
		"2026-11 (UTC, its days in Europe/Paris)":                      {time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
		"everything in the files":                                      {},
	} {
		if got := periodOf(&engine.Summary{From: in[0], To: in[1]}, paris.String()).words(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
