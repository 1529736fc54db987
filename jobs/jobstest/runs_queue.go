package jobstest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"concord/jobs"
)

func (c *runs) overlap() {
	first := c.enqueue(run("fabrikam", 1))
	c.again()
	for range 2 { // queued, then running
		other := run("fabrikam", 1)
		other.Period.Text, other.Trigger = "2026-10-01/2026-10-02", jobs.TriggerManual
		got, err := c.s.Enqueue(c.Context(), other, c.now)
		c.fails(err, jobs.ErrActive)
		c.same(got, c.find(first.ID))
		if got.State == jobs.RunQueued {
			c.claim("a")
		}
	}
	for _, other := range []jobs.Run{run("fabrikam", 2), run("contoso", 1)} {
		c.enqueue(other)
	}
	noPeriod := jobs.Run{Job: "numbers", Carrier: "fabrikam"}
	c.enqueue(noPeriod)
	_, err := c.s.Enqueue(c.Context(), noPeriod, c.now)
	c.fails(err, jobs.ErrActive)
	held := c.find(first.ID)
	_, err = c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunSucceeded}, c.now)
	c.must(err)
	if next := c.enqueue(run("fabrikam", 1)); next.ID == first.ID {
		c.Error("a run that is over keeps the next one back")
	}
}

func (c *runs) standIn() {
	old := run("fabrikam", 1)
	old.Priority, old.NotBefore, old.Trigger = jobs.PriorityBackfill, day(9), jobs.TriggerBackfill
	waits := c.enqueue(old)
	urgent := run("fabrikam", 1)
	urgent.ScheduledFor, urgent.NotBefore = day(2), day(3)
	got, err := c.s.Enqueue(c.Context(), urgent, c.now)
	c.fails(err, jobs.ErrActive)
	c.again()
	waits.Priority, waits.ScheduledFor, waits.NotBefore = 0, day(2), day(3)
	c.same(got, waits)
	c.same(c.find(waits.ID), waits)
	_, err = c.s.Enqueue(c.Context(), old, c.now) // what waits longer changes nothing
	c.fails(err, jobs.ErrActive)
	c.same(c.find(waits.ID), waits)
	_, err = c.s.RecordFire(c.Context(), jobs.Fire{Job: "daily", At: day(1), Now: c.now, Runs: []jobs.Run{run("fabrikam", 1)}})
	c.must(err)
	if held := c.claim("a"); held.ID != waits.ID { // by a run without NotBefore
		c.Errorf("claimed %+v", held)
	}
}

func (c *runs) abandon() {
	c.enqueue(run("fabrikam", 1))
	c.enqueue(run("fabrikam", 2))
	first := c.claim("a")
	for n := 2; n <= 3; n++ {
		list, err := c.s.Abandon(c.Context(), c.now, 3)
		c.must(err)
		if len(list) != 1 || list[0].State != jobs.RunQueued || list[0].Attempt != n {
			c.Fatalf("%+v", list)
		}
		c.again()
		c.same(c.claim("b").ID, first.ID)
	}
	list, err := c.s.Abandon(c.Context(), c.now, 3)
	c.must(err)
	if len(list) != 1 || list[0].State != jobs.RunFailed {
		c.Errorf("a run that brings its service down for ever: %+v", list)
	}
}

func (c *runs) atOnce() {
	services := []State{c.s, c.reopen(c.T, c.s)}
	var wg sync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		wg.Go(func() {
			r, err := services[i%2].Enqueue(c.Context(), run("fabrikam", 1), c.now)
			if err != nil && !errors.Is(err, jobs.ErrActive) {
				c.Error(err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	if ids = slices.Compact(ids); len(ids) != 1 || ids[0] == "" {
		c.Errorf("runs: %v", ids)
	}
}

func (c *runs) key() {
	r := run("fabrikam", 1)
	r.Key = "request 1"
	first := c.enqueue(r)
	c.again()
	c.same(c.enqueue(r).ID, first.ID)
	held := c.claim("a")
	_, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunSucceeded}, c.now)
	c.must(err)
	c.same(c.enqueue(r), c.find(first.ID))
	other := run("contoso", 1)
	other.Key = r.Key
	_, err = c.s.Enqueue(c.Context(), other, c.now)
	c.fails(err, jobs.ErrKey)
}

func (c *runs) order() {
	backfill := run("fabrikam", 1)
	backfill.Priority = jobs.PriorityBackfill
	last := c.enqueue(backfill)
	first, second := c.enqueue(run("fabrikam", 2)), c.enqueue(run("fabrikam", 3))
	urgent := run("fabrikam", 4)
	urgent.Priority = 1
	zeroth := c.enqueue(urgent)
	c.again()
	for _, want := range []jobs.Run{zeroth, first, second} {
		got := c.claim("a")
		want.State, want.Owner, want.Started, want.LeaseUntil = jobs.RunRunning, "a", c.now, c.now.Add(lease)
		c.same(got, want)
		c.same(c.find(got.ID), want)
	}
	c.nothingDue(jobs.ClaimOptions{Now: c.now, Urgent: true})
	c.same(c.claim("a").ID, last.ID)
	c.nothingDue(jobs.ClaimOptions{Now: c.now})
}

func (c *runs) notBefore() {
	r := run("fabrikam", 1)
	r.NotBefore = day(2)
	c.enqueue(r)
	c.nothingDue(jobs.ClaimOptions{Now: day(2).Add(-time.Microsecond)})
	c.now = day(2).Add(-time.Second)
	c.claim("a")
}

func (c *runs) perCarrier() {
	for n := range 3 {
		c.enqueue(run("fabrikam", n+1))
	}
	c.enqueue(run("contoso", 1))
	for _, want := range []string{"fabrikam", "contoso"} {
		r, err := c.s.Claim(c.Context(), jobs.ClaimOptions{Owner: "a", Now: c.now, Lease: lease, PerCarrier: 1})
		c.must(err)
		c.same(r.Carrier, want)
	}
	c.nothingDue(jobs.ClaimOptions{Now: c.now, PerCarrier: 1})
	c.nothingDue(jobs.ClaimOptions{Now: c.now, PerCarrier: 1, Kinds: []string{"usage", "reconcile"}})
	usage := run("fabrikam", 9) // a run of another kind is not held back by those
	usage.Kind = "usage"
	c.enqueue(usage)
	r, err := c.s.Claim(c.Context(), jobs.ClaimOptions{Owner: "a", Now: c.now, Lease: lease, PerCarrier: 1, Kinds: []string{"calls", "usage"}})
	c.must(err)
	c.same(r.Kind, "usage")
}

func (c *runs) kinds() {
	for i, kind := range []string{"usage", "numbers", "reconcile", "usage"} {
		r := run("fabrikam", i+1)
		r.Kind = kind
		c.enqueue(r)
	}
	claims := []struct {
		kinds []string
		want  string // day of the period
	}{
		{[]string{"reconcile"}, "2026-10-03"}, {[]string{"calls", "usage"}, "2026-10-01"}, {nil, "2026-10-02"}, {[]string{"numbers", "usage"}, "2026-10-04"},
	}
	c.again()
	for _, q := range claims {
		c.nothingDue(jobs.ClaimOptions{Now: c.now, Kinds: []string{"calls", "collect", "usage' OR 1=1"}})
		r, err := c.s.Claim(c.Context(), jobs.ClaimOptions{Owner: "a", Now: c.now, Lease: lease, Kinds: q.kinds})
		c.must(err)
		c.same(r.Period.Text, q.want)
	}
}

func (c *runs) claimedOnce() {
	const n = 24
	for i := range n {
		c.enqueue(run(fmt.Sprint("carrier ", i), 1))
	}
	services := []State{c.s, c.reopen(c.T, c.s)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := range 8 {
		wg.Go(func() {
			for {
				r, err := services[i%2].Claim(c.Context(), jobs.ClaimOptions{Owner: fmt.Sprint(i), Now: c.now, Lease: lease})
				if err != nil {
					c.fails(err, jobs.ErrNoRun)
					return
				}
				mu.Lock()
				got[r.ID]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, times := range got {
		if times != 1 {
			c.Errorf("%s was claimed %d times", id, times)
		}
	}
	// One that passed over what another was claiming may have found none,
	// but then the other was going on.
	c.same(len(got), n)
}

func (c *runs) pauses() {
	c.enqueue(run("fabrikam", 1))
	p := jobs.Pause{Job: "daily", Why: "the carrier moves", By: "ann", Since: day(1)}
	c.must(c.s.Pause(c.Context(), jobs.Pause{Job: "a job", By: "ben", Since: day(2)}))
	c.must(c.s.Pause(c.Context(), jobs.Pause{Job: "daily", Why: "?", By: "ben", Since: day(1)}))
	p2 := p
	p2.Since = day(3)
	c.must(c.s.Pause(c.Context(), p2))
	c.again()
	list, err := c.s.Paused(c.Context())
	c.must(err)
	c.same(list, []jobs.Pause{{Job: "a job", By: "ben", Since: day(2)}, p})
	c.nothingDue(jobs.ClaimOptions{Now: c.now})
	for _, want := range []bool{true, false} {
		was, err := c.s.Resume(c.Context(), "daily")
		c.must(err)
		c.same(was, want)
	}
	c.claim("a")
}

func (c *runs) fires() {
	at, err := c.s.LastFire(c.Context(), "daily")
	c.must(err)
	c.same(at, time.Time{})
	services := []State{c.s, c.reopen(c.T, c.s)}
	for n := range 3 {
		var wg sync.WaitGroup
		fired := make([]int, 8)
		for i := range fired {
			wg.Go(func() {
				list, err := services[i%2].RecordFire(c.Context(), jobs.Fire{Job: "daily", At: day(n + 1), Now: c.now, Runs: []jobs.Run{run("fabrikam", n+1)}})
				if err != nil {
					c.fails(err, jobs.ErrFired)
				}
				fired[i] = len(list)
			})
		}
		wg.Wait()
		slices.Sort(fired)
		c.same(fired, []int{0, 0, 0, 0, 0, 0, 0, 1})
	}
	_, err = c.s.RecordFire(c.Context(), jobs.Fire{Job: "monthly", At: day(9), Now: c.now})
	c.must(err)
	c.again()
	at, err = c.s.LastFire(c.Context(), "daily")
	c.must(err)
	c.same(at, day(3))
	list, err := c.s.Runs(c.Context(), jobs.RunFilter{})
	c.must(err)
	c.same(len(list), 3)
}

// firesLongGone fires so often that not every time can be remembered.
func (c *runs) firesLongGone() {
	const many = 1100
	fire := func(n int) error {
		_, err := c.s.RecordFire(c.Context(), jobs.Fire{Job: "minutely", At: day(1).Add(time.Duration(n) * time.Minute), Now: c.now})
		return err
	}
	_, err := c.s.RecordFire(c.Context(), jobs.Fire{Job: "yearly", At: day(1).AddDate(-1, 0, 0), Now: c.now})
	c.must(err)
	for n := range many {
		c.must(fire(n))
	}
	c.again()
	for _, n := range []int{-1, 0, 1, many / 2, many - 1} {
		c.fails(fire(n), jobs.ErrFired)
	}
	for job, want := range map[string]time.Time{"minutely": day(1).Add((many - 1) * time.Minute), "yearly": day(1).AddDate(-1, 0, 0)} {
		at, err := c.s.LastFire(c.Context(), job)
		c.must(err)
		c.same(at, want)
	}
	c.must(fire(many))
}

func (c *runs) firesWhole() {
	c.enqueue(run("contoso", 1)) // asked for before the schedule came to it
	list, err := c.s.RecordFire(c.Context(), jobs.Fire{Job: "daily", At: day(1), Now: c.now, Runs: []jobs.Run{run("contoso", 1), run("fabrikam", 1)}})
	c.must(err)
	if len(list) != 1 || list[0].Carrier != "fabrikam" {
		c.Error(list)
	}
	taken := run("northwind", 1)
	taken.Key = "k"
	c.enqueue(taken)
	refused := run("woodgrove", 1)
	refused.Key = "k"
	_, err = c.s.RecordFire(c.Context(), jobs.Fire{Job: "daily", At: day(2), Now: c.now, Runs: []jobs.Run{run("tailspin", 2), refused}})
	c.fails(err, jobs.ErrKey)
	c.again()
	at, err := c.s.LastFire(c.Context(), "daily")
	c.must(err)
	c.same(at, day(1))
	half, err := c.s.Runs(c.Context(), jobs.RunFilter{Carrier: "tailspin"})
	c.must(err)
	c.same(len(half), 0)
}
