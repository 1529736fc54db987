package alert_test

import (
	"context"
	"time"

	"concord/jobs"
	"concord/jobs/state"
)

// shaky is a state of which one call fails.
type shaky struct {
	*state.Store
	at     int // the call, from 0
	calls  int
	failed bool
}

func (s *shaky) fails() error {
	s.calls++
	if s.calls-1 == s.at {
		s.failed = true
		return errState
	}
	return nil
}

func (s *shaky) Raise(ctx context.Context, a jobs.Alert, now time.Time) (jobs.Alert, bool, error) {
	if err := s.fails(); err != nil {
		return a, false, err
	}
	return s.Store.Raise(ctx, a, now)
}

func (s *shaky) Resolve(ctx context.Context, key string, now time.Time) (bool, error) {
	if err := s.fails(); err != nil {
		return false, err
	}
	return s.Store.Resolve(ctx, key, now)
}

func (s *shaky) Alerts(ctx context.Context, f jobs.AlertFilter) ([]jobs.Alert, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	return s.Store.Alerts(ctx, f)
}

func (s *shaky) ListFiles(ctx context.Context, f jobs.FileFilter) ([]jobs.Entry, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	return s.Store.ListFiles(ctx, f)
}

func (s *shaky) Run(ctx context.Context, id string) (jobs.Run, error) {
	if err := s.fails(); err != nil {
		return jobs.Run{}, err
	}
	return s.Store.Run(ctx, id)
}

func (s *shaky) Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	return s.Store.Runs(ctx, f)
}
