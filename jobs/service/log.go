package service

import (
	"context"
	"log/slog"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
)

// audit logs what clients do.
func (s *Service) audit(e sftpd.Event) {
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

// decided logs what became of a file.
func (s *Service) decided(e jobs.Entry) {
	args := []any{"carrier", e.Carrier, "file", e.Name, "status", string(e.Status), "rows", e.Rows, "accepted", e.Accepted, "rejected", e.Rejected, "id", e.ID}
	if len(e.Reasons) > 0 {
		args = append(args, "reason", e.Reasons[0].Reason)
	}
	s.Log.Info("file", args...)
}

// gap logs that files are missing before one.
func (s *Service) gap(e jobs.Entry) {
	s.Log.Warn("files are missing", "carrier", e.Carrier, "before", e.Name, "missing", e.Missing)
}

func (s *Service) watch() landing.Watch {
	return landing.Watch{
		Waiting: func(carrier, name, why string) { s.Log.Info("waiting", "carrier", carrier, "file", name, "why", why) },
		Trouble: func(carrier, name string, err error) {
			s.Log.Error("trouble", "carrier", carrier, "file", name, "error", err.Error())
		},
	}
}
