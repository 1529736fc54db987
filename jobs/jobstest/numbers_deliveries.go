package jobstest

import (
	"maps"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

func (c *directory) deliveries() {
	last := func() jobs.NumbersDelivery {
		c.Helper()
		d, err := c.d.LastDelivery(c.Context(), "fabrikam")
		c.must(err)
		return d
	}
	begin := func(sequence int, position, base int64) (jobs.NumbersDelivery, error) {
		return c.d.BeginDelivery(c.Context(), c.lease, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: sequence, Position: position, Base: base, AsOf: day(2)}, c.now)
	}
	if d := last(); d.Sequence != 0 {
		c.Errorf("%+v", d)
	}
	d, err := begin(1, 7, 0)
	c.must(err)
	again, err := begin(1, 7, 0)
	c.must(err)
	if diff := cmp.Diff(d, again); diff != "" || !last().Ended.IsZero() || last().Run != c.lease.Run {
		c.Error(diff)
	}
	for _, bad := range [][3]int64{{2, 8, 7}, {1, 8, 0}, {3, 9, 7}} { // the first has not ended
		_, err := begin(int(bad[0]), bad[1], bad[2])
		c.fails(err, jobs.ErrDelivery)
	}
	d.Files, d.Added, d.Removed, d.Changed = []jobs.DeliveredFile{{Name: "n", Bytes: 1, Rows: 2, SHA256: "s"}}, 1, 2, 3
	c.must(c.d.EndDelivery(c.Context(), c.lease, d, c.now))
	d.Ended = c.now
	c.now = c.now.Add(time.Hour)
	c.must(c.d.EndDelivery(c.Context(), c.lease, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: 1}, c.now))
	c.anew()
	if diff := cmp.Diff(d, last()); diff != "" {
		c.Error(diff)
	}
	for _, bad := range [][3]int64{{1, 7, 0}, {2, 9, 8}, {3, 9, 7}} {
		_, err := begin(int(bad[0]), bad[1], bad[2])
		c.fails(err, jobs.ErrDelivery)
	}
	_, err = begin(2, 9, 7)
	c.must(err)
	if other, err := c.d.LastDelivery(c.Context(), "litware"); err != nil || other.Sequence != 0 || last().Sequence != 2 {
		c.Errorf("%+v, %v", other, err)
	}
}

func (c *directory) holding() {
	ledger, is := c.d.(jobs.Ledger)
	if !is {
		c.Skip("it keeps no contents")
	}
	x := c.record(c.listing(1), false)
	for sum, want := range map[string]bool{x.SHA256: true, "other": false} {
		if held, err := ledger.Holds(c.Context(), sum); err != nil || held != want {
			c.Errorf("%s: %v, %v", sum, held, err)
		}
	}
}

func (c *directory) newest() {
	_, _, err := c.d.NewestListing(c.Context(), "fabrikam", 0)
	c.fails(err, jobs.ErrNoListing)
	a := c.listing(9)
	a.Source = "a"
	a = c.record(a, false, present(1, "x"))
	b := c.record(c.listing(2), false, present(1, "x"), present(2, "x"))
	for after, want := range map[int64]int64{0: 3, a.Position: 2, b.Position: 0} {
		x, learned, err := c.d.NewestListing(c.Context(), "fabrikam", after)
		if err != nil || x.Position != b.Position || !x.AsOf.Equal(a.AsOf) || learned != want {
			c.Errorf("after %d: %+v, %d, %v", after, x, learned, err)
		}
	}
}

func (c *directory) removes() {
	rows := make([]jobs.ListedRow, 20)
	for i := range rows {
		rows[i] = present(uint64(i+1), "x")
	}
	a := c.record(c.listing(1), false, rows...)
	x := c.listing(2)
	try := func(most int, rows []jobs.ListedRow) (jobs.Listing, error) {
		return c.d.RecordListing(c.Context(), c.lease, x, jobs.Taking{MostRemoved: most}, listed(rows, nil), c.now)
	}
	_, err := try(50, rows[:9]) // 11 of 20
	c.fails(err, jobs.ErrRemoves)
	list, err := c.d.Listings(c.Context(), "fabrikam")
	c.must(err)
	if got := c.known(jobs.NumbersAt{Carrier: "fabrikam", Position: a.Position + 5, Present: true}); len(list) != 1 || len(got) != 20 {
		c.Errorf("%d listings, %d numbers", len(list), len(got))
	}
	_, err = try(50, rows[:10])
	c.must(err)
	x = c.listing(3)
	_, err = try(0, rows[:1]) // 9 are a few
	c.must(err)
	x = c.listing(4)
	_, err = try(0, nil)
	c.must(err)
}

func (c *directory) sources() {
	n, err := c.d.NumberSources(c.Context(), "fabrikam")
	c.must(err)
	if n.Position != 0 || len(n.Begun) != 0 {
		c.Errorf("of no listing: %+v", n)
	}
	c.record(c.listing(3), false, present(1, "x"))
	c.record(c.listing(5), false, present(1, "x"))
	late := c.record(c.listing(1), false, present(1, "x"))
	other := c.listing(4)
	other.Source = "b"
	other = c.record(other, false, present(2, "y"))
	unusable := c.listing(6)
	unusable.Source, unusable.Status = "c", jobs.ListingRejected
	c.record(unusable, false)
	foreign := c.listing(2)
	foreign.Carrier = "contoso"
	c.record(foreign, false, present(1, "x"))
	n, err = c.d.NumberSources(c.Context(), "fabrikam")
	c.must(err)
	want := map[string]time.Time{"": day(1).Add(3 * time.Hour), "b": day(1).Add(4 * time.Hour)}
	if n.Position != other.Position || late.Status != jobs.ListingLate || !maps.EqualFunc(n.Begun, want, time.Time.Equal) {
		c.Errorf("%+v, want %v up to %d", n, want, other.Position)
	}
}
