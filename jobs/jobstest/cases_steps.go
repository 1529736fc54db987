package jobstest

import (
	"errors"
	"fmt"
	"iter"
	"sync"

	"concord/jobs"
)

// several are more cases than are taken over at once.
const several = 5_600

func manyFacts(n int) (list []jobs.CaseFacts) {
	for i := range n {
		list = append(list, fact(fmt.Sprintf("case%06d", i), int64(1+i%7)))
	}
	return list
}

// brokenOff are news that end after some.
func brokenOff(list []jobs.CaseNews, n int) (func() iter.Seq2[jobs.CaseNews, error], error) {
	broken := errors.New("the service was killed")
	return func() iter.Seq2[jobs.CaseNews, error] {
		return func(yield func(jobs.CaseNews, error) bool) {
			for _, x := range list[:n] {
				if !yield(x, nil) {
					return
				}
			}
			yield(jobs.CaseNews{}, broken)
		}
	}, broken
}

// brokenFirst breaks a first version off: nobody may see, count or work on a part
// of it, whatever goes on then.
func (c *cases) brokenFirst() {
	for name, n := range map[string]int{"early": 100, "after a step": 5000, "late": 5_500} {
		carrier := "carrier " + name
		first := c.publish(carrier, 1, 1)
		facts := manyFacts(several)
		half, broken := brokenOff(told("opened", facts...), n)
		c.fails(c.b.Register(c.Context(), first, true, half, c.now), broken)
		c.unseen(carrier)
		c.again()
		c.unseen(carrier)
		list, whole, err := c.b.Unregistered(c.Context(), carrier)
		c.must(err)
		c.same(len(list) == 1 && whole[0], true)
		c.must(c.b.Register(c.Context(), first, true, stream(told("opened", facts...)), c.now))
		c.allThere(carrier, facts)
	}
}

// brokenFirstThenNext breaks a first version off, and another one comes before it
// goes on: what only the first one says must not stay.
func (c *cases) brokenFirstThenNext() {
	first := c.publish("fabrikam", 1, 1)
	half, broken := brokenOff(told("opened", manyFacts(several)...), 5_400)
	c.fails(c.b.Register(c.Context(), first, true, half, c.now), broken)
	next := c.publish("fabrikam", 1, 2)
	facts := manyFacts(several)[3:]
	c.must(c.b.Register(c.Context(), next, true, stream(told("opened", facts...)), c.now))
	c.allThere("fabrikam", facts)
}

// renamedMidway gives cases other ids while a first version is taken over: those of
// before must not stay, and none may be left out.
func (c *cases) renamedMidway() {
	first := c.publish("fabrikam", 1, 1)
	facts := manyFacts(several)
	half, broken := brokenOff(told("opened", facts...), 5400)
	c.fails(c.b.Register(c.Context(), first, true, half, c.now), broken)
	c.must(c.b.RenameCases(c.Context(), "fabrikam", first.Period, map[string]string{facts[1].CaseID: "z", facts[several-1].CaseID: "a"}))
	last := facts[1]
	last.CaseID = "z"
	renamed := append([]jobs.CaseFacts{facts[several-1], facts[0]}, append(facts[2:several-1:several-1], last)...)
	renamed[0].CaseID = "a"
	c.must(c.b.Register(c.Context(), first, true, stream(told("opened", renamed...)), c.now))
	c.allThere("fabrikam", renamed)
}

// keyedAtOnce sends the same request several times at once: it is done once, and
// all get the same answer.
func (c *cases) keyedAtOnce() {
	c.tell("fabrikam", 1, 1, told("opened", manyFacts(200)...)...)
	w := jobs.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, Comment: "x", Key: "k"}
	done := make([]jobs.CaseWorkDone, 6)
	var wg sync.WaitGroup
	for i := range done {
		w := c.by(w)
		wg.Go(func() {
			var err error
			if done[i], err = c.b.WorkOnCases(c.Context(), w, c.now); err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	first := 0
	for i := range done {
		if !done[i].Repeated {
			first++
		}
		c.same(done[i].ID, done[0].ID)
		c.same(done[i].Applied.Cases, int64(200))
	}
	c.same(first, 1)
	c.same(c.list(w.Filter)[0].Revision, int64(2))
}

// brokenNext breaks off what a version changes; it goes on where it stopped, and
// each case is changed once.
func (c *cases) brokenNext() {
	facts := manyFacts(several)
	c.tell("fabrikam", 1, 1, told("opened", facts...)...)
	c.work(jobs.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, To: jobs.CaseAccepted})
	for i := range facts {
		facts[i].DiffMS, facts[i].CarrierMS = facts[i].DiffMS+500, facts[i].CarrierMS+500
	}
	next := c.publish("fabrikam", 1, 2)
	half, broken := brokenOff(told("changed", facts...), 5_300)
	c.fails(c.b.Register(c.Context(), next, false, half, c.now), broken)
	c.again()
	c.must(c.b.Register(c.Context(), next, false, stream(told("changed", facts...)), c.now))
	c.allThere("fabrikam", facts)
	for _, x := range c.list(jobs.CasesFilter{Carrier: "fabrikam"}) {
		if x.State != jobs.CaseOpen || x.Revision != 3 {
			c.Fatalf("%+v", x)
		}
	}
	_, trail, err := c.b.CaseTrail(c.Context(), jobs.CasesFilter{Cases: []string{facts[0].CaseID}})
	c.must(err)
	c.same(len(trail), 2)
	c.same(trail[1].Version, 2)
}

// unseen sees to it that there is nothing of a carrier.
func (c *cases) unseen(carrier string) {
	c.Helper()
	f := jobs.CasesFilter{Carrier: carrier, Gone: true}
	c.same(len(c.list(f)), 0)
	ages, err := c.b.AgeCases(c.Context(), f, nil)
	c.must(err)
	c.same(len(ages), 0)
	c.same(c.work(jobs.CaseWork{Filter: f, Comment: "x"}).Matched, int64(0))
	_, _, err = c.b.CaseTrail(c.Context(), jobs.CasesFilter{Carrier: carrier, Cases: []string{"case000001"}})
	c.fails(err, jobs.ErrNoCase)
}

// allThere sees to it that the cases of a carrier are those, and are counted so.
func (c *cases) allThere(carrier string, facts []jobs.CaseFacts) {
	c.Helper()
	list := c.list(jobs.CasesFilter{Carrier: carrier, Gone: true})
	if len(list) != len(facts) {
		c.Fatalf("%d cases, want %d", len(list), len(facts))
	}
	var sums jobs.CaseSums
	for i := range facts {
		if x := &list[len(list)-1-i]; x.CaseFacts != facts[i] {
			c.Fatalf("%+v, want %+v", x, facts[i])
		}
		sums.Add(&facts[i])
	}
	ages, err := c.b.AgeCases(c.Context(), jobs.CasesFilter{Carrier: carrier, Gone: true}, nil)
	c.must(err)
	c.same(len(ages), 1)
	c.same(ages[0].CaseSums, sums)
}

// together has people work on many cases while versions come: no case may be
// counted twice or lost, and each trail ends in the state of its case.
func (c *cases) together() {
	facts := manyFacts(300)
	c.tell("fabrikam", 1, 1, told("opened", facts...)...)
	var versions []jobs.Report
	for v := range 4 {
		versions = append(versions, c.publish("fabrikam", 1, v+2))
	}
	var work [3][]jobs.CaseWork
	for i := range 24 {
		w := jobs.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, To: jobs.CaseStates[i%4], Comment: "x"}
		if i%3 == 0 {
			w.Filter.Cases = []string{facts[i].CaseID, facts[2*i].CaseID}
		}
		work[i%3] = append(work[i%3], c.by(w))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i, v := range versions {
			news := told([]string{"closed", "opened"}[i%2], facts[:100]...)
			if err := c.b.Register(c.Context(), v, false, stream(news), c.now); err != nil {
				c.Error(err)
			}
		}
	})
	for _, list := range work {
		wg.Go(func() {
			for _, w := range list {
				if _, err := c.b.WorkOnCases(c.Context(), w, c.now); err != nil {
					c.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.tied("fabrikam", 300)
}

func (c *cases) tied(carrier string, n int) {
	c.Helper()
	list := c.list(jobs.CasesFilter{Carrier: carrier, Gone: true})
	c.same(len(list), n)
	counted := map[jobs.CaseState]int64{}
	for i := range list {
		x := &list[i]
		counted[x.State]++
		_, trail, err := c.b.CaseTrail(c.Context(), jobs.CasesFilter{Cases: []string{x.CaseID}})
		c.must(err)
		for i := 1; i < len(trail); i++ {
			if trail[i].Before != trail[i-1].After {
				c.Fatalf("%+v", trail)
			}
		}
		if len(trail) > 0 && trail[len(trail)-1].After != x.State {
			c.Fatalf("%+v of %+v", trail, x)
		}
	}
	ages, err := c.b.AgeCases(c.Context(), jobs.CasesFilter{Carrier: carrier, Gone: true}, nil)
	c.must(err)
	for _, a := range ages {
		counted[a.State] -= a.Cases
	}
	for s, n := range counted {
		if n != 0 {
			c.Errorf("%d cases that are %s are counted wrong", n, s)
		}
	}
}
