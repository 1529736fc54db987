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
	wg.Go(func() { s.oversee(ctx) })
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

// pursue looks at what new files and passing time change, and at what was left
// undone.
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
			s.attempt(ctx, "pending calls", s.follow.Ripen)
			s.attempt(ctx, "unfinished reports", s.maker.Recover)
		}
	}
}

// followUp sees what new files change, and what new reports go to carriers.
func (s *Service) followUp(ctx context.Context) {
	s.attempt(ctx, "follow up", s.follow.Follow)
	s.attempt(ctx, "follow up usage", s.due.Follow)
	s.attempt(ctx, "follow up quality", s.followCalls)
	s.attempt(ctx, "cases of new versions", s.takeCases)
	s.rouse()
	if s.leads() { // the outboxes are its
		s.attempt(ctx, "reports to carriers", s.deliver.Deliver)
	}
}

// takeCases has the register know the cases of new versions. One whose files are
// not in their place waits; that it is lost is told elsewhere.
func (s *Service) takeCases(ctx context.Context) error {
	waiting, err := s.cases.CatchUp(ctx, "")
	for _, w := range waiting {
		err = errors.Join(err, w.Err)
	}
	return err
}

// auditEvery is how often it is seen whether reports are still there.
const auditEvery = time.Hour

// oversee raises alerts about what is late and what is lost. It is a matter of
// its own: whatever holds up the rest is what they are about.
func (s *Service) oversee(ctx context.Context) {
	tick := time.NewTicker(s.TickEvery)
	defer tick.Stop()
	for audited := time.Duration(0); ; audited -= s.TickEvery {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.leads() {
			continue
		}
		s.reception().openDesks(ctx)
		s.attempt(ctx, "alerts", s.alert.Tick)
		if audited <= 0 {
			s.attempt(ctx, "reports", s.audited)
			audited = auditEvery
		}
	}
}

// audited sees whether the newest reports are where they belong.
func (s *Service) audited(ctx context.Context) error {
	lost, err := s.maker.Missing(ctx)
	if err != nil {
		return err
	}
	return s.alert.Lost(ctx, lost)
}

func (s *Service) attempt(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error(what, "error", err.Error())
	}
}
