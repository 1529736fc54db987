package usage

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sample has a matching call, one on which durations differ, and one that the
// carrier lacks.
func sample(w *world) {
	w.call("2026-10-01T10:00:00Z", "t1", 60, 61)
	w.call("2026-10-01T11:00:00Z", "t2", 60, 90)
	w.call("2026-10-02T10:00:00Z", "t1", 30, -1)
}

func TestUsageIsSummedUpFromReports(t *testing.T) {
	w := newWorld(t)
	w.job.Users = true
	sample(w)
	w.report(period(1, 1))
	w.report(period(2, 2))
	w.must(period(1, 3), jobs.TriggerSchedule)
	u := w.usages()[0]
	want := [][]string{
		{"fabrikam", "t1", "2026-10-01", "out", "user_out", "FR", "1", "60", "61", "61", "0"},
		{"fabrikam", "t1", "2026-10-02", "out", "user_out", "FR", "1", "30", "0", "30", "0"},
		{"fabrikam", "t2", "2026-10-01", "out", "user_out", "FR", "1", "60", "90", "60", "0"},
	}
	if d := cmp.Diff(want, w.rows(u, "usage.csv")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{{"fabrikam", "t1", "2", "90", "61", "91", "0"}, {"fabrikam", "t2", "1", "60", "90", "60", "0"}}, w.rows(u, "customers.csv")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{
		{"fabrikam", "t1", "u0", "2026-10", "out", "user_out", "FR", "2", "90", "61", "91", "0"},
		{"fabrikam", "t2", "u1", "2026-10", "out", "user_out", "FR", "1", "60", "90", "60", "0"},
	}, w.rows(u, "usage_users.csv")); d != "" {
		t.Error(d)
	}
	for _, want := range []string{`"missing_days": [
    "2026-10-03"
  ]`, "1 of 3 days have no report", `"agrees": true`, `"used_milliseconds": 151000`, `"id": "report001"`} {
		if !strings.Contains(w.summary(u), want) {
			t.Errorf("the summary lacks %s:\n%s", want, w.summary(u))
		}
	}
	if u.Folder != "fabrikam/usage/2026-10-01_2026-10-03/v1" || u.Figures.Microsoft != (jobs.Tally{Records: 3, DurationMS: 150_000}) || w.told.Missing != 1 || w.told.Calls != 3 {
		t.Errorf("%+v, told %+v", u, w.told)
	}
	if in := w.a.runs[u.Run].Inputs; len(in) != 2 || in[0] != (jobs.RunInput{Role: "report", File: "report001", SHA256: w.a.reports[0].Manifest}) {
		t.Errorf("inputs %+v", in)
	}
}

func TestTheSameReportsMakeOneVersion(t *testing.T) {
	w := newWorld(t)
	sample(w)
	w.report(period(1, 1))
	for _, why := range []jobs.Trigger{jobs.TriggerSchedule, jobs.TriggerUpload, jobs.TriggerManual, jobs.TriggerRerun} {
		e := w.must(period(1, 2), why)
		byPerson := why == jobs.TriggerManual || why == jobs.TriggerRerun
		if proven := strings.Contains(e.Error, "the same bytes as version 1"); len(w.usages()) != 1 || proven != byPerson {
			t.Errorf("%s: %q, %d versions", why, e.Error, len(w.usages()))
		}
	}
	w.report(period(2, 2)) // a day that was missing
	w.must(period(1, 2), jobs.TriggerUpload)
	w.call("2026-10-01T12:00:00Z", "t3", 10, 10)
	w.report(period(1, 1)) // a version that supersedes
	w.must(period(1, 2), jobs.TriggerUpload)
	u := w.usages()
	if len(u) != 3 || u[2].Supersedes != u[1].ID || u[2].Version != 3 || !strings.Contains(w.summary(u[2]), u[1].Manifest) {
		t.Fatalf("%+v", u)
	}
	w.must(period(1, 2), jobs.TriggerManual) // one that supersedes is made anew, too
	if err := os.RemoveAll(w.b.shelf().Place(u[2])); err != nil {
		t.Fatal(err)
	}
	if e := w.must(period(1, 2), jobs.TriggerUpload); !strings.Contains(e.Error, "in its place again") {
		t.Errorf("%q", e.Error)
	}
	w.usages()
}

// Of a daily and a monthly report the later one counts for a day, never both.
func TestTheReportPublishedLastHasTheDay(t *testing.T) {
	w := newWorld(t)
	w.job.Users = true
	sample(w)
	w.report(period(1, 1))
	w.report(period(1, 4))
	w.call("2026-10-02T12:00:00Z", "t3", 10, 10) // only the report of the second knows it
	w.call("2026-10-03T12:00:00Z", "t3", 10, 10) // no report does
	w.report(period(2, 2))
	w.must(period(1, 4), jobs.TriggerSchedule)
	u := w.usages()[0]
	calls := map[string]int{}
	for _, row := range w.rows(u, "usage.csv") {
		calls[row[2]]++
	}
	if d := cmp.Diff(map[string]int{"2026-10-01": 2, "2026-10-02": 2}, calls); d != "" {
		t.Error(d)
	}
	if s := w.summary(u); !strings.Contains(s, "there is no usage per user") || !strings.Contains(s, `"missing_days": []`) || strings.Contains(s, `"report001"`) {
		t.Error(s)
	}
	if len(w.a.runs[u.Run].Inputs) != 2 {
		t.Errorf("inputs %+v", w.a.runs[u.Run].Inputs)
	}
}

// A month that finance has approved is what its customers have used, whatever a
// late file makes of one of its days. The month is reopened if that is to count.
func TestAnApprovedReportHasItsDays(t *testing.T) {
	w := newWorld(t)
	sample(w)
	month := w.report(period(1, 4))
	w.a.signed = []jobs.SignOff{{Report: month.ID, State: jobs.SignOffApproved}}
	w.call("2026-10-01T13:00:00Z", "t9", 600, 600)
	w.report(period(1, 1))
	w.must(period(1, 4), jobs.TriggerSchedule)
	if u := w.usages()[0]; len(w.a.runs[u.Run].Inputs) != 1 || w.a.runs[u.Run].Inputs[0].File != month.ID {
		t.Errorf("made of %+v", w.a.runs[u.Run].Inputs)
	}
	w.a.signed[0].State = jobs.SignOffDraft
	w.must(period(1, 4), jobs.TriggerSchedule)
	if list := w.usages(); len(list) != 2 || len(w.a.runs[list[1].Run].Inputs) != 2 {
		t.Errorf("after it was reopened: %+v", list)
	}
}

// The sum of days equals the month, whatever the calls are.
func TestDaysAddUpToTheMonth(t *testing.T) {
	checks := flag.Lookup("rapid.checks") // each makes five reports
	if old := checks.Value.String(); old == checks.DefValue {
		if err := checks.Value.Set("15"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = checks.Value.Set(old) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		days, month := newWorld(t), newWorld(t)
		for range rapid.IntRange(0, 12).Draw(rt, "calls") {
			minute := rapid.IntRange(0, 4*24*60-1).Draw(rt, "minute")
			start := time.Date(2026, 10, 1, 0, minute, 0, 0, time.UTC).Format(time.RFC3339)
			tenant := rapid.SampledFrom([]string{"", "t1", "t2", "=t3", "a,b"}).Draw(rt, "tenant")
			if strings.Contains(tenant, ",") {
				tenant = `"` + tenant + `"`
			}
			seconds, carriers := rapid.IntRange(0, 100).Draw(rt, "seconds"), rapid.IntRange(-1, 100).Draw(rt, "carrier's")
			days.call(start, tenant, seconds, carriers)
			month.call(start, tenant, seconds, carriers)
		}
		days.job.Users, month.job.Users = true, true
		for d := 1; d <= 4; d++ {
			days.report(period(d, d))
		}
		month.report(period(1, 4))
		days.must(period(1, 4), jobs.TriggerSchedule)
		month.must(period(1, 4), jobs.TriggerSchedule)
		for _, name := range []string{"usage.csv", "customers.csv", "usage_users.csv"} {
			if d := cmp.Diff(month.rows(month.usages()[0], name), days.rows(days.usages()[0], name)); d != "" {
				rt.Fatalf("%s of the month (-) and of its days (+): %s", name, d)
			}
		}
		if d := cmp.Diff(month.rows(month.a.reports[0], "usage.csv"), days.rows(days.usages()[0], "usage.csv")); d != "" {
			rt.Fatalf("the report of the month (-) and the usage (+): %s", d)
		}
	})
}

// Of a day at most one report counts, and it is the last one that covers it.
func TestEachDayHasOneReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := period(1, 10)
		days, err := daysOf(p, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		var list []jobs.Report // the latest first
		for i := range rapid.IntRange(0, 8).Draw(t, "reports") {
			from := rapid.IntRange(-3, 9).Draw(t, "from")
			hours := rapid.SampledFrom([]int{24, 24, 72, 240, 13}).Draw(t, "hours")
			start := p.From.AddDate(0, 0, from)
			list = append(list, jobs.Report{ID: fmt.Sprint(i), Period: jobs.Period{From: start, To: start.Add(time.Duration(hours) * time.Hour)}})
		}
		c := pick(days, list, p)
		for _, d := range c.days {
			want := ""
			for _, r := range list {
				if want == "" && !r.Period.From.After(d.From) && !r.Period.To.Before(d.To) {
					want = r.ID
				}
			}
			got := ""
			if d.Report >= 0 {
				got = c.reports[d.Report].ID
			}
			if got != want {
				t.Fatalf("%s is taken from %q, want %q", d.Date, got, want)
			}
		}
		for i, r := range c.reports { // all of it counts when all hours of it do
			hours := time.Duration(0)
			for _, d := range c.days {
				if d.Report == i {
					hours += d.To.Sub(d.From)
				}
			}
			if whole := hours == r.Period.To.Sub(r.Period.From); whole != c.whole[i] {
				t.Fatalf("report %s, %s of it count: whole is %v", r.ID, hours, c.whole[i])
			}
		}
	})
}

func TestWhatCannotBeSummedUp(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func(w *world) error
		want string
	}{
		{"a period that is not made of days", func(w *world) error {
			p := period(1, 1)
			p.To = p.To.Add(-time.Hour)
			_, err := w.do(p, jobs.TriggerManual)
			return err
		}, "not made of whole days in UTC"},
		{"days of another zone", func(w *world) error {
			w.report(period(1, 3))
			w.job.Zone = berlin
			_, err := w.do(jobs.Period{From: at("2026-10-01T22:00:00Z"), To: at("2026-10-02T22:00:00Z"), Text: "2026-10-02"}, jobs.TriggerManual)
			return err
		}, "it counts them in UTC, and this job in Europe/Berlin"},
		{"a report that was changed on disk", func(w *world) error {
			r := w.report(period(1, 1))
			name := filepath.Join(w.b.shelf().Place(r), "usage.csv")
			if err := errors.Join(os.Chmod(name, 0o600), os.WriteFile(name, []byte("carrier\n"), 0o600)); err != nil {
				return err
			}
			_, err := w.do(period(1, 1), jobs.TriggerManual)
			return err
		}, "report of 2026-10-01: usage.csv of version 1 was changed on disk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			sample(w)
			if err := c.do(w); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if n := len(w.usages()); n > 0 || w.left() > 0 {
				t.Errorf("%d versions, %d folders are left", n, w.left())
			}
		})
	}
}

// left counts what is in staging.
func (w *world) left() int {
	list, err := os.ReadDir(filepath.Join(w.b.Folder, ".staging"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Error(err)
	}
	return len(list)
}

func TestAUsageFollowsItsReports(t *testing.T) {
	w := newWorld(t)
	sample(w)
	w.report(period(1, 1))
	w.must(period(1, 2), jobs.TriggerSchedule)
	late := true
	f := &Follower{
		State: w.a, Zone: func(string) *time.Location { return time.UTC }, Now: func() time.Time { return w.now },
		Late: func(string, string) (time.Duration, bool) { return time.Minute, late },
	}
	follow := func(want int) {
		t.Helper()
		if err := f.Follow(t.Context()); err != nil || len(w.a.queued) != want {
			t.Errorf("%v, %+v, want %d", err, w.a.queued, want)
		}
	}
	follow(0)
	w.report(period(5, 5)) // another time
	follow(0)
	late = false
	w.report(period(2, 2))
	follow(0)
	late, f.seen = true, ""
	follow(1)
	if q := w.a.queued[0]; q.Kind != "usage" || q.Job != "usage" || q.Period != period(1, 2) || !q.NotBefore.Equal(w.now.Add(time.Minute)) {
		t.Errorf("%+v", q)
	}
	w.a.queued = nil
	r := w.a.runs[w.usages()[0].Run] // it fails, and is not asked for again
	r.ID, r.State, r.Started = "zzz", jobs.RunFailed, w.now.Add(time.Minute)
	w.a.runs[r.ID] = r
	f.seen = ""
	follow(0)
	w.now = w.now.Add(time.Hour)
	w.report(period(2, 2)) // there is something new again
	follow(1)
	w.a.queued[0].State = jobs.RunRunning // and it may not have been seen
	f.seen = ""
	if err := f.Follow(t.Context()); !errors.Is(err, errMaking) {
		t.Errorf("%v", err)
	}
	if !slices.ContainsFunc(w.a.reports, func(r jobs.Report) bool { return r.ID == w.usages()[0].ID }) {
		t.Error("the version is gone")
	}
}
