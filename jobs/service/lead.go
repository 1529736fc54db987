package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lockEvery is how often a service looks at least whether it is to take
// another's place.
const lockEvery = 5 * time.Second

// reception returns the exchange; nil: another service has it.
func (s *Service) reception() *reception { return s.exchange.Load() }

// leads reports whether this service has the exchange.
func (s *Service) leads() bool { return s.reception() != nil }

// inherit waits until the service that has the exchange is gone, and goes on
// with it.
func (s *Service) inherit(ctx context.Context, wg *sync.WaitGroup, stop context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(lockEvery, s.TickEvery)):
		}
		f, err := lock(s.dir(lockFile))
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			stop(fmt.Errorf("data folder %s: %w", s.cfg().Data, err))
			return
		}
		s.lock.Store(f)
		break
	}
	for {
		err := s.takeOver(ctx)
		if err == nil {
			break
		}
		// Such as a port that is not free yet. Nobody else could do better:
		// the lock stays here.
		s.Log.Error("take over the exchange", "error", err.Error())
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(lockEvery, s.TickEvery)):
		}
	}
	s.Log.Info("has the exchange with carriers from now on", "sftp", s.SFTP())
	s.lead(ctx, wg, stop)
}

// lead does what only one service does: the exchange, reading Graph and
// Microsoft's hosts, the local socket, and posting alerts.
func (s *Service) lead(ctx context.Context, wg *sync.WaitGroup, stop context.CancelCauseFunc) {
	s.receive(ctx, wg, stop)
	wg.Go(func() { s.alert.Deliver(ctx) })
	wg.Go(func() { s.erase(ctx) })
	wg.Go(func() { (&tenants{s: s}).run(ctx) })
	wg.Go(func() { (&microsoftHosts{s: s}).run(ctx) })
	wg.Go(func() { s.web.serveLocal(ctx, stop) })
}

func (s *Service) takeOver(ctx context.Context) error {
	s.reloading.Lock() // the configuration stays as it is meanwhile
	defer s.reloading.Unlock()
	if err := s.cleanUp(ctx); err != nil {
		return err
	}
	r, err := s.openReception(ctx, true)
	if err == nil {
		s.exchange.Store(r)
	}
	return err
}

// receive has the exchange with carriers go on.
func (s *Service) receive(ctx context.Context, wg *sync.WaitGroup, stop context.CancelCauseFunc) {
	wg.Go(func() {
		if err := s.reception().serve(ctx); err != nil {
			stop(err)
		}
	})
}
