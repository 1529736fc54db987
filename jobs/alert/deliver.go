package alert

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"concord/jobs"
)

const (
	glance     = 10 * time.Second // how often is looked for messages that nobody told of
	atOnce     = 100              // messages read at once
	firstRetry = 10 * time.Second
	lastRetry  = time.Hour
	giveUp     = 3 * 24 * time.Hour
	// leastTries are made even of a message that is old when the service
	// comes back to it.
	leastTries = 5
)

// Deliver posts messages until ctx ends: at once when Wake says that there may
// be some, and when those that could not be delivered are due again. Several
// may run at once, in several services; then a receiver may get a message more
// than once.
func (d *Desk) Deliver(ctx context.Context) {
	for {
		more, err := d.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			d.trouble(ctx, "messages of alerts are late", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-d.waking():
		case <-time.After(glance):
		}
	}
}

// round posts what is due, and reports whether more may be: what follows a
// message that was delivered. It ends at a receiver that is down.
func (d *Desk) round(ctx context.Context) (more bool, err error) {
	list, err := d.State.Messages(ctx, d.Now(), atOnce)
	if err != nil {
		return false, err
	}
	for i := range list {
		done, down, err := d.deliver(ctx, &list[i])
		if err != nil || down || ctx.Err() != nil {
			return false, err
		}
		more = more || done
	}
	return more, nil
}

// deliver makes one attempt of a message and remembers what came of it.
func (d *Desk) deliver(ctx context.Context, m *jobs.Message) (done, down bool, err error) {
	to := d.Config().Webhook
	if to == nil {
		d.Log.InfoContext(ctx, "alert is posted to nobody: there is no webhook", labels(m)...)
		return true, false, d.forget(ctx, m)
	}
	err = d.post(ctx, to, m)
	if ctx.Err() != nil && err != nil { // the attempt was broken off, and does not count
		return false, false, nil
	}
	if d.Delivered != nil {
		d.Delivered(err == nil)
	}
	var r *refusal
	switch {
	case err == nil:
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepingTime)
		defer cancel()
		return true, false, d.forget(keep, m)
	case !errors.As(err, &r):
		r = &refusal{why: err.Error()}
	}
	done, err = d.refused(ctx, m, r)
	return done, r.down, err
}

// keepingTime is how long it may take to note that a message was taken when the
// service stops. What is not noted is posted again, under the same id.
const keepingTime = 3 * time.Second

// forget takes a message as delivered; another service may have done so.
func (d *Desk) forget(ctx context.Context, m *jobs.Message) error {
	if err := d.State.Delivered(ctx, m.ID); err != nil && !errors.Is(err, jobs.ErrNoMessage) {
		return err
	}
	return nil
}

// refused says when a message is tried again, or gives it up.
func (d *Desk) refused(ctx context.Context, m *jobs.Message, r *refusal) (done bool, err error) {
	args := append(labels(m), "message", m.ID, "attempt", m.Attempts+1, "error", r.why)
	now := d.Now()
	if now.Sub(happened(m)) > giveUp && m.Attempts+1 >= leastTries {
		d.Log.ErrorContext(ctx, "alert was not taken by the webhook, and is not posted again", args...)
		return true, d.forget(ctx, m)
	}
	wait := max(backoff(m.Attempts), min(r.after, lastRetry))
	d.Log.WarnContext(ctx, "alert was not taken by the webhook", append(args, "again_in", wait.Round(time.Second).String())...)
	err = d.State.Postpone(ctx, m.ID, now.Add(wait), r.why)
	if errors.Is(err, jobs.ErrNoMessage) {
		err = nil
	}
	return false, err
}

// backoff is how long to wait after an attempt that followed some others: ten
// seconds at least, an hour at most, and up to a quarter less than the double
// of the one before.
func backoff(before int) time.Duration {
	wait := min(lastRetry, firstRetry<<min(before, 10))
	return max(firstRetry, wait*3/4+rand.N(wait/4+1))
}

func labels(m *jobs.Message) []any {
	a := &m.Alert
	what := "raised"
	if !a.Resolved.IsZero() {
		what = "resolved"
	}
	return []any{"what", what, "kind", string(a.Kind), "carrier", a.Carrier, "job", a.Job, "subject", a.Subject}
}
