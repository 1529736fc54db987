// Package numbering does runs of kind numbers: it takes Microsoft's new listings
// of a carrier's numbers, keeps their history, and delivers to the carrier all
// its numbers and what changed since the delivery before.
//
// A delivery is recorded before its files are written, and again when all of
// them are in the outbox. What is in it depends on nothing but the listings up
// to its position. So a run that finds one which was begun and not ended makes
// the same files of the same names once more: the carrier has each delivery
// once, however often it was broken off. Never is anything of another carrier
// in it, because a listing is read for one carrier at a time.
package numbering

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/dispatch"
)

// State is what a Clerk needs of the state; jobs.Numbers and jobs.Runs
// describe it.
type State interface {
	jobs.Numbers
	Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error
}

// Spool keeps what arrived as it arrived; a *landing.Spool is one.
type Spool interface {
	Add(ctx context.Context, r io.Reader) (landing.Content, error)
	Release(sum string, keep bool) error
}

// Outbox is where a carrier finds its files; a *landing.Home is one. A file
// appears complete, in the place of one of its name.
type Outbox interface {
	Deliver(ctx context.Context, name string, src io.Reader) error
}

// Carrier says where the numbers of a carrier come from and go to.
type Carrier struct {
	Own       string   // folder of listings of its numbers only; it need not be there
	Shared    string   // folder of listings of several carriers; empty: there is none
	Operators []string // what Microsoft's listings call it
	// MostRemoved is how many of its numbers, in per cent, a listing may take
	// away.
	MostRemoved int
	Outbox      Outbox
}

// Clerk does runs of kind numbers. All fields but those with a default are
// required. Several goroutines may use it.
type Clerk struct {
	State   State
	Spool   Spool
	Read    func(ctx context.Context, o jobs.ListingOptions) (*jobs.ListingFound, error)
	Carrier func(job, name string) (Carrier, error)
	Scratch string // a folder for files that are being made
	// Keys encrypt those files, and open the spool; nil: they are in clear.
	Keys  *atrest.Keys
	Now   func() time.Time
	Quiet time.Duration // how long a file must be unchanged before it is taken [5 s]

	// Listed and Delivered are told what became of a listing and of a
	// delivery; nil: nobody wants to know.
	Listed    func(jobs.Listing)
	Delivered func(jobs.NumbersDelivery)
}

// Do does one run. It implements dispatch.Work.
func (c *Clerk) Do(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
	x, err := c.Carrier(r.Job, r.Carrier)
	if err != nil {
		return jobs.Ending{}, dispatch.Permanent(err)
	}
	d := &desk{Clerk: c, x: x, run: r}
	if err := d.settle(ctx); err != nil {
		return jobs.Ending{}, err
	}
	bad, err := d.takeAll(ctx)
	if err != nil {
		return jobs.Ending{}, err
	}
	if err := d.deliver(ctx); err != nil {
		return jobs.Ending{}, err
	}
	if bad != nil { // the rest is done
		return jobs.Ending{}, dispatch.Permanent(bad)
	}
	return jobs.Ending{State: jobs.RunSucceeded}, nil
}

// desk is one run at work.
type desk struct {
	*Clerk
	x   Carrier
	run jobs.Run
}

// settle ends a delivery that was broken off.
func (d *desk) settle(ctx context.Context) error {
	last, err := d.State.LastDelivery(ctx, d.run.Carrier)
	if err != nil || last.Sequence == 0 || !last.Ended.IsZero() {
		return err
	}
	return d.making(last, func(m *maker) error {
		if err := m.write(ctx); err != nil {
			return err
		}
		return d.place(ctx, m)
	})
}

// deliver makes the next delivery when there is anything new in it.
func (d *desk) deliver(ctx context.Context) error {
	last, err := d.State.LastDelivery(ctx, d.run.Carrier)
	if err != nil {
		return err
	}
	newest, learned, err := d.State.NewestListing(ctx, d.run.Carrier, last.Position)
	if errors.Is(err, jobs.ErrNoListing) || err == nil && last.Sequence > 0 && learned == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	next := jobs.NumbersDelivery{
		Carrier: d.run.Carrier, Sequence: last.Sequence + 1, Position: newest.Position, Base: last.Position, AsOf: newest.AsOf,
	}
	return d.making(next, func(m *maker) error {
		if err := m.write(ctx); err != nil {
			return err
		}
		if m.Sequence > 1 && m.Added+m.Removed+m.Changed == 0 { // it came and went, or only its times changed
			return nil
		}
		m.NumbersDelivery, err = d.State.BeginDelivery(ctx, d.run.Lease(), m.NumbersDelivery, d.Now())
		if err != nil {
			return err
		}
		return d.place(ctx, m)
	})
}

// place puts the files of a delivery that was begun into the outbox, the
// manifest last, and records that they are there.
func (d *desk) place(ctx context.Context, m *maker) error {
	for _, f := range m.Files {
		if err := m.hand(ctx, d.x.Outbox, f.Name); err != nil {
			return fmt.Errorf("deliver numbers to %s: %w", m.Carrier, err)
		}
	}
	if err := d.State.EndDelivery(ctx, d.run.Lease(), m.NumbersDelivery, d.Now()); err != nil {
		return err
	}
	if d.Delivered != nil {
		d.Delivered(m.NumbersDelivery)
	}
	return nil
}
