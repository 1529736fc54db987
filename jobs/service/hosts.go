package service

import (
	"context"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/config"
)

// visit looks at a carrier's own host over and over.
func (s *Service) visit(ctx context.Context, c *config.Carrier, home *landing.Home) {
	h := &jobs.Host{Home: home, Inbox: c.Host.Inbox, Done: c.Host.Done, Receipts: c.Host.Receipts, Outbox: c.Host.Outbox}
	for failed := 0; ; {
		err := call(ctx, c.Host.Dial, h)
		wait := s.VisitEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed++
			wait = min(15*time.Minute, s.VisitEvery<<min(failed, 5))
			s.Log.Warn("the carrier's host", "carrier", c.Name, "error", err.Error(), "again_in", wait.String())
		default:
			failed = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// call dials a host, does what there is to do, and hangs up.
func call(ctx context.Context, dial sftpc.Config, h *jobs.Host) error {
	r, err := sftpc.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := h.Pull(ctx, r); err != nil {
		return err
	}
	return h.Push(ctx, r)
}
