package jobstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// Keeper is what remembers files, runs and reports, purges them, and keeps what
// is held.
type Keeper interface {
	State
	Covered
	jobs.FileList
	jobs.Reports
	jobs.Purges
	jobs.DisputeHolds
	jobs.Proofs
	jobs.Calls
	jobs.HostFiles
	jobs.RowBatches
	jobs.ReportDeliveries
	jobs.Erasures
}

// TestPurges is the contract of a Keeper. open returns an empty one; reopen returns
// the same one as a new process, or a second service, would find it.
func TestPurges(t *testing.T, open func(t *testing.T) Keeper, reopen func(t *testing.T, k Keeper) Keeper) {
	for name, test := range map[string]func(*keeper){
		"a purged file is marked with its proof and remains to be removed": (*keeper).marked,
		"a file that is not settled or followed waits":                     (*keeper).waits,
		"a duplicate is as old as what it repeats":                         (*keeper).duplicates,
		"a content is held until nobody has it":                            (*keeper).shared,
		"the name goes when nothing else is kept":                          (*keeper).names,
		"a purged file repeats what comes again":                           (*keeper).again,
		"what is held survives until it is released":                       (*keeper).held,
		"a hold is placed and released once, with proofs":                  (*keeper).holds,
		"what a run may read survives":                                     (*keeper).busy,
		"what is purged already is not purged again":                       (*keeper).twice,
		"who lost the run purges nothing":                                  (*keeper).lost,
		"files of Microsoft's go like others":                              (*keeper).microsoft,
		"what is about several carriers is held for each of them":          (*keeper).several,
		"a file whose rows wait for their carrier waits":                   (*keeper).waitingRows,
		"what is remembered of a delivery goes when it has ended":          (*keeper).deliveries,
		"what a delivery that was broken off is made of stays":             (*keeper).brokenOff,
		"a name is masked where a host is remembered":                      (*keeper).hosts,
		"what is kept instead of a content goes with it":                   (*keeper).instead,
		"keys of rows go like logs":                                        (*keeper).keys,
		"runs go when they are over":                                       (*keeper).logs,
		"the database is cleaned by the last purge":                        (*keeper).scrubbed,
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t)
			c := &keeper{runs: runs{T: t, s: k, now: day(20)}, k: k}
			c.reopen = func(t *testing.T, _ State) State {
				c.k = reopen(t, c.k)
				return c.k
			}
			c.enqueue(jobs.Run{Job: "purge", Kind: "purge", Carrier: "fabrikam"})
			r := c.claim("a")
			c.lease = r.Lease()
			test(c)
		})
	}
}

// keeper is one test of a Keeper.
type keeper struct {
	runs
	k     Keeper
	lease jobs.Lease
	n     int
}

// file records an accepted file of a carrier about a day, settled and followed.
func (c *keeper) file(carrier, name, content, date string) jobs.Entry {
	c.Helper()
	e := c.arrive(carrier, name, content, date)
	c.must(errors.Join(c.k.Settle(c.Context(), carrier, e.ID), c.k.Follow(c.Context(), e.ID)))
	return e
}

func (c *keeper) arrive(carrier, name, content, date string) jobs.Entry {
	c.Helper()
	c.n++
	a := jobs.Arrival{Carrier: carrier, Name: name, SHA256: content, Received: day(15).Add(time.Duration(c.n) * time.Second)}
	e, err := c.k.Record(c.Context(), a, func(k jobs.Known) jobs.Entry {
		e := jobs.Entry{ID: fmt.Sprintf("f%03d", c.n), Carrier: carrier, Name: name, SHA256: content, Bytes: 100, Received: a.Received, Decided: a.Received, Status: landing.StatusAccepted, Rows: 2, Accepted: 2}
		if k.Content != nil {
			e.Status, e.Accepted, e.DuplicateOf, e.DuplicateOfID = landing.StatusDuplicate, 0, k.Content.Name, k.Content.ID
			return e
		}
		e.Days = []jobs.Day{{Date: date, Rows: 2, DurationMS: 1000}}
		return e
	})
	c.must(err)
	return e
}

var bounds = jobs.PurgeBounds{Reach: time.Hour, LateWindow: 72 * time.Hour}

func (c *keeper) candidates(class jobs.Class, carrier string) []jobs.Purgeable {
	c.Helper()
	list, err := c.k.Purgeable(c.Context(), class, carrier, bounds, c.now)
	c.must(err)
	return list
}

func (c *keeper) order(class jobs.Class) jobs.PurgeOrder {
	return jobs.PurgeOrder{Lease: c.lease, Class: class, Carrier: "fabrikam", Country: "DE", Rule: "retention." + string(class) + ": 1d", By: "ann", Bounds: bounds, Things: c.candidates(class, "fabrikam")}
}

// purge purges all there is of a class, and returns what it was.
func (c *keeper) purge(class jobs.Class) (p jobs.Proof, ids []string) {
	c.Helper()
	p, left, err := c.k.Purge(c.Context(), c.order(class), c.now)
	c.must(err)
	for _, r := range left {
		ids = append(ids, r.Object)
	}
	return p, ids
}

func (c *keeper) entry(id string) jobs.Entry {
	c.Helper()
	e, err := c.k.File(c.Context(), id)
	c.must(err)
	return e
}

// intact checks that the chain has n proofs.
func (c *keeper) intact(n int64) {
	c.Helper()
	got, err := jobs.VerifyProofs(c.Context(), c.k)
	if got.Count != n || got.Fault != "" || err != nil {
		c.Errorf("%+v, %v", got, err)
	}
}

func (c *keeper) marked() {
	e := c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.file("northwind", "n.csv", "nn", "2026-10-02")
	p, ids := c.purge(jobs.ClassRaw)
	c.reopened()
	if p.Seq != 1 || p.Count != 1 || p.Bytes != 100 || p.Class != "raw" || p.Run != c.lease.Run || p.From.Day() != 2 || p.To.Day() != 3 || !slices.Equal(ids, []string{e.ID}) {
		c.Errorf("%+v %v", p, ids)
	}
	got := c.entry(e.ID)
	if got.RawPurged != 1 || got.RecordsPurged != 0 || got.Rows != 2 || got.SHA256 != "aa" {
		c.Errorf("%+v", got)
	}
	left, err := c.k.Remaining(c.Context(), "fabrikam")
	want := []jobs.Remains{{Proof: 1, Class: jobs.ClassRaw, Carrier: "fabrikam", Object: e.ID, Name: "a.csv", SHA256: "aa", Bytes: 100, Received: e.Received}}
	if len(left) == 1 {
		want[0].Seq = left[0].Seq
	}
	if d := cmp.Diff(want, left); d != "" || err != nil {
		c.Fatal(d, err)
	}
	c.must(c.k.EndRemains(c.Context(), left[0].Seq))
	if left, err = c.k.Remaining(c.Context(), "fabrikam"); len(left) > 0 || err != nil {
		c.Error(left, err)
	}
	c.intact(1)
}

// reopened opens the Keeper anew.
func (c *keeper) reopened() { c.k = c.reopen(c.T, c.k).(Keeper) }

func (c *keeper) waits() {
	e := c.arrive("fabrikam", "a.csv", "aa", "2026-10-02")
	for _, step := range []func() error{
		func() error { return nil },
		func() error { return c.k.Settle(c.Context(), "fabrikam", e.ID) },
	} {
		c.must(step())
		if list := c.candidates(jobs.ClassRaw, "fabrikam"); len(list) != 1 || list[0].Waits == "" {
			c.Errorf("%+v", list)
		}
		if p, ids := c.purge(jobs.ClassRaw); p.Seq != 0 || len(ids) > 0 {
			c.Error(p, ids)
		}
	}
	c.must(c.k.Follow(c.Context(), e.ID))
	if _, ids := c.purge(jobs.ClassRaw); len(ids) != 1 {
		c.Error(ids)
	}
}

func (c *keeper) duplicates() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.file("fabrikam", "b.csv", "aa", "2026-10-02")
	for _, p := range c.candidates(jobs.ClassRaw, "fabrikam") {
		if p.From.Day() != 2 || p.To.Day() != 3 {
			c.Errorf("%+v", p)
		}
	}
	if list := c.candidates(jobs.ClassRecords, "fabrikam"); len(list) != 1 {
		c.Errorf("a duplicate has no records: %+v", list)
	}
}

func (c *keeper) shared() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.file("northwind", "b.csv", "aa", "2026-10-02")
	holds := func(want bool) {
		c.Helper()
		if got, err := c.k.Holds(c.Context(), "aa"); got != want || err != nil {
			c.Error(got, err)
		}
	}
	c.purge(jobs.ClassRaw)
	holds(true)
	o := c.order(jobs.ClassRaw)
	o.Carrier, o.Things = "northwind", c.candidates(jobs.ClassRaw, "northwind")
	_, _, err := c.k.Purge(c.Context(), o, c.now)
	c.must(err)
	holds(false)
}

func (c *keeper) names() {
	const name = "cdr_493012345678.csv"
	e := c.file("fabrikam", name, "aa", "2026-10-02")
	dup := c.file("fabrikam", "b.csv", "aa", "2026-10-02")
	c.purge(jobs.ClassRaw)
	if got := c.entry(e.ID).Name; got != name {
		c.Errorf("its records are kept, and it is called %s", got)
	}
	c.purge(jobs.ClassRecords)
	c.reopened()
	got, other := c.entry(e.ID), c.entry(dup.ID)
	if got.Name != jobs.Mask(name) || other.DuplicateOf != jobs.Mask(name) || other.Name != "b.csv" {
		c.Errorf("%+v\n%+v", got, other)
	}
}

func (c *keeper) again() {
	e := c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.purge(jobs.ClassRaw)
	c.purge(jobs.ClassRecords)
	dup := c.arrive("fabrikam", "c.csv", "aa", "2026-10-02")
	if dup.Status != landing.StatusDuplicate || dup.DuplicateOfID != e.ID {
		c.Errorf("%+v", dup)
	}
	c.must(c.k.Settle(c.Context(), "fabrikam", dup.ID))
	if _, ids := c.purge(jobs.ClassRaw); !slices.Equal(ids, []string{dup.ID}) {
		c.Error(ids)
	}
}

func (c *keeper) hold(carrier string, from, to int) jobs.Hold {
	c.Helper()
	c.n++
	h, _, err := c.k.PlaceHold(c.Context(), jobs.Hold{
		ID: fmt.Sprintf("h%d", c.n), Carrier: carrier, Period: jobs.Period{From: day(from), To: day(to), Text: "p"}, Why: "a dispute about +49 30 1234567", By: "ann", Placed: c.now,
	}, "DE")
	c.must(err)
	return h
}

func (c *keeper) held() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.file("fabrikam", "b.csv", "bb", "2026-10-05") // within the reach of the hold
	free := c.file("fabrikam", "c.csv", "cc", "2026-10-07")
	h := c.hold("fabrikam", 2, 5)
	c.hold("northwind", 1, 20)
	c.reopened()
	for _, class := range []jobs.Class{jobs.ClassRaw, jobs.ClassRecords} {
		if _, ids := c.purge(class); !slices.Equal(ids, []string{free.ID}) {
			c.Error(class, ids)
		}
	}
	_, _, err := c.k.ReleaseHold(c.Context(), h.ID, "bob", "settled", "DE", c.now)
	c.must(err)
	if _, ids := c.purge(jobs.ClassRaw); len(ids) != 2 {
		c.Error(ids)
	}
	c.intact(6)
}

func (c *keeper) holds() {
	h := c.hold("fabrikam", 2, 5)
	c.reopened()
	list, err := c.k.HoldList(c.Context(), "fabrikam", true)
	if d := cmp.Diff([]jobs.Hold{h}, list); d != "" || err != nil {
		c.Error(d, err)
	}
	again, _, err := c.k.PlaceHold(c.Context(), jobs.Hold{ID: h.ID, Carrier: "fabrikam", Period: h.Period, Placed: c.now}, "DE")
	if d := cmp.Diff(h, again); d != "" || !errors.Is(err, jobs.ErrPlaced) {
		c.Error(d, err)
	}
	got, p, err := c.k.ReleaseHold(c.Context(), h.ID, "bob", "settled", "DE", c.now)
	if err != nil || got.ReleasedBy != "bob" || got.Released.IsZero() || p.Act != jobs.ActRelease || p.Ref != h.ID || p.Seq != 2 {
		c.Errorf("%+v %+v %v", got, p, err)
	}
	_, _, err = c.k.ReleaseHold(c.Context(), h.ID, "bob", "settled", "DE", c.now)
	_, _, err2 := c.k.ReleaseHold(c.Context(), "no such", "bob", "settled", "DE", c.now)
	_, _, err3 := c.k.PlaceHold(c.Context(), jobs.Hold{ID: "x", Carrier: "fabrikam", Placed: c.now}, "DE")
	if !errors.Is(err, jobs.ErrReleased) || !errors.Is(err2, jobs.ErrNoHold) || err3 == nil {
		c.Error(err, err2, err3)
	}
	standing, err := c.k.HoldList(c.Context(), "", true)
	all, err2 := c.k.HoldList(c.Context(), "", false)
	if len(standing) != 0 || len(all) != 1 || errors.Join(err, err2) != nil {
		c.Error(standing, all, err, err2)
	}
	c.intact(2)
}

func (c *keeper) busy() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	r := c.enqueue(run("fabrikam", 2))
	if _, ids := c.purge(jobs.ClassRecords); len(ids) > 0 {
		c.Error(ids)
	}
	_, err := c.k.Cancel(c.Context(), r.ID, "ann", c.now)
	c.must(err)
	if _, ids := c.purge(jobs.ClassRecords); len(ids) != 1 {
		c.Error(ids)
	}
}

func (c *keeper) twice() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	o := c.order(jobs.ClassRaw)
	for i := range 2 {
		p, left, err := c.k.Purge(c.Context(), o, c.now)
		c.must(err)
		if (i == 0) != (p.Seq == 1) || (i == 0) != (len(left) == 1) {
			c.Errorf("%d: %+v %v", i, p, left)
		}
	}
	c.intact(1)
}

func (c *keeper) lost() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	o := c.order(jobs.ClassRaw)
	o.Lease.Attempt++
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, _, err := c.k.Purge(c.Context(), o, c.now)
	_, _, err2 := c.k.Purge(ctx, c.order(jobs.ClassRaw), c.now)
	if !errors.Is(err, jobs.ErrLost) || !errors.Is(err2, context.Canceled) {
		c.Error(err, err2)
	}
	if list := c.candidates(jobs.ClassRaw, "fabrikam"); len(list) != 1 {
		c.Error(list)
	}
	c.intact(0)
}

func (c *keeper) logs() {
	r := c.enqueue(run("fabrikam", 2))
	_, err := c.k.Cancel(c.Context(), r.ID, "ann", c.now)
	c.must(err)
	p, ids := c.purge(jobs.ClassLogs)
	if p.Count != 1 || len(ids) > 0 {
		c.Errorf("%+v %v", p, ids)
	}
	if _, err := c.k.Run(c.Context(), r.ID); !errors.Is(err, jobs.ErrNoRun) {
		c.Error(err)
	}
	if _, err := c.k.Run(c.Context(), c.lease.Run); err != nil {
		c.Error(err)
	}
}

func (c *keeper) scrubbed() {
	c.must(c.k.ScrubPurged(c.Context(), c.lease))
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.purge(jobs.ClassRaw)
	other := c.enqueue(jobs.Run{Job: "purge", Kind: "purge", Carrier: "northwind"})
	c.must(c.k.ScrubPurged(c.Context(), c.lease))
	_, err := c.k.Cancel(c.Context(), other.ID, "ann", c.now)
	c.must(errors.Join(err, c.k.ScrubPurged(c.Context(), c.lease), c.k.ScrubPurged(c.Context(), c.lease)))
	if e := c.entry("f001"); e.RawPurged != 1 {
		c.Errorf("%+v", e)
	}
}
