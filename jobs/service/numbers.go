package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"concord/engine/numbers"
	"concord/jobs"
	"concord/jobs/numbering"
)

// openNumbers makes what delivers numbers to carriers.
func (s *Service) openNumbers() *numbering.Clerk {
	return &numbering.Clerk{
		State: s.store, Spool: s.spool, Read: s.Worker.ReadListing, Carrier: s.numbersOf, Scratch: s.dir(numbersDir), Keys: s.keys(), Now: s.Now,
		Listed: s.listed, Delivered: s.delivered,
	}
}

// sweepNumbers removes what was being made for carriers when the last service
// ended. A delivery that was begun is made anew by the next run.
func (s *Service) sweepNumbers(ctx context.Context) error {
	return errors.Join(ctx.Err(), os.RemoveAll(s.dir(numbersDir)))
}

// numbersOf says where a carrier's numbers come from and go to.
func (s *Service) numbersOf(job, carrier string) (numbering.Carrier, error) {
	c := s.cfg()
	x, known := c.Carrier(carrier)
	d, _, ok := s.reception().desk(carrier)
	if !known || !ok {
		return numbering.Carrier{}, errLeft
	}
	j, ok := c.Job(job)
	if !ok {
		return numbering.Carrier{}, fmt.Errorf("job %s is not in the configuration any more", job)
	}
	return numbering.Carrier{
		Own: filepath.Join(c.Microsoft, carrier, jobs.NumbersFolder), Shared: c.Numbers, Operators: x.Operators, Outbox: s.outbox(carrier, d.home),
		MostRemoved: j.MostRemoved,
	}, nil
}

// numbersIn writes what is known of a carrier's numbers in a period into a
// file.
func (s *Service) numbersIn(ctx context.Context, carrier string, p jobs.Period, path string) (*jobs.Assigned, error) {
	return jobs.WriteAssigned(ctx, s.keys(), s.store, carrier, p.From, p.To, path)
}

// listed is told what became of a listing of numbers.
func (s *Service) listed(x jobs.Listing) {
	s.metrics.listings.WithLabelValues(x.Carrier, string(x.Status)).Inc()
	args := []any{
		"carrier", x.Carrier, "source", x.Source, "file", x.Name, "status", string(x.Status), "as_of", x.AsOf, "rows", x.Rows,
		"accepted", x.Accepted, "rejected", x.Rejected, "others", x.Others, "learned", x.Learned,
	}
	switch {
	case len(x.Faults) > 0:
		args = append(args, "reason", x.Faults[0])
	case len(x.Reasons) > 0:
		r := x.Reasons[0]
		args = append(args, "line", r.Line, "row", r.Row, "field", r.Field, "reason", r.Reason)
	}
	if len(x.Notes) > 0 {
		args = append(args, "notes", strings.Join(x.Notes, "; "))
	}
	s.Log.Info("listing of numbers", args...)
}

// delivered is told of a delivery that has reached the outbox.
func (s *Service) delivered(d jobs.NumbersDelivery) {
	for change, n := range map[numbers.Kind]int64{numbers.Added: d.Added, numbers.Removed: d.Removed, numbers.Changed: d.Changed} {
		s.metrics.changes.WithLabelValues(d.Carrier, string(change)).Add(float64(n))
	}
	s.Log.Info("numbers delivered", "carrier", d.Carrier, "delivery", d.Sequence, "as_of", d.AsOf, "added", d.Added, "removed", d.Removed, "changed", d.Changed, "run", d.Run)
}
