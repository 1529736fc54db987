package cli

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/service"
)

type serveCmd struct {
	configFlag
}

// Help is shown below the flags.
func (serveCmd) Help() string {
	return "Serves SFTP to carriers, takes what they send, and answers with receipts, until it is told to stop (SIGTERM, SIGINT). It writes its log, a line of JSON each, to the error stream.\n\nExample:\n\n  concord serve -c /etc/concord/concord.yaml"
}

// Run serves until the program is told to stop.
func (c *serveCmd) Run(s *session) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(s.Err, nil))
	srv, err := service.Open(s.ctx, cfg, service.Options{Worker: w, Log: log, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { _ = srv.Close() }()
	c.greet(s, cfg, srv)
	return srv.Run(s.ctx)
}

// greet tells the person who started the service what carriers need to know.
func (c *serveCmd) greet(s *session, cfg *config.Config, srv *service.Service) {
	if srv.SFTP() == nil {
		return
	}
	fmt.Fprintf(s.Out, "SFTP on %s for %s; host keys:\n", srv.SFTP(), names(cfg))
	for _, k := range srv.HostKeys().Announced() {
		fmt.Fprintf(s.Out, "  %s %s\n", k.Type(), ssh.FingerprintSHA256(k))
	}
}

// names lists the carriers that log in here.
func names(c *config.Config) string {
	var all []string
	for _, x := range c.Carriers {
		if x.LogsIn() {
			all = append(all, x.Name)
		}
	}
	if len(all) == 0 {
		return "no carrier"
	}
	return strings.Join(all, ", ")
}
