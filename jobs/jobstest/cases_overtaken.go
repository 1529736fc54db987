package jobstest

import (
	"time"

	"concord/jobs"
)

// unregistered sees to it that the book has still to be told of one version.
func (c *cases) unregistered(want jobs.Report, whole bool) {
	c.Helper()
	list, wholes, err := c.b.Unregistered(c.Context(), "")
	c.must(err)
	if len(list) != 1 || list[0].ID != want.ID || wholes[0] != whole {
		c.Fatalf("%+v %v, want version %d, whole %v", list, wholes, want.Version, whole)
	}
}

// overtaken lists a first version while its successor is published, and that one
// while it is listed: a case that the successor has closed would stay open for
// good, count in every sum, and hold a purge once it is disputed.
func (c *cases) overtaken() {
	first := c.publish("fabrikam", 1, 1)
	c.unregistered(first, true)
	second := c.publish("fabrikam", 1, 2, jobs.CaseEvent{CaseID: "gone", Event: "closed"}, jobs.CaseEvent{CaseID: "new", Event: "opened"})
	c.unregistered(second, true) // another service, or a person

	c.must(c.b.Register(c.Context(), first, true, stream(told("opened", fact("gone", 1), fact("stays", 1))), c.now))
	c.must(c.b.Register(c.Context(), second, true, stream(told("opened", fact("new", 1), fact("stays", 1))), c.now))
	c.same(len(c.list(jobs.CasesFilter{})), 2) // as the first version says

	c.unregistered(second, false)
	c.must(c.b.Register(c.Context(), second, false, stream(append(told("opened", fact("new", 1)), told("closed", fact("gone", 1))...)), c.now))
	since := map[string]time.Time{}
	for _, x := range c.list(jobs.CasesFilter{Gone: true}) {
		since[x.CaseID] = x.Since
	}
	c.same(since, map[string]time.Time{"new": second.Published, "stays": first.Published})
}
