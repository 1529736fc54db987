// Package service is the running whole: it opens what a configuration names, and
// keeps it going until it is told to stop. Carriers reach it over SFTP; what
// they send is taken, recorded in the state database and answered with a
// receipt. Microsoft's files are taken from their folder. Jobs are done when
// they are due or when somebody asks for them, and their reports are published
// below the data folder.
//
// One service at a time has the exchange with carriers and Microsoft: the one
// that holds the lock of the data folder. On a PostgreSQL that they share,
// further services on the same folder do runs beside it, and one of them takes
// its place when it ends.
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
	"sync/atomic"
	"time"

	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/calls"
	"concord/jobs/casework"
	"concord/jobs/config"
	"concord/jobs/numbering"
	"concord/jobs/privacy"
	"concord/jobs/reconcile"
	"concord/jobs/schedule"
	"concord/jobs/state"
	"concord/jobs/subject"
	"concord/jobs/usage"

	"github.com/google/uuid"
)

// Options are what a configuration does not say.
type Options struct {
	Worker jobs.Worker // decodes files in child processes
	Log    *slog.Logger
	Now    func() time.Time
	// VisitEvery is how long a carrier's own host, and Microsoft's folder, are
	// left alone between two looks; 0: 30 s.
	VisitEvery time.Duration
	// TickEvery is how often is looked for what is late, missing or no longer
	// pending; 0: 30 s.
	TickEvery time.Duration
	Program   string // version of this program; reports depend on it
}

// Service is everything that is open. Run it once, then Close it.
type Service struct {
	Options
	owner   string // names this service among those that share a database
	config  atomic.Pointer[config.Config]
	lock    atomic.Pointer[os.File] // nil: another service has the exchange
	store   *state.Store
	spool   *landing.Spool
	taker   *jobs.Collector
	opening *jobs.Opening // before it, for what carriers send
	maker   *reconcile.Reconciler
	cases   *casework.Clerk
	follow  *reconcile.Follower
	clerk   *numbering.Clerk
	books   *usage.Bookkeeper
	due     *usage.Follower // of usages whose reports have changed

	deliver  *reconcile.Deliverer
	quality  *calls.Quality
	dealer   *calls.Dealer
	courier  *calls.Clerk
	subjects *subject.Desk
	purger   *privacy.Purger

	exchange  atomic.Pointer[reception] // nil without the lock
	wake      chan struct{}             // there may be a run of those that make reports
	wakeCalls chan struct{}             // or of those that wait for hosts
	wakeErase chan struct{}             // or something to erase
	changed   chan struct{}             // something to follow up
	sets      chan []schedule.Job
	progress  progress
	waiting   waiting
	reloading sync.Mutex // or taking the exchange over
	metrics   *metrics
	alert     *alert.Desk
	web       *web // nil when only queued runs are done
}

// The files and folders of the data folder.
const (
	lockFile    = "lock"
	homesDir    = "homes"
	spoolDir    = "spool"
	rejectsDir  = "rejects"
	recordsDir  = "records"
	profilesDir = "profiles"
	reportsDir  = "reports"
	hostKeysDir = "hostkeys"
	numbersDir  = "numbers"

	deliveriesDir = "deliveries"
	dealingDir    = "dealing"
	previewsDir   = "previews" // emptied at each start
)

// ReportsFolder returns where a configuration's reports are.
func ReportsFolder(c *config.Config) string { return filepath.Join(c.Data, reportsDir) }

// errTaken says that another service has the lock.
var errTaken = errors.New("another concord serve works on it; stop that one, or name another folder")

// Open opens what the configuration names, and cleans up after a crash.
func Open(ctx context.Context, c *config.Config, o Options) (_ *Service, err error) {
	s, err := open(ctx, c, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock.Load() != nil {
		r, err := s.openReception(ctx, true)
		if err != nil {
			return nil, err
		}
		s.exchange.Store(r)
	}
	if s.web, err = s.openWeb(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// open opens what runs need: the data folder and the database.
func open(ctx context.Context, c *config.Config, o Options) (_ *Service, err error) {
	if o.VisitEvery == 0 {
		o.VisitEvery = 30 * time.Second
	}
	if o.TickEvery == 0 {
		o.TickEvery = 30 * time.Second
	}
	o.Log = slog.New(masked{o.Log.Handler()})
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // it only helps people to tell services apart
	s := &Service{
		Options: o, owner: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), id.String()[:8]),
		wake: make(chan struct{}, 1), wakeCalls: make(chan struct{}, 1), wakeErase: make(chan struct{}, 1), changed: make(chan struct{}, 1), sets: make(chan []schedule.Job, 1),
	}
	s.progress.now = s.Now
	s.config.Store(c)
	s.sets <- c.Timetable()
	s.metrics = newMetrics(s)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, step := range []func(context.Context) error{s.openData, s.checkFolder, s.unlock, s.openWork, s.cleanUp} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Service) cfg() *config.Config { return s.config.Load() }

// keys are those of the files in the data folder; nil: they are in clear.
func (s *Service) keys() *atrest.Keys { return s.Worker.Keys }

// unlock makes sure that all that is encrypted in the data folder can be read,
// before anything is looked at, and that whoever comes next knows of the keys.
func (s *Service) unlock(context.Context) (err error) {
	k, data := s.cfg().Encryption, s.cfg().Data
	if err := errors.Join(k.Check(data), k.Mark(data)); err != nil {
		return err
	}
	s.Worker.Keys = k
	var seal landing.Seal
	if k != nil {
		seal = k.Encrypt
	}
	s.spool, err = landing.OpenSealedSpool(s.dir(spoolDir), seal)
	return err
}

func (s *Service) dir(name string) string { return filepath.Join(s.cfg().Data, name) }

// openData opens the data folder and the database.
func (s *Service) openData(ctx context.Context) (err error) {
	c := s.cfg()
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	url := c.Database.Reveal()
	f, err := lock(s.dir(lockFile))
	if url == "" && errors.Is(err, errTaken) {
		f, err = s.outwait(ctx)
	}
	s.lock.Store(f)
	if err != nil && (url == "" || !errors.Is(err, errTaken)) {
		return fmt.Errorf("data folder %s: %w", c.Data, err)
	}
	if url == "" {
		url = c.Data
	}
	if s.store, err = state.Open(ctx, url); err != nil {
		return err
	}
	return nil
}

// lockWait is how long the lock of a service that was killed may outlive it: a
// child that it was starting has it until it is what it becomes.
const lockWait = 2 * time.Second

// outwait takes the lock when it is given back soon.
func (s *Service) outwait(ctx context.Context) (f *os.File, err error) {
	late := time.After(lockWait)
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late:
			return nil, errTaken
		case <-time.After(lockWait / 40):
		}
		if f, err = lock(s.dir(lockFile)); !errors.Is(err, errTaken) {
			return f, err
		}
	}
}

// cleanUp finishes or removes what a crash left. What cannot be mended now is
// no reason to turn carriers away.
func (s *Service) cleanUp(ctx context.Context) error {
	if s.lock.Load() == nil { // the service that has the exchange has done so
		return nil
	}
	s.attempt(ctx, "clean up the spool", func(ctx context.Context) error { return s.spool.Sweep(ctx, s.store.Holds) })
	s.attempt(ctx, "clean up samples", func(context.Context) error { return os.RemoveAll(s.dir(previewsDir)) })
	s.attempt(ctx, "clean up the records", func(ctx context.Context) error {
		return s.taker.SweepRecords(ctx, s.holdsRecords, s.leftBefore())
	})
	s.attempt(ctx, "unfinished reports", s.maker.Recover)
	s.attempt(ctx, "unfinished deliveries", s.sweepNumbers)
	s.attempt(ctx, "unfinished deliveries", s.sweepCalls)
	if s.cfg().Database != "" {
		return ctx.Err()
	}
	return s.takeBack(ctx) // nobody else can have done them
}

// leftBefore is when what a crash left was changed at the latest; zero: at any
// time. Other services on the same database may be making records at this
// moment. Files have the time of the machine.
func (s *Service) leftBefore() time.Time {
	if s.cfg().Database == "" {
		return time.Time{}
	}
	return time.Now().Add(-24 * time.Hour)
}

// holdsRecords reports whether the records of an entry are of use.
func (s *Service) holdsRecords(ctx context.Context, id string) (bool, error) {
	e, err := s.store.File(ctx, id)
	if errors.Is(err, jobs.ErrNoFile) {
		return false, nil
	}
	return err == nil && e.Ingested() && e.RecordsPurged == 0, err
}

// mostStarts is how often a run may be under way when its service ends and
// starts again: one that brings the service down must not do so for ever.
const mostStarts = 1000

// takeBack queues again what was under way when the last service ended.
func (s *Service) takeBack(ctx context.Context) error {
	list, err := s.store.Abandon(ctx, s.Now(), mostStarts)
	for _, r := range list {
		s.expired(r)
	}
	return err
}

// SFTP returns where the server for carriers listens; nil: there is none.
func (s *Service) SFTP() net.Addr {
	r := s.reception()
	if r == nil || r.listen == nil {
		return nil
	}
	return r.listen.Addr()
}

// HostKeys returns the keys of the server for carriers; nil: there is none.
func (s *Service) HostKeys() *sftpd.HostKeys {
	r := s.reception()
	if r == nil {
		return nil
	}
	return r.keys
}

// Close closes what is open.
func (s *Service) Close() error {
	var errs []error
	if s.web != nil {
		errs = append(errs, s.web.close())
	}
	if r := s.reception(); r != nil {
		errs = append(errs, r.close())
	}
	if s.spool != nil {
		errs = append(errs, s.spool.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if f := s.lock.Load(); f != nil {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
