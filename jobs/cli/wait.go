package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/service"
)

// lookEvery is how often is asked how far a run is.
const lookEvery = 500 * time.Millisecond

// await waits until runs are over, which this process does itself when no
// service does, and returns them.
func (s *session) await(t *target, ids []string) (done []control.RunDetail, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	p := startProgress(s.Err)
	defer p.stop()
	var wg sync.WaitGroup
	defer wg.Wait() // it closes what it has opened
	if t.alone {
		wg.Go(func() {
			if err := s.runQueued(ctx, t.cfg, ids); err != nil {
				stop(err)
			}
		})
	}
	for n, id := range ids {
		r, err := t.await(ctx, id, func(r *control.RunDetail) { p.shows(waiting(r, n, len(ids)), r.Progress) })
		if err != nil {
			stop(err)
			return done, err
		}
		done = append(done, r)
	}
	return done, nil
}

// await waits until a run is over. One that failed and is tried again by a
// service goes on as its next attempt.
func (t *target) await(ctx context.Context, id string, tell func(*control.RunDetail)) (control.RunDetail, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		r, err := t.Run(ctx, id)
		if ctx.Err() != nil {
			return r, t.stopped(ctx, id)
		}
		if err != nil {
			return r, err
		}
		next, again := retryOf(&r)
		switch {
		case again && !t.alone:
			id = next
			continue
		case r.Over():
			return r, nil
		}
		tell(&r)
		select {
		case <-ctx.Done():
			return r, t.stopped(ctx, id)
		case <-tick.C:
		}
	}
}

// stopped says why there is no more waiting.
func (t *target) stopped(ctx context.Context, id string) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, context.Canceled) {
		return cause
	}
	text := "no longer waiting; the run goes on: concord runs show " + id + ", or concord cancel " + id
	if t.alone {
		text = "stopped; what was not done is queued again, and concord serve does it: concord runs --state queued lists it"
	}
	return &jobs.Failure{Kind: jobs.KindCancelled, Messages: []string{text}}
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
func (s *session) runQueued(ctx context.Context, cfg *config.Config, ids []string) error {
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return service.RunQueued(ctx, cfg, service.Options{Worker: w, Log: log, Now: time.Now, Program: programVersion()}, ids)
}
