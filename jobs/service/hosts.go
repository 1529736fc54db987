package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/config"
)

// hostCalls are the visits to a carrier's own host, one at a time.
type hostCalls struct {
	mu   sync.Mutex
	host *jobs.Host
	of   *config.Carrier // whose settings host has
}

// visit looks at a carrier's own host and its folder of Microsoft's files over
// and over.
func (r *reception) visit(ctx context.Context, carrier string, d *desk) {
	for failed := 0; ; {
		err := r.look(ctx, carrier, d)
		wait := r.s.VisitEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed++
			wait = min(15*time.Minute, r.s.VisitEvery<<min(failed, 5))
			r.s.unreached(carrier, failed, wait, err)
		default:
			failed = 0
			r.s.reached(carrier)
			if quiet, young := d.feed.Young(); young {
				wait = min(wait, quiet)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look takes what there is for a carrier elsewhere.
func (r *reception) look(ctx context.Context, carrier string, d *desk) error {
	_, err := d.feed.Scan(ctx)
	c, ok := r.s.cfg().Carrier(carrier)
	if !ok || c.Host == nil {
		return err
	}
	return errors.Join(err, d.host.call(ctx, c, d))
}

// call dials a host, does what there is to do, and hangs up.
func (h *hostCalls) call(ctx context.Context, c *config.Carrier, d *desk) error {
	h.mu.Lock()
	defer h.mu.Unlock()
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
