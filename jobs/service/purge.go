package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"concord/engine"
	"concord/exchange"
	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/dispatch"
	"concord/jobs/privacy"
	"concord/jobs/state"
)

// Purger returns what knows what a purge would do with the data folder of a
// configuration. It removes nothing: a service does.
func Purger(cfg func() *config.Config, store *state.Store, now func() time.Time) *privacy.Purger {
	data := cfg().Data
	return &privacy.Purger{
		State: store, Now: now, Carrier: func(name string) (privacy.Carrier, bool) { return keeping(cfg(), name) },
		Shared: func() privacy.Carrier { return keepingShared(cfg()) },
		Disk: &privacy.Shelf{
			Homes: filepath.Join(data, homesDir), Records: filepath.Join(data, recordsDir), Reports: filepath.Join(data, reportsDir),
			Deliveries: filepath.Join(data, deliveriesDir),
		},
	}
}

// keeping says how long a carrier's data is kept.
func keeping(c *config.Config, name string) (privacy.Carrier, bool) {
	x, ok := c.Carrier(name)
	if !ok {
		return privacy.Carrier{}, false
	}
	rules := engine.DefaultRules()
	if x.Profile != nil {
		rules = x.Profile.Rules()
	}
	out := privacy.Carrier{
		Country: x.Place(), Rules: map[jobs.Class]privacy.Rule{},
		Bounds: jobs.PurgeBounds{Reach: jobs.RecordsReach(rules), LateWindow: rules.LateWindow},
	}
	for _, class := range config.Retained {
		k := c.Retention.Keep(out.Country, class)
		out.Rules[jobs.Class(class)] = privacy.Rule{Days: k.Days, Text: k.Text}
	}
	return out, true
}

// keepingShared says how long what is about several carriers is kept: for as long
// as any of them keeps its own.
func keepingShared(c *config.Config) privacy.Carrier {
	out := privacy.Carrier{Rules: map[jobs.Class]privacy.Rule{}}
	for i, x := range c.Carriers {
		own, _ := keeping(c, x.Name)
		out.Bounds.Reach = max(out.Bounds.Reach, own.Bounds.Reach)
		out.Bounds.LateWindow = max(out.Bounds.LateWindow, own.Bounds.LateWindow)
		rule, longest := own.Rules[jobs.ClassRaw], out.Rules[jobs.ClassRaw]
		if i == 0 || longest.Days != 0 && (rule.Days == 0 || rule.Days > longest.Days) {
			out.Country, out.Rules[jobs.ClassRaw] = own.Country, rule
		}
	}
	return out
}

// openPurger makes what does runs of kind purge.
func (s *Service) openPurger() *privacy.Purger {
	p := Purger(s.cfg, s.store, s.Now)
	shelf := p.Disk.(*privacy.Shelf)
	shelf.Spool, shelf.Holds, shelf.Home = s.spool, s.store.Holds, s.homeOf
	shelf.Foreign = s.unput
	p.Purged = s.purged
	return p
}

// unput removes a file of Microsoft's which the service itself put into a folder
// of theirs. A listing that several carriers share goes with the last of them.
// Of files about several carriers none is its own.
func (s *Service) unput(ctx context.Context, r jobs.Remains) error {
	if r.Name == "" || r.Carrier == "" { // empty: it is what was kept instead of another content
		return nil
	}
	c := s.cfg()
	root, name := filepath.Join(c.Microsoft, r.Carrier), r.Name
	switch source, rest, _ := strings.Cut(r.Name, "/"); {
	case strings.HasPrefix(r.Object, jobs.PurgeMicrosoft):
		root = filepath.Join(root, jobs.QualityFolder)
	case strings.HasPrefix(r.Object, jobs.PurgeListing) && source == "shared":
		if held, err := s.store.Holds(ctx, r.SHA256); held || err != nil {
			return err
		}
		root, name = c.Numbers, rest
	case strings.HasPrefix(r.Object, jobs.PurgeListing):
		root, name = filepath.Join(root, jobs.NumbersFolder), rest
	}
	folder, _, below := strings.Cut(path.Clean(name), "/")
	if root == "" || !below || !ownFolder(c, folder) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil
	}
	file := filepath.Join(root, filepath.FromSlash(name))
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() != r.Bytes || info.ModTime().UnixMicro() != r.Received.UnixMicro():
		return nil // it is another one by now
	}
	return errors.Join(os.Remove(file), (exchange.OS{}).SyncDir(filepath.Dir(file)))
}

// purge does a run of kind purge. What new files change is seen to first: until
// then they are kept.
func (s *Service) purge(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
	if _, ok := s.cfg().Carrier(r.Carrier); !ok {
		return jobs.Ending{}, dispatch.Permanent(errLeft)
	}
	s.attempt(ctx, "follow up", s.follow.Follow)
	return s.purger.Do(ctx, r)
}

// homeOf has something done with the home of a carrier, if it has one.
func (s *Service) homeOf(carrier string, do func(*landing.Home) error) (err error) {
	if r := s.reception(); r != nil {
		if h, _ := r.homeOf(carrier); h != nil {
			return do(h)
		}
	}
	dir := filepath.Join(s.dir(homesDir), carrier)
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	h, err := landing.OpenHome(dir, carrier, landing.Terms{}, s.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h)
}

// purged is told of each proof. Its sum is in the log, where who changes the
// chain does not reach it.
func (s *Service) purged(p jobs.Proof) {
	s.metrics.purged.WithLabelValues(p.Carrier, p.Class).Add(float64(p.Count))
	s.Log.Info("purged", "proof", p.Seq, "sum", p.Sum, "class", p.Class, "carrier", p.Carrier, "country", p.Country, "rule", p.Rule, "count", p.Count, "bytes", p.Bytes, "run", p.Run)
}

// tooLate is told of a file that changes a report which cannot be made anew.
func (s *Service) tooLate(e jobs.Entry, rep jobs.Report) {
	s.Log.Warn("a late file changes a report or a delivery that is final, because files or records of its period were purged",
		"carrier", e.Carrier, "file", fmt.Sprintf("%s (%s)", e.Name, e.ID), "period", rep.Period.Text, "report", rep.ID)
}
