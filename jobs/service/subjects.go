package service

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/calls"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/feed"
	"concord/jobs/numbering"
	"concord/jobs/state"
	"concord/jobs/subject"
)

// openSubjects makes what finds and erases numbers.
func (s *Service) openSubjects() *subject.Desk {
	return &subject.Desk{
		State: s.store, Spool: s.spool, Homes: s.eachHome, Records: s.taker.Records, Reports: s.maker, Numbers: s.clerk,
		Search: s.Worker.Search, Rewrite: s.Worker.Rewrite, Data: s.cfg().Data, Keys: s.keys(),
		Outbox: func(carrier string, h subject.Home) numbering.Outbox { return s.outbox(carrier, h) }, Database: state.File, Foreign: s.foreign, Key: func() string { return s.cfg().PrivacyKey.Reveal() }, Now: s.Now,
	}
}

// foreign are the folders of Microsoft's files.
func (s *Service) foreign() []subject.Folder {
	c := s.cfg()
	own := func(name string) bool { return ownName(c, name) }
	list := []subject.Folder{{Path: c.Microsoft, Own: own}}
	for _, shared := range []string{c.Numbers, c.Calls} {
		if shared != "" {
			list = append(list, subject.Folder{Path: shared, Own: own})
		}
	}
	return list
}

// contentOf returns where a content is kept, or what stands for it since a number
// was erased from it.
func (s *Service) contentOf(ctx context.Context, sha256 string) (path string, erased bool, err error) {
	instead, err := s.store.Instead(ctx, sha256)
	return s.spool.Path(cmp.Or(instead, sha256)), instead != "", err
}

// ownName reports whether the service itself may have put a file into a folder of
// Microsoft's.
func ownName(c *config.Config, name string) bool {
	return slices.ContainsFunc(strings.Split(path.Dir(name), "/"), func(dir string) bool { return ownFolder(c, dir) })
}

// ownFolder reports whether a folder is called like those that the service makes
// in Microsoft's: what comes from Graph and from hosts, or was dealt out, lies in
// folders named for that.
func ownFolder(c *config.Config, dir string) bool {
	return dir == "graph" || dir == calls.SharedFolder || slices.ContainsFunc(c.MicrosoftHosts, func(h *config.MicrosoftHost) bool { return h.Name == dir })
}

// unerased takes files of Microsoft's, but none whose content was erased: that is
// neither kept nor dealt out when it comes again, and recorded as it was.
type unerased struct {
	feed.Taker
	erased func(ctx context.Context, sha256 string) (string, error)
}

// TakeFeed implements feed.Taker.
func (u unerased) TakeFeed(ctx context.Context, o landing.Offer) (jobs.Entry, error) {
	erasure, err := u.erased(ctx, o.SHA256)
	if err != nil {
		return jobs.Entry{}, err
	}
	if erasure != "" {
		return jobs.Entry{Microsoft: true, Carrier: o.Carrier, Name: o.Name, SHA256: o.SHA256, Status: landing.StatusRejected, Erased: erasure}, nil
	}
	return u.Taker.TakeFeed(ctx, o)
}

// eachHome calls do with every home that there is, also of carriers that are not
// in the configuration any more.
func (s *Service) eachHome(ctx context.Context, do func(carrier string, h subject.Home) error) error {
	list, err := os.ReadDir(s.dir(homesDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, d := range list {
		if err == nil && d.IsDir() {
			err = s.withHome(ctx, d.Name(), do)
		}
	}
	return err
}

func (s *Service) withHome(ctx context.Context, carrier string, do func(carrier string, h subject.Home) error) (err error) {
	if r := s.reception(); r != nil {
		if h, tended := r.homeOf(carrier); h != nil && tended {
			return do(carrier, h)
		} else if h != nil {
			return do(carrier, untended{h})
		}
	}
	h, err := landing.OpenHome(filepath.Join(s.dir(homesDir), carrier), carrier, landing.Terms{}, s.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(carrier, untended{h})
}

// untended is a home in which nobody looks for what arrives.
type untended struct{ *landing.Home }

// Look implements subject.Home.
func (untended) Look(context.Context) error { return nil }

// homeOf returns the home of a carrier that has a desk, and whether it is tended.
func (r *reception) homeOf(carrier string) (h *landing.Home, tended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.desks[carrier]
	if d == nil {
		return nil, false
	}
	return d.home, r.run != nil && d.leave != nil
}

// erase does what is to be erased until ctx ends.
func (s *Service) erase(ctx context.Context) {
	tick := time.NewTicker(s.TickEvery)
	defer tick.Stop()
	for {
		s.attempt(ctx, "erase a number", s.subjects.Work)
		s.rouse() // runs that waited for it
		select {
		case <-ctx.Done():
			return
		case <-s.wakeErase:
		case <-tick.C:
		}
	}
}

// Alone opens the data folder of a service that is stopped, has do ask and tell
// what it wants, and then does what is to be erased.
func Alone(ctx context.Context, c *config.Config, o Options, do func(*control.Desk) error) (err error) {
	s, err := openAlone(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	running, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	s.receive(running, &wg, stop)
	if err := do(s.Desk()); err != nil {
		return err
	}
	return s.subjects.Work(ctx)
}
