package schedule

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Job is a name and when it is due.
type Job struct {
	Name     string // one of a kind within a set
	Schedule Schedule
	CatchUp  CatchUp       // of what was missed; empty: All
	Window   time.Duration // how far back; 0: DefaultWindow
	// Since is when the job got this schedule, or was resumed: nothing before
	// it was missed. Zero: nothing is known of that.
	Since time.Time
}

// DefaultWindow is how far back jobs are caught up unless they say otherwise.
const DefaultWindow = 7 * 24 * time.Hour

// CatchUp says which missed instants of a job are fired late.
type CatchUp string

// All of them, the last one, or none.
const (
	All  CatchUp = "all"
	Last CatchUp = "last"
	None CatchUp = "none"
)

// Validate refuses what is no policy.
func (c CatchUp) Validate() error {
	switch c {
	case "", All, Last, None:
		return nil
	}
	return fmt.Errorf("catch_up %q: unknown; write %s, %s or %s", string(c), All, Last, None)
}

// How says why an instant is fired.
type How string

// An instant is on time, or was missed while no loop watched.
const (
	OnTime   How = "schedule"
	CaughtUp How = "catch_up"
)

// Store remembers what was fired. It is what makes two loops agree.
type Store interface {
	// LastFire returns the latest instant recorded of a job; zero: none.
	LastFire(ctx context.Context, job string) (time.Time, error)
	// RecordFire records an instant of a job, in UTC, and reports whether
	// this call did: of all that ask for the same one, one wins. An error
	// says that it is not recorded, and the loop asks again.
	//
	// A process can end between RecordFire and Fire. So what must not be lost,
	// such as a run that waits for a worker, is recorded in the same
	// transaction.
	RecordFire(ctx context.Context, job string, due time.Time, how How) (won bool, err error)
}

// Loop fires jobs. Store and Fire are required.
type Loop struct {
	Store Store
	// Fire is called once for each instant that this loop won, a job's oldest
	// first. It must return soon, as all jobs wait for it, new sets too. Its
	// context lives on when that of Run ends: what is recorded is fired.
	Fire func(ctx context.Context, job string, due time.Time, how How)
	// Now is the clock on which jobs are due; nil: time.Now. It may jump.
	Now func() time.Time
	// Failed, if set, hears of each call of the store that failed and will be
	// tried again. due is zero for LastFire.
	Failed func(job string, due time.Time, err error)
	// Skipped, if set, hears of missed instants that are not caught up: they
	// lie between from and to, both included.
	Skipped func(job string, from, to time.Time)
}

const (
	// glance is how often the loop looks at the clock at least: timers stand
	// still while a machine sleeps and know nothing of a clock that was set.
	glance = 20 * time.Second
	// grace is how late an instant is still on time, and by how much the
	// clock has to jump to have jumped.
	grace = time.Minute

	firstRetry = time.Second
	lastRetry  = time.Minute
)

// Run fires the jobs of the set that it received last, and nothing before the
// first. It ends with ctx, whose error it returns. A set is taken when the
// call of Store or Fire in progress is done; it replaces the one before it,
// and a job whose schedule has not changed goes on as if nothing had happened.
//
// What was due when no loop watched is caught up as the job says, beginning
// after its last fire or Since, the later of the two: while the process was
// down, the machine asleep, or when the clock is put forward. A job without
// either begins now. When the clock is put back, nothing is fired again: the
// store knows what was. A store that fails delays an instant and never loses
// it.
func (l Loop) Run(ctx context.Context, sets <-chan []Job) error {
	r := &running{Loop: l, jobs: map[string]*watch{}}
	if r.Now == nil {
		r.Now = time.Now
	}
	r.wall, r.steady = r.clock(), time.Now()
	for {
		r.look()
		if wait := r.settle(ctx); wait > 0 {
			select {
			case <-ctx.Done():
			case jobs, ok := <-sets:
				if sets = r.take(jobs, ok, sets); ok {
					continue
				}
			case <-time.After(wait):
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case jobs, ok := <-sets:
			sets = r.take(jobs, ok, sets)
		default:
		}
	}
}

// running is a Loop at work.
type running struct {
	Loop
	jobs  map[string]*watch
	order []string // of their names
	// What the clock, and one that nobody sets, showed at the last look.
	wall, steady time.Time
}

// take replaces the set of jobs. It returns the channel for the next one,
// which is nil after the last.
func (r *running) take(set []Job, ok bool, sets <-chan []Job) <-chan []Job {
	if !ok {
		return nil
	}
	r.look() // what was due by the old schedules stays due
	before := r.jobs
	r.jobs = make(map[string]*watch, len(set))
	for _, job := range set {
		w := before[job.Name]
		if w == nil {
			w = &watch{since: r.wall}
		}
		w.change(job, r.wall)
		r.jobs[job.Name] = w
	}
	r.order = slices.Sorted(maps.Keys(r.jobs))
	return sets
}

// clock returns what the clock shows, without the reading of a steady clock
// that time.Now adds: by that, no clock ever jumps.
func (r *running) clock() time.Time { return r.Now().Round(0) }

// look reads the clock and decides what is due.
func (r *running) look() {
	now, steady := r.clock(), time.Now()
	ahead := now.Sub(r.wall) - steady.Sub(r.steady)
	back := now.Before(r.wall)
	r.wall, r.steady = now, steady
	for _, name := range r.order {
		w := r.jobs[name]
		switch {
		case back:
			w.goBack(now)
		case ahead > grace:
			w.since = now
		}
		if w.loaded {
			w.decide(now, r.skipped)
		}
	}
}

func (r *running) skipped(job string, from, to time.Time) {
	if r.Skipped != nil {
		r.Skipped(job, from.UTC(), to.UTC())
	}
}

// settle records and fires the oldest instant of each job, and returns how
// long there is nothing to do; 0: there is more.
func (r *running) settle(ctx context.Context) time.Duration {
	wait := glance
	for _, name := range r.order {
		w := r.jobs[name]
		if time.Until(w.retry) <= 0 && ctx.Err() == nil {
			r.attempt(ctx, w)
		}
		wait = min(wait, w.idle(r.clock()))
	}
	return wait
}

// attempt makes one call of the store for a job.
func (r *running) attempt(ctx context.Context, w *watch) {
	var err error
	var due time.Time
	switch {
	case !w.loaded:
		var last time.Time
		if last, err = r.Store.LastFire(ctx, w.Name); err == nil {
			w.begin(last)
			w.decide(r.wall, r.skipped)
		}
	case len(w.pending) > 0:
		due = w.pending[0].due
		err = r.fire(ctx, w)
	default:
		return
	}
	if w.tried(err); err != nil && r.Failed != nil && ctx.Err() == nil {
		r.Failed(w.Name, due, err)
	}
}

func (r *running) fire(ctx context.Context, w *watch) error {
	next := w.pending[0]
	won, err := r.Store.RecordFire(ctx, w.Name, next.due, next.how)
	if err != nil {
		return err
	}
	w.pending = w.pending[1:]
	if won {
		r.Fire(context.WithoutCancel(ctx), w.Name, next.due, next.how)
	}
	return nil
}
