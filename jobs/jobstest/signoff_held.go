package jobstest

import (
	"sync"
	"time"

	"concord/jobs"
)

// held begins a run that has found its period locked, such as that of a late file.
func (c *cases) held(r jobs.Report) (jobs.Run, jobs.Ending) {
	c.Helper()
	run := c.begin("fabrikam", 1)
	lock, err := c.b.Lock(c.Context(), "fabrikam", r.Period)
	c.must(err)
	c.raised(r)
	return run, jobs.Ending{State: jobs.RunSucceeded, Report: r.ID, Held: lock}
}

func (c *cases) finish(r jobs.Run, e jobs.Ending) jobs.Run {
	c.Helper()
	next, err := c.s.Finish(c.Context(), r.Lease(), e, c.now)
	c.must(err)
	return next
}

// reopenedAtTheEnd reopens the period when a run was held and has not ended yet: the
// late file would never be in a version, and nobody would be told.
func (c *cases) reopenedAtTheEnd() {
	first := c.approved()
	run, ending := c.held(first)
	c.step(first.ID, jobs.StepReopen, "root")
	c.raised(first) // by the run, for it came to that only now
	back := c.finish(run, ending)
	c.same(back.ID, run.ID)
	c.alerts(0)
	c.again()
	if got := c.find(run.ID); got.State != jobs.RunQueued || got.Attempt != run.Attempt || got.Report != "" {
		c.Errorf("%+v", got)
	}
	_, err := c.s.Finish(c.Context(), run.Lease(), ending, c.now) // the answer was lost
	c.fails(err, jobs.ErrLost)
	run = c.claim("a")
	_, err = c.p.Publish(c.Context(), run.Lease(), c.version(run, 2), nil, c.now)
	c.must(err)

	// One that is to be cancelled is.
	second := c.publish("fabrikam", 1, 3)
	c.step(second.ID, jobs.StepSubmit, "ann")
	c.step(second.ID, jobs.StepApprove, "bob")
	run, ending = c.held(second)
	c.step(second.ID, jobs.StepReopen, "root")
	_, err = c.s.Cancel(c.Context(), run.ID, "ann", c.now)
	c.must(err)
	c.finish(run, ending)
	c.same(c.find(run.ID).State, jobs.RunCancelled)

	// As long as nobody has reopened it, a held run ends.
	c.step(second.ID, jobs.StepSubmit, "ann")
	c.step(second.ID, jobs.StepApprove, "bob")
	run, ending = c.held(second)
	c.finish(run, ending)
	c.finish(run, ending)
	c.same(c.find(run.ID).State, jobs.RunSucceeded)
	c.alerts(1)
}

// approvedAnew reopens and approves once more when a run was held: reopening has
// ended the alert, so that nobody would know of what the second approval holds back.
func (c *cases) approvedAnew() {
	first := c.approved()
	run, ending := c.held(first)
	c.step(first.ID, jobs.StepReopen, "root")
	c.now = c.now.Add(time.Second)
	c.step(first.ID, jobs.StepSubmit, "ann")
	c.step(first.ID, jobs.StepApprove, "bob")
	c.finish(run, ending)
	c.same(c.find(run.ID).State, jobs.RunQueued)
}

// publishedAfterAll publishes by a run that has raised the alert, and then broke
// off: it would be open for good, and start a needless run when it is approved and
// reopened later.
func (c *cases) publishedAfterAll() {
	first := c.approved()
	run, _ := c.held(first)
	c.step(first.ID, jobs.StepReopen, "root")
	c.raised(first)
	_, err := c.p.Publish(c.Context(), run.Lease(), c.version(run, 2), nil, c.now)
	c.must(err)
	c.alerts(0)
}

// endedAndReopened ends held runs and reopens their periods at once: whoever comes
// first, one run says what was held back.
func (c *cases) endedAndReopened() {
	first := c.approved()
	for range 8 {
		run, ending := c.held(first)
		var wg sync.WaitGroup
		var ended, reopened error
		wg.Go(func() { _, ended = c.s.Finish(c.Context(), run.Lease(), ending, c.now) })
		wg.Go(func() {
			_, reopened = c.b.TakeStep(c.Context(), first.ID, jobs.StepReopen, "root", "because", c.now)
		})
		wg.Wait()
		c.must(ended)
		c.must(reopened)
		c.alerts(0)
		queued, err := c.s.Runs(c.Context(), jobs.RunFilter{State: jobs.RunQueued})
		c.must(err)
		c.same(len(queued), 1)
		c.finish(c.claim("a"), jobs.Ending{State: jobs.RunSucceeded})
		c.step(first.ID, jobs.StepSubmit, "ann")
		c.step(first.ID, jobs.StepApprove, "bob")
	}
}
