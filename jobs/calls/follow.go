package calls

import (
	"context"
	"errors"
	"sync"
	"time"

	"concord/jobs"
)

// Kind is the kind of the runs.
const Kind = "calls"

// followed remembers up to which file each carrier's quality was followed. A
// service that starts looks at all of them again.
type followed struct {
	mu   sync.Mutex
	upTo map[string]int64
}

func (f *followed) get(carrier string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.upTo[carrier]
}

func (f *followed) set(carrier string, id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.upTo == nil {
		f.upTo = map[string]int64{}
	}
	f.upTo[carrier] = id
}

// Follow sees what a carrier's new files of quality rows change of what was
// delivered, and enqueues runs for that. Of a period whose run is under way it
// looks again at the next call.
func (c *Clerk) Follow(ctx context.Context, carrier string) error {
	upTo := c.follow.get(carrier)
	files, err := c.State.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Carrier: carrier})
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.ID <= upTo {
			continue
		}
		done := true
		if f.Usable() && !f.First.IsZero() {
			if done, err = c.followFile(ctx, &f); err != nil {
				return err
			}
		}
		if !done {
			return nil
		}
		c.follow.set(carrier, f.ID)
	}
	return nil
}

// followFile enqueues a run for every delivered period that a file touches.
func (c *Clerk) followFile(ctx context.Context, f *jobs.MicrosoftFile) (done bool, err error) {
	list, err := c.State.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: f.Carrier, From: f.First, To: f.Last.Add(time.Microsecond), Newest: true})
	if err != nil {
		return false, err
	}
	done = true
	for _, d := range list {
		delay, late := c.Late(d.Job, f.Carrier)
		if !late {
			continue
		}
		seen, err := c.seen(ctx, &d, qualityID(f.ID))
		if err != nil {
			return false, err
		}
		if !seen {
			seen, err = c.final(ctx, &d)
		}
		if err != nil {
			return false, err
		}
		if seen {
			continue
		}
		now := c.Now()
		r := jobs.Run{Job: d.Job, Kind: Kind, Carrier: f.Carrier, Period: d.Period, Trigger: jobs.TriggerUpload, NotBefore: now.Add(delay)}
		active, err := c.State.Enqueue(ctx, r, now)
		switch {
		case errors.Is(err, jobs.ErrActive):
			done = done && active.State == jobs.RunQueued
		case err != nil:
			return false, err
		}
	}
	return done, nil
}

// seen reports whether a run about the period of a delivery has read a file.
func (c *Clerk) seen(ctx context.Context, d *jobs.CallsDelivery, file string) (bool, error) {
	list, err := c.State.Runs(ctx, jobs.RunFilter{Carrier: d.Carrier, From: d.Period.From, To: d.Period.To, File: file})
	if err != nil {
		return false, err
	}
	for _, r := range list {
		if r.Job == d.Job && r.Period.From.Equal(d.Period.From) && r.Period.To.Equal(d.Period.To) && r.State != jobs.RunFailed && r.State != jobs.RunCancelled {
			return true, nil
		}
	}
	return false, nil
}
