package config

import (
	"strings"
	"testing"
)

const kept = "carriers: {abc: {country: DE}, xyz: {country: FR}, nil: {}}\nzone: UTC\n"

func TestRulesOfACountryGoFirst(t *testing.T) {
	w := newWorld(t)
	c := w.good("data: /d\n" + kept + "retention: {raw: 90d, cases: 10d, countries: {DE: {raw: 30d, cases: forever}}}\njobs: {p: {kind: purge}}")
	for _, test := range []struct {
		carrier, class string
		days           int
		text           string
	}{
		{"abc", "raw", 30, "retention.countries.DE.raw: 30d"},
		{"abc", "cases", 0, "retention.countries.DE.cases: forever"},
		{"xyz", "raw", 90, "retention.raw: 90d"},
		{"nil", "cases", 10, "retention.cases: 10d"},
		{"nil", "records", 0, ""},
	} {
		x, _ := c.Carrier(test.carrier)
		if k := c.Retention.Keep(x.Place(), test.class); k != (Keep{test.days, test.text}) {
			t.Errorf("%s %s: %+v", test.carrier, test.class, k)
		}
	}
}

// TestACarrierIsWhereItsProfileReadsNumbers also has one that says otherwise.
func TestACarrierIsWhereItsProfileReadsNumbers(t *testing.T) {
	w := newWorld(t)
	w.write("profiles/de.yaml", 0o644, "numbers: {country: DE}\ncolumns: {start: a, duration: {column: b, unit: s}}\n")
	c := w.good("data: /d\n" + "carriers: {abc: {profile: profiles/de.yaml}, xyz: {profile: profiles/de.yaml, country: AT}, nil: {}}")
	for name, want := range map[string]string{"abc": "DE", "xyz": "AT", "nil": ""} {
		if x, _ := c.Carrier(name); x.Place() != want {
			t.Errorf("%s: %q", name, x.Place())
		}
	}
}

func TestFaultsOfRetention(t *testing.T) {
	w := newWorld(t)
	daily := "jobs: {d: {kind: reconcile, schedule: \"@daily\", period: previous_day}}\n"
	monthly := "jobs: {m: {kind: reconcile, schedule: \"@monthly\", period: previous_month, catch_up: none}, u: {kind: usage, schedule: \"@monthly\", period: previous_month}}\n"
	courier := "jobs: {c: {kind: calls, schedule: \"@daily\", period: previous_day}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"a word":                          {"retention: {raw: long}", `retention.raw: "long" is no length of time; write whole days`},
		"hours":                           {"retention: {raw: 48h}", `retention.raw: "48h" is no length of time`},
		"no days":                         {"retention: {raw: 0d}", `retention.raw: "0d" is no length of time`},
		"less than none":                  {"retention: {raw: -3d}", `retention.raw: "-3d" is no length of time`},
		"a class that is none":            {"retention: {calls: 3d}", "retention.calls"},
		"no country":                      {"retention: {countries: {Germany: {raw: 3d}}}", `retention.countries.Germany: "Germany" is no country`},
		"a carrier in no country":         {"carriers: {a: {country: XX}}", `carriers.a.country: "XX" is no country`},
		"records of a day that is late":   {kept + daily + "retention: {records: 9d}", "retention.records: is too short for abc: write 10d or more, because job d reads them up to 2 days later, and late_window and catch_up_window last up to 168h"},
		"records of a month":              {kept + monthly + "retention: {records: 65d}", "retention.records: is too short for abc: write 66d or more, because job m"},
		"records in one country":          {kept + daily + "retention: {records: 400d, countries: {FR: {records: 7d}}}", "retention.countries.FR.records: is too short for xyz: write 10d"},
		"reports that a usage sums up":    {kept + monthly + "retention: {reports: 69d}", "retention.reports: is too short for abc: write 70d or more, because job u"},
		"files that calls are made of":    {kept + courier + "retention: {raw: 9d}", "retention.raw: is too short for abc: write 10d or more, because job c reads them up to 2 days later"},
		"what calls are compared with":    {kept + courier + "retention: {countries: {FR: {deliveries: 9d}}}", "retention.countries.FR.deliveries: is too short for xyz: write 10d or more, because job c"},
		"a purge that is about a period":  {kept + "jobs: {p: {kind: purge, period: previous_day}}", "jobs.p.period: has no meaning for purge"},
		"a purge with settings of others": {kept + "jobs: {p: {kind: purge, verdicts: true}}", "jobs.p.verdicts: has no meaning for purge"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.parse("data: /d\n" + c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	w.good("data: /d\n" + kept + daily + "retention: {records: 10d, raw: 1d, reports: 10d}")
}

// TestRulesThatDoNothingAreNoted has rules without a job, a job without rules and
// rules of a country without carriers.
func TestRulesThatDoNothingAreNoted(t *testing.T) {
	w := newWorld(t)
	for text, want := range map[string]string{
		"retention: {raw: 3d}":     "no job of kind purge is there",
		"jobs: {p: {kind: purge}}": "there is no retention: it removes nothing",
		"retention: {countries: {ES: {raw: 3d}}}\njobs: {p: {kind: purge}}": "no carrier is in this country",
	} {
		var notes []string
		for _, n := range w.good("data: /d\n" + kept + text).Notes {
			notes = append(notes, n.Error())
		}
		if all := strings.Join(notes, "\n"); !strings.Contains(all, want) {
			t.Errorf("%s: %s", text, all)
		}
	}
}
