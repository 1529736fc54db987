package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"concord/engine"
	"concord/exchange"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/casework"
	"concord/jobs/config"
	"concord/jobs/dispatch"
	"concord/jobs/reconcile"
)

// openWork makes what decides of files and what makes reports.
func (s *Service) openWork(ctx context.Context) error {
	if err := s.keepProfiles(ctx, s.cfg()); err != nil {
		return err
	}
	s.alert = &alert.Desk{State: s.store, Config: s.cfg, Now: s.Now, Log: s.Log, Space: s.free, Delivered: s.metrics.told}
	s.taker = jobs.NewCollector(jobs.CollectOptions{
		Profile: s.profile, Ledger: s.store, Worker: s.Worker, Now: s.Now, Content: s.spool.Path,
		Rejects: s.dir(rejectsDir), Records: s.dir(recordsDir), Profiles: s.dir(profilesDir),
		Observer: jobs.CollectObserver{Decided: s.decided, Gap: s.gap},
	})
	s.opening = jobs.NewOpening(s.taker, s.spool, s.Worker, s.seals, s.Now)
	s.maker = &reconcile.Reconciler{
		State: s.store, Records: s.taker.Records, Match: s.Worker.Match, Profile: s.rules, Job: s.reporting, Kept: s.keptProfile, Others: s.others,
		Numbers: s.numbersIn,
		Folder:  ReportsFolder(s.cfg()), Keys: s.keys(), Program: s.Program, Now: s.Now,
		Watch:   s.progress.watch,
		Held:    s.alert.Held,
		Empty:   s.alert.Empty,
		Trouble: func(err error) { s.Log.Error("report", "error", err.Error()) },
	}
	s.cases = &casework.Clerk{State: s.store, Folder: ReportsFolder(s.cfg()), Keys: s.keys(), Now: s.Now}
	s.clerk = s.openNumbers()
	s.deliver = &reconcile.Deliverer{State: s.store, Folder: ReportsFolder(s.cfg()), Keys: s.keys(), Outbox: s.reportOutbox, Now: s.Now, Delivered: s.reported}
	s.books, s.due = s.openUsage()
	s.openCalls()
	s.subjects = s.openSubjects()
	s.purger = s.openPurger()
	s.follow = &reconcile.Follower{
		State: outputs{s.store}, Kind: s.kind, Late: s.late, Holds: s.holds, LateWindow: s.lateWindow, Now: s.Now,
		Covering: s.store.Covering, Reach: s.reach, Final: s.tooLate,
	}
	return nil
}

// keepProfiles keeps a copy of every carrier's profile as it is now, by its
// content: a profile that is edited counts from the next reload on.
func (s *Service) keepProfiles(ctx context.Context, c *config.Config) (err error) {
	if err := os.MkdirAll(s.dir(profilesDir), 0o750); err != nil {
		return fmt.Errorf("make the folder of profiles: %w", err)
	}
	local, err := exchange.OpenLocal(s.dir(profilesDir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	for _, x := range c.Carriers {
		name := x.ProfileSum + ".yaml"
		if _, err := os.Stat(filepath.Join(s.dir(profilesDir), name)); x.ProfileSum == "" || err == nil {
			continue
		}
		if err := exchange.Publish(ctx, local, name, bytes.NewReader(x.ProfileText), int64(len(x.ProfileText))); err != nil {
			return fmt.Errorf("keep the profile of %s: %w", x.Name, err)
		}
	}
	return nil
}

// profile returns the path of a carrier's profile.
func (s *Service) profile(carrier string) (string, error) {
	c, ok := s.cfg().Carrier(carrier)
	if !ok {
		return "", fmt.Errorf("%s is not in the configuration", carrier)
	}
	return s.kept(c), nil
}

// kept returns the path of the copy of a carrier's profile; empty: it has none.
func (s *Service) kept(c *config.Carrier) string {
	if c.ProfileSum == "" {
		return ""
	}
	return s.keptProfile(c.ProfileSum)
}

// keptProfile returns where the profile of a SHA-256 is kept.
func (s *Service) keptProfile(sum string) string {
	return filepath.Join(s.dir(profilesDir), sum+".yaml")
}

// rules returns what a carrier's reports are made by.
func (s *Service) rules(carrier string) (p reconcile.Profile, err error) {
	c, ok := s.cfg().Carrier(carrier)
	if !ok {
		return p, dispatch.Permanent(fmt.Errorf("%s is not in the configuration any more", carrier))
	}
	p = reconcile.Profile{Path: s.kept(c), SHA256: c.ProfileSum, Rules: engine.DefaultRules()}
	if c.Profile != nil {
		p.Name, p.Rules = filepath.Base(c.ProfilePath), c.Profile.Rules()
	}
	return p, nil
}

func (s *Service) others(carrier string) []string { return s.cfg().OthersOf(carrier) }

func (s *Service) reporting(job string) reconcile.Job {
	j, ok := s.cfg().Job(job)
	if !ok {
		return reconcile.Job{}
	}
	return reconcile.Job{Verdicts: j.Verdicts, Users: j.Users, Deliver: j.Deliver, Memory: s.cfg().Runs.Memory}
}

func (s *Service) late(job, carrier string) (time.Duration, bool) {
	c := s.cfg()
	j, ok := c.Job(job)
	if !ok || !j.LateFiles || !slices.ContainsFunc(c.CarriersOf(j), func(x *config.Carrier) bool { return x.Name == carrier }) {
		return 0, false
	}
	return j.LateDelay, true
}

func (s *Service) kind(job string) string {
	if j, ok := s.cfg().Job(job); ok {
		return string(j.Kind)
	}
	return ""
}

func (s *Service) lateWindow(carrier string) time.Duration {
	p, err := s.rules(carrier)
	if err != nil {
		return engine.DefaultRules().LateWindow
	}
	return p.Rules.LateWindow
}

// holds looks into the records of an entry.
func (s *Service) holds(ctx context.Context, e jobs.Entry, from, to time.Time) (bool, error) {
	path, err := s.taker.Records(ctx, e)
	if err != nil {
		return false, err
	}
	return jobs.RecordsHold(ctx, s.keys(), path, from, to)
}

// mostCalls is how many collect runs go on at once: they mostly wait for hosts
// of carriers, of which many may be slow.
const mostCalls = 64

// dispatch does the runs that wait until ctx ends. Those that wait for hosts
// take no worker from those that make reports.
func (s *Service) dispatch(ctx context.Context, wg *sync.WaitGroup) {
	reports := s.dispatcher(map[string]dispatch.Work{
		string(config.Reconcile): s.reconcile, string(config.Numbers): s.clerk.Do, string(config.Usage): s.books.Do, string(config.Calls): s.courier.Do,
		string(config.Purge): s.purge,
	}, s.wake)
	// What is delivered goes into homes.
	reports.Can = func(kind string) bool {
		return kind != string(config.Numbers) && kind != string(config.Calls) && kind != string(config.Purge) || s.leads()
	}
	reports.Workers, reports.PerCarrier = s.cfg().Runs.Workers, func() int { return s.cfg().Runs.PerCarrier }
	calls := s.dispatcher(map[string]dispatch.Work{string(config.Collect): s.collect}, s.wakeCalls)
	calls.Workers, calls.PerCarrier = mostCalls, func() int { return 0 }
	calls.Can = func(string) bool { return s.leads() }
	wg.Go(func() { reports.Run(ctx) })
	wg.Go(func() { calls.Run(ctx) })
}

func (s *Service) dispatcher(kinds map[string]dispatch.Work, wake <-chan struct{}) *dispatch.Dispatcher {
	return &dispatch.Dispatcher{
		Runs: s.store, Owner: s.owner, Now: s.Now, Wake: wake, Attempts: s.attempts, Kinds: kinds,
		Observer: dispatch.Observer{
			Started: s.started, Ended: s.ended, Expired: s.expired,
			Trouble: func(err error) { s.Log.Error("queue", "error", err.Error()) },
		},
	}
}

// rouse tells that there may be a run.
func (s *Service) rouse() {
	signal(s.wake)
	signal(s.wakeCalls)
}

func (s *Service) attempts(job string) int {
	if j, ok := s.cfg().Job(job); ok {
		return j.Attempts
	}
	return 1
}

// reconcile does a run of kind reconcile.
func (s *Service) reconcile(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
	defer s.progress.forget(r.ID)
	if _, ok := s.cfg().Job(r.Job); !ok { // what its reports hold is not known any more
		return jobs.Ending{}, dispatch.Permanent(fmt.Errorf("job %s is not in the configuration any more", r.Job))
	}
	return s.maker.Do(ctx, r)
}

// errLeft says that a carrier was taken out of the configuration.
var errLeft = errors.New("the carrier is not in the configuration any more")

// collect does a run of kind collect: it takes what is there for one carrier,
// wherever it lies.
func (s *Service) collect(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
	x := s.reception()
	if x == nil {
		return jobs.Ending{}, errors.New("another service has the exchange with carriers")
	}
	d, gone, ok := x.desk(r.Carrier)
	if !ok {
		return jobs.Ending{}, dispatch.Permanent(errLeft)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-gone:
			cancel(errLeft)
		case <-ctx.Done():
		}
	}()
	err := x.collect(ctx, r.Carrier, d)
	switch {
	case err == nil:
		return jobs.Ending{State: jobs.RunSucceeded}, nil
	case errors.Is(context.Cause(ctx), errLeft):
		return jobs.Ending{}, dispatch.Permanent(errLeft)
	}
	return jobs.Ending{}, err
}

// signal tells whoever waits at a channel of one place, and never waits
// itself.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// free returns how many bytes of the data folder's disk are free, and of how
// many.
func (s *Service) free() (free, all int64) { return diskSpace(s.cfg().Data) }
