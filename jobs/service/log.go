package service

import (
	"context"
	"log/slog"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/dispatch"
)

// audit logs what clients do.
func (s *Service) audit(e sftpd.Event) {
	s.metrics.sftp(e)
	args := []any{"act", string(e.Act), "address", e.Address}
	for _, x := range []struct{ key, value string }{
		{"carrier", e.Carrier}, {"session", e.Session}, {"client", e.Client}, {"name", e.Name}, {"to", e.To}, {"why", e.Why},
	} {
		if x.value != "" {
			args = append(args, x.key, x.value)
		}
	}
	if e.Bytes > 0 {
		args = append(args, "bytes", e.Bytes)
	}
	level := slog.LevelInfo
	switch e.Act {
	case sftpd.ActFault:
		level = slog.LevelError
	case sftpd.ActRefused, sftpd.ActBan:
		level = slog.LevelWarn
	}
	s.Log.Log(context.Background(), level, "sftp", args...)
}

// decided is told what became of a file.
func (s *Service) decided(e jobs.Entry) {
	s.metrics.decided(e)
	if !e.Microsoft {
		s.waiting.decided(e.Carrier, e.Name)
	}
	args := []any{"carrier", e.Carrier, "microsoft", e.Microsoft, "file", e.Name, "status", string(e.Status), "rows", e.Rows, "accepted", e.Accepted, "rejected", e.Rejected, "id", e.ID}
	if len(e.Reasons) > 0 {
		args = append(args, "reason", e.Reasons[0].Reason)
	}
	s.Log.Info("file", args...)
	aside(func(ctx context.Context) { s.alert.Decided(ctx, e) })
	signal(s.changed)
}

// gap logs that files are missing before one.
func (s *Service) gap(e jobs.Entry) {
	s.Log.Warn("files are missing", "carrier", e.Carrier, "before", e.Name, "missing", e.Missing)
}

func (s *Service) watch() landing.Watch {
	return landing.Watch{
		Waiting: func(carrier, name, why string) {
			s.Log.Info("waiting", "carrier", carrier, "file", name, "why", why)
			s.waiting.told(carrier, name, why, s.Now())
		},
		Trouble: func(carrier, name string, err error) {
			s.Log.Error("trouble", "carrier", carrier, "file", name, "error", err.Error())
		},
	}
}

func (s *Service) started(r jobs.Run) {
	s.Log.Info("run begins", "run", r.ID, "job", r.Job, "carrier", r.Carrier, "period", r.Period.Text, "attempt", r.Attempt, "trigger", string(r.Trigger))
}

// ended is told how a run ended.
func (s *Service) ended(r jobs.Run, how dispatch.How, err error) {
	now := s.Now()
	s.metrics.ended(r, how, now)
	args := []any{"run", r.ID, "job", r.Job, "carrier", r.Carrier, "period", r.Period.Text, "attempt", r.Attempt, "how", string(how), "took", now.Sub(r.Started).Round(time.Millisecond).String()}
	level := slog.LevelInfo
	if err != nil {
		args = append(args, "error", err.Error())
		if how == dispatch.Failed || how == dispatch.Retried {
			level = slog.LevelWarn
		}
	}
	s.Log.Log(context.Background(), level, "run ends", args...)
	r.Error = text(err)
	failed, over := how == dispatch.Failed || how == dispatch.Retried, how != dispatch.Retried && how != dispatch.Released && how != dispatch.Lost
	aside(func(ctx context.Context) { s.alert.RunEnded(ctx, r, failed, over) })
	signal(s.changed) // what came in while it ran
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// expired is told of a run that was taken from a service that fell silent.
func (s *Service) expired(r jobs.Run) {
	s.metrics.lost.Inc()
	s.Log.Warn("run taken from a service that fell silent", "run", r.ID, "job", r.Job, "carrier", r.Carrier, "owner", r.Owner, "state", string(r.State))
}

// unreached is told that a carrier's host, or Microsoft's folder about it,
// could not be used.
func (s *Service) unreached(carrier string, place alert.Place, failures int, again time.Duration, err error) {
	s.Log.Warn("nothing can be taken", "carrier", carrier, "from", string(place), "error", err.Error(), "failures", failures, "again_in", again.String())
	aside(func(ctx context.Context) { s.alert.Visited(ctx, carrier, place, failures, err) })
}

func (s *Service) reached(carrier string, place alert.Place) {
	aside(func(ctx context.Context) { s.alert.Visited(ctx, carrier, place, 0, nil) })
}

// homeOpened is told of each try to open the home of a carrier after one that
// failed.
func (s *Service) homeOpened(carrier string, failures int, err error) {
	aside(func(ctx context.Context) { s.alert.Visited(ctx, carrier, alert.Home, failures, err) })
}

// aside tells of something that has happened, whatever ends meanwhile, but not
// for ever: a database that does not answer must not hold up the end of the
// service. What is not told is found by the next tick.
func aside(tell func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	tell(ctx)
}
