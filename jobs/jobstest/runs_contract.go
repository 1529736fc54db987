package jobstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// State is what keeps runs and all that belongs to them.
type State interface {
	jobs.Runs
	jobs.Schedules
	jobs.Trail
}

// TestRuns is the contract of a State. open returns an empty one; reopen
// returns the same one as a new process, or a second service, would find it.
func TestRuns(t *testing.T, open func(t *testing.T) State, reopen func(t *testing.T, s State) State) {
	for name, test := range map[string]func(*runs){
		"a run comes back as it was enqueued":                       (*runs).whole,
		"one job, carrier and period is active once":                (*runs).overlap,
		"a run that stands in for another waits no longer than it":  (*runs).standIn,
		"what was under way at a start is run again":                (*runs).abandon,
		"what is asked for at once by two services runs once":       (*runs).atOnce,
		"a key is a request":                                        (*runs).key,
		"the oldest of the highest priority is next":                (*runs).order,
		"a run waits for its time":                                  (*runs).notBefore,
		"a carrier with many runs leaves room for others":           (*runs).perCarrier,
		"runs are claimed once by services that claim at once":      (*runs).claimedOnce,
		"only the holder of a lease says what becomes of a run":     (*runs).lease,
		"a run ends once, and is told twice":                        (*runs).finish,
		"a further attempt is enqueued with the end of the one":     (*runs).finishWithRetry,
		"a run that failed can be tried again":                      (*runs).retry,
		"a queued run is cancelled at once, a running one is asked": (*runs).cancel,
		"a run that was asked to stop is not tried again":           (*runs).cancelledThenFailed,
		"a run goes back to the queue":                              (*runs).release,
		"a run whose service is gone is run again":                  (*runs).expire,
		"a run works with what was noted":                           (*runs).snapshot,
		"runs are listed newest first":                              (*runs).list,
		"files lead to runs":                                        (*runs).lineage,
		"a schedule fires once for each time":                       (*runs).fires,
		"a schedule fires with its runs or not at all":              (*runs).firesWhole,
		"a service claims what it can do":                           (*runs).kinds,
		"a time that is long gone does not fire again":              (*runs).firesLongGone,
		"paused jobs do not start":                                  (*runs).pauses,
		"the trail keeps every row":                                 (*runs).trail,
		"text of any kind is kept":                                  (*runs).texts,
		"nothing is done for who has gone":                          (*runs).gone,
	} {
		t.Run(name, func(t *testing.T) { test(&runs{T: t, s: open(t), reopen: reopen, now: day(1)}) })
	}
}

// runs is one test of a State, with a clock of its own.
type runs struct {
	*testing.T
	s      State
	reopen func(t *testing.T, s State) State
	now    time.Time
}

// day is the nth of October, some microseconds past six.
func day(n int) time.Time { return time.Date(2026, 10, n, 6, 0, 0, 123_456_000, time.UTC) }

const lease = time.Minute

// run is one of a carrier for the nth of October.
func run(carrier string, n int) jobs.Run {
	from := time.Date(2026, 10, n, 0, 0, 0, 0, time.UTC)
	return jobs.Run{
		Job: "daily", Kind: "reconcile", Carrier: carrier, Trigger: jobs.TriggerSchedule,
		Period: jobs.Period{From: from, To: from.AddDate(0, 0, 1), Text: from.Format(time.DateOnly)},
	}
}

func (c *runs) again() {
	c.Helper()
	c.s = c.reopen(c.T, c.s)
}

func (c *runs) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *runs) same(got, want any) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Error(d)
	}
}

func (c *runs) fails(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Errorf("the error is %v, not %v", err, want)
	}
}

// enqueue adds a run a second after the last.
func (c *runs) enqueue(r jobs.Run) jobs.Run {
	c.Helper()
	c.now = c.now.Add(time.Second)
	out, err := c.s.Enqueue(c.Context(), r, c.now)
	c.must(err)
	return out
}

func (c *runs) claim(owner string) jobs.Run {
	c.Helper()
	c.now = c.now.Add(time.Second)
	r, err := c.s.Claim(c.Context(), jobs.ClaimOptions{Owner: owner, Now: c.now, Lease: lease})
	c.must(err)
	return r
}

func (c *runs) nothingDue(o jobs.ClaimOptions) {
	c.Helper()
	o.Owner, o.Lease = "a", lease
	if r, err := c.s.Claim(c.Context(), o); !errors.Is(err, jobs.ErrNoRun) {
		c.Errorf("%s of %s is due, %v", r.ID, r.Carrier, err)
	}
}

func (c *runs) find(id string) jobs.Run {
	c.Helper()
	r, err := c.s.Run(c.Context(), id)
	c.must(err)
	return r
}

func (c *runs) whole() {
	r := run("fabrikam", 1)
	r.By, r.RerunOf, r.Key, r.Priority, r.Attempt = "ann", "another", "key", 5, 3
	r.ScheduledFor, r.NotBefore = day(1), day(2)
	r.Settings = json.RawMessage(`{"b": 1,  "a": "\u0000 ü"}`)
	r.Inputs = []jobs.RunInput{{Role: "microsoft", File: "x.csv", SHA256: "bb"}, {Role: "carrier", File: "1", SHA256: "aa"}}
	got := c.enqueue(r)
	want := r
	want.ID, want.State, want.Created = got.ID, jobs.RunQueued, c.now
	c.same(got, want)
	c.again()
	c.same(c.find(got.ID), want)
	plain := c.enqueue(run("contoso", 1))
	want = run("contoso", 1)
	want.ID, want.State, want.Created, want.Attempt = plain.ID, jobs.RunQueued, c.now, 1
	c.same(c.find(plain.ID), want)
	if plain.ID <= got.ID {
		c.Errorf("%s comes after %s", plain.ID, got.ID)
	}
	_, err := c.s.Run(c.Context(), "no such")
	c.fails(err, jobs.ErrNoRun)
}

func (c *runs) texts() {
	r := run("fabrikam", 1)
	r.Job, r.By = "täglich\n'\"$1?", "zero \x00 and no UTF-8 \xff"
	got := c.find(c.enqueue(r).ID)
	if got.Job != r.Job || got.By == "" {
		c.Errorf("%q by %q", got.Job, got.By)
	}
	held := c.claim("a")
	_, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunFailed, Error: "broken: \xff\x00"}, c.now)
	c.must(err)
	if got = c.find(got.ID); got.State != jobs.RunFailed || got.Error == "" {
		c.Errorf("%+v", got)
	}
}

func (c *runs) gone() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, err := c.s.Enqueue(ctx, run("fabrikam", 1), c.now)
	c.fails(err, context.Canceled)
	list, err := c.s.Runs(c.Context(), jobs.RunFilter{})
	c.must(err)
	c.same(len(list), 0)
}

func (c *runs) trail() {
	c.must(c.s.Note(c.Context(), jobs.AuditRow{Time: day(1), Who: "ann", What: "run.cancel", Object: "r1", Detail: "{}"}))
	c.must(c.s.Note(c.Context(), jobs.AuditRow{Time: day(2), Who: "ben", What: "job.pause", Object: "daily"}))
	c.must(c.s.Note(c.Context(), jobs.AuditRow{Time: day(3), Who: "ann", What: "job.resume", Object: "daily"}))
	c.again()
	all, err := c.s.Audit(c.Context(), jobs.AuditFilter{})
	c.must(err)
	if len(all) != 3 {
		c.Fatal(all)
	}
	c.same(all[2], jobs.AuditRow{ID: all[2].ID, Time: day(1), Who: "ann", What: "run.cancel", Object: "r1", Detail: "{}"})
	for _, q := range []struct {
		f    jobs.AuditFilter
		want []jobs.AuditRow
	}{
		{jobs.AuditFilter{Limit: 2}, all[:2]}, {jobs.AuditFilter{Before: all[0].ID, Limit: 1}, all[1:2]}, {jobs.AuditFilter{Who: "ann", Object: "daily"}, all[:1]},
		{jobs.AuditFilter{What: "job.pause"}, all[1:2]}, {jobs.AuditFilter{Since: day(2)}, all[:2]},
	} {
		got, err := c.s.Audit(c.Context(), q.f)
		c.must(err)
		c.same(got, q.want)
	}
}

func (c *runs) list() {
	var all []jobs.Run // newest first
	for n := range 6 {
		r := run([]string{"fabrikam", "contoso"}[n%2], n+1)
		r.Job = []string{"daily", "daily", "monthly"}[n%3]
		all = append([]jobs.Run{c.enqueue(r)}, all...)
	}
	held := c.claim("a") // the oldest
	_, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunSucceeded, Report: "v1"}, c.now)
	c.must(err)
	all[5] = c.find(held.ID)
	c.again()
	for name, q := range map[string]struct {
		f    jobs.RunFilter
		want []int
	}{
		"all":        {jobs.RunFilter{}, []int{0, 1, 2, 3, 4, 5}},
		"first page": {jobs.RunFilter{Limit: 2}, []int{0, 1}},
		"next page":  {jobs.RunFilter{Limit: 2, Before: all[1].ID}, []int{2, 3}},
		"carrier":    {jobs.RunFilter{Carrier: "contoso"}, []int{0, 2, 4}},
		"job":        {jobs.RunFilter{Job: "monthly"}, []int{0, 3}},
		"both":       {jobs.RunFilter{Job: "monthly", Carrier: "fabrikam"}, []int{3}},
		"state":      {jobs.RunFilter{State: jobs.RunSucceeded}, []int{5}},
		"period":     {jobs.RunFilter{From: all[4].Period.From, To: all[3].Period.To}, []int{3, 4}},
		"report":     {jobs.RunFilter{Report: "v1"}, []int{5}},
		"none":       {jobs.RunFilter{Carrier: "nobody"}, nil},
	} {
		got, err := c.s.Runs(c.Context(), q.f)
		c.must(err)
		var want []jobs.Run
		for _, i := range q.want {
			want = append(want, all[i])
		}
		if d := cmp.Diff(want, got); d != "" {
			c.Errorf("%s: %s", name, d)
		}
	}
}

func (c *runs) lineage() {
	var ids []string
	for n, in := range []jobs.RunInput{{Role: "carrier", File: "f1", SHA256: "aa"}, {Role: "carrier", File: "f2", SHA256: "aa"}} {
		r := run("fabrikam", n+1)
		r.Inputs = []jobs.RunInput{in, {Role: "microsoft", File: fmt.Sprint("m", n), SHA256: fmt.Sprint("m", n)}}
		ids = append(ids, c.enqueue(r).ID)
	}
	for file, want := range map[string][]string{"f1": ids[:1], "m1": ids[1:], "aa": {ids[1], ids[0]}, "x": nil} {
		list, err := c.s.Runs(c.Context(), jobs.RunFilter{File: file})
		c.must(err)
		var got []string
		for _, r := range list {
			got = append(got, r.ID)
		}
		c.same(got, want)
	}
}
