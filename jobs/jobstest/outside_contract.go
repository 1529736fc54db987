package jobstest

import (
	"sync"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestHostFiles is the contract of jobs.HostFiles; open returns an empty one.
func TestHostFiles(t *testing.T, open func(t *testing.T) jobs.HostFiles) {
	s, ctx := open(t), t.Context()
	a := jobs.HostFile{Host: "a", Name: "fabrikam/x'\u00fc.csv", Bytes: 10, Changed: day(1), Taken: day(2)}
	longer, later, other, timeless := a, a, a, a
	longer.Bytes, later.Changed, other.Host, timeless.Changed = 11, day(2), "b", time.Unix(0, 0).UTC()
	for range 2 {
		for _, f := range []jobs.HostFile{a, longer, later, other, timeless} {
			if err := s.KeepHostFile(ctx, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	again := a
	again.Taken = day(9)
	if err := s.KeepHostFile(ctx, again); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string][]jobs.HostFile{"a": {a, longer, later, timeless}, "b": {other}, "c": nil} {
		got, err := s.HostFiles(ctx, host)
		order := cmpopts.SortSlices(func(x, y jobs.HostFile) bool {
			return x.Changed.Before(y.Changed) || x.Changed.Equal(y.Changed) && x.Bytes < y.Bytes
		})
		if diff := cmp.Diff(want, got, order); diff != "" || err != nil {
			t.Errorf("%s: %s, %v", host, diff, err)
		}
	}
}

// TestRowBatches is the contract of jobs.RowBatches; open returns an empty one.
func TestRowBatches(t *testing.T, open func(t *testing.T) jobs.RowBatches) {
	s, ctx := open(t), t.Context()
	bind := func(carrier, key, body string) jobs.RowBatch {
		t.Helper()
		b, err := s.BindRows(ctx, carrier, key, body, day(1))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	is := func(got, want jobs.RowBatch) {
		t.Helper()
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	is(bind("fabrikam", "k", "one"), jobs.RowBatch{Body: "one", Fresh: true})
	is(bind("fabrikam", "k", "one"), jobs.RowBatch{Body: "one"})
	is(bind("fabrikam", "k", "two"), jobs.RowBatch{Body: "one"})
	is(bind("litware", "k", "two"), jobs.RowBatch{Body: "two", Fresh: true})
	for range 2 {
		if err := s.PlaceRows(ctx, "fabrikam", "k", day(2)); err != nil {
			t.Fatal(err)
		}
	}
	is(bind("fabrikam", "k", "two"), jobs.RowBatch{Body: "one", Placed: true})
	is(bind("litware", "k", "two"), jobs.RowBatch{Body: "two"})
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, bodies := 0, map[string]bool{}
	for _, body := range []string{"a", "b", "c", "d", "e", "f"} {
		wg.Go(func() {
			b, err := s.BindRows(ctx, "fabrikam", "race", body, day(1))
			mu.Lock()
			defer mu.Unlock()
			if bodies[b.Body] = true; b.Fresh {
				fresh++
			}
			if err != nil || b.Fresh && b.Body != body {
				t.Errorf("%s: %+v, %v", body, b, err)
			}
		})
	}
	wg.Wait()
	if fresh != 1 || len(bodies) != 1 {
		t.Errorf("%d bind it, to %v", fresh, bodies)
	}
}

// deliveries is that of jobs.ReportDeliveries, if the publisher knows them.
func (c *reports) deliveries() {
	s, is := c.p.(jobs.ReportDeliveries)
	if !is {
		c.Skip("it delivers nothing")
	}
	publish := func(carrier string, version int, deliver bool) jobs.Report {
		c.Helper()
		r := c.begin(carrier, 1)
		v := c.version(r, version)
		v.Deliver = deliver
		out, err := c.p.Publish(c.Context(), r.Lease(), v, nil, c.now)
		c.must(err)
		again, err := c.p.Publish(c.Context(), r.Lease(), v, nil, c.now) // as after an answer that was lost
		c.must(err)
		c.same(again, out)
		return out
	}
	waiting := func(want ...string) {
		c.Helper()
		list, err := s.WaitingReports(c.Context())
		c.must(err)
		var got []string
		for _, d := range list {
			got = append(got, d.Report)
		}
		c.same(got, want)
	}
	waiting()
	first, quiet, other := publish("fabrikam", 1, true), publish("fabrikam", 2, false), publish("litware", 1, true)
	third := publish("fabrikam", 3, true)
	waiting(first.ID, other.ID, third.ID)
	_, err := s.ReportDelivery(c.Context(), quiet.ID)
	c.fails(err, jobs.ErrNoReport)
	_, err = s.BeginReport(c.Context(), jobs.ReportDelivery{Report: quiet.ID}, c.now)
	c.fails(err, jobs.ErrNoReport)
	c.must(s.EndReport(c.Context(), other.ID, c.now)) // it has not begun
	d := jobs.ReportDelivery{Report: first.ID, Carrier: "fabrikam", Files: []jobs.DeliveredFile{{Name: "n", Bytes: 1, Rows: 2, SHA256: "s"}}, Manifest: "{}\n"}
	begun, err := s.BeginReport(c.Context(), d, c.now)
	c.must(err)
	d.Begun = c.now
	c.same(begun, d)
	again, err := s.BeginReport(c.Context(), jobs.ReportDelivery{Report: first.ID, Manifest: "other"}, day(9))
	c.must(err)
	c.same(again, d)
	waiting(first.ID, other.ID, third.ID)
	for range 2 {
		c.must(s.EndReport(c.Context(), first.ID, c.now))
	}
	waiting(other.ID, third.ID)
	ended, err := s.ReportDelivery(c.Context(), first.ID)
	c.must(err)
	d.Ended = c.now
	c.same(ended, d)
}
