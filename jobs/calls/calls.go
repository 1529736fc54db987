// Package calls does runs of kind calls: it delivers to a carrier the calls of
// a period that Microsoft has recorded of it, and their quality, and when more
// is known of the period later, that, and what changed.
//
// What a delivery depends on is noted before the work begins: its inputs, its
// settings, the program. As long as none of that differs there is no further
// one. A delivery is recorded before its files are written, and again when all
// of them are in the outbox. So a run that finds one which was begun and not
// ended makes the same files of the same names once more: the carrier has each
// delivery once, however often it was broken off.
//
// A Quality takes files of quality rows of one carrier, and a Dealer those that
// are about several carriers, which it deals out into a folder of each. A run
// reads nothing but what is its carrier's own.
package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"concord/exchange/atrest"
	"concord/jobs"
	"concord/jobs/dispatch"
)

// State is what a Clerk needs of the state.
type State interface {
	jobs.Calls
	Covering(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error)
	Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error
	Run(ctx context.Context, id string) (jobs.Run, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	Enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error)
}

// Outbox is where a carrier finds its files; a *landing.Home is one. A file
// appears complete, in the place of one of its name.
type Outbox interface {
	Deliver(ctx context.Context, name string, src io.Reader) error
}

// Carrier is who gets deliveries.
type Carrier struct {
	Names  []string // what Microsoft's files call it, its own name among them
	Others []string // what they call other carriers here
	Outbox Outbox
	Memory int64 // bytes; 0: jobs.DefaultMemory
	// Reach is how far outside of a period a record may lie that takes part in
	// its reconciliation.
	Reach time.Duration
}

// Clerk does runs of kind calls. All fields but Fetch, Delivered and Trouble are
// required. Several goroutines may use it.
type Clerk struct {
	State State
	// Content returns where the spool keeps a content, or what stands for it
	// since a number was erased from it.
	Content func(ctx context.Context, sha256 string) (path string, erased bool, err error)
	Make    func(ctx context.Context, o jobs.DeliverOptions) (*jobs.Delivered, error)
	Carrier func(job, name string) (Carrier, error)
	Folder  string // of what is remembered of deliveries
	// Keys encrypt what is there; nil: it is in clear.
	Keys    *atrest.Keys
	Program string // the version of this program
	Now     func() time.Time
	// Fetch takes what is new in Microsoft's folders about a carrier.
	Fetch func(ctx context.Context, carrier string) error
	// Late says whether files that change a carrier's deliveries of a job lead
	// to new ones by themselves, and after which delay.
	Late func(job, carrier string) (delay time.Duration, yes bool)
	// Delivered is told of every delivery that has reached the outbox, Trouble
	// of what is looked at again later.
	Delivered func(jobs.CallsDelivery)
	Trouble   func(err error)

	follow followed
}

// Do does one run. It implements dispatch.Work.
func (c *Clerk) Do(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
	x, err := c.Carrier(r.Job, r.Carrier)
	if err != nil {
		return jobs.Ending{}, dispatch.Permanent(err)
	}
	d := &desk{Clerk: c, x: x, run: r}
	if c.Fetch != nil {
		if err := c.Fetch(ctx, r.Carrier); err != nil && ctx.Err() == nil { // what cannot be taken now makes a later version
			c.trouble(fmt.Errorf("take Microsoft's files before run %s: %w", r.ID, err))
		}
	}
	if err := d.settle(ctx); err != nil {
		return jobs.Ending{}, err
	}
	said, err := d.deliver(ctx)
	if err != nil {
		return jobs.Ending{}, err
	}
	return jobs.Ending{State: jobs.RunSucceeded, Error: said}, nil
}

func (c *Clerk) trouble(err error) {
	if c.Trouble != nil {
		c.Trouble(err)
	}
}

// desk is one run at work.
type desk struct {
	*Clerk
	x   Carrier
	run jobs.Run
}

// settle ends a delivery that was broken off, as it was begun.
func (d *desk) settle(ctx context.Context) error {
	list, err := d.State.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: d.run.Carrier, Limit: 1})
	if err != nil || len(list) == 0 || !list[0].Ended.IsZero() {
		return err
	}
	return d.making(ctx, list[0], d.place)
}

// What a run says that delivers nothing.
const (
	saidNothing   = "there are no calls and no quality rows of this period yet: nothing was delivered"
	saidUnchanged = "nothing has changed since delivery %d: nothing was delivered"
	saidSame      = "made anew: the same bytes as delivery %d"
	saidErased    = "made anew: as much as delivery %d, from which a number was erased since"
)

// deliver makes the next delivery of the period, when there is anything new in
// it. It returns what there is to say when there is not.
func (d *desk) deliver(ctx context.Context) (said string, err error) {
	next, latest, said, err := d.next(ctx)
	if err != nil {
		return "", err
	}
	if err := d.snapshot(ctx, &next); err != nil {
		return "", err
	}
	switch {
	case said != "":
		return said, nil
	case len(next.Inputs) == 0:
		return saidNothing, nil
	case latest != nil && latest.Basis == next.Basis && d.asked():
		return d.prove(ctx, *latest)
	case latest != nil && latest.Basis == next.Basis:
		return fmt.Sprintf(saidUnchanged, latest.Sequence), nil
	}
	err = d.making(ctx, next, func(ctx context.Context, m *maker) (err error) {
		switch {
		case latest == nil && m.Calls.Rows+m.Quality.Rows == 0:
			said = saidNothing
			return nil
		case latest != nil && !m.Calls.New() && !m.Quality.New():
			said = fmt.Sprintf(saidUnchanged, latest.Sequence)
			return nil
		}
		m.CallsDelivery, err = d.State.BeginCalls(ctx, d.run.Lease(), m.CallsDelivery, d.Now())
		if err != nil {
			return err
		}
		return d.place(ctx, m)
	})
	return said, err
}

// asked reports whether a person wants to see that the same is made again.
func (d *desk) asked() bool {
	return d.run.Trigger == jobs.TriggerManual || d.run.Trigger == jobs.TriggerRerun
}

// prove makes a delivery anew, compares it with what was delivered, and says so.
func (d *desk) prove(ctx context.Context, was jobs.CallsDelivery) (said string, err error) {
	said = fmt.Sprintf(saidSame, was.Sequence)
	err = d.making(ctx, was, func(_ context.Context, m *maker) error {
		same := slices.Equal(m.Files, was.Files)
		if m.erased {
			said = fmt.Sprintf(saidErased, was.Sequence)
			same = m.Calls.Rows == was.Calls.Rows && m.Calls.DurationMS == was.Calls.DurationMS && m.Quality.Rows == was.Quality.Rows
		}
		if !same {
			return dispatch.Permanent(fmt.Errorf("the same files and settings gave other bytes than delivery %d, which stays as it is; please report this defect of concord", was.Sequence))
		}
		return nil
	})
	return said, err
}

// place puts the files of a delivery that was begun into the outbox, the
// manifest last, and records that they are there. What the next version is
// compared with is kept before that.
func (d *desk) place(ctx context.Context, m *maker) error {
	if err := jobs.KeepDeliveryIndex(m.out(), d.kept(m.Carrier, m.Sequence)); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := m.hand(ctx, d.x.Outbox, f.Name); err != nil {
			return fmt.Errorf("deliver calls to %s: %w", m.Carrier, err)
		}
	}
	if err := d.State.EndCalls(ctx, d.run.Lease(), m.CallsDelivery, d.Now()); err != nil {
		return err
	}
	if m.Base > 0 {
		if err := d.forget(m.Carrier, m.Base); err != nil {
			d.trouble(err)
		}
	}
	if d.Delivered != nil {
		d.Delivered(m.CallsDelivery)
	}
	return nil
}

// inputError says that a run cannot go well with the files that there are.
func inputError(err error) error {
	var f *jobs.Failure
	if errors.As(err, &f) && f.Kind == jobs.KindInput {
		return dispatch.Permanent(err)
	}
	return err
}
