package service

import (
	"context"
	"fmt"

	"concord/jobs/config"
)

// Reload reads the configuration again and takes over what can be taken over
// without a restart: carriers with their keys and profiles, jobs, users, tokens
// and the webhook. It returns what changed, a line each. A configuration with a
// fault changes nothing.
func (s *Service) Reload(ctx context.Context) ([]string, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	was := s.cfg()
	next, err := config.Load(was.File)
	if err != nil {
		return nil, err
	}
	diff := was.Diff(next)
	// What needs a restart stays as it is until then.
	next.Data, next.Database, next.SFTP, next.HTTP.Listen = was.Data, was.Database, was.SFTP, was.HTTP.Listen
	next.Encryption = was.Encryption
	next.CarrierHTTP.Listen = was.CarrierHTTP.Listen
	next.HTTP.BehindProxy, next.Runs.Workers = was.HTTP.BehindProxy, was.Runs.Workers
	if err := s.keepProfiles(ctx, next); err != nil {
		return nil, err
	}
	s.config.Store(next)
	if r := s.reception(); r != nil {
		err = r.adopt(diff, next)
	}
	s.retime(next, diff)
	s.rouse()
	for _, line := range diff.Lines() {
		s.Log.Info("reload", "change", line)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration was taken over but for this, mend it and reload once more: %w", err)
	}
	return diff.Lines(), nil
}
