package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

// lookEvery is how often is asked how far a run is.
const lookEvery = 500 * time.Millisecond

// await waits until runs are over, which this process does itself when no
// service does, and returns them.
func (s *session) await(t *target, ids []string) (done []control.RunDetail, err error) {
	if t.alone && len(ids) > 0 {
		if err := runQueued(s, t.cfg, ids); err != nil {
			return nil, err
		}
	}
	p := startProgress(s.Err)
	defer p.stop()
	for n, id := range ids {
		r, err := s.awaitOne(t, id, func(r *control.RunDetail) { p.shows(waiting(r, n, len(ids)), r.Progress) })
		if err != nil {
			return done, err
		}
		done = append(done, r)
	}
	return done, nil
}

// awaitOne waits until a run is over. One that failed and is tried again goes
// on as its next attempt.
func (s *session) awaitOne(t *target, id string, tell func(*control.RunDetail)) (control.RunDetail, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		r, err := t.Run(s.ctx, id)
		if errors.Is(err, context.Canceled) {
			return r, stoppedWaiting(id)
		}
		if err != nil {
			return r, err
		}
		next, again := retryOf(&r)
		switch {
		case again:
			id = next
			continue
		case r.Over():
			return r, nil
		}
		tell(&r)
		select {
		case <-s.ctx.Done():
			return r, stoppedWaiting(id)
		case <-tick.C:
		}
	}
}

// retryOf returns the attempt that was made of a run by itself.
func retryOf(r *control.RunDetail) (id string, ok bool) {
	for _, a := range r.After {
		if a.Trigger == string(jobs.TriggerRetry) && a.RerunOf == r.ID {
			return a.ID, true
		}
	}
	return "", false
}

func stoppedWaiting(id string) error {
	return &jobs.Failure{Kind: jobs.KindCancelled, Messages: []string{"no longer waiting; the run goes on: concord runs show " + id + ", or concord cancel " + id}}
}

// waiting says for which run of how many is waited.
func waiting(r *control.RunDetail, n, all int) string {
	words := strings.TrimSpace(r.Carrier+" "+r.Period.String()) + " " + r.State
	if r.State == string(jobs.RunQueued) && r.NotBefore.After(r.Created) {
		words += " until " + clock(r.NotBefore)
	}
	if all > 1 {
		words = fmt.Sprintf("run %d of %d: %s", n+1, all, words)
	}
	return words
}

// runQueued does queued runs in this process, for no service does.
func runQueued(_ *session, _ *config.Config, ids []string) error {
	return &jobs.Failure{Kind: jobs.KindFailed, Messages: []string{
		fmt.Sprintf("%s queued; start concord serve, which does them", count(len(ids), "run")),
	}}
}
