package service

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Run serves until ctx ends, and lets what is under way come to an end.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	if s.leads() {
		s.lead(ctx, &wg, stop)
	} else {
		s.Log.Info("another service has the exchange with carriers; this one does runs, and takes its place when it ends")
		wg.Go(func() { s.inherit(ctx, &wg, stop) })
	}
	wg.Go(func() { s.schedule(ctx) })
	s.dispatch(ctx, &wg)
	wg.Go(func() { s.pursue(ctx) })
	wg.Go(func() { s.web.serve(ctx, stop) })
	s.Log.Info("ready", "data", s.cfg().Data, "database", s.store.Where(), "sftp", s.SFTP(), "http", s.HTTP(), "carriers", len(s.cfg().Carriers))
	<-ctx.Done()
	wg.Wait()
	s.Log.Info("stopped")
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// pursue looks at what new files and passing time change, at what was left
// undone, and at what is late.
func (s *Service) pursue(ctx context.Context) {
	tick := time.NewTicker(s.TickEvery)
	defer tick.Stop()
	for {
		s.followUp(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		case <-tick.C:
			s.tick(ctx)
		}
	}
}

// followUp sees what new files change.
func (s *Service) followUp(ctx context.Context) {
	s.attempt(ctx, "follow up", s.follow.Follow)
	s.rouse()
}

// tick does what is to be done now and then.
func (s *Service) tick(ctx context.Context) {
	s.attempt(ctx, "pending calls", s.follow.Ripen)
	s.attempt(ctx, "unfinished reports", s.maker.Recover)
	if s.leads() {
		s.attempt(ctx, "alerts", s.alert.Tick)
	}
}

func (s *Service) attempt(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error(what, "error", err.Error())
	}
}
