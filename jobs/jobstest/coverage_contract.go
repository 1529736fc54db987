package jobstest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// Covered is a ledger that knows its coverage.
type Covered interface {
	jobs.Ledger
	jobs.Coverage
}

// TestCoverage is the contract of a jobs.Coverage. open returns an empty one;
// reopen returns the same one as a new process would find it, and is nil for
// one that forgets.
func TestCoverage(t *testing.T, open func(t *testing.T) Covered, reopen func(t *testing.T, c Covered) Covered) {
	for name, test := range map[string]func(*coverage){
		"a period has the files with rows on its days":           (*coverage).days,
		"files of both sides come back whole and in order":       (*coverage).whole,
		"what counts for nothing covers nothing":                 (*coverage).countless,
		"a file that was replaced covers nothing":                (*coverage).replaced,
		"what replaces a file of others replaces nothing":        (*coverage).strangers,
		"a new file is there until it was followed":              (*coverage).following,
		"a correction touches the days of what it replaces":      (*coverage).touched,
		"files that replace each other in a ring end the search": (*coverage).ring,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			c := &coverage{contract: contract{T: t, l: s}, s: s}
			if reopen != nil {
				c.reopen = func(t *testing.T, _ jobs.Ledger) jobs.Ledger {
					c.s = reopen(t, c.s)
					return c.s
				}
			}
			test(c)
		})
	}
}

// coverage is one test of a Covered.
type coverage struct {
	contract
	s Covered
}

// on is what a file holds: some rows on each of some days of October.
func on(days ...int) (list []jobs.Day) {
	for _, d := range days {
		list = append(list, jobs.Day{Date: october(d).Format(time.DateOnly), Rows: int64(d), DurationMS: int64(1000 * d)})
	}
	return list
}

// october is the beginning of a day of it.
func october(d int) time.Time { return time.Date(2026, 10, d, 0, 0, 0, 0, time.UTC) }

// put records an entry, of which it sets what tells it from others.
func (c *coverage) put(e jobs.Entry) jobs.Entry {
	c.Helper()
	c.n++
	a := jobs.Arrival{Carrier: e.Carrier, Microsoft: e.Microsoft, Name: fmt.Sprint("file ", c.n), SHA256: fmt.Sprint("sum ", c.n), Received: day(1)}
	if a.Carrier == "" {
		a.Carrier = "fabrikam"
	}
	e.ID, e.Carrier, e.Name, e.SHA256, e.Received = fmt.Sprint("id ", c.n), a.Carrier, a.Name, a.SHA256, a.Received
	if e.Status == "" {
		e.Status = landing.StatusAccepted
	}
	out, err := c.s.Record(c.Context(), a, func(jobs.Known) jobs.Entry { return e })
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func (c *coverage) covers(from, to time.Time, want ...jobs.Entry) {
	c.Helper()
	got, err := c.s.Covering(c.Context(), "fabrikam", from, to)
	if err != nil {
		c.Fatal(err)
	}
	c.same(got, want)
}

// unfollowed checks what is to be followed, in a few words.
func (c *coverage) unfollowed(limit int, want ...string) {
	c.Helper()
	list, err := c.s.Unfollowed(c.Context(), "", limit)
	if err != nil {
		c.Fatal(err)
	}
	var got []string
	for _, f := range list {
		got = append(got, fmt.Sprint(f.ID, " ", f.Touched))
	}
	c.same(got, want)
}

func (c *coverage) days() {
	first := c.put(jobs.Entry{Days: on(1)})
	both := c.put(jobs.Entry{Days: on(1, 2)})
	edges := c.put(jobs.Entry{Days: []jobs.Day{{Date: "2026-10-01", Rows: 1}, {Date: "2026-10-02"}, {Date: "2026-10-03", Rows: 1}}})
	c.put(jobs.Entry{Carrier: "contoso", Days: on(1, 2, 3)})
	c.again()
	c.covers(october(1), october(2), first, both, edges)
	c.covers(october(2), october(3), both)
	c.covers(october(3), october(4), edges)
	c.covers(october(2), october(4), both, edges)
	c.covers(october(4), october(30))
	c.covers(october(2).Add(-time.Nanosecond), october(2), first, both, edges)
	c.covers(october(2), october(2).Add(time.Nanosecond), both)
	c.covers(october(2), october(2))
	c.covers(october(3), october(1))
	berlin := time.FixedZone("", 2*3600)
	c.covers(time.Date(2026, 10, 2, 0, 0, 0, 0, berlin), time.Date(2026, 10, 3, 0, 0, 0, 0, berlin), first, both, edges)
	c.covers(time.Date(2026, 10, 2, 2, 0, 0, 0, berlin), time.Date(2026, 10, 3, 2, 0, 0, 0, berlin), both)
}

func (c *coverage) whole() {
	month := make([]int, 31)
	for i := range month {
		month[i] = i + 1
	}
	var want []jobs.Entry
	for i := range 250 { // more than a database reads in one go
		want = append(want, c.put(jobs.Entry{
			Microsoft: i%2 > 0, Profile: fmt.Sprint("profile ", i), Notes: []string{"a note"}, Rows: 31, Accepted: 31, Days: on(month[i%30:]...),
		}))
	}
	c.again()
	c.covers(october(31), october(32), want...)
}

func (c *coverage) countless() {
	for _, s := range []landing.Status{landing.StatusRejected, landing.StatusDuplicate} {
		c.put(jobs.Entry{Status: s})
		c.put(jobs.Entry{Status: s, Days: on(1)}) // no collector does that
	}
	partly := c.put(jobs.Entry{Status: landing.StatusPartly, Days: on(1)})
	c.put(jobs.Entry{})
	c.again()
	c.covers(october(1), october(2), partly)
	c.unfollowed(0, "id 5 [2026-10-01]", "id 6 []")
}

func (c *coverage) replaced() {
	first := c.put(jobs.Entry{Days: on(1)})
	other := c.put(jobs.Entry{Days: on(1), Microsoft: true})
	c.covers(october(1), october(2), first, other)
	second := c.put(jobs.Entry{Days: on(2), ReplacesID: first.ID})
	c.again()
	c.covers(october(1), october(2), other)
	c.covers(october(2), october(3), second)
	c.put(jobs.Entry{Days: on(1), ReplacesID: second.ID, Status: landing.StatusRejected})
	c.covers(october(1), october(3), other, second)
	c.put(jobs.Entry{ReplacesID: second.ID}) // nothing to report
	c.covers(october(1), october(3), other)
	c.put(jobs.Entry{ReplacesID: other.ID, Microsoft: true, Status: landing.StatusPartly})
	c.covers(october(1), october(3))
}

func (c *coverage) strangers() {
	first := c.put(jobs.Entry{Days: on(1)})
	c.put(jobs.Entry{Days: on(1), ReplacesID: first.ID, Carrier: "contoso"})
	other := c.put(jobs.Entry{Days: on(1), ReplacesID: first.ID, Microsoft: true})
	c.put(jobs.Entry{Days: on(7), ReplacesID: "no such"})
	c.put(jobs.Entry{Days: on(8), ReplacesID: other.ID})
	c.put(jobs.Entry{Days: on(9), ReplacesID: "id 5"})
	c.put(jobs.Entry{Days: on(10), ReplacesID: "id 2"})
	c.put(jobs.Entry{Days: on(11), ReplacesID: "id 7"})
	c.again()
	c.covers(october(1), october(2), first, other)
	c.unfollowed(0, "id 1 [2026-10-01]", "id 2 [2026-10-01]", "id 3 [2026-10-01]", "id 4 [2026-10-07]",
		"id 5 [2026-10-08]", "id 6 [2026-10-08 2026-10-09]", "id 7 [2026-10-10]", "id 8 [2026-10-10 2026-10-11]")
}

func (c *coverage) following() {
	for i := range 3 {
		c.put(jobs.Entry{Days: on(i + 1), Microsoft: i%2 > 0, Carrier: []string{"fabrikam", "contoso"}[i%2]})
	}
	c.put(jobs.Entry{Status: landing.StatusRejected})
	c.again()
	c.unfollowed(2, "id 1 [2026-10-01]", "id 2 [2026-10-02]")
	for range 2 {
		c.same(c.s.Follow(c.Context(), "id 1"), nil)
		c.unfollowed(2, "id 2 [2026-10-02]", "id 3 [2026-10-03]")
	}
	if err := c.s.Follow(c.Context(), "no such"); !errors.Is(err, jobs.ErrNoFile) {
		c.Error(err)
	}
	all, err := c.s.Unfollowed(c.Context(), "", 0)
	c.same(err, nil)
	for i := range all {
		rest, err := c.s.Unfollowed(c.Context(), all[i].ID, 0)
		c.same(err, nil)
		if len(rest) != len(all)-i-1 || len(rest) > 0 && rest[0].ID != all[i+1].ID {
			c.Errorf("after %s: %d of %d", all[i].ID, len(rest), len(all))
		}
	}
	list, err := c.s.Unfollowed(c.Context(), "", 1)
	c.same(err, nil)
	files, err := c.s.Files(c.Context(), "contoso")
	c.same(err, nil)
	if len(list) != 1 || len(files) != 1 {
		c.Fatal(list, files)
	}
	c.same(list[0].Entry, files[0])
}

func (c *coverage) touched() {
	first := c.put(jobs.Entry{Days: on(1, 4)})
	second := c.put(jobs.Entry{Days: on(2), ReplacesID: first.ID})
	rejected := c.put(jobs.Entry{Status: landing.StatusRejected, ReplacesID: second.ID})
	c.put(jobs.Entry{Days: on(4, 9), ReplacesID: second.ID})
	c.put(jobs.Entry{ReplacesID: rejected.ID})
	c.put(jobs.Entry{Days: on(1), ReplacesID: "no such"})
	for _, id := range []string{"id 1", "id 2"} {
		c.same(c.s.Follow(c.Context(), id), nil)
	}
	c.again()
	c.unfollowed(0, "id 4 [2026-10-01 2026-10-02 2026-10-04 2026-10-09]", "id 5 [2026-10-01 2026-10-02 2026-10-04]", "id 6 [2026-10-01]")
}

// ring records what no collector does; it must not keep a database busy for
// ever.
func (c *coverage) ring() {
	c.put(jobs.Entry{Days: on(1), ReplacesID: "id 2"})
	second := c.put(jobs.Entry{Days: on(2), ReplacesID: "id 1"})
	itself := c.put(jobs.Entry{Days: on(3), ReplacesID: "id 3"})
	c.unfollowed(0, "id 1 [2026-10-01 2026-10-02]", "id 2 [2026-10-01 2026-10-02]", "id 3 [2026-10-03]")
	c.covers(october(1), october(4), second, itself)
}
