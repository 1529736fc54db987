package jobstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"concord/jobs"
)

func (c *reports) lost() {
	r := c.begin("fabrikam", 1)
	other, earlier := r.Lease(), r.Lease()
	other.Owner, earlier.Attempt = "b", 0
	for _, l := range []jobs.Lease{other, earlier} {
		_, err := c.p.Publish(c.Context(), l, c.version(r, 1), nil, c.now)
		c.fails(err, jobs.ErrLost)
	}
	_, err := c.p.Publish(c.Context(), jobs.Lease{Run: "no such"}, c.version(r, 1), nil, c.now)
	c.fails(err, jobs.ErrNoRun)
	c.now = r.LeaseUntil.Add(time.Second)
	_, err = c.p.Expire(c.Context(), c.now, 5)
	c.must(err)
	held := c.claim("a") // the same service once more
	out, err := c.p.Publish(c.Context(), held.Lease(), c.version(held, 1), nil, c.now)
	c.must(err)
	_, err = c.p.Publish(c.Context(), r.Lease(), c.version(r, 1), nil, c.now)
	c.fails(err, jobs.ErrLost)
	c.lists(jobs.ReportFilter{}, out)
}

// repeated publishes once more, as after an answer that was lost.
func (c *reports) repeated() {
	r := c.begin("fabrikam", 1)
	v := c.version(r, 1)
	event := []jobs.CaseEvent{{CaseID: "c1", Event: "opened"}}
	first, err := c.p.Publish(c.Context(), r.Lease(), v, event, c.now)
	c.must(err)
	for range 2 {
		c.again()
		got, err := c.p.Publish(c.Context(), r.Lease(), v, event, day(3))
		c.must(err)
		c.same(got, first)
	}
	second := c.publish("fabrikam", 1, 2)
	first.SupersededBy = second.ID
	got, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, 7), nil, day(3))
	c.must(err)
	c.same(got, first)
	c.lists(jobs.ReportFilter{}, second, first)
	cases, err := c.p.Cases(c.Context(), jobs.CaseFilter{})
	c.must(err)
	c.same(len(cases), 1)
	_, err = c.p.Finish(c.Context(), r.Lease(), jobs.Ending{State: jobs.RunFailed}, c.now)
	c.fails(err, jobs.ErrLost)
	next, err := c.p.Finish(c.Context(), r.Lease(), jobs.Ending{State: jobs.RunSucceeded, Report: first.ID}, c.now)
	c.must(err)
	c.same(next, jobs.Run{})
}

// over has runs that ended without a version of their own.
func (c *reports) over() {
	first := c.publish("fabrikam", 1, 1)
	for _, e := range []jobs.Ending{{State: jobs.RunFailed, Error: "x"}, {State: jobs.RunCancelled}, {State: jobs.RunSucceeded, Report: first.ID}} {
		r := c.begin("fabrikam", 1)
		_, err := c.p.Finish(c.Context(), r.Lease(), e, c.now)
		c.must(err)
		c.again()
		_, err = c.p.Publish(c.Context(), r.Lease(), c.version(r, 2), nil, c.now)
		c.fails(err, jobs.ErrLost)
	}
	r := c.begin("fabrikam", 1)
	c.must(c.p.Release(c.Context(), r.Lease(), c.now))
	_, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, 2), nil, c.now)
	c.fails(err, jobs.ErrLost)
	c.lists(jobs.ReportFilter{}, first)
}

func (c *reports) cancelled() {
	r := c.begin("fabrikam", 1)
	_, err := c.p.Cancel(c.Context(), r.ID, "ann", c.now)
	c.must(err)
	out, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, 1), nil, c.now)
	c.must(err)
	got := c.find(r.ID)
	if got.State != jobs.RunSucceeded || got.Report != out.ID || got.Error != "" {
		c.Errorf("%+v", got)
	}
}

// rivals are runs of two jobs about the same carrier and period, each held by
// a service of its own.
func (c *reports) rivals() (held [2]jobs.Run, services [2]Publisher) {
	first := c.p
	c.again()
	services = [2]Publisher{first, c.p}
	for i, p := range services {
		r := run("fabrikam", 1)
		r.Job = fmt.Sprint("job ", i)
		c.enqueue(r)
		var err error
		held[i], err = p.Claim(c.Context(), jobs.ClaimOptions{Owner: fmt.Sprint("service ", i), Now: c.now, Lease: lease})
		c.must(err)
	}
	return held, services
}

func (c *reports) race() {
	events := []jobs.CaseEvent{{CaseID: "c1", Event: "opened"}, {CaseID: "c2", Event: "closed"}}
	for version := 1; version <= 8; version++ {
		held, services := c.rivals()
		var wg sync.WaitGroup
		var errs [2]error
		for i, p := range services {
			v := c.version(held[i], version)
			wg.Go(func() { _, errs[i] = p.Publish(c.Context(), held[i].Lease(), v, events, c.now) })
		}
		wg.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		c.must(errs[winner])
		c.fails(errs[1-winner], jobs.ErrVersion)
		c.same(c.find(held[1-winner].ID), held[1-winner])
		list, err := c.p.Reports(c.Context(), jobs.ReportFilter{Newest: true})
		c.must(err)
		if len(list) != 1 || list[0].Version != version || list[0].Run != held[winner].ID {
			c.Fatalf("%+v", list)
		}
		_, err = services[1-winner].Finish(c.Context(), held[1-winner].Lease(), jobs.Ending{State: jobs.RunFailed}, c.now)
		c.must(err)
	}
	cases, err := c.p.Cases(c.Context(), jobs.CaseFilter{})
	c.must(err)
	c.same(len(cases), 16)
}

func (c *reports) twice() {
	r := c.begin("fabrikam", 1)
	first := c.p
	c.again()
	v := c.version(r, 1)
	var wg sync.WaitGroup
	var out [6]jobs.Report
	for i := range out {
		wg.Go(func() {
			var err error
			if out[i], err = []Publisher{first, c.p}[i%2].Publish(c.Context(), r.Lease(), v, nil, c.now); err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	for _, got := range out {
		c.same(got, out[0])
	}
	c.lists(jobs.ReportFilter{}, out[0])
}

// queue has services publish the same period again and again, each after the
// newest version that it sees.
func (c *reports) queue() {
	const each = 6
	held, services := [4][each]jobs.Run{}, [4]Publisher{}
	for i := range held {
		if i > 0 {
			c.again()
		}
		services[i] = c.p
		for n := range held[i] {
			r := run("fabrikam", 1)
			r.Job = fmt.Sprint("job ", i, " ", n)
			c.enqueue(r)
			held[i][n] = c.claim(fmt.Sprint("service ", i))
		}
	}
	var wg sync.WaitGroup
	for i, p := range services {
		wg.Go(func() {
			for _, r := range held[i] {
				c.insist(p, r)
			}
		})
	}
	wg.Wait()
	list, err := c.p.Reports(c.Context(), jobs.ReportFilter{})
	c.must(err)
	c.same(len(list), len(held)*each)
	after := ""
	for i, r := range list {
		c.same(r.Version, len(list)-i)
		c.same(r.SupersededBy, after)
		after = r.ID
	}
}

// insist publishes after the newest version until nobody is in the way.
func (c *reports) insist(p Publisher, r jobs.Run) {
	for {
		newest, err := p.Reports(c.Context(), jobs.ReportFilter{Carrier: r.Carrier, Period: &r.Period, Newest: true})
		if err != nil || len(newest) > 1 {
			c.Errorf("%d are the newest, %v", len(newest), err)
			return
		}
		v := jobs.Report{ID: "of " + r.Job, Folder: "of " + r.Job, Carrier: r.Carrier, Period: r.Period, Version: 1}
		if len(newest) > 0 {
			v.Version, v.Supersedes = newest[0].Version+1, newest[0].ID
		}
		_, err = p.Publish(c.Context(), r.Lease(), v, []jobs.CaseEvent{{CaseID: "c1", Event: "changed"}}, c.now)
		if !errors.Is(err, jobs.ErrVersion) {
			if err != nil {
				c.Error(err)
			}
			return
		}
	}
}

func (c *reports) gone() {
	r := c.begin("fabrikam", 1)
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, err := c.p.Publish(ctx, r.Lease(), c.version(r, 1), nil, c.now)
	c.fails(err, context.Canceled)
	c.again()
	c.same(c.find(r.ID), r)
	c.lists(jobs.ReportFilter{})
}
