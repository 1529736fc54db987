package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/config"
	"concord/jobs/feed"
)

// reception is the exchange with carriers and Microsoft: what only one service
// at a time may have.
type reception struct {
	s      *Service
	keys   *sftpd.HostKeys
	server *sftpd.Server
	listen net.Listener
	http   net.Listener // for carriers that use HTTP; nil: none

	mu    sync.Mutex
	desks map[string]*desk // by carrier, also of those that are gone

	shared *feed.Feed // of files about several carriers

	run context.Context // while it is under way, else nil
	wg  sync.WaitGroup

	failed error          // why it ended
	broken map[string]int // how often the home of a carrier could not be opened
}

// desk is where one carrier is served.
type desk struct {
	home *landing.Home
	feed *feed.Feed
	host hostCalls

	quality *feed.Feed
	gone    chan struct{}      // closed when the carrier is taken out of the configuration
	leave   context.CancelFunc // nil: nobody tends it
	left    chan struct{}      // closed when whoever tended it last has gone
}

// openReception opens the homes of all carriers, and with listening the server
// for carriers.
func (s *Service) openReception(ctx context.Context, listening bool) (_ *reception, err error) {
	r := &reception{s: s, desks: map[string]*desk{}, broken: map[string]int{}, shared: s.sharedFeed(s.cfg())}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	r.openDesks(ctx)
	if listening {
		err = errors.Join(r.openServer(ctx), r.openCounter(ctx))
	}
	return r, err
}

// openDesks opens the desks of carriers that have none. One that cannot be
// opened is tried again, and keeps no other carrier out.
func (r *reception) openDesks(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.s.cfg().Carriers {
		if r.desks[c.Name] != nil || ctx.Err() != nil {
			continue
		}
		err := r.openDesk(c)
		if err != nil {
			r.broken[c.Name]++
			r.s.Log.Error("the home of a carrier cannot be opened: it is turned away until then", "carrier", c.Name, "error", err.Error())
		}
		if n := r.broken[c.Name]; n > 0 {
			r.s.homeOpened(c.Name, n, err)
		}
		if err == nil {
			delete(r.broken, c.Name)
			r.tend(c.Name)
		}
	}
}

func (r *reception) openDesk(c *config.Carrier) error {
	h, err := landing.OpenHome(filepath.Join(r.s.dir(homesDir), c.Name), c.Name, c.Terms, r.s.Now)
	if err != nil {
		return err
	}
	r.desks[c.Name] = &desk{home: h, gone: make(chan struct{}), host: hostCalls{turn: make(chan struct{}, 1)}, feed: &feed.Feed{
		Folder: filepath.Join(r.s.cfg().Microsoft, c.Name), Carrier: c.Name,
		Spool: r.s.spool, Taker: r.s.taker, Known: r.s.store, Now: r.s.Now, Skip: []string{jobs.NumbersFolder, jobs.QualityFolder},
	}, quality: r.s.qualityFeed(r.s.cfg(), c.Name)}
	return nil
}

func (r *reception) openServer(ctx context.Context) (err error) {
	c := r.s.cfg()
	if c.SFTP.Listen == "" {
		return nil
	}
	if r.keys, err = sftpd.OpenHostKeys(r.s.dir(hostKeysDir), r.s.Now); err != nil {
		return err
	}
	r.server, err = sftpd.New(sftpd.Config{Accounts: r, Keys: r.keys, Settings: c.SFTP.Settings, Now: r.s.Now, Audit: r.s.audit})
	if err != nil {
		return err
	}
	if r.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", c.SFTP.Listen); err != nil {
		return fmt.Errorf("listen for SFTP: %w", err)
	}
	return nil
}

// Account implements sftpd.Accounts.
func (r *reception) Account(name string) (sftpd.Account, bool) {
	c, ok := r.s.cfg().Carrier(name)
	if !ok || !c.LogsIn() {
		return sftpd.Account{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.desks[name]
	if d == nil {
		return sftpd.Account{}, false
	}
	return c.Account(d.home), true
}

// serve is the exchange until ctx ends.
func (r *reception) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.mu.Lock()
	r.run = ctx
	for name, d := range r.desks {
		if d.here() {
			r.tend(name)
		}
	}
	r.mu.Unlock()
	if r.server != nil {
		r.wg.Go(func() {
			r.fail(r.server.Serve(ctx, r.listen))
			stop()
		})
	}
	if r.http != nil {
		r.wg.Go(func() {
			if herr := r.serveCounter(ctx); herr != nil {
				r.fail(herr)
				stop()
			}
		})
	}
	r.wg.Go(func() { r.tendShared(ctx) })
	<-ctx.Done()
	r.mu.Lock()
	r.run = nil
	r.mu.Unlock()
	r.wg.Wait()
	return r.failed
}

// fail keeps why the exchange ends.
func (r *reception) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = errors.Join(r.failed, err)
}

// tend has a carrier's desk served until it leaves. Callers hold mu.
func (r *reception) tend(carrier string) {
	d := r.desks[carrier]
	if r.run == nil || d.leave != nil {
		return
	}
	ctx, leave := context.WithCancel(r.run)
	before, left := d.left, make(chan struct{})
	d.leave, d.left = leave, left
	r.wg.Go(func() {
		defer close(left)
		if before != nil { // a carrier that was removed, and is back
			<-before
		}
		var wg sync.WaitGroup
		wg.Go(func() { d.home.Tend(ctx, r.s.spool, r.s.opening, r.s.watch()) })
		wg.Go(func() {
			r.visit(ctx, carrier, alert.MicrosoftsFolder, func(ctx context.Context) (time.Duration, error) { return r.scan(ctx, d) })
		})
		wg.Go(func() {
			r.visit(ctx, carrier, alert.CarriersHost, func(ctx context.Context) (time.Duration, error) { return r.call(ctx, carrier, d) })
		})
		wg.Wait()
	})
}

// adopt takes a new configuration over: carriers that were removed are sent
// away, and those whose credentials changed; then the desks of new ones are
// opened, and new terms hold for the rest. It does all that can be done.
func (r *reception) adopt(diff config.Changes, next *config.Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, d := range r.desks {
		if _, ok := next.Carrier(name); !ok {
			r.dismiss(name, d)
		}
	}
	for _, c := range diff.Carriers.Changed {
		if changesLogin(c.Settings) {
			r.hangUp(c.Name)
		}
	}
	r.shared.SetFolder(next.Calls)
	var errs []error
	for _, c := range next.Carriers {
		errs = append(errs, r.welcome(c, next))
	}
	return errors.Join(errs...)
}

// dismiss ends what there is of a carrier. Callers hold mu.
func (r *reception) dismiss(carrier string, d *desk) {
	r.hangUp(carrier)
	if d.leave != nil {
		d.leave()
		d.leave = nil
	}
	if d.here() {
		close(d.gone)
	}
}

// welcome serves a carrier by a new configuration. Callers hold mu.
func (r *reception) welcome(c *config.Carrier, next *config.Config) error {
	d := r.desks[c.Name]
	if d == nil {
		if err := r.openDesk(c); err != nil {
			return err
		}
		r.tend(c.Name)
		return nil
	}
	if !d.here() {
		d.gone = make(chan struct{})
	}
	d.home.SetTerms(c.Terms)
	d.feed.SetFolder(filepath.Join(next.Microsoft, c.Name))
	d.quality.SetFolder(filepath.Join(next.Microsoft, c.Name, jobs.QualityFolder))
	r.tend(c.Name)
	return nil
}

// here reports whether the carrier is in the configuration.
func (d *desk) here() bool {
	select {
	case <-d.gone:
		return false
	default:
		return true
	}
}

func (r *reception) hangUp(carrier string) {
	if r.server != nil {
		r.server.Disconnect(carrier)
	}
}

// changesLogin reports whether who was let in may not be any more.
func changesLogin(settings []string) bool {
	for _, s := range settings {
		if s == "keys" || s == "authorities" || s == "password_hash" {
			return true
		}
	}
	return false
}

// desk returns the desk of a carrier that is in the configuration, and what is
// closed when it is so no more.
func (r *reception) desk(carrier string) (d *desk, gone <-chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d = r.desks[carrier]
	if d == nil || !d.here() {
		return nil, nil, false
	}
	return d, d.gone, true
}

func (r *reception) close() error {
	var errs []error
	for _, l := range []net.Listener{r.listen, r.http} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.desks {
		errs = append(errs, d.home.Close())
	}
	if r.keys != nil {
		errs = append(errs, r.keys.Close())
	}
	return errors.Join(errs...)
}
