package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

// RunQueued does queued runs in this process, without serving anybody, and
// returns when the ones that are named are over. It is for a service that is
// stopped: one that runs does them itself.
func RunQueued(ctx context.Context, c *config.Config, o Options, runs []string) (err error) {
	s, err := openAlone(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	s.receive(ctx, &wg, stop)
	s.dispatch(ctx, &wg)
	err = s.await(ctx, runs)
	stop(nil)
	wg.Wait()
	return err
}

// openAlone opens the data folder of a service that is stopped, with the exchange
// with carriers but without a listener.
func openAlone(ctx context.Context, c *config.Config, o Options) (*Service, error) {
	s, err := open(ctx, c, o)
	if err != nil {
		return nil, err
	}
	if s.lock.Load() == nil {
		return nil, errors.Join(errTaken, s.Close())
	}
	r, err := s.openReception(ctx, false)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.exchange.Store(r)
	return s, nil
}

// await waits until runs are over.
func (s *Service) await(ctx context.Context, runs []string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for _, id := range runs {
		for {
			r, err := s.store.Run(ctx, id)
			if err != nil {
				return err
			}
			if r.State.Over() {
				break
			}
			if why := s.waits(r); why != nil {
				return why
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-tick.C:
			}
		}
	}
	return nil
}

// waits says why a run cannot be waited for.
func (s *Service) waits(r jobs.Run) error {
	if r.State != jobs.RunQueued || r.NotBefore.Sub(s.Now()) < time.Minute {
		return nil
	}
	return fmt.Errorf("run %s waits until %s: start concord serve, which does it then", r.ID, r.NotBefore.UTC().Format(time.RFC3339))
}
