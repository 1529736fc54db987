package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"concord/formats/records"
	"concord/jobs"
)

// follower looks at a day that was reported of one file.
func follower(t *testing.T) (*world, *Follower) {
	w := newWorld(t)
	w.must(daily())
	return w, &Follower{
		Kind:  func(string) string { return "reconcile" },
		State: w.a, Now: func() time.Time { return w.now },
		Late:       func(job, _ string) (time.Duration, bool) { return 5 * time.Minute, job == "daily" },
		LateWindow: func(string) time.Duration { return 72 * time.Hour },
		Holds: func(_ context.Context, e jobs.Entry, from, to time.Time) (bool, error) {
			return e.Name == "holds.csv", nil
		},
	}
}

func TestAFileThatChangesAReportLeadsToARun(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    jobs.Entry
		days    []string
		queued  bool
		prepare func(w *world)
	}{
		{"late, of the day", jobs.Entry{Name: "late.csv"}, []string{"2026-10-01"}, true, nil},
		{"of another day", jobs.Entry{Name: "next.csv"}, []string{"2026-10-02"}, false, nil},
		{"of many days", jobs.Entry{Name: "month.csv"}, []string{"2026-09-30", "2026-10-01", "2026-10-02"}, true, nil},
		{"of days around it", jobs.Entry{Name: "odd.csv"}, []string{"2026-09-30", "2026-10-02"}, false, nil},
		{"without a call", jobs.Entry{Name: "empty.csv"}, nil, false, nil},
		{"that it was made of", jobs.Entry{ID: "id of s1", Name: "a.csv"}, []string{"2026-10-01"}, false, nil},
		{"of a part of a day, with calls there", jobs.Entry{Name: "holds.csv"}, []string{"2026-10-01"}, true, shift},
		{"of a part of a day, with none there", jobs.Entry{Name: "beside.csv"}, []string{"2026-10-01"}, false, shift},
		{"a correction that takes calls away", jobs.Entry{Name: "beside.csv", ReplacesID: "x"}, []string{"2026-10-01"}, true, shift},
		{"of a job that waits for people", jobs.Entry{Name: "late.csv"}, []string{"2026-10-01"}, false, func(w *world) { w.a.reports[0].Job = "monthly" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, f := follower(t)
			if c.prepare != nil {
				c.prepare(w)
			}
			if c.file.Carrier = "fabrikam"; c.file.ID == "" {
				c.file.ID = "new"
			}
			w.a.touched = []jobs.Followup{{Entry: c.file, Touched: c.days}}
			for range 2 {
				if err := f.Follow(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := len(w.a.queued) == 1; got != c.queued || !w.a.followed[c.file.ID] {
				t.Errorf("queued %+v", w.a.queued)
			}
			for _, r := range w.a.queued {
				if r.Trigger != jobs.TriggerUpload || r.NotBefore.Sub(w.now) != 5*time.Minute || r.Job != "daily" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// shift makes the report one of a day in Berlin, which two days of UTC share.
func shift(w *world) {
	w.a.reports[0].Period = jobs.Period{From: at("2026-09-30T22:00:00Z"), To: at("2026-10-01T22:00:00Z"), Text: "2026-10-01"}
}

// A run that is under way may have begun before the file came.
func TestAFileIsLookedAtAgainWhenTheReportIsJustBeingMade(t *testing.T) {
	w, f := follower(t)
	w.a.touched = []jobs.Followup{{Entry: jobs.Entry{ID: "new", Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}}}
	w.a.queued = []jobs.Run{{Job: "daily", Carrier: "fabrikam", Period: october, State: jobs.RunRunning}}
	if err := f.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.a.followed["new"] {
		t.Error("it is taken for done")
	}
	w.a.queued = nil
	if err := f.Follow(t.Context()); err != nil || len(w.a.queued) != 1 || !w.a.followed["new"] {
		t.Errorf("queued %+v, %v", w.a.queued, err)
	}
}

// A run that makes the first version of a period may have looked for its files
// before this one came, and there is no report yet that would tell.
func TestAFileThatComesWhileTheFirstReportIsMadeIsLookedAtAgain(t *testing.T) {
	w, f := follower(t)
	w.a.reports = nil
	making := jobs.Run{ID: "making", Job: "daily", Kind: "reconcile", Carrier: "fabrikam", Period: october, State: jobs.RunRunning}
	w.a.runs["making"] = making
	w.a.touched = []jobs.Followup{{Entry: jobs.Entry{ID: "new", Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}}}
	for _, inputs := range [][]jobs.RunInput{nil, {{File: "id of s1"}}} {
		making.Inputs = inputs
		w.a.runs["making"] = making
		if err := f.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.a.followed["new"] {
			t.Fatalf("it is taken for done while a run with inputs %v is under way", inputs)
		}
	}
	making.Inputs = append(making.Inputs, jobs.RunInput{File: "new"})
	w.a.runs["making"] = making
	if err := f.Follow(t.Context()); err != nil || !w.a.followed["new"] {
		t.Errorf("the run has read it: %v", err)
	}
}

// What one file waits for keeps no other from its turn.
func TestFilesBehindManyThatWaitAreFollowed(t *testing.T) {
	w, f := follower(t)
	w.a.queued = []jobs.Run{{Job: "daily", Carrier: "fabrikam", Period: october, State: jobs.RunRunning}}
	for i := range 2*mostFollowed + 10 {
		w.a.touched = append(w.a.touched, jobs.Followup{Entry: jobs.Entry{ID: fmt.Sprint("waits", i), Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}})
	}
	w.a.touched = append(w.a.touched, jobs.Followup{Entry: jobs.Entry{ID: "last", Carrier: "fabrikam"}, Touched: []string{"2026-11-01"}})
	if err := f.Follow(t.Context()); err != nil || !w.a.followed["last"] || w.a.followed["waits0"] {
		t.Errorf("followed %v, %v", w.a.followed, err)
	}
}

// Damaged records are made anew by the run, which is the cheaper mistake.
func TestAFileWhoseRecordsAreDamagedLeadsToARun(t *testing.T) {
	w, f := follower(t)
	shift(w)
	f.Holds = func(context.Context, jobs.Entry, time.Time, time.Time) (bool, error) {
		return false, records.ErrDamaged
	}
	w.a.touched = []jobs.Followup{{Entry: jobs.Entry{ID: "new", Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}}}
	if err := f.Follow(t.Context()); err != nil || len(w.a.queued) != 1 {
		t.Errorf("queued %v, %v", w.a.queued, err)
	}
}

// A report that cannot be made anew is not tried every half minute.
func TestWhatFailsIsNotSettledOverAndOver(t *testing.T) {
	for _, state := range []jobs.RunState{jobs.RunFailed, jobs.RunCancelled} {
		w, f := follower(t)
		w.a.reports[0].Figures.Pending = 3
		w.now = at("2026-10-05T00:00:00Z")
		w.a.runs["run9"] = jobs.Run{ID: "run9", Job: "daily", Carrier: "fabrikam", Period: october, State: state, Finished: w.now}
		for _, c := range []struct {
			after time.Duration
			want  int
		}{{time.Minute, 0}, {23 * time.Hour, 0}, {24 * time.Hour, 1}} {
			w.now = at("2026-10-05T00:00:00Z").Add(c.after)
			if err := f.Ripen(t.Context()); err != nil || len(w.a.queued) != c.want {
				t.Errorf("%s, %v later: queued %v, %v", state, c.after, w.a.queued, err)
			}
		}
	}
}

func TestACarrierThatAJobNoLongerServesIsLeftAlone(t *testing.T) {
	w, f := follower(t)
	f.Late = func(job, carrier string) (time.Duration, bool) { return 0, carrier != "fabrikam" }
	w.a.reports[0].Figures.Pending = 3
	w.a.touched = []jobs.Followup{{Entry: jobs.Entry{ID: "new", Carrier: "fabrikam"}, Touched: []string{"2026-10-01"}}}
	w.now = at("2026-10-06T00:00:00Z")
	if err := errors.Join(f.Ripen(t.Context()), f.Follow(t.Context())); err != nil || len(w.a.queued) > 0 {
		t.Errorf("queued %v, %v", w.a.queued, err)
	}
}

func TestCallsThatWereWaitedForAreSettledInTime(t *testing.T) {
	w, f := follower(t)
	w.a.reports[0].Figures.Pending = 3
	var got []string
	for _, now := range []string{"2026-10-04T23:59:00Z", "2026-10-05T00:00:00Z"} {
		w.now = at(now)
		if err := f.Ripen(t.Context()); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(len(w.a.queued)))
	}
	// A call that lasts for days: looked at again a day later.
	w.a.reports[0].AsOf = at("2026-10-05T00:00:00Z")
	for _, now := range []string{"2026-10-05T23:00:00Z", "2026-10-06T00:00:00Z"} {
		w.now, w.a.queued = at(now), nil
		if err := f.Ripen(t.Context()); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(len(w.a.queued)))
	}
	if !slices.Equal(got, []string{"0", "1", "0", "1"}) {
		t.Errorf("runs queued: %v", got)
	}
}
