package jobstest

import (
	"encoding/json"
	"time"

	"concord/jobs"
)

func (c *runs) lease() {
	c.enqueue(run("fabrikam", 1))
	held := c.claim("a")
	other, earlier := held.Lease(), held.Lease()
	other.Owner, earlier.Attempt = "b", 0
	for _, l := range []jobs.Lease{other, earlier} {
		_, err := c.s.Heartbeat(c.Context(), l, day(2))
		c.fails(err, jobs.ErrLost)
		c.fails(c.s.Snapshot(c.Context(), l, nil, nil), jobs.ErrLost)
		c.fails(c.s.Release(c.Context(), l, c.now), jobs.ErrLost)
		_, err = c.s.Finish(c.Context(), l, jobs.Ending{State: jobs.RunFailed}, c.now)
		c.fails(err, jobs.ErrLost)
	}
	_, err := c.s.Heartbeat(c.Context(), jobs.Lease{Run: "no such"}, day(2))
	c.fails(err, jobs.ErrNoRun)
	c.same(c.find(held.ID), held)
	cancel, err := c.s.Heartbeat(c.Context(), held.Lease(), day(2))
	c.must(err)
	c.same(cancel, false)
	c.same(c.find(held.ID).LeaseUntil, day(2))
}

func (c *runs) finish() {
	c.enqueue(run("fabrikam", 1))
	held := c.claim("a")
	ending := jobs.Ending{State: jobs.RunSucceeded, Report: "v7"}
	for range 2 {
		next, err := c.s.Finish(c.Context(), held.Lease(), ending, day(2))
		c.must(err)
		c.same(next, jobs.Run{})
		c.again()
	}
	want := held
	want.State, want.Report, want.Finished, want.LeaseUntil = jobs.RunSucceeded, "v7", day(2), time.Time{}
	c.same(c.find(held.ID), want)
	_, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunFailed}, day(3))
	c.fails(err, jobs.ErrLost)
	_, err = c.s.Heartbeat(c.Context(), held.Lease(), day(3))
	c.fails(err, jobs.ErrLost)
	if _, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunRunning}, day(3)); err == nil {
		c.Error("a run ends as one that is running")
	}
}

func (c *runs) finishWithRetry() {
	r := run("fabrikam", 1)
	r.Key, r.By, r.Inputs, r.Settings = "k", "ann", []jobs.RunInput{{Role: "carrier", File: "f", SHA256: "aa"}}, json.RawMessage(`{}`)
	c.enqueue(r)
	held := c.claim("a")
	ending := jobs.Ending{State: jobs.RunFailed, Error: "no route to host", RetryAt: day(2)}
	next, err := c.s.Finish(c.Context(), held.Lease(), ending, c.now)
	c.must(err)
	again, err := c.s.Finish(c.Context(), held.Lease(), ending, c.now)
	c.must(err)
	c.same(again, jobs.Run{})
	c.again()
	want := r
	want.ID, want.State, want.Attempt, want.Trigger, want.RerunOf, want.Key = next.ID, jobs.RunQueued, 2, jobs.TriggerRetry, held.ID, ""
	want.NotBefore, want.Created = day(2), c.now
	c.same(next, want)
	c.same(c.find(next.ID), want)
	c.same(c.find(held.ID).Error, "no route to host")
	list, err := c.s.Runs(c.Context(), jobs.RunFilter{})
	c.must(err)
	c.same(len(list), 2)
}

func (c *runs) retry() {
	c.enqueue(run("fabrikam", 1))
	_, err := c.s.Retry(c.Context(), "no such", "", c.now, c.now)
	c.fails(err, jobs.ErrNoRun)
	held := c.claim("a")
	_, err = c.s.Retry(c.Context(), held.ID, "", c.now, c.now)
	c.fails(err, jobs.ErrRetry)
	_, err = c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunFailed, Error: "x"}, c.now)
	c.must(err)
	next, err := c.s.Retry(c.Context(), held.ID, "ann", day(2), c.now)
	c.must(err)
	if next.Attempt != 2 || next.By != "ann" || next.RerunOf != held.ID || !next.NotBefore.Equal(day(2)) || next.Error != "" {
		c.Errorf("%+v", next)
	}
	active, err := c.s.Retry(c.Context(), held.ID, "ben", day(2), c.now)
	c.fails(err, jobs.ErrActive)
	c.same(active, next)
}

func (c *runs) cancel() {
	queued := c.enqueue(run("fabrikam", 1))
	got, err := c.s.Cancel(c.Context(), queued.ID, "ann", day(2))
	c.must(err)
	want := queued
	want.State, want.Finished, want.Error, want.CancelAsked = jobs.RunCancelled, day(2), "cancelled by ann", true
	c.same(got, want)
	c.again()
	c.same(c.find(queued.ID), want)
	c.nothingDue(jobs.ClaimOptions{Now: c.now})
	got, err = c.s.Cancel(c.Context(), queued.ID, "ben", day(3))
	c.fails(err, jobs.ErrOver)
	c.same(got, want)
	_, err = c.s.Cancel(c.Context(), "no such", "", day(3))
	c.fails(err, jobs.ErrNoRun)

	c.enqueue(run("fabrikam", 1))
	held := c.claim("a")
	for _, by := range []string{"ann", "ben"} {
		got, err = c.s.Cancel(c.Context(), held.ID, by, day(2))
		c.must(err)
	}
	if got.State != jobs.RunRunning || !got.CancelAsked {
		c.Errorf("%+v", got)
	}
	asked, err := c.s.Heartbeat(c.Context(), held.Lease(), day(2))
	c.must(err)
	c.same(asked, true)
	_, err = c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunCancelled}, day(2))
	c.must(err)
	c.same(c.find(held.ID).Error, "cancelled by ann")
}

func (c *runs) cancelledThenFailed() {
	c.enqueue(run("fabrikam", 1))
	held := c.claim("a")
	_, err := c.s.Cancel(c.Context(), held.ID, "ann", c.now)
	c.must(err)
	next, err := c.s.Finish(c.Context(), held.Lease(), jobs.Ending{State: jobs.RunFailed, Error: "x", RetryAt: day(2)}, c.now)
	c.must(err)
	c.same(next, jobs.Run{})
	list, err := c.s.Runs(c.Context(), jobs.RunFilter{State: jobs.RunQueued})
	c.must(err)
	c.same(len(list), 0)
}

func (c *runs) release() {
	first := c.enqueue(run("fabrikam", 1))
	held := c.claim("a")
	c.must(c.s.Release(c.Context(), held.Lease(), c.now))
	c.again()
	c.same(c.find(first.ID), first)
	held = c.claim("b")
	c.same(held.Attempt, 1)
	_, err := c.s.Cancel(c.Context(), held.ID, "", c.now)
	c.must(err)
	c.must(c.s.Release(c.Context(), held.Lease(), day(2)))
	if got := c.find(first.ID); got.State != jobs.RunCancelled || !got.Finished.Equal(day(2)) {
		c.Errorf("%+v", got)
	}
}

func (c *runs) expire() {
	for n := range 4 {
		c.enqueue(run("fabrikam", n+1))
	}
	back, cancelled, alive := c.claim("a"), c.claim("a"), c.claim("b")
	_, err := c.s.Cancel(c.Context(), cancelled.ID, "ann", c.now)
	c.must(err)
	_, err = c.s.Heartbeat(c.Context(), alive.Lease(), day(3))
	c.must(err)
	none, err := c.s.Expire(c.Context(), back.LeaseUntil, 2)
	c.must(err)
	c.same(len(none), 0)
	list, err := c.s.Expire(c.Context(), day(2), 2)
	c.must(err)
	if len(list) != 2 {
		c.Fatal(list)
	}
	c.again()
	c.same(c.find(back.ID), list[0])
	c.same(c.find(cancelled.ID), list[1])
	if list[0].State != jobs.RunQueued || list[0].Attempt != 2 || list[0].Owner != "" || list[1].State != jobs.RunCancelled {
		c.Errorf("%+v", list)
	}
	c.now = day(2)
	held := c.claim("a") // the same owner once more
	c.same(held.ID, back.ID)
	_, err = c.s.Finish(c.Context(), back.Lease(), jobs.Ending{State: jobs.RunSucceeded}, c.now)
	c.fails(err, jobs.ErrLost)
	list, err = c.s.Expire(c.Context(), day(3), 2)
	c.must(err)
	if len(list) != 1 || list[0].State != jobs.RunFailed || list[0].Error == "" {
		c.Errorf("after most attempts: %+v", list)
	}
}

func (c *runs) snapshot() {
	r := run("fabrikam", 1)
	r.Inputs = []jobs.RunInput{{Role: "carrier", File: "old", SHA256: "aa"}, {Role: "carrier", File: "older", SHA256: "bb"}}
	c.enqueue(r)
	held := c.claim("a")
	held.Settings, held.Inputs = json.RawMessage(`{"memory": 1}`), []jobs.RunInput{{Role: "microsoft", File: "new", SHA256: "cc"}}
	for range 2 {
		c.must(c.s.Snapshot(c.Context(), held.Lease(), held.Settings, held.Inputs))
		c.again()
	}
	c.same(c.find(held.ID), held)
}
