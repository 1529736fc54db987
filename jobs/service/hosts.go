package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/config"
	"concord/jobs/feed"
)

// hostCalls are the visits to a carrier's own host, one at a time.
type hostCalls struct {
	turn chan struct{} // held by the visit that is under way
	host *jobs.Host
	of   *config.Carrier // whose settings host has
}

// longestRest is how long a place is left alone after many failures.
const longestRest = 15 * time.Minute

// visit looks at one place of a carrier over and over. look returns how soon
// the place is to be looked at again, if that is sooner than usual.
func (r *reception) visit(ctx context.Context, carrier string, place alert.Place, look func(context.Context) (time.Duration, error)) {
	for failed := 0; ; {
		wait, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed++
			wait = min(longestRest, r.s.VisitEvery<<min(failed, 5))
			r.s.unreached(carrier, place, failed, wait, err)
		default:
			failed = 0
			r.s.reached(carrier, place)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// scan takes what is new in Microsoft's folder about a carrier.
func (r *reception) scan(ctx context.Context, d *desk) (time.Duration, error) {
	wait := r.s.VisitEvery
	var errs []error
	for _, f := range []*feed.Feed{d.feed, d.quality} {
		_, err := f.Scan(ctx)
		errs = append(errs, err)
		if quiet, young := f.Young(); young {
			wait = min(quiet, wait)
		}
	}
	return wait, errors.Join(errs...)
}

// call visits a carrier's own host, if it has one.
func (r *reception) call(ctx context.Context, carrier string, d *desk) (time.Duration, error) {
	c, ok := r.s.cfg().Carrier(carrier)
	if !ok || c.Host == nil {
		return r.s.VisitEvery, nil
	}
	return r.s.VisitEvery, d.host.call(ctx, c, d)
}

// collect takes what there is for a carrier, wherever it lies.
func (r *reception) collect(ctx context.Context, carrier string, d *desk) error {
	_, scanned := r.scan(ctx, d)
	_, called := r.call(ctx, carrier, d)
	return errors.Join(scanned, called, d.home.Look(ctx))
}

// call dials a host, does what there is to do, and hangs up.
func (h *hostCalls) call(ctx context.Context, c *config.Carrier, d *desk) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if h.of != c {
		h.of = c
		h.host = &jobs.Host{Home: d.home, Inbox: c.Host.Inbox, Done: c.Host.Done, Receipts: c.Host.Receipts, Outbox: c.Host.Outbox}
	}
	r, err := sftpc.Dial(ctx, c.Host.Dial)
	if err != nil {
		return fmt.Errorf("the host of %s: %w", c.Name, err)
	}
	defer func() { _ = r.Close() }()
	if err := h.host.Pull(ctx, r); err != nil {
		return fmt.Errorf("pull from the host of %s: %w", c.Name, err)
	}
	if err := h.host.Push(ctx, r); err != nil {
		return fmt.Errorf("push to the host of %s: %w", c.Name, err)
	}
	return nil
}
