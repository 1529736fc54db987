package state_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/jobstest"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestFilesAreCoveredAsByASimplerLedger does the same with a database and with
// a list in memory. The carriers of one trial have names of their own, so that
// one database is enough.
func TestFilesAreCoveredAsByASimplerLedger(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		trial := 0
		rapid.Check(t, func(rt *rapid.T) {
			trial++
			c := &twins{T: rt, s: s, mem: new(jobstest.Mem), prefix: fmt.Sprint("trial ", trial, " ")}
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				c.step()
			}
			c.covering()
			c.following()
			for _, id := range c.ids {
				c.follow(id)
			}
			c.following()
		})
	})
}

// twins are a store and what it must be like.
type twins struct {
	*rapid.T
	s      *state.Store
	mem    *jobstest.Mem
	prefix string
	ids    []string
}

func (c *twins) step() {
	switch rapid.IntRange(0, 5).Draw(c.T, "step") {
	case 0:
		c.covering()
	case 1:
		c.following()
	case 2:
		if len(c.ids) > 0 {
			c.follow(rapid.SampledFrom(c.ids).Draw(c.T, "followed"))
		}
	default:
		c.record()
	}
}

func (c *twins) carrier() string {
	return c.prefix + rapid.SampledFrom([]string{"fabrikam", "contoso"}).Draw(c.T, "carrier")
}

func (c *twins) record() {
	e := jobs.Entry{
		ID: fmt.Sprint(c.prefix, "file ", len(c.ids)), Carrier: c.carrier(), Microsoft: rapid.Bool().Draw(c.T, "microsoft"), Received: now, Decided: now,
		Status: rapid.SampledFrom([]landing.Status{landing.StatusAccepted, landing.StatusAccepted, landing.StatusPartly, landing.StatusRejected}).Draw(c.T, "status"),
		Name:   rapid.SampledFrom([]string{"a", "b", "c"}).Draw(c.T, "name"), SHA256: rapid.SampledFrom([]string{"", "aa", "bb"}).Draw(c.T, "content"),
		Sequence: rapid.Ptr(rapid.Int64Range(1, 4), true).Draw(c.T, "sequence"),
	}
	if rapid.Bool().Draw(c.T, "corrects") {
		e.ReplacesID = rapid.SampledFrom(append([]string{"no such", e.ID}, c.ids...)).Draw(c.T, "replaced")
	}
	for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 0, 3, rapid.ID).Draw(c.T, "days") {
		e.Days = append(e.Days, jobs.Day{Date: fmt.Sprint("2026-10-0", d), Rows: rapid.Int64Range(0, 2).Draw(c.T, "rows")})
	}
	slices.SortFunc(e.Days, func(a, b jobs.Day) int { return slices.Compare([]byte(a.Date), []byte(b.Date)) })
	c.ids = append(c.ids, e.ID)
	a := jobs.Arrival{Carrier: e.Carrier, Microsoft: e.Microsoft, Name: e.Name, SHA256: e.SHA256, Received: now, Sequence: e.Sequence}
	var known [2]jobs.Known
	var got [2]jobs.Entry
	for i, l := range []jobs.Ledger{c.s, c.mem} {
		var err error
		got[i], err = l.Record(c.Context(), a, func(k jobs.Known) jobs.Entry { known[i] = k; return e })
		c.must(err)
	}
	c.same(got[0], got[1])
	c.same(known[0], known[1])
	if rapid.Bool().Draw(c.T, "settled") {
		c.must(c.s.Settle(c.Context(), got[0].Carrier, got[0].ID))
		c.must(c.mem.Settle(c.Context(), got[0].Carrier, got[0].ID))
	}
}

func (c *twins) covering() {
	carrier := c.carrier()
	from := time.Date(2026, 10, rapid.IntRange(0, 6).Draw(c.T, "from"), rapid.SampledFrom([]int{0, 22}).Draw(c.T, "hour"), 0, 0, 0, time.UTC)
	to := from.Add(time.Duration(rapid.SampledFrom([]int{-1, 0, 1, 2, 24, 26, 72}).Draw(c.T, "hours")) * time.Hour)
	got, err := c.s.Covering(c.Context(), carrier, from, to)
	c.must(err)
	want, err := c.mem.Covering(c.Context(), carrier, from, to)
	c.must(err)
	c.same(got, want)
}

func (c *twins) following() {
	got, err := c.s.Unfollowed(c.Context(), "", 0)
	c.must(err)
	others := func(f jobs.Followup) bool { return !strings.HasPrefix(f.ID, c.prefix) }
	got = slices.DeleteFunc(got, others) // of a trial that failed
	if len(got) == 0 {
		got = nil
	}
	want, err := c.mem.Unfollowed(c.Context(), "", 0)
	c.must(err)
	c.same(got, want)
}

// follow marks what may not have been recorded.
func (c *twins) follow(id string) {
	a, b := c.s.Follow(c.Context(), id), c.mem.Follow(c.Context(), id)
	if (a == nil) != (b == nil) {
		c.Fatal(a, b)
	}
}

func (c *twins) must(err error) {
	if err != nil {
		c.Fatal(err)
	}
}

func (c *twins) same(got, want any) {
	if d := cmp.Diff(want, got); d != "" {
		c.Fatal(d)
	}
}
