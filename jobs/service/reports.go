package service

import (
	"slices"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/reconcile"
)

// reportOutbox returns where a report goes that was published to go to its
// carrier, as long as the configuration has its job send it there.
func (s *Service) reportOutbox(r jobs.Report) (reconcile.Outbox, bool) {
	c := s.cfg()
	j, ok := c.Job(r.Job)
	if !ok || !j.Deliver || !slices.ContainsFunc(c.CarriersOf(j), func(x *config.Carrier) bool { return x.Name == r.Carrier }) {
		return nil, false
	}
	x := s.reception()
	if x == nil {
		return nil, false
	}
	d, _, ok := x.desk(r.Carrier)
	if !ok {
		return nil, false
	}
	return s.outbox(r.Carrier, d.home), true
}

// reported is told of a report that has reached the outbox of its carrier.
func (s *Service) reported(r jobs.Report, d jobs.ReportDelivery) {
	s.metrics.reports.WithLabelValues(r.Carrier).Inc()
	s.Log.Info("report delivered", "carrier", r.Carrier, "period", r.Period.Text, "version", r.Version, "report", r.ID, "files", len(d.Files))
}
