package jobstest

import (
	"fmt"
	"slices"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

func (c *reports) list() {
	var all []jobs.Report // newest first
	for n := range 6 {
		r := run([]string{"fabrikam", "contoso"}[n%2], n/2+1)
		r.Job = []string{"daily", "daily", "monthly"}[n%3]
		c.enqueue(r)
		held := c.claim("a")
		v := c.version(held, 1)
		v.Figures.Verdict = []string{"ok", "dispute"}[n/3]
		v.Figures.Pending = int64(n / 4)
		out, err := c.p.Publish(c.Context(), held.Lease(), v, nil, c.now)
		c.must(err)
		all = slices.Insert(all, 0, out)
	}
	again := c.publish("fabrikam", 2, 2)
	all[3].SupersededBy = again.ID
	all = slices.Insert(all, 0, again)
	c.again()
	second := all[0].Period
	same := second
	same.Text, same.From, same.To = "another name", same.From.In(time.FixedZone("", 7200)), same.To.In(time.FixedZone("", -7200))
	for name, q := range map[string]struct {
		f    jobs.ReportFilter
		want []int
	}{
		"all":                {jobs.ReportFilter{}, []int{0, 1, 2, 3, 4, 5, 6}},
		"first page":         {jobs.ReportFilter{Limit: 2}, []int{0, 1}},
		"next page":          {jobs.ReportFilter{Limit: 2, Before: all[1].ID}, []int{2, 3}},
		"carrier":            {jobs.ReportFilter{Carrier: "contoso"}, []int{1, 3, 5}},
		"job":                {jobs.ReportFilter{Job: "monthly"}, []int{1, 4}},
		"verdict":            {jobs.ReportFilter{Verdict: "dispute"}, []int{1, 2, 3}},
		"newest":             {jobs.ReportFilter{Newest: true}, []int{0, 1, 2, 3, 5, 6}},
		"pending":            {jobs.ReportFilter{Pending: true, Carrier: "contoso"}, []int{1}},
		"a period":           {jobs.ReportFilter{Period: &same}, []int{0, 3, 4}},
		"no such period":     {jobs.ReportFilter{Period: &jobs.Period{From: second.From, To: second.To.Add(time.Hour)}}, nil},
		"a carrier's period": {jobs.ReportFilter{Carrier: "fabrikam", Period: &second, Newest: true}, []int{0}},
		"a part of a day":    {jobs.ReportFilter{From: second.From.Add(time.Hour), To: second.From.Add(2 * time.Hour)}, []int{0, 3, 4}},
		"up to a day":        {jobs.ReportFilter{To: second.From}, []int{5, 6}},
		"a day and more":     {jobs.ReportFilter{To: second.From.Add(time.Microsecond)}, []int{0, 3, 4, 5, 6}},
		"from a day on":      {jobs.ReportFilter{From: second.To}, []int{1, 2}},
		"everything": {jobs.ReportFilter{Carrier: "fabrikam", Job: "daily", Period: &second, From: second.From, To: second.To, Verdict: "ok",
			Newest: true, Limit: 1}, []int{0}},
		"none": {jobs.ReportFilter{Carrier: "nobody"}, nil},
	} {
		var want []jobs.Report
		for _, i := range q.want {
			want = append(want, all[i])
		}
		got, err := c.p.Reports(c.Context(), q.f)
		c.must(err)
		if d := cmp.Diff(want, got); d != "" {
			c.Errorf("%s: %s", name, d)
		}
	}
	_, err := c.p.Reports(c.Context(), jobs.ReportFilter{Before: "no such"})
	c.fails(err, jobs.ErrNoReport)
}

func (c *reports) files() {
	var all []jobs.Report
	for n, in := range []jobs.RunInput{{Role: "carrier", File: "f1", SHA256: "aa"}, {Role: "carrier", File: "f2", SHA256: "aa"}} {
		r := c.begin("fabrikam", n+1)
		c.must(c.p.Snapshot(c.Context(), r.Lease(), nil, []jobs.RunInput{in, {Role: "microsoft", File: fmt.Sprint("m", n), SHA256: fmt.Sprint("mm", n)}}))
		out, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, 1), nil, c.now)
		c.must(err)
		all = append(all, out)
	}
	r := c.begin("fabrikam", 3) // reads the file, and has not published yet
	c.must(c.p.Snapshot(c.Context(), r.Lease(), nil, []jobs.RunInput{{Role: "carrier", File: "f1", SHA256: "aa"}}))
	c.again()
	c.lists(jobs.ReportFilter{File: "f1"}, all[0])
	c.lists(jobs.ReportFilter{File: "m1"}, all[1])
	c.lists(jobs.ReportFilter{File: "mm0"}, all[0])
	c.lists(jobs.ReportFilter{File: "aa"}, all[1], all[0])
	c.lists(jobs.ReportFilter{File: "aa", Limit: 1}, all[1])
	c.lists(jobs.ReportFilter{File: "x"})
}

// many has numbers of events around those that a database takes at once.
func (c *reports) many() {
	for version, n := range []int{0, 1, 49, 50, 51, 100, 2500} {
		events := make([]jobs.CaseEvent, n)
		for i := range events {
			events[i] = jobs.CaseEvent{CaseID: fmt.Sprintf("%06d", n-i), Event: "opened", Class: "missing_carrier", DiffMS: int64(i)}
		}
		r := c.publish("fabrikam", 1, version+1, events...)
		got, err := c.p.Cases(c.Context(), jobs.CaseFilter{Report: r.ID})
		c.must(err)
		c.same(len(got), n)
		for i, e := range got {
			want := events[n-1-i]
			want.Carrier, want.Period, want.Report, want.Version = r.Carrier, r.Period, r.ID, r.Version
			if e != want {
				c.Fatalf("%+v, not %+v", e, want)
			}
		}
	}
}

func (c *reports) cases() {
	event := func(id, what string) jobs.CaseEvent { return jobs.CaseEvent{CaseID: id, Event: what} }
	first := c.publish("fabrikam", 1, 1, event("b", "opened"), event("a", "opened"), event("B", "opened"))
	second := c.publish("fabrikam", 1, 2, event("a", "changed"), event("c", "opened"))
	other := c.publish("contoso", 1, 1, event("d", "opened"))
	third := c.publish("fabrikam", 1, 3, event("a", "closed"))
	c.publish("fabrikam", 9, 1)
	c.again()
	for name, q := range map[string]struct {
		f    jobs.CaseFilter
		want []string
	}{
		"all":              {jobs.CaseFilter{}, []string{third.ID + " a closed", other.ID + " d opened", second.ID + " a changed", second.ID + " c opened", first.ID + " B opened", first.ID + " a opened", first.ID + " b opened"}},
		"a page":           {jobs.CaseFilter{Limit: 2}, []string{third.ID + " a closed", other.ID + " d opened"}},
		"a carrier":        {jobs.CaseFilter{Carrier: "contoso"}, []string{other.ID + " d opened"}},
		"another":          {jobs.CaseFilter{Carrier: "fabrikam", Limit: 3}, []string{third.ID + " a closed", second.ID + " a changed", second.ID + " c opened"}},
		"a case":           {jobs.CaseFilter{CaseID: "a"}, []string{third.ID + " a closed", second.ID + " a changed", first.ID + " a opened"}},
		"a carrier's case": {jobs.CaseFilter{CaseID: "a", Carrier: "contoso"}, nil},
		"a version":        {jobs.CaseFilter{Report: first.ID}, []string{first.ID + " B opened", first.ID + " a opened", first.ID + " b opened"}},
		"its first page":   {jobs.CaseFilter{Report: first.ID, Limit: 2}, []string{first.ID + " B opened", first.ID + " a opened"}},
		"its next page":    {jobs.CaseFilter{Report: first.ID, After: "a", Limit: 2}, []string{first.ID + " b opened"}},
		"no such version":  {jobs.CaseFilter{Report: "no such"}, nil},
		"an event":         {jobs.CaseFilter{Event: "closed"}, []string{third.ID + " a closed"}},
		"everything":       {jobs.CaseFilter{Carrier: "fabrikam", CaseID: "c", Report: second.ID, Event: "opened", After: "a", Limit: 9}, []string{second.ID + " c opened"}},
	} {
		list, err := c.p.Cases(c.Context(), q.f)
		c.must(err)
		var got []string
		for _, e := range list {
			got = append(got, e.Report+" "+e.CaseID+" "+e.Event)
		}
		if !slices.Equal(got, q.want) {
			c.Errorf("%s: %q, not %q", name, got, q.want)
		}
	}
}

func (c *reports) kinds() {
	first := c.publish("fabrikam", 1, 1)
	r := run("fabrikam", 1)
	r.Job = "usage"
	c.enqueue(r)
	held := c.claim("a")
	v := c.version(held, 1)
	v.Kind, v.Folder, v.Figures.Verdict = jobs.ReportUsage, "fabrikam/usage/2026-10-01/v1", ""
	usage, err := c.p.Publish(c.Context(), held.Lease(), v, nil, c.now)
	c.must(err)
	if usage.Supersedes != "" || usage.Kind != jobs.ReportUsage {
		c.Errorf("%+v", usage)
	}
	second := c.publish("fabrikam", 1, 2)
	first.SupersededBy = second.ID
	c.again()
	c.lists(jobs.ReportFilter{}, second, usage, first)
	c.lists(jobs.ReportFilter{Kind: jobs.ReportUsage}, usage)
	c.lists(jobs.ReportFilter{Kind: jobs.ReportReconcile, Newest: true}, second)
}
