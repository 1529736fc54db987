package jobstest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// Publisher is what remembers runs and the versions that they publish.
type Publisher interface {
	State
	jobs.Reports
}

// TestReports is the contract of a Publisher. open returns an empty one;
// reopen returns the same one as a new process, or a second service, would
// find it.
func TestReports(t *testing.T, open func(t *testing.T) Publisher, reopen func(t *testing.T, p Publisher) Publisher) {
	for name, test := range map[string]func(*reports){
		"a version comes back as it was published":              (*reports).whole,
		"a version supersedes the one before":                   (*reports).chain,
		"two versions never share a folder":                     (*reports).folders,
		"kinds have versions of their own":                      (*reports).kinds,
		"periods and carriers have versions of their own":       (*reports).apart,
		"a version follows the newest one or is refused":        (*reports).gapless,
		"who lost the run publishes nothing":                    (*reports).lost,
		"whoever asks again is told what was published":         (*reports).repeated,
		"a run that published nothing can be said to be over":   (*reports).over,
		"a run that is to be cancelled may still publish":       (*reports).cancelled,
		"of two publishers at once one wins":                    (*reports).race,
		"the same publisher twice at once publishes once":       (*reports).twice,
		"many publishers one after the other leave no gap":      (*reports).queue,
		"versions are listed by what people ask for":            (*reports).list,
		"files lead to versions":                                (*reports).files,
		"a version has as many events as it has":                (*reports).many,
		"what became of cases is listed by what people ask for": (*reports).cases,
		"nothing is published for who has gone":                 (*reports).gone,
		"what goes to carriers waits until it is there":         (*reports).deliveries,
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			c := &reports{runs: runs{T: t, s: p, now: day(1)}, p: p}
			c.reopen = func(t *testing.T, _ State) State {
				c.p = reopen(t, c.p)
				return c.p
			}
			test(c)
		})
	}
}

// reports is one test of a Publisher.
type reports struct {
	runs
	p Publisher
	n int
}

// begin returns a run of a carrier for the nth of October that is running.
func (c *reports) begin(carrier string, n int) jobs.Run {
	c.Helper()
	c.enqueue(run(carrier, n))
	return c.claim("a")
}

// version is what a run is to publish.
func (c *reports) version(r jobs.Run, version int) jobs.Report {
	c.n++
	return jobs.Report{
		ID: fmt.Sprintf("report %03d", c.n), Kind: jobs.ReportReconcile, Carrier: r.Carrier, Period: r.Period, Version: version, Job: r.Job,
		Folder: fmt.Sprint(r.Carrier, "/", r.Period.Text, "/v", version), Basis: fmt.Sprint("basis ", c.n), Manifest: fmt.Sprint("manifest ", c.n),
		AsOf: day(20), Figures: jobs.Figures{Verdict: "ok"},
	}
}

// publish begins a run and publishes its version.
func (c *reports) publish(carrier string, n, version int, events ...jobs.CaseEvent) jobs.Report {
	c.Helper()
	r := c.begin(carrier, n)
	c.now = c.now.Add(time.Second)
	out, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, version), events, c.now)
	c.must(err)
	return out
}

func (c *reports) report(id string) jobs.Report {
	c.Helper()
	r, err := c.p.Report(c.Context(), id)
	c.must(err)
	return r
}

// lists checks which versions a filter selects.
func (c *reports) lists(f jobs.ReportFilter, want ...jobs.Report) {
	c.Helper()
	got, err := c.p.Reports(c.Context(), f)
	c.must(err)
	if d := cmp.Diff(want, got); d != "" {
		c.Errorf("%+v: %s", f, d)
	}
}

func (c *reports) folders() {
	first := c.publish("fabrikam", 1, 1)
	r := c.begin("fabrikam", 2)
	other := c.version(r, 1)
	other.Folder = first.Folder // another period of the same name
	_, err := c.p.Publish(c.Context(), r.Lease(), other, nil, c.now)
	c.fails(err, jobs.ErrVersion)
	c.lists(jobs.ReportFilter{}, first)
}

func (c *reports) whole() {
	r := c.begin("fabrikam", 1)
	want := jobs.Report{
		ID: "r1", Kind: jobs.ReportReconcile, Carrier: "fabrikam", Period: r.Period, Version: 1, Job: "daily", Folder: "fabrikam/2026-10-01/v1", Basis: "bb", Manifest: "mm",
		AsOf: day(9), Figures: jobs.Figures{
			Verdict: "dispute", Microsoft: jobs.Tally{Records: 1, DurationMS: 1 << 50}, Carrier: jobs.Tally{Records: 3, DurationMS: 4},
			DifferencePPM: -5, Discrepancies: 6, Pending: 7,
		},
		Changes: jobs.Changes{Opened: 8, Changed: 9, Closed: 10},
	}
	given := want
	given.Run, given.SupersededBy, given.Published = "another", "another", day(30)
	events := []jobs.CaseEvent{
		{CaseID: "c2", Event: "changed", Class: "duration_over", Before: "duration_under", DiffMS: -1 << 40, BeforeMS: 5, Carrier: "another", Report: "another"},
		{CaseID: "c1", Event: "opened", Class: "missing_carrier", DiffMS: 7},
		{CaseID: "c3", Event: "closed", Before: "missing_carrier", BeforeMS: 7},
	}
	got, err := c.p.Publish(c.Context(), r.Lease(), given, events, day(2))
	c.must(err)
	want.Run, want.Published = r.ID, day(2)
	c.same(got, want)
	c.again()
	c.same(c.report("r1"), want)
	c.lists(jobs.ReportFilter{}, want)
	for i := range events {
		events[i].Carrier, events[i].Period, events[i].Report, events[i].Version = "fabrikam", r.Period, "r1", 1
	}
	cases, err := c.p.Cases(c.Context(), jobs.CaseFilter{})
	c.must(err)
	c.same(cases, []jobs.CaseEvent{events[1], events[0], events[2]})
	over := r
	over.State, over.Report, over.Finished, over.LeaseUntil = jobs.RunSucceeded, "r1", day(2), time.Time{}
	c.same(c.find(r.ID), over)
	_, err = c.p.Report(c.Context(), "no such")
	c.fails(err, jobs.ErrNoReport)
}

func (c *reports) chain() {
	first := c.publish("fabrikam", 1, 1)
	second := c.publish("fabrikam", 1, 2)
	third := c.publish("fabrikam", 1, 3)
	c.again()
	first.SupersededBy, second.Supersedes, second.SupersededBy, third.Supersedes = second.ID, first.ID, third.ID, second.ID
	for _, want := range []jobs.Report{first, second, third} {
		c.same(c.report(want.ID), want)
	}
	c.lists(jobs.ReportFilter{}, third, second, first)
	c.lists(jobs.ReportFilter{Newest: true}, third)
}

func (c *reports) apart() {
	c.publish("fabrikam", 1, 1)
	c.publish("fabrikam", 2, 1)
	c.publish("contoso", 1, 1)
	r := run("fabrikam", 1)
	r.Period.To, r.Period.Text = r.Period.To.Add(time.Hour), "another" // begins as the first one does
	c.enqueue(r)
	held := c.claim("a")
	out, err := c.p.Publish(c.Context(), held.Lease(), c.version(held, 1), nil, c.now)
	c.must(err)
	c.same(out.Supersedes, "")
	c.publish("fabrikam", 2, 2)
	list, err := c.p.Reports(c.Context(), jobs.ReportFilter{Newest: true})
	c.must(err)
	c.same(len(list), 4)
}

func (c *reports) gapless() {
	r := c.begin("fabrikam", 1)
	event := jobs.CaseEvent{CaseID: "c1", Event: "opened"}
	refused := func(version int, supersedes string, want error) {
		c.Helper()
		v := c.version(r, version)
		v.Supersedes = supersedes
		_, err := c.p.Publish(c.Context(), r.Lease(), v, []jobs.CaseEvent{event}, c.now)
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && errors.Is(err, jobs.ErrVersion) {
			c.Errorf("version %d that supersedes %q: %v", version, supersedes, err)
		}
	}
	refused(2, "", jobs.ErrVersion)
	refused(1, "another", jobs.ErrVersion)
	refused(0, "", nil)
	refused(-1, "", nil)
	c.same(c.find(r.ID), r)
	first, err := c.p.Publish(c.Context(), r.Lease(), c.version(r, 1), nil, c.now)
	c.must(err)
	r = c.begin("fabrikam", 1)
	refused(1, "", jobs.ErrVersion)
	refused(3, first.ID, jobs.ErrVersion)
	refused(2, "another", jobs.ErrVersion)
	c.again()
	c.lists(jobs.ReportFilter{}, first)
	cases, err := c.p.Cases(c.Context(), jobs.CaseFilter{})
	c.must(err)
	c.same(len(cases), 0)
	v := c.version(r, 2)
	v.Supersedes = first.ID
	second, err := c.p.Publish(c.Context(), r.Lease(), v, []jobs.CaseEvent{event}, c.now)
	c.must(err)
	c.same(second.Supersedes, first.ID)
}
