package jobstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// TestLedger is the contract of a jobs.Ledger. open returns an empty ledger;
// reopen returns the same one as a new process would find it, and is nil for a
// ledger that forgets.
func TestLedger(t *testing.T, open func(t *testing.T) jobs.Ledger, reopen func(t *testing.T, l jobs.Ledger) jobs.Ledger) {
	for name, test := range map[string]func(*contract){
		"an entry comes back as it was recorded":                      (*contract).whole,
		"an empty ledger knows nothing":                               (*contract).empty,
		"only what was ingested is known":                             (*contract).known,
		"the entry of the same number is the likest of one content":   (*contract).likest,
		"carriers know nothing of each other":                         (*contract).apart,
		"an upload is recorded once":                                  (*contract).once,
		"an upload of no content repeats nothing":                     (*contract).contentless,
		"unsettled entries come oldest first, until they are settled": (*contract).settling,
		"contents are held for every carrier":                         (*contract).holding,
		"nothing is recorded for who has gone":                        (*contract).cancelled,
		"arrivals at once are decided one after the other":            (*contract).serial,
		"the two sides know nothing of each other":                    (*contract).sides,
		"a file of Microsoft's is recorded once and is settled":       (*contract).microsoft,
	} {
		t.Run(name, func(t *testing.T) { test(&contract{T: t, l: open(t), reopen: reopen}) })
	}
}

// contract is one test of a ledger.
type contract struct {
	*testing.T
	l      jobs.Ledger
	reopen func(t *testing.T, l jobs.Ledger) jobs.Ledger
	n      int
}

// again goes on with the ledger as a new process would find it.
func (c *contract) again() {
	c.Helper()
	if c.reopen != nil {
		c.l = c.reopen(c.T, c.l)
	}
}

func number(n int64) *int64 { return &n }

// arrival returns a new upload. A negative number is none.
func (c *contract) arrival(name, content string, seq int64) jobs.Arrival {
	c.n++
	a := jobs.Arrival{Carrier: "fabrikam", Name: name, SHA256: content, Received: time.Date(2026, 10, 1, 12, 0, c.n, 0, time.UTC)}
	if seq >= 0 {
		a.Sequence = &seq
	}
	return a
}

// record records an arrival with a status, and returns what was known.
func (c *contract) record(a jobs.Arrival, s landing.Status) (jobs.Entry, jobs.Known) {
	c.Helper()
	var known jobs.Known
	e, err := c.l.Record(c.Context(), a, func(k jobs.Known) jobs.Entry {
		known = k
		return entryOf(a, s)
	})
	if err != nil {
		c.Fatal(err)
	}
	return e, known
}

func entryOf(a jobs.Arrival, s landing.Status) jobs.Entry {
	return jobs.Entry{
		ID:      fmt.Sprintf("%s/%s/%s/%d", a.Carrier, a.Name, a.SHA256, a.Received.UnixNano()),
		Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: a.Received, Sequence: a.Sequence, Status: s, Rows: 1,
		Microsoft: a.Microsoft, Settled: a.Microsoft,
	}
}

func (c *contract) same(got, want any) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Error(d)
	}
}

func (c *contract) whole() {
	a := c.arrival("a/FAB_000007.csv", "aa", 7)
	want := jobs.Entry{
		ID: "0199f3a0-0000-7000-8000-000000000001", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Bytes: 1 << 40,
		Format: "csv+gzip", Proof: "content", Verified: true, Sequence: number(7), Date: "2026-10-01", Status: landing.StatusPartly,
		Rows: 6, Accepted: 3, Rejected: 2, Filtered: 1, DurationMS: 90_001, BadRows: 2,
		Reasons: []landing.Reason{{Line: 3, Row: 2, Field: "start", Reason: "no time"}, {Group: 1, Row: 9, Reason: "too\n\"much\" ü"}}, MoreReasons: 4,
		Missing: []landing.Range{{From: 5, To: 6}}, Replaces: "b", ReplacesID: "1", DuplicateOf: "c", DuplicateOfID: "2", Notes: []string{"a note"},
		Days:    []jobs.Day{{Date: "2026-09-30", Rows: 1, DurationMS: 30_001}, {Date: "2026-10-01", Rows: 2, DurationMS: 60_000}},
		Profile: "pp", Received: a.Received, Decided: time.Date(2026, 10, 1, 12, 0, 3, 250_000_000, time.UTC), Run: "r",
	}
	got, err := c.l.Record(c.Context(), a, func(jobs.Known) jobs.Entry { return want })
	if err != nil {
		c.Fatal(err)
	}
	c.same(got, want)
	c.again()
	list, err := c.l.Files(c.Context(), a.Carrier)
	if err != nil {
		c.Fatal(err)
	}
	c.same(list, []jobs.Entry{want})
}

func (c *contract) empty() {
	_, k := c.record(c.arrival("a", "aa", 1), landing.StatusRejected)
	c.same(k, jobs.Known{})
	held, err := c.l.Holds(c.Context(), "bb")
	if held || err != nil {
		c.Error(held, err)
	}
}

func (c *contract) known() {
	first, _ := c.record(c.arrival("a", "aa", 4), landing.StatusAccepted)
	second, _ := c.record(c.arrival("b", "bb", 4), landing.StatusPartly)
	c.record(c.arrival("c", "cc", 9), landing.StatusRejected)
	c.record(c.arrival("d", "aa", 8), landing.StatusDuplicate)
	c.record(c.arrival("e", "ee", -1), landing.StatusAccepted)
	c.again()
	_, k := c.record(c.arrival("f", "aa", 4), landing.StatusDuplicate)
	c.same(k, jobs.Known{Content: &first, Number: &second, Highest: number(4)})
	_, k = c.record(c.arrival("g", "cc", 9), landing.StatusRejected)
	c.same(k, jobs.Known{Highest: number(4)})
	_, k = c.record(c.arrival("h", "bb", -1), landing.StatusDuplicate)
	c.same(k, jobs.Known{Content: &second, Highest: number(4)})
}

func (c *contract) likest() {
	earliest, _ := c.record(c.arrival("a", "aa", 1), landing.StatusAccepted)
	named, _ := c.record(c.arrival("b", "aa", 2), landing.StatusAccepted)
	numbered, _ := c.record(c.arrival("c", "aa", 3), landing.StatusAccepted)
	c.again()
	for _, q := range []struct {
		a    jobs.Arrival
		want jobs.Entry
	}{
		{c.arrival("b", "aa", 3), numbered}, {c.arrival("b", "aa", 9), named}, {c.arrival("x", "aa", -1), earliest},
	} {
		_, k := c.record(q.a, landing.StatusDuplicate)
		c.same(k.Content, &q.want)
	}
}

func (c *contract) apart() {
	c.record(c.arrival("a", "aa", 4), landing.StatusAccepted)
	other := c.arrival("a", "aa", 4)
	other.Carrier = "contoso"
	e, k := c.record(other, landing.StatusAccepted)
	c.same(k, jobs.Known{})
	if err := c.l.Settle(c.Context(), "fabrikam", e.ID); err == nil {
		c.Error("one carrier settles the file of another")
	}
	c.again()
	list, err := c.l.Files(c.Context(), "contoso")
	c.same(list, []jobs.Entry{e})
	c.same(err, nil)
}

func (c *contract) once() {
	a := c.arrival("a", "aa", 4)
	first, _ := c.record(a, landing.StatusAccepted)
	c.again()
	second, err := c.l.Record(c.Context(), a, func(jobs.Known) jobs.Entry {
		c.Error("decided again")
		return entryOf(a, landing.StatusDuplicate)
	})
	c.same(second, first)
	c.same(err, nil)
	if err := c.l.Settle(c.Context(), a.Carrier, first.ID); err != nil {
		c.Fatal(err)
	}
	c.again()
	b := a
	b.Name = "b"
	for _, next := range []jobs.Arrival{a, b} {
		if _, k := c.record(next, landing.StatusDuplicate); k.Content == nil || k.Content.ID != first.ID {
			c.Error("a second upload is taken for the first")
		}
	}
}

func (c *contract) contentless() {
	c.record(c.arrival("a", "", -1), landing.StatusAccepted)
	if _, k := c.record(c.arrival("b", "", -1), landing.StatusRejected); k.Content != nil {
		c.Error("two files without content are taken for the same")
	}
	if held, err := c.l.Holds(c.Context(), ""); held || err != nil {
		c.Error(held, err)
	}
}

func (c *contract) settling() {
	var want []jobs.Entry
	for _, s := range []landing.Status{landing.StatusRejected, landing.StatusAccepted, landing.StatusDuplicate, landing.StatusPartly} {
		e, _ := c.record(c.arrival("a", "aa", 1), s)
		want = append(want, e)
	}
	for range 2 {
		if err := c.l.Settle(c.Context(), "fabrikam", want[1].ID); err != nil {
			c.Fatal(err)
		}
		c.again()
	}
	open, err := c.l.Unsettled(c.Context(), "fabrikam")
	c.same(err, nil)
	c.same(open, []jobs.Entry{want[0], want[2], want[3]})
	want[1].Settled = true
	all, err := c.l.Files(c.Context(), "fabrikam")
	c.same(err, nil)
	c.same(all, want)
	if err := c.l.Settle(c.Context(), "fabrikam", "no such"); err == nil {
		c.Error("what was never recorded is settled")
	}
}

func (c *contract) holding() {
	for i, s := range []landing.Status{landing.StatusRejected, landing.StatusAccepted, landing.StatusDuplicate} {
		content := fmt.Sprintf("content %d", i)
		e, _ := c.record(c.arrival("a", content, -1), s)
		if err := c.l.Settle(c.Context(), "fabrikam", e.ID); err != nil {
			c.Fatal(err)
		}
		c.again()
		if held, err := c.l.Holds(c.Context(), content); !held || err != nil {
			c.Errorf("%s: %v, %v", s, held, err)
		}
	}
}

func (c *contract) cancelled() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	a := c.arrival("a", "aa", 1)
	if _, err := c.l.Record(ctx, a, func(jobs.Known) jobs.Entry { return entryOf(a, landing.StatusAccepted) }); !errors.Is(err, context.Canceled) {
		c.Error(err)
	}
	c.again()
	list, err := c.l.Files(c.Context(), "fabrikam")
	if len(list) > 0 || err != nil {
		c.Error(list, err)
	}
}

// serial records the same content from many goroutines: it is ingested once.
func (c *contract) serial() {
	const files = 16
	arrivals := make([]jobs.Arrival, files)
	for i := range arrivals {
		arrivals[i] = c.arrival(fmt.Sprintf("file %d", i), "aa", int64(i))
	}
	var wg sync.WaitGroup
	for _, a := range arrivals {
		wg.Go(func() {
			_, err := c.l.Record(c.Context(), a, func(k jobs.Known) jobs.Entry {
				if k.Content != nil {
					return entryOf(a, landing.StatusDuplicate)
				}
				return entryOf(a, landing.StatusAccepted)
			})
			if err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	c.again()
	list, err := c.l.Files(c.Context(), "fabrikam")
	ingested := 0
	for i := range list {
		if list[i].Ingested() {
			ingested++
		}
	}
	if ingested != 1 || len(list) != files || err != nil {
		c.Errorf("%d of %d ingested, %v", ingested, len(list), err)
	}
}
