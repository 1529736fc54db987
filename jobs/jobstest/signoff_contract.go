package jobstest

import (
	"errors"
	"sync"

	"concord/jobs"
)

func (c *cases) step(report string, step jobs.SignOffStep, by string) jobs.SignOff {
	c.Helper()
	s, err := c.b.TakeStep(c.Context(), report, step, by, "because", c.now)
	c.must(err)
	return s
}

func (c *cases) refused(report string, step jobs.SignOffStep, by string, want error) {
	c.Helper()
	before, berr := c.b.SignOff(c.Context(), report)
	_, err := c.b.TakeStep(c.Context(), report, step, by, "because", c.now)
	c.fails(err, want)
	after, aerr := c.b.SignOff(c.Context(), report)
	if (berr == nil) != (aerr == nil) {
		c.Error(berr, aerr)
	}
	c.same(after, before)
}

func (c *cases) lock() {
	first := c.publish("fabrikam", 1, 1)
	c.step(first.ID, jobs.StepSubmit, "ann")
	c.step(first.ID, jobs.StepApprove, "bob")
	c.again()
	lock, err := c.b.Lock(c.Context(), "fabrikam", first.Period)
	c.must(err)
	c.same(lock.Report, first.ID)
	r := c.begin("fabrikam", 1)
	_, err = c.p.Publish(c.Context(), r.Lease(), c.version(r, 2), nil, c.now)
	c.fails(err, jobs.ErrLocked)
	c.same(c.find(r.ID), r)
	usage := c.version(r, 1)
	usage.Kind, usage.Folder = jobs.ReportUsage, "elsewhere"
	_, err = c.p.Publish(c.Context(), r.Lease(), usage, nil, c.now)
	c.must(err)
	c.publish("fabrikam", 2, 1) // another period, and
	c.publish("contoso", 1, 1)  // another carrier are open
	c.step(first.ID, jobs.StepReopen, "root")
	lock, err = c.b.Lock(c.Context(), "fabrikam", first.Period)
	c.must(err)
	c.same(lock, (*jobs.SignOff)(nil))
	second := c.publish("fabrikam", 1, 2)
	c.refused(first.ID, jobs.StepSubmit, "ann", jobs.ErrSignOff) // it is superseded
	c.step(second.ID, jobs.StepSubmit, "ann")
	third := c.publish("fabrikam", 1, 3)
	c.refused(second.ID, jobs.StepApprove, "bob", jobs.ErrSignOff)
	c.step(third.ID, jobs.StepSubmit, "bob")
	c.step(third.ID, jobs.StepApprove, "ann")
	list, err := c.b.SignOffs(c.Context(), jobs.SignOffFilter{Carrier: "fabrikam", Period: &first.Period})
	c.must(err)
	c.same([]jobs.SignOffState{list[0].State, list[1].State, list[2].State}, []jobs.SignOffState{jobs.SignOffApproved, jobs.SignOffReview, jobs.SignOffReopened})
}

// standings has a period in each state, one of them reopened and with a version
// since, and one that was sent back after that.
func (c *cases) standings() {
	newest := map[string]string{}
	publish := func(name string, n, version int) string {
		newest[name] = c.publish("fabrikam", n, version).ID
		return newest[name]
	}
	publish("draft", 1, 1)
	c.step(publish("in review", 2, 1), jobs.StepSubmit, "ann")
	for n, name := range []string{"approved", "reopened", "since", "sent back"} {
		id := publish(name, n+3, 1)
		c.step(id, jobs.StepSubmit, "ann")
		c.step(id, jobs.StepApprove, "bob")
		if name != "approved" {
			c.step(id, jobs.StepReopen, "root")
		}
	}
	publish("since", 5, 2)
	c.step(newest["sent back"], jobs.StepSubmit, "ann")
	c.step(newest["sent back"], jobs.StepSendBack, "bob")
	c.publish("contoso", 1, 1)
	c.again()
	for state, want := range map[jobs.SignOffState][]string{
		"": {"since", "sent back", "reopened", "approved", "in review", "draft"}, jobs.SignOffDraft: {"draft"}, jobs.SignOffReview: {"in review"},
		jobs.SignOffApproved: {"approved"}, jobs.SignOffReopened: {"since", "sent back", "reopened"},
	} {
		var got, ids []string
		for f := (jobs.SignOffFilter{Carrier: "fabrikam", State: state, Newest: true, Limit: 1}); ; {
			list, err := c.b.SignOffs(c.Context(), f)
			c.must(err)
			if len(list) == 0 {
				break
			}
			f.Before = list[0].Report
			got = append(got, f.Before)
		}
		for _, name := range want {
			ids = append(ids, newest[name])
		}
		c.same(got, ids)
	}
	all, err := c.b.SignOffs(c.Context(), jobs.SignOffFilter{Newest: true})
	c.must(err)
	c.same([]any{len(all), all[0].Carrier, all[0].State, all[1].Version, all[1].State}, []any{7, "contoso", jobs.SignOffDraft, 2, jobs.SignOffDraft})
}

func (c *cases) fourEyes() {
	r := c.publish("fabrikam", 1, 1)
	s, err := c.b.SignOff(c.Context(), r.ID)
	c.must(err)
	c.same(s.State, jobs.SignOffDraft)
	c.refused(r.ID, jobs.StepApprove, "bob", jobs.ErrSignOff)
	c.refused(r.ID, jobs.StepReopen, "root", jobs.ErrSignOff)
	c.refused(r.ID, jobs.StepSendBack, "bob", jobs.ErrSignOff)
	c.refused(r.ID, "sell", "bob", jobs.ErrSignOff)
	c.refused("no such", jobs.StepSubmit, "ann", jobs.ErrNoReport)
	c.step(r.ID, jobs.StepSubmit, "ann")
	c.refused(r.ID, jobs.StepSubmit, "bob", jobs.ErrSignOff)
	for _, same := range []string{"ann", "local:ann", "Ann"} { // in the console, on the host, as a provider may write it
		c.refused(r.ID, jobs.StepApprove, same, jobs.ErrFourEyes)
	}
	c.same(c.step(r.ID, jobs.StepSendBack, "bob").Why, "because")
	c.step(r.ID, jobs.StepSubmit, "bob")
	got := c.step(r.ID, jobs.StepApprove, "ann")
	c.same([]string{string(got.State), got.SubmittedBy, got.ApprovedBy}, []string{"approved", "bob", "ann"})
	c.again()
	back, err := c.b.SignOff(c.Context(), r.ID)
	c.must(err)
	c.same(back, got)
	c.refused(r.ID, jobs.StepApprove, "root", jobs.ErrSignOff)
}

func (c *cases) race() {
	for n := range 8 {
		first := c.publish("fabrikam", n+1, 1)
		c.step(first.ID, jobs.StepSubmit, "ann")
		r := c.begin("fabrikam", n+1)
		v := c.version(r, 2)
		var wg sync.WaitGroup
		var approved, published error
		wg.Go(func() {
			_, approved = c.b.TakeStep(c.Context(), first.ID, jobs.StepApprove, "bob", "", c.now)
		})
		wg.Go(func() { _, published = c.p.Publish(c.Context(), r.Lease(), v, nil, c.now) })
		wg.Wait()
		switch {
		case approved == nil && errors.Is(published, jobs.ErrLocked):
			_, err := c.s.Finish(c.Context(), r.Lease(), jobs.Ending{State: jobs.RunSucceeded}, c.now)
			c.must(err)
		case errors.Is(approved, jobs.ErrSignOff) && published == nil:
		default:
			c.Errorf("the approval: %v, the publication: %v", approved, published)
		}
	}
}

func (c *cases) approved() jobs.Report {
	c.Helper()
	r := c.publish("fabrikam", 1, 1)
	c.step(r.ID, jobs.StepSubmit, "ann")
	c.step(r.ID, jobs.StepApprove, "bob")
	return r
}

// raised raises the alert about the lock.
func (c *cases) raised(r jobs.Report) {
	c.Helper()
	_, _, err := c.b.Raise(c.Context(), jobs.Alert{Key: jobs.LockedKey(r.Carrier, r.Period), Kind: jobs.AlertLocked, Carrier: r.Carrier}, c.now)
	c.must(err)
}

// alerts sees to it that so many are open.
func (c *cases) alerts(n int) {
	c.Helper()
	open, err := c.b.Alerts(c.Context(), jobs.AlertFilter{Open: true})
	c.must(err)
	c.same(len(open), n)
}

func (c *cases) reopened() {
	r := c.approved()
	c.raised(r)
	c.step(r.ID, jobs.StepReopen, "root")
	c.alerts(0)
	queued, err := c.s.Runs(c.Context(), jobs.RunFilter{State: jobs.RunQueued})
	c.must(err)
	if len(queued) != 1 || queued[0].Job != r.Job || !queued[0].Period.From.Equal(r.Period.From) || queued[0].By != "root" {
		c.Errorf("%+v", queued)
	}
	c.step(r.ID, jobs.StepSubmit, "ann") // the same version again, if nothing new comes of it
	c.step(r.ID, jobs.StepApprove, "bob")
	c.step(r.ID, jobs.StepReopen, "root") // nothing was held back
	queued, err = c.s.Runs(c.Context(), jobs.RunFilter{State: jobs.RunQueued})
	c.must(err)
	c.same(len(queued), 1)
}
