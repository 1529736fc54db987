package service

import (
	"concord/jobs/privacy"
	"concord/jobs/state"
	"concord/jobs/subject"
)

// Subjects lets a test put faults into the way of an erasure.
func (s *Service) Subjects() *subject.Desk { return s.subjects }

// Purger lets a test put faults into the way of a purge, and Store see what came
// of it.
func (s *Service) Purger() *privacy.Purger { return s.purger }
func (s *Service) Store() *state.Store     { return s.store }
