package jobstest

import (
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"concord/jobs"
)

// Casebook is what remembers versions and what people make of their cases.
type Casebook interface {
	Publisher
	jobs.CaseBook
	jobs.SignOffs
	jobs.Alerts
}

// TestCases is the contract of a Casebook, as TestReports is that of a Publisher.
func TestCases(t *testing.T, open func(t *testing.T) Casebook, reopen func(t *testing.T, b Casebook) Casebook) {
	for name, test := range map[string]func(*cases){
		"cases follow versions and people as a slow model does": (*cases).property,
		"a version is taken over once and in its order":         (*cases).order,
		"of a first version that is broken off nothing is seen": (*cases).brokenFirst,
		"a version that comes over a broken one stands alone":   (*cases).brokenFirstThenNext,
		"what a version changes goes on where it was broken":    (*cases).brokenNext,
		"cases get other ids while they are taken over":         (*cases).renamedMidway,
		"the same key several times at once is one work":        (*cases).keyedAtOnce,
		"versions and people get on with each other":            (*cases).together,
		"who lists a version as the first may find another one": (*cases).overtaken,
		"who comes second is told":                              (*cases).stale,
		"work with a key is done once":                          (*cases).keyed,
		"a list has every case once, page by page":              (*cases).paging,
		"cases are counted by age":                              (*cases).ages,
		"a case in two periods has to be told apart":            (*cases).ambiguous,
		"cases may get other ids":                               (*cases).rename,
		"an approved version locks its period":                  (*cases).lock,
		"every period is listed by where it stands":             (*cases).standings,
		"four eyes sign a version off":                          (*cases).fourEyes,
		"of an approval and a publication at once one wins":     (*cases).race,
		"what was held back goes on when a period is reopened":  (*cases).reopened,
		"a period reopened while a run ends holds nothing back": (*cases).reopenedAtTheEnd,
		"a run that ends and a reopening at once lose nothing":  (*cases).endedAndReopened,
		"an approval anew is told of what it holds back":        (*cases).approvedAnew,
		"a further version ends the alert about the lock":       (*cases).publishedAfterAll,
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			c := &cases{reports: reports{runs: runs{T: t, s: b, now: day(1)}, p: b}, b: b}
			c.reopen = func(t *testing.T, _ State) State {
				c.b = reopen(t, c.b)
				c.p = c.b
				return c.b
			}
			test(c)
		})
	}
}

// cases is one test of a Casebook.
type cases struct {
	reports
	b Casebook
}

func fact(id string, seconds int64) jobs.CaseFacts {
	return jobs.CaseFacts{CaseID: id, Class: "duration_over", Start: day(1), MicrosoftMS: 60_000, CarrierMS: 60_000 + seconds*1000, DiffMS: seconds * 1000}
}

func told(event string, facts ...jobs.CaseFacts) (list []jobs.CaseNews) {
	for _, f := range facts {
		list = append(list, jobs.CaseNews{CaseFacts: f, Event: event})
	}
	return list
}

func stream(list []jobs.CaseNews) func() iter.Seq2[jobs.CaseNews, error] {
	return func() iter.Seq2[jobs.CaseNews, error] {
		return func(yield func(jobs.CaseNews, error) bool) {
			for _, n := range list {
				if !yield(n, nil) {
					return
				}
			}
		}
	}
}

// tell publishes a version of the nth of October and has the book know it.
func (c *cases) tell(carrier string, n, version int, news ...jobs.CaseNews) jobs.Report {
	c.Helper()
	var events []jobs.CaseEvent
	for _, x := range news {
		if version > 1 {
			events = append(events, jobs.CaseEvent{CaseID: x.CaseID, Event: x.Event})
		}
	}
	r := c.publish(carrier, n, version, events...)
	c.must(c.b.Register(c.Context(), r, version == 1, stream(news), c.now))
	return r
}

func (c *cases) work(w jobs.CaseWork) jobs.CaseWorkDone {
	c.Helper()
	done, err := c.b.WorkOnCases(c.Context(), c.by(w), c.now)
	c.must(err)
	return done
}

func (c *cases) by(w jobs.CaseWork) jobs.CaseWork {
	c.n++
	w.ID = fmt.Sprint("work ", c.n)
	if w.By == "" {
		w.By = "ann"
	}
	return w
}

func (c *cases) list(f jobs.CasesFilter) []jobs.Case {
	c.Helper()
	list, _, err := c.b.ListCases(c.Context(), f)
	c.must(err)
	return list
}

func (c *cases) order() {
	first := c.publish("fabrikam", 1, 1)
	list, whole, err := c.b.Unregistered(c.Context(), "")
	c.must(err)
	c.same(whole, []bool{true})
	c.same(list[0].ID, first.ID)
	c.must(c.b.Register(c.Context(), first, true, stream(told("opened", fact("a", 1), fact("b", 1))), c.now))
	c.must(c.b.Register(c.Context(), first, true, stream(told("opened", fact("z", 1))), c.now)) // nothing happens
	second := c.publish("fabrikam", 1, 2, jobs.CaseEvent{CaseID: "c", Event: "opened"})
	third := c.publish("fabrikam", 1, 3)
	c.again()
	list, whole, err = c.b.Unregistered(c.Context(), "fabrikam")
	c.must(err)
	c.same([]string{list[0].ID, list[1].ID}, []string{second.ID, third.ID})
	c.same(whole, []bool{false, false})
	if err := c.b.Register(c.Context(), third, false, stream(nil), c.now); err == nil {
		c.Error("a version was taken over before the one that it follows")
	}
	broken := errors.New("the file broke off")
	half := func() iter.Seq2[jobs.CaseNews, error] {
		return func(yield func(jobs.CaseNews, error) bool) {
			for _, n := range told("closed", fact("a", 1), fact("b", 1)) {
				yield(n, nil)
			}
			yield(jobs.CaseNews{}, broken)
		}
	}
	c.fails(c.b.Register(c.Context(), second, false, half, c.now), broken)
	c.same(len(c.list(jobs.CasesFilter{})), 2)
	c.must(c.b.Register(c.Context(), second, false, stream(append(told("opened", fact("c", 1)), told("closed", fact("a", 1))...)), c.now))
	c.must(c.b.Register(c.Context(), third, false, stream(nil), c.now))
	got := c.list(jobs.CasesFilter{})
	c.same([]string{got[0].CaseID, got[1].CaseID}, []string{"c", "b"})
	c.same([]time.Time{got[0].Since, got[1].Since}, []time.Time{second.Published, first.Published})
	list, _, err = c.b.Unregistered(c.Context(), "")
	c.must(err)
	c.same(len(list), 0)

	// A book that comes late knows since when all the same.
	early := c.publish("contoso", 1, 1)
	late := c.publish("contoso", 1, 2, jobs.CaseEvent{CaseID: "y", Event: "opened"})
	c.must(c.b.Register(c.Context(), late, true, stream(told("opened", fact("x", 1), fact("y", 1))), c.now))
	got = c.list(jobs.CasesFilter{Carrier: "contoso"})
	c.same([]time.Time{got[0].Since, got[1].Since}, []time.Time{late.Published, early.Published})
}

func (c *cases) stale() {
	c.tell("fabrikam", 1, 1, told("opened", fact("a", 1), fact("b", 2))...)
	one := jobs.CaseWork{Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseDisputed, Revision: 1}
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		w := c.by(one)
		wg.Go(func() { _, errs[i] = c.b.WorkOnCases(c.Context(), w, c.now) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, jobs.ErrStale) {
			c.Error(err)
		}
	}
	c.same(won, 1)
	two := int64(2)
	_, err := c.b.WorkOnCases(c.Context(), c.by(jobs.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, To: jobs.CaseDisputed, Expect: &two}), c.now)
	c.fails(err, jobs.ErrExpected)
	one.Filter.Cases = []string{"nobody"}
	_, err = c.b.WorkOnCases(c.Context(), c.by(one), c.now)
	c.fails(err, jobs.ErrNoCase)
	_, _, err = c.b.CaseTrail(c.Context(), one.Filter)
	c.fails(err, jobs.ErrNoCase)
	_, _, err = c.b.ListCases(c.Context(), jobs.CasesFilter{After: "nonsense"})
	c.fails(err, jobs.ErrNoCase)
}

func (c *cases) keyed() {
	c.tell("fabrikam", 1, 1, told("opened", fact("a", 1), fact("b", 2))...)
	w := jobs.CaseWork{Filter: jobs.CasesFilter{Carrier: "fabrikam"}, To: jobs.CaseDisputed, Key: "k"}
	first := c.work(w)
	c.same(first.Applied, jobs.CaseSums{Cases: 2, MicrosoftMS: 120_000, CarrierMS: 123_000, DifferenceMS: 3000})
	c.work(jobs.CaseWork{Filter: w.Filter, To: jobs.CaseOpen})
	c.again()
	again := c.work(w)
	first.Repeated = true
	c.same(again, first)
	c.same(c.list(w.Filter)[0].State, jobs.CaseOpen)
	w.To, w.Key, w.Filter.Before = jobs.CaseAccepted, "older", c.now.AddDate(0, 0, 1) // as --older reckons it
	done := c.work(w)
	w.Filter.Before = w.Filter.Before.Add(3 * time.Second) // the same command again
	done.Repeated = true
	c.same(c.work(w), done)
	w.To, w.Key, w.Filter.Before = jobs.CaseResolved, "k", time.Time{}
	_, err := c.b.WorkOnCases(c.Context(), c.by(w), c.now)
	c.fails(err, jobs.ErrKey)
	c.work(jobs.CaseWork{Filter: w.Filter, To: jobs.CaseOpen})
	w.By = "bob" // whose keys are his own
	c.same(c.work(w).Applied.Cases, int64(2))
}

func (c *cases) paging() {
	for n := range 3 {
		var facts []jobs.CaseFacts
		for i := range 5 {
			facts = append(facts, fact(fmt.Sprint("case ", i), 1))
		}
		c.tell("fabrikam", n+1, 1, told("opened", facts...)...)
	}
	all := c.list(jobs.CasesFilter{})
	c.same(len(all), 15)
	for size := 1; size < 16; size++ {
		var got []jobs.Case
		for after, pages := "", 0; pages == 0 || after != ""; pages++ {
			list, next, err := c.b.ListCases(c.Context(), jobs.CasesFilter{After: after, Limit: size})
			c.must(err)
			got, after = append(got, list...), next
		}
		c.same(got, all)
	}
	c.same(len(c.list(jobs.CasesFilter{Period: all[0].Period.Text})), 5)
	c.same(len(c.list(jobs.CasesFilter{From: all[0].Period.From, To: all[0].Period.To})), 5)
	c.same(len(c.list(jobs.CasesFilter{Classes: []string{"other"}})), 0)
	c.same(len(c.list(jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseDisputed}})), 0)
	c.same(len(c.list(jobs.CasesFilter{Unowned: true, Before: day(30)})), 15)
}

func (c *cases) ages() {
	c.tell("fabrikam", 1, 1, told("opened", fact("a", 1), fact("b", 2))...)
	c.now = c.now.AddDate(0, 0, 10)
	c.tell("fabrikam", 2, 1, told("opened", fact("c", 4))...)
	c.work(jobs.CaseWork{Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseDisputed})
	got, err := c.b.AgeCases(c.Context(), jobs.CasesFilter{Carrier: "fabrikam"}, []time.Time{c.now.AddDate(0, 0, -7), c.now.AddDate(0, 0, -30)})
	c.must(err)
	sums := func(s int64) jobs.CaseSums {
		return jobs.CaseSums{Cases: 1, MicrosoftMS: 60_000, CarrierMS: 60_000 + 1000*s, DifferenceMS: 1000 * s}
	}
	c.same(got, []jobs.CaseAge{{State: "disputed", Bucket: 1, CaseSums: sums(1)}, {State: "open", Bucket: 0, CaseSums: sums(4)}, {State: "open", Bucket: 1, CaseSums: sums(2)}})
}

func (c *cases) ambiguous() {
	c.tell("fabrikam", 1, 1, told("opened", fact("a", 1))...)
	c.tell("fabrikam", 2, 1, told("opened", fact("a", 1))...)
	w := jobs.CaseWork{Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseDisputed, Revision: 1}
	_, err := c.b.WorkOnCases(c.Context(), c.by(w), c.now)
	c.fails(err, jobs.ErrAmbiguous)
	_, _, err = c.b.CaseTrail(c.Context(), w.Filter)
	c.fails(err, jobs.ErrAmbiguous)
	w.Filter.Period = run("fabrikam", 1).Period.Text
	c.same(c.work(w).Applied.Cases, int64(1))
	w.Filter.Period = run("fabrikam", 2).Period.Edges()
	c.same(c.work(w).Applied.Cases, int64(1))
	x, _, err := c.b.CaseTrail(c.Context(), w.Filter)
	c.must(err)
	c.same(x.Period.Text, run("fabrikam", 2).Period.Text)
}

func (c *cases) rename() {
	r := c.tell("fabrikam", 1, 1, told("opened", fact("a", 1), fact("b", 1))...)
	c.work(jobs.CaseWork{Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseDisputed, Comment: "x"})
	for range 2 { // a second time nothing happens
		c.must(c.b.RenameCases(c.Context(), "fabrikam", r.Period, map[string]string{"a": "z"}))
	}
	x, trail, err := c.b.CaseTrail(c.Context(), jobs.CasesFilter{Cases: []string{"z"}})
	c.must(err)
	c.same(x.State, jobs.CaseDisputed)
	c.same(len(trail), 1)
	_, _, err = c.b.CaseTrail(c.Context(), jobs.CasesFilter{Cases: []string{"a"}})
	c.fails(err, jobs.ErrNoCase)
}
