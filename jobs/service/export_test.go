package service

import "concord/jobs/subject"

// Subjects lets a test put faults into the way of an erasure.
func (s *Service) Subjects() *subject.Desk { return s.subjects }
