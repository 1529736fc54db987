// Package service is the running whole: it opens what a configuration names, and
// keeps it going until it is told to stop. Carriers reach it over SFTP; what
// they send is taken, recorded in the state database and answered with a
// receipt. One process at a time works on a data folder.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/state"
)

// Options are what a configuration does not say.
type Options struct {
	Worker jobs.Worker // decodes files in child processes
	Log    *slog.Logger
	Now    func() time.Time
	// VisitEvery is how long a carrier's own host is left alone between two
	// looks; 0: 30 s.
	VisitEvery time.Duration
}

// Service is everything that is open. Run it once, then Close it.
type Service struct {
	Options
	config *config.Config
	lock   *os.File
	store  *state.Store
	spool  *landing.Spool
	keys   *sftpd.HostKeys
	taker  *jobs.Collector
	server *sftpd.Server
	listen net.Listener
	homes  map[string]*landing.Home
}

// The folders of the data folder.
const (
	lockFile    = "lock"
	homesDir    = "homes"
	spoolDir    = "spool"
	rejectsDir  = "rejects"
	hostKeysDir = "hostkeys"
)

// Open opens what the configuration names, and cleans up after a crash.
func Open(ctx context.Context, c *config.Config, o Options) (_ *Service, err error) {
	if o.VisitEvery == 0 {
		o.VisitEvery = 30 * time.Second
	}
	s := &Service{Options: o, config: c, homes: map[string]*landing.Home{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, step := range []func(context.Context) error{s.openData, s.openHomes, s.openServer} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Service) dir(name string) string { return filepath.Join(s.config.Data, name) }

// openData opens the data folder, the database and the spool.
func (s *Service) openData(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.config.Data, 0o750); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if s.lock, err = lock(s.dir(lockFile)); err != nil {
		return fmt.Errorf("data folder %s: %w", s.config.Data, err)
	}
	url := s.config.Database.Reveal()
	if url == "" {
		url = s.config.Data
	}
	if s.store, err = state.Open(ctx, url); err != nil {
		return err
	}
	if s.spool, err = landing.OpenSpool(s.dir(spoolDir)); err != nil {
		return err
	}
	if err := s.spool.Sweep(ctx, s.store.Holds); err != nil {
		return err
	}
	s.taker = jobs.NewCollector(jobs.CollectOptions{
		Profile: s.profile, Ledger: s.store, Worker: s.Worker, Now: s.Now, Content: s.spool.Path,
		Rejects: s.dir(rejectsDir), Observer: jobs.CollectObserver{Decided: s.decided, Gap: s.gap},
	})
	return nil
}

func (s *Service) profile(carrier string) (string, error) {
	c, ok := s.config.Carrier(carrier)
	if !ok {
		return "", fmt.Errorf("%s is not in the configuration", carrier)
	}
	return c.ProfilePath, nil
}

func (s *Service) openHomes(context.Context) error {
	for _, c := range s.config.Carriers {
		h, err := landing.OpenHome(filepath.Join(s.dir(homesDir), c.Name), c.Name, c.Terms, s.Now)
		if err != nil {
			return err
		}
		s.homes[c.Name] = h
	}
	return nil
}

func (s *Service) openServer(ctx context.Context) (err error) {
	if s.config.SFTP.Listen == "" {
		return nil
	}
	if s.keys, err = sftpd.OpenHostKeys(s.dir(hostKeysDir), s.Now); err != nil {
		return err
	}
	s.server, err = sftpd.New(sftpd.Config{Accounts: s, Keys: s.keys, Settings: s.config.SFTP.Settings, Now: s.Now, Audit: s.audit})
	if err != nil {
		return err
	}
	if s.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", s.config.SFTP.Listen); err != nil {
		return fmt.Errorf("listen for SFTP: %w", err)
	}
	return nil
}

// Account implements sftpd.Accounts.
func (s *Service) Account(name string) (sftpd.Account, bool) {
	c, ok := s.config.Carrier(name)
	if !ok || !c.LogsIn() {
		return sftpd.Account{}, false
	}
	return c.Account(s.homes[name]), true
}

// SFTP returns where the server for carriers listens; nil: there is none.
func (s *Service) SFTP() net.Addr {
	if s.listen == nil {
		return nil
	}
	return s.listen.Addr()
}

// HostKeys returns the keys of the server for carriers; nil: there is none.
func (s *Service) HostKeys() *sftpd.HostKeys { return s.keys }

// Run serves until ctx ends, and lets what is under way come to an end.
func (s *Service) Run(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, c := range s.config.Carriers {
		home := s.homes[c.Name]
		wg.Go(func() { home.Tend(ctx, s.spool, s.taker, s.watch()) })
		if c.Host != nil {
			wg.Go(func() { s.visit(ctx, c, home) })
		}
	}
	if s.server != nil {
		wg.Go(func() {
			err = s.server.Serve(ctx, s.listen)
			stop()
		})
	}
	s.Log.Info("ready", "data", s.config.Data, "database", s.store.Where(), "sftp", s.SFTP(), "carriers", len(s.homes))
	wg.Wait()
	s.Log.Info("stopped")
	return err
}

// Close closes what is open.
func (s *Service) Close() error {
	var errs []error
	if s.listen != nil {
		if err := s.listen.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, h := range s.homes {
		errs = append(errs, h.Close())
	}
	if s.keys != nil {
		errs = append(errs, s.keys.Close())
	}
	if s.spool != nil {
		errs = append(errs, s.spool.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
