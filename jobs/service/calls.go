package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"concord/exchange/landing"
	"concord/formats/partition"
	"concord/jobs"
	"concord/jobs/calls"
	"concord/jobs/config"
	"concord/jobs/feed"
	"concord/jobs/state"
)

// openCalls makes what takes Microsoft's files beside those of one carrier's
// calls, and what delivers calls.
func (s *Service) openCalls() {
	s.quality = &calls.Quality{State: s.store, Read: s.Worker.Deal, Now: s.Now, Taken: s.qualityTaken}
	s.dealer = &calls.Dealer{
		State: s.store, Ledger: s.store, Spool: s.spool, Content: s.contentOf, Deal: s.Worker.Deal, Records: s.taker.Records, Carriers: s.names,
		Folder:  func(carrier string) string { return filepath.Join(s.cfg().Microsoft, carrier) },
		Scratch: s.dir(dealingDir), Keys: s.keys(), Memory: func() int64 { return s.cfg().Runs.Memory }, Now: s.Now, Dealt: s.dealt,
	}
	s.courier = &calls.Clerk{
		State: s.store, Content: s.contentOf, Make: s.Worker.DeliverCalls, Carrier: s.callsOf, Folder: s.dir(deliveriesDir), Keys: s.keys(),
		Program: s.Program, Now: s.Now, Fetch: s.fetchCalls, Late: s.late, Delivered: s.callsDelivered,
		Trouble: func(err error) { s.Log.Error("calls", "error", err.Error()) },
	}
}

// sweepCalls removes what was being made when the last service ended: it is
// made anew.
func (s *Service) sweepCalls(ctx context.Context) error {
	return errors.Join(s.courier.Sweep(ctx), os.RemoveAll(s.dir(dealingDir)))
}

// names are all carriers with what Microsoft's files call them.
func (s *Service) names() (list []partition.Carrier) {
	c := s.cfg()
	for _, x := range c.Carriers {
		list = append(list, partition.Carrier{ID: x.Name, Names: c.NamesOf(x.Name)})
	}
	return list
}

// callsOf says who gets deliveries.
func (s *Service) callsOf(job, carrier string) (x calls.Carrier, err error) {
	c := s.cfg()
	r := s.reception()
	if r == nil {
		return x, errors.New("another service has the exchange with carriers")
	}
	d, _, ok := r.desk(carrier)
	if _, known := c.Carrier(carrier); !known || !ok {
		return x, errLeft
	}
	if _, ok := c.Job(job); !ok {
		return x, fmt.Errorf("job %s is not in the configuration any more", job)
	}
	x = calls.Carrier{Names: c.NamesOf(carrier), Others: c.OthersOf(carrier), Outbox: s.outbox(carrier, d.home), Memory: c.Runs.Memory, Reach: s.reach(carrier)}
	return x, nil
}

// fetchCalls takes what is new for a carrier: what is about several carriers
// first, since its own folder gets a part of it.
func (s *Service) fetchCalls(ctx context.Context, carrier string) error {
	r := s.reception()
	if r == nil {
		return nil
	}
	d, _, ok := r.desk(carrier)
	if !ok {
		return nil
	}
	_, shared := r.scanShared(ctx)
	_, own := r.scan(ctx, d)
	again := s.dealer.Again(ctx)
	_, err := d.quality.Scan(ctx)
	return errors.Join(shared, own, again, err)
}

// qualityFeed is the folder of a carrier's quality rows.
func (s *Service) qualityFeed(c *config.Config, carrier string) *feed.Feed {
	return &feed.Feed{
		Folder: filepath.Join(c.Microsoft, carrier, jobs.QualityFolder), Carrier: carrier,
		Spool: s.spool, Taker: unerased{s.quality, s.store.ContentErased}, Known: s.quality, Now: s.Now,
	}
}

// sharedFeed is the folder of files about several carriers.
func (s *Service) sharedFeed(c *config.Config) *feed.Feed {
	return &feed.Feed{Folder: c.Calls, Carrier: "several carriers", Spool: s.spool, Taker: unerased{s.dealer, s.store.ContentErased}, Known: s.dealer, Now: s.Now}
}

// scanShared takes what is new about several carriers.
func (r *reception) scanShared(ctx context.Context) (time.Duration, error) {
	if r.s.cfg().Calls == "" {
		return r.s.VisitEvery, nil
	}
	_, err := r.shared.Scan(ctx)
	if quiet, young := r.shared.Young(); young {
		return min(quiet, r.s.VisitEvery), err
	}
	return r.s.VisitEvery, err
}

// tendShared looks at the files about several carriers until ctx ends.
func (r *reception) tendShared(ctx context.Context) {
	for failed := 0; ; {
		wait, err := r.scanShared(ctx)
		err = errors.Join(err, r.s.dealer.Again(ctx))
		if ctx.Err() != nil {
			return
		}
		if failed++; err == nil {
			failed = 0
		} else {
			wait = min(longestRest, r.s.VisitEvery<<min(failed, 5))
			r.s.Log.Warn("nothing can be taken", "from", "microsoft.calls", "error", err.Error(), "failures", failed, "again_in", wait.String())
		}
		n := failed
		aside(func(ctx context.Context) { r.s.alert.Shared(ctx, n, err) })
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// followCalls sees what new quality rows change of what was delivered.
func (s *Service) followCalls(ctx context.Context) error {
	if !s.leads() {
		return nil
	}
	var errs []error
	for _, c := range s.cfg().Carriers {
		errs = append(errs, s.courier.Follow(ctx, c.Name))
	}
	return errors.Join(errs...)
}

// aboutFile are the arguments of a line of the log about a file.
func aboutFile(f *jobs.MicrosoftFile) []any {
	args := []any{"file", f.Name, "holds", f.Holds, "status", string(f.Status), "rows", f.Rows, "accepted", f.Accepted, "rejected", f.Rejected}
	switch {
	case len(f.Faults) > 0:
		args = append(args, "reason", f.Faults[0])
	case len(f.Reasons) > 0:
		r := f.Reasons[0]
		args = append(args, "line", r.Line, "row", r.Row, "field", r.Field, "reason", r.Reason)
	}
	return args
}

// qualityTaken is told of a file of one carrier's quality rows.
func (s *Service) qualityTaken(f jobs.MicrosoftFile) {
	s.metrics.microsoft.WithLabelValues(f.Carrier, f.Holds, string(f.Status)).Inc()
	level := s.Log.Info
	if f.Status == landing.StatusRejected {
		level = s.Log.Warn
	}
	level("quality file", append([]any{"carrier", f.Carrier}, aboutFile(&f)...)...)
	signal(s.changed)
}

// dealt is told what became of a file about several carriers.
func (s *Service) dealt(f jobs.MicrosoftFile, unknown []partition.Unknown) {
	s.metrics.microsoft.WithLabelValues("", f.Holds, string(f.Status)).Inc()
	level := s.Log.Info
	if f.Status == landing.StatusRejected || f.Nobody > 0 {
		level = s.Log.Warn
	}
	args := append(aboutFile(&f), "carriers", len(f.Shares), "nobody", f.Nobody, "waiting", f.Waiting)
	for i, u := range unknown {
		if i == 0 && u.Name != "" {
			args = append(args, "unknown", short(u.Name))
		}
	}
	level("file of several carriers", args...)
	signal(s.changed)
}

// short cuts a name from outside down to what a line of a log can bear.
func short(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

// callsDelivered is told of a delivery that has reached the outbox.
func (s *Service) callsDelivered(d jobs.CallsDelivery) {
	args := []any{"carrier", d.Carrier, "delivery", d.Sequence, "period", d.Period.Text, "version", d.Version, "run", d.Run}
	for kind, x := range map[string]*jobs.Delivery{jobs.HoldsCalls: &d.Calls, jobs.HoldsQuality: &d.Quality} {
		for change, n := range map[string]int64{"added": x.Added, "changed": x.Changed, "removed": x.Removed} {
			s.metrics.delivered.WithLabelValues(d.Carrier, kind, change).Add(float64(n))
		}
	}
	for _, x := range []struct {
		kind string
		d    *jobs.Delivery
	}{{jobs.HoldsCalls, &d.Calls}, {jobs.HoldsQuality, &d.Quality}} {
		args = append(args, x.kind, x.d.Rows, x.kind+"_added", x.d.Added, x.kind+"_changed", x.d.Changed, x.kind+"_removed", x.d.Removed,
			x.kind+"_rejected", x.d.Rejected, x.kind+"_others", x.d.Others)
	}
	s.Log.Info("calls delivered", args...)
}

// outputs are what a late file may change: reports, and deliveries as if they
// were reports.
type outputs struct{ *state.Store }

// Reports implements reconcile.FollowState.
func (o outputs) Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error) {
	list, err := o.Store.Reports(ctx, f)
	if err != nil || f.Pending || !f.Newest {
		return list, err
	}
	delivered, err := o.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: f.Carrier, From: f.From, To: f.To, Newest: true})
	for _, d := range delivered {
		list = append(list, jobs.Report{Carrier: d.Carrier, Period: d.Period, Job: d.Job, Run: d.Run, Purged: d.Purged})
	}
	return list, err
}
