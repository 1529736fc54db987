// Package dispatch does the runs that wait in the queue: it claims them, keeps
// its hold on them while they are done, and records how they ended.
//
// A run is done by one service at a time. Whoever falls silent loses it to
// another one, or to itself after a restart. When the dispatcher is told to
// stop, what it was doing is put back into the queue as it was. An error that
// may pass is tried again later, as a further attempt; one that will not is
// the end of the run. The work itself is a func of the caller.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"concord/jobs"
)

// Work does one run until it is done or ctx ends. An ending without a state
// says that the work has recorded the end of the run itself. An error of
// Permanent is not tried again.
type Work func(ctx context.Context, r jobs.Run) (jobs.Ending, error)

// Permanent marks an error that another attempt would meet again.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

// Unwrap returns what is marked.
func (p permanent) Unwrap() error { return p.error }

// Why the context of a run ended.
var (
	errCancelled = errors.New("cancelled")
	errLost      = errors.New("taken by another service")
)

// Queue is what a dispatcher needs of jobs.Runs, where it is described.
type Queue interface {
	Claim(ctx context.Context, o jobs.ClaimOptions) (jobs.Run, error)
	Heartbeat(ctx context.Context, l jobs.Lease, until time.Time) (cancel bool, err error)
	Release(ctx context.Context, l jobs.Lease, now time.Time) error
	Finish(ctx context.Context, l jobs.Lease, e jobs.Ending, now time.Time) (next jobs.Run, err error)
	Expire(ctx context.Context, now time.Time, most int) ([]jobs.Run, error)
}

// Dispatcher does runs. Runs, Kinds and Owner are required.
type Dispatcher struct {
	Runs  Queue
	Kinds map[string]Work // by the kind of a job
	Owner string          // names this service; no two that live have the same
	// Can says whether a kind can be done at this moment; nil: all can.
	Can func(kind string) bool
	// Workers is how many runs are done at once [2]. One more is kept for
	// those that are no backfills.
	Workers int
	// PerCarrier bounds the runs of one carrier over all services; nil: 1.
	PerCarrier func() int
	// Attempts is how often a run of a job is tried; nil: 5.
	Attempts func(job string) int
	Lease    time.Duration // how long a silent service keeps a run [30 s]
	Poll     time.Duration // how often it looks for runs that nobody told of [2 s]
	Backoff  time.Duration // before the second attempt [30 s]; doubled each time
	Now      func() time.Time
	// Wake, if set, tells that there may be a run.
	Wake     <-chan struct{}
	Observer Observer
}

// Observer is told what happens. Its funcs may be nil, are called by several
// goroutines, and must not block.
type Observer struct {
	Started func(r jobs.Run)
	// Ended is told of each run that was done, and of those that were put back.
	Ended func(r jobs.Run, how How, err error)
	// Expired is told of runs that were taken from a service that fell silent.
	Expired func(r jobs.Run)
	// Trouble is told of a call of the state that failed; it is tried again.
	Trouble func(err error)
}

// How says how the work on a run ended.
type How string

// Endings.
const (
	Succeeded How = "succeeded"
	Failed    How = "failed"
	Retried   How = "retried" // failed, and another attempt is queued
	Cancelled How = "cancelled"
	Released  How = "released" // put back, for this service stops or the period was reopened
	Lost      How = "lost"     // another service has it
)

const maxBackoff = time.Hour

func (d *Dispatcher) setDefaults() {
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&d.Lease, 30*time.Second)
	set(&d.Poll, 2*time.Second)
	set(&d.Backoff, 30*time.Second)
	if d.Workers == 0 {
		d.Workers = 2
	}
	if d.PerCarrier == nil {
		d.PerCarrier = func() int { return 1 }
	}
	if d.Attempts == nil {
		d.Attempts = func(string) int { return 5 }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
}

// Run does runs until ctx ends, and returns when nothing is under way.
func (d *Dispatcher) Run(ctx context.Context) {
	d.setDefaults()
	var wg sync.WaitGroup
	wg.Go(func() { d.expire(ctx) })
	all, urgent := newCrew(false), newCrew(true)
	wg.Go(func() { d.handOn(ctx, all.wake, urgent.wake) })
	wg.Go(func() { d.work(ctx, urgent) })
	for range d.Workers {
		wg.Go(func() { d.work(ctx, all) })
	}
	wg.Wait()
}

// crew is workers of whom one at a time looks for a run.
type crew struct {
	urgent bool
	scout  chan struct{} // held by the one that looks
	wake   chan struct{}
}

func newCrew(urgent bool) *crew {
	return &crew{urgent: urgent, scout: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}

// handOn wakes every crew when there may be a run.
func (d *Dispatcher) handOn(ctx context.Context, crews ...chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.Wake:
		}
		for _, c := range crews {
			nudge(c)
		}
	}
}

func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// work does one run after another.
func (d *Dispatcher) work(ctx context.Context, c *crew) {
	for ctx.Err() == nil {
		if r, found := d.find(ctx, c); found {
			d.do(ctx, r)
			nudge(c.wake) // its carrier may have another one
		}
	}
}

// find waits for its turn and then for a run.
func (d *Dispatcher) find(ctx context.Context, c *crew) (r jobs.Run, found bool) {
	select {
	case c.scout <- struct{}{}:
		defer func() { <-c.scout }()
	case <-ctx.Done():
		return r, false
	}
	for ctx.Err() == nil {
		r, err := d.next(ctx, c.urgent)
		if err == nil {
			return r, true
		}
		if !errors.Is(err, jobs.ErrNoRun) {
			d.trouble(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-time.After(d.Poll):
		}
	}
	return r, false
}

// next claims a run of a kind that can be done at this moment.
func (d *Dispatcher) next(ctx context.Context, urgent bool) (jobs.Run, error) {
	o := d.claim(urgent)
	if len(o.Kinds) == 0 { // for the state that would be all kinds
		return jobs.Run{}, jobs.ErrNoRun
	}
	return d.Runs.Claim(ctx, o)
}

func (d *Dispatcher) claim(urgent bool) jobs.ClaimOptions {
	o := jobs.ClaimOptions{Owner: d.Owner, Now: d.Now(), Lease: d.Lease, Urgent: urgent, PerCarrier: d.PerCarrier()}
	for kind := range d.Kinds {
		if d.Can == nil || d.Can(kind) {
			o.Kinds = append(o.Kinds, kind)
		}
	}
	return o
}

func (d *Dispatcher) trouble(ctx context.Context, err error) {
	if ctx.Err() == nil && d.Observer.Trouble != nil {
		d.Observer.Trouble(err)
	}
}

// do does one run and records how it ended.
func (d *Dispatcher) do(ctx context.Context, r jobs.Run) {
	if d.Observer.Started != nil {
		d.Observer.Started(r)
	}
	run, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { d.hold(run, r, cancel) })
	ending, err := d.call(run, r)
	cause := context.Cause(run)
	cancel(nil)
	wg.Wait()
	how, err := d.end(ctx, r, ending, err, cause)
	if d.Observer.Ended != nil {
		d.Observer.Ended(r, how, err)
	}
}

// call does the work. What it panics with ends this run only.
func (d *Dispatcher) call(ctx context.Context, r jobs.Run) (e jobs.Ending, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Permanent(fmt.Errorf("a run of kind %s met a defect of concord (%T); please report it", r.Kind, p))
		}
	}()
	work, ok := d.Kinds[r.Kind]
	if !ok {
		return e, Permanent(fmt.Errorf("there is no kind of job %q", r.Kind))
	}
	return work(ctx, r)
}

// hold extends the lease until ctx ends, and cancels the run when somebody
// asks for that or another service has it.
func (d *Dispatcher) hold(ctx context.Context, r jobs.Run, cancel context.CancelCauseFunc) {
	until := d.Now().Add(d.Lease)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.Lease / 6):
		}
		next := d.Now().Add(d.Lease)
		asked, err := d.Runs.Heartbeat(ctx, r.Lease(), next)
		switch {
		case err == nil && asked:
			cancel(errCancelled)
		case err == nil:
			until = next
		case errors.Is(err, jobs.ErrLost) || d.Now().After(until):
			cancel(errLost)
		default:
			d.trouble(ctx, err)
		}
	}
}

// patience is how long the end of a run may take to be recorded when the
// service stops.
const patience = 5 * time.Second

// end records how a run ended. The state may be out of reach for a while: as
// long as the lease holds it is tried again.
func (d *Dispatcher) end(ctx context.Context, r jobs.Run, e jobs.Ending, err, cause error) (How, error) {
	how, e := d.judge(ctx, r, e, err, cause)
	if how == Lost || err == nil && e.State == "" {
		return how, err
	}
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.span(ctx))
	defer cancel()
	for {
		back, rerr := d.record(keep, r, how, e)
		switch {
		case rerr == nil && back:
			return Released, err
		case rerr == nil:
			return how, err
		case errors.Is(rerr, jobs.ErrLost):
			return Lost, errors.Join(err, rerr)
		}
		d.trouble(keep, rerr)
		select {
		case <-keep.Done():
			return Lost, errors.Join(err, rerr)
		case <-time.After(min(d.Poll, time.Second)):
		}
	}
}

func (d *Dispatcher) span(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return min(d.Lease, patience)
	}
	return d.Lease
}

// record notes the end of a run; back: it is in the queue once more.
func (d *Dispatcher) record(ctx context.Context, r jobs.Run, how How, e jobs.Ending) (back bool, err error) {
	if how == Released {
		return true, d.Runs.Release(ctx, r.Lease(), d.Now())
	}
	next, err := d.Runs.Finish(ctx, r.Lease(), e, d.Now())
	return next.ID == r.ID, err
}

// judge says how a run ended.
func (d *Dispatcher) judge(ctx context.Context, r jobs.Run, e jobs.Ending, err, cause error) (How, jobs.Ending) {
	switch {
	case err == nil && e.State == jobs.RunFailed:
		return Failed, e
	case err == nil:
		return Succeeded, e
	case errors.Is(cause, errLost):
		return Lost, e
	case errors.Is(cause, errCancelled):
		return Cancelled, jobs.Ending{State: jobs.RunCancelled}
	case ctx.Err() != nil:
		return Released, e
	}
	e = jobs.Ending{State: jobs.RunFailed, Error: err.Error()}
	if errors.As(err, new(permanent)) || r.Attempt >= d.Attempts(r.Job) {
		return Failed, e
	}
	e.RetryAt = d.Now().Add(d.backoff(r.Attempt))
	return Retried, e
}

// backoff is how long to wait after an attempt, give or take a quarter.
func (d *Dispatcher) backoff(attempt int) time.Duration {
	wait := min(maxBackoff, d.Backoff<<min(attempt-1, 10))
	return wait*3/4 + rand.N(wait/2+1)
}

// mostLost is how often a run may be lost by services that end before it
// does: one that brings them down must not do so for ever.
const mostLost = 100

// expire takes runs from services that fell silent.
func (d *Dispatcher) expire(ctx context.Context) {
	for {
		list, err := d.Runs.Expire(ctx, d.Now(), mostLost)
		if err != nil {
			d.trouble(ctx, err)
		}
		for _, r := range list {
			if d.Observer.Expired != nil {
				d.Observer.Expired(r)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.Lease / 2):
		}
	}
}
