package jobstest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"concord/jobs"
)

// model is a case as somebody would follow it on paper.
type model struct {
	state, owner string
	seconds      int64
	here, worked bool
	revision     int64
	trail        int
}

// allowed are the ways of people, written out.
var allowed = map[string][]string{
	"open":     {"disputed", "accepted", "resolved"},
	"disputed": {"open", "accepted", "resolved"},
	"accepted": {"open"},
	"resolved": {"open"},
}

func (c *cases) property() {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		known := map[string]*model{}
		carrier, version := fmt.Sprint("carrier ", seed), 0
		for range 40 {
			if version == 0 || r.IntN(3) == 0 {
				version++
				c.tell(carrier, 1, version, c.imagine(r, known, version)...)
			} else {
				c.imitate(r, carrier, known)
			}
			c.compare(carrier, known)
		}
	}
	c.again()
}

// imagine makes up a version, and follows it in the model.
func (c *cases) imagine(r *rand.Rand, known map[string]*model, version int) (news []jobs.CaseNews) {
	for i := range 120 { // more than are written at once
		id := fmt.Sprintf("case%03d", i)
		m, seconds := known[id], int64(1+r.IntN(2))
		switch {
		case m == nil || !m.here:
			if version > 1 && r.IntN(4) > 0 {
				continue
			}
			news = append(news, told("opened", fact(id, seconds))...)
			if m == nil {
				known[id] = &model{state: "open", seconds: seconds, here: true, revision: 1}
				continue
			}
			m.here = true
			m.turn(m.state == "resolved" || m.state == "accepted" && m.seconds != seconds, "open")
			m.seconds = seconds
		case r.IntN(4) == 0:
			news = append(news, told("closed", fact(id, m.seconds))...)
			if !m.worked && m.owner == "" {
				delete(known, id)
				continue
			}
			m.here = false
			m.turn(m.state == "open" || m.state == "disputed", "resolved")
		case r.IntN(3) == 0 && m.seconds != seconds:
			news = append(news, told("changed", fact(id, seconds))...)
			m.seconds = seconds
			m.turn(m.state == "accepted" || m.state == "resolved", "open")
		}
	}
	return news
}

// turn is what a version does to a case.
func (m *model) turn(yes bool, to string) {
	m.revision++
	if yes {
		m.state, m.worked = to, true
		m.trail++
	}
}

// imitate does some work, and does it in the model.
func (c *cases) imitate(r *rand.Rand, carrier string, known map[string]*model) {
	c.Helper()
	w := jobs.CaseWork{Filter: someCases(r, carrier)}
	if r.IntN(4) > 0 {
		w.To = jobs.CaseStates[r.IntN(4)]
	}
	if r.IntN(3) == 0 {
		owner := []string{"", "bob"}[r.IntN(2)]
		w.Owner = &owner
	}
	w.Comment = "a word"
	var want, matched int64
	for id, m := range known {
		if !m.selected(&w.Filter, id) {
			continue
		}
		matched++
		if w.To != "" && (!m.here || !slices.Contains(allowed[m.state], string(w.To))) {
			continue
		}
		want++
		m.revision++
		m.trail++
		m.worked = true
		if w.To != "" {
			m.state = string(w.To)
		}
		if w.Owner != nil {
			m.owner = *w.Owner
		}
	}
	dry := w
	dry.DryRun = true
	if d := c.work(dry); d.Applied.Cases != want || d.ID != "" {
		c.Errorf("a dry run says %+v, want %d", d, want)
	}
	if d := c.work(w); d.Applied.Cases != want || d.Matched != matched {
		c.Errorf("%+v: %+v, want %d of %d", w, d, want, matched)
	}
}

// someCases selects cases by their names, or all that are alike in something.
func someCases(r *rand.Rand, carrier string) jobs.CasesFilter {
	f := jobs.CasesFilter{Carrier: carrier, Gone: r.IntN(2) == 0}
	switch r.IntN(4) {
	case 0:
		f.States = []jobs.CaseState{jobs.CaseStates[r.IntN(4)], jobs.CaseStates[r.IntN(4)]}
	case 1:
		f.Owner = "bob"
	case 2:
		f.Unowned = true
	default:
		for range 30 {
			f.Cases = append(f.Cases, fmt.Sprintf("case%03d", r.IntN(120)))
		}
	}
	return f
}

// selected reports whether a filter of someCases selects the case.
func (m *model) selected(f *jobs.CasesFilter, id string) bool {
	if f.Cases != nil {
		return slices.Contains(f.Cases, id)
	}
	return (m.here || f.Gone) && (f.States == nil || slices.Contains(f.States, jobs.CaseState(m.state))) &&
		(f.Owner == "" || m.owner == f.Owner) && (!f.Unowned || m.owner == "")
}

func (c *cases) compare(carrier string, known map[string]*model) {
	c.Helper()
	all := jobs.CasesFilter{Carrier: carrier, Gone: true}
	list := c.list(all)
	if len(list) != len(known) {
		c.Fatalf("%d cases, want %d", len(list), len(known))
	}
	var sums, aged jobs.CaseSums
	for _, x := range list {
		m := known[x.CaseID]
		if m == nil || string(x.State) != m.state || x.Owner != m.owner || x.Present != m.here || x.Revision != m.revision || x.Worked != m.worked || x.DiffMS != m.seconds*1000 {
			c.Fatalf("%+v, want %+v", x, m)
		}
		sums.Add(&x.CaseFacts)
	}
	ages, err := c.b.AgeCases(c.Context(), all, nil)
	c.must(err)
	for _, a := range ages {
		aged.Cases += a.Cases
		aged.MicrosoftMS += a.MicrosoftMS
		aged.CarrierMS += a.CarrierMS
		aged.DifferenceMS += a.DifferenceMS
	}
	c.same(aged, sums)
	c.compareParts(list, carrier)
	x := list[len(list)/2]
	_, trail, err := c.b.CaseTrail(c.Context(), jobs.CasesFilter{Carrier: carrier, Cases: []string{x.CaseID}})
	c.must(err)
	if m := known[x.CaseID]; len(trail) != m.trail || m.trail > 0 && string(trail[m.trail-1].After) != m.state {
		c.Fatalf("%+v of %+v", trail, m)
	}
}

// compareParts reads the list in parts, and page by page.
func (c *cases) compareParts(list []jobs.Case, carrier string) {
	c.Helper()
	for _, s := range jobs.CaseStates {
		want := slices.DeleteFunc(slices.Clone(list), func(x jobs.Case) bool { return x.State != s || x.Owner != "" })
		var got []jobs.Case
		for after, pages := "", 0; pages == 0 || after != ""; pages++ {
			part, next, err := c.b.ListCases(c.Context(), jobs.CasesFilter{Carrier: carrier, Gone: true, States: []jobs.CaseState{s}, Unowned: true, After: after, Limit: 7})
			c.must(err)
			got, after = append(got, part...), next
		}
		if len(got)+len(want) > 0 {
			c.same(got, want)
		}
	}
}
