package jobstest

import (
	"concord/exchange/landing"
	"concord/jobs"
)

// ofMicrosoft is an arrival of the other side.
func ofMicrosoft(a jobs.Arrival) jobs.Arrival {
	a.Microsoft = true
	return a
}

func (c *contract) sides() {
	a := c.arrival("a", "aa", 4)
	first, _ := c.record(a, landing.StatusAccepted)
	same, k := c.record(ofMicrosoft(a), landing.StatusAccepted)
	c.same(k, jobs.Known{})
	if same.ID != first.ID || !same.Microsoft {
		c.Errorf("the same upload of the other side: %+v", same)
	}
	high, k := c.record(ofMicrosoft(c.arrival("b", "bb", 9)), landing.StatusAccepted)
	c.same(k, jobs.Known{Highest: number(4)})
	c.again()
	_, k = c.record(c.arrival("c", "bb", 9), landing.StatusDuplicate)
	c.same(k, jobs.Known{Highest: number(4)})
	_, k = c.record(ofMicrosoft(c.arrival("d", "aa", 9)), landing.StatusDuplicate)
	c.same(k, jobs.Known{Content: &same, Number: &high, Highest: number(9)})
}

func (c *contract) microsoft() {
	a := ofMicrosoft(c.arrival("m.csv", "aa", -1))
	first, _ := c.record(a, landing.StatusAccepted)
	carriers, _ := c.record(c.arrival("m.csv", "aa", -1), landing.StatusAccepted)
	c.again()
	open, err := c.l.Unsettled(c.Context(), a.Carrier)
	c.same(err, nil)
	c.same(open, []jobs.Entry{carriers})
	again, err := c.l.Record(c.Context(), a, func(jobs.Known) jobs.Entry {
		c.Error("decided again")
		return entryOf(a, landing.StatusDuplicate)
	})
	c.same(err, nil)
	c.same(again, first)
	c.same(c.l.Settle(c.Context(), a.Carrier, first.ID), nil)
	later := a
	later.Received = later.Received.Add(1e9)
	if _, k := c.record(later, landing.StatusDuplicate); k.Content == nil || k.Content.ID != first.ID {
		c.Error("a file that was put there again is taken for new")
	}
	all, err := c.l.Files(c.Context(), a.Carrier)
	c.same(err, nil)
	c.same(len(all), 3)
	if held, err := c.l.Holds(c.Context(), "aa"); !held || err != nil {
		c.Error(held, err)
	}
}
