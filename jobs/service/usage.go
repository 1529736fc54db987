package service

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/dispatch"
	"concord/jobs/usage"
)

// openUsage makes what sums up the usage per customer, and what sees that it is
// done anew.
func (s *Service) openUsage() (*usage.Bookkeeper, *usage.Follower) {
	books := &usage.Bookkeeper{
		State: s.store, Job: s.summing, Folder: ReportsFolder(s.cfg()), Keys: s.keys(), Program: s.Program, Now: s.Now,
		Trouble:   func(err error) { s.Log.Error("usage", "error", err.Error()) },
		Published: s.summed,
	}
	return books, &usage.Follower{State: s.store, Late: s.late, Zone: s.zoneOf, Now: s.Now}
}

// summing says what a job's usage holds.
func (s *Service) summing(job string) (usage.Job, error) {
	j, ok := s.cfg().Job(job)
	if !ok {
		return usage.Job{}, dispatch.Permanent(fmt.Errorf("job %s is not in the configuration any more", job))
	}
	return usage.Job{Users: j.Users, Zone: s.zoneOf(job), Memory: s.cfg().Runs.Memory}, nil
}

// zoneOf is the zone in which a job's days are.
func (s *Service) zoneOf(job string) *time.Location {
	if j, ok := s.cfg().Job(job); ok && j.Zone != nil {
		return j.Zone
	}
	return time.UTC
}

// summed is told of a usage that was published.
func (s *Service) summed(r jobs.Report, u usage.Summed) {
	s.metrics.usages.WithLabelValues(r.Carrier, strconv.FormatBool(u.Missing == 0)).Inc()
	args := []any{
		"carrier", r.Carrier, "job", r.Job, "period", r.Period.Text, "version", r.Version, "calls", u.Calls, "missing_days", u.Missing, "run", r.Run,
	}
	if len(u.Findings) == 0 {
		s.Log.Info("usage published", args...)
		return
	}
	s.Log.Warn("usage published", append(args, "reason", strings.Join(u.Findings, "; "))...)
}
