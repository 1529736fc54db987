package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/console"
	"concord/jobs/service"
)

type serveCmd struct {
	configFlag
}

// Help is shown below the flags.
func (serveCmd) Help() string {
	return "Serves SFTP to carriers, takes what they and Microsoft send, answers with receipts, does the jobs when they are due and publishes their reports, until it is told to stop (SIGTERM, SIGINT). SIGHUP, like concord reload, makes it read the configuration again. It writes its log, a line of JSON each, to the error stream.\n\nExample:\n\n  concord serve -c /etc/concord/concord.yaml"
}

// Run serves until the program is told to stop.
func (c *serveCmd) Run(s *session) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(s.Err, nil))
	srv, err := service.Open(s.ctx, cfg, service.Options{Worker: w, Log: log, Now: time.Now, Program: programVersion()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	c.greet(s, cfg, srv)
	ctx, stop := context.WithCancel(s.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { reloadOnHangup(ctx, srv, log) })
	err = srv.Run(ctx)
	stop()
	wg.Wait()
	return err
}

// reloadOnHangup reads the configuration again at every SIGHUP. One with a
// fault changes nothing.
func reloadOnHangup(ctx context.Context, srv *service.Service, log *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if _, err := srv.Reload(ctx); err != nil {
				log.Error("reload", "error", err.Error())
			}
		}
	}
}

// programVersion is what reports depend on: the version of a release, or the
// commit that was built.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			version += " " + s.Key + "=" + s.Value
		}
	}
	return version
}

// greet tells the person who started the service what carriers need to know.
func (c *serveCmd) greet(s *session, cfg *config.Config, srv *service.Service) {
	if addr := srv.HTTP(); addr != nil {
		defer fmt.Fprintf(s.Out, "HTTP on %s for those who have a token, /openapi.yaml describes it; the console for people is at %s\n", addr, console.Root)
	}
	if addr := srv.CarrierHTTP(); addr != nil {
		defer fmt.Fprintf(s.Out, "HTTP on %s for carriers; /carrier/openapi.yaml describes it\n", addr)
	}
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
