package dispatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"concord/jobs"
)

// queue is as much of a queue of runs as a dispatcher uses. jobs/state has the
// real one, which its own contract is about.
type queue struct {
	mu     sync.Mutex
	runs   []jobs.Run
	broken int // how many calls fail from now on
	claims []jobs.ClaimOptions
}

type outOfOrder struct{}

func (outOfOrder) Error() string { return "the state is out of order" }

func (q *queue) fails() error {
	if q.broken > 0 {
		q.broken--
		return outOfOrder{}
	}
	return nil
}

func (q *queue) Claim(_ context.Context, o jobs.ClaimOptions) (jobs.Run, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims = append(q.claims, o)
	for i := range q.runs {
		r := &q.runs[i]
		if r.State == jobs.RunQueued && !r.NotBefore.After(o.Now) && (!o.Urgent || r.Priority >= 0) && (len(o.Kinds) == 0 || slices.Contains(o.Kinds, r.Kind)) {
			r.State, r.Owner, r.LeaseUntil = jobs.RunRunning, o.Owner, o.Now.Add(o.Lease)
			return *r, nil
		}
	}
	return jobs.Run{}, jobs.ErrNoRun
}

// held calls a func with the run of a lease that is not over.
func (q *queue) held(l jobs.Lease, do func(r *jobs.Run)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.fails(); err != nil {
		return err
	}
	for i := range q.runs {
		if r := &q.runs[i]; r.State == jobs.RunRunning && r.Lease() == l {
			do(r)
			return nil
		}
	}
	return jobs.ErrLost
}

func (q *queue) Heartbeat(_ context.Context, l jobs.Lease, until time.Time) (cancel bool, err error) {
	err = q.held(l, func(r *jobs.Run) { r.LeaseUntil, cancel = until, r.CancelAsked })
	return cancel, err
}

func (q *queue) Release(_ context.Context, l jobs.Lease, _ time.Time) error {
	return q.held(l, func(r *jobs.Run) { r.State, r.Owner = jobs.RunQueued, "" })
}

func (q *queue) Finish(_ context.Context, l jobs.Lease, e jobs.Ending, now time.Time) (next jobs.Run, err error) {
	err = q.held(l, func(r *jobs.Run) {
		if e.Held != nil { // the period was reopened meanwhile
			r.State, r.Owner = jobs.RunQueued, ""
			next = *r
			return
		}
		r.State, r.Error, r.Report, r.Finished = e.State, e.Error, e.Report, now
		if !e.RetryAt.IsZero() {
			next = *r
			next.State, next.Attempt, next.NotBefore = jobs.RunQueued, r.Attempt+1, e.RetryAt
			next.Owner = ""
		}
	})
	if !e.RetryAt.IsZero() && next.Attempt > 0 {
		q.add(next)
	}
	return next, err
}

func (q *queue) Expire(_ context.Context, now time.Time, most int) (list []jobs.Run, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.runs {
		if r := &q.runs[i]; r.State == jobs.RunRunning && r.LeaseUntil.Before(now) {
			r.State, r.Owner = jobs.RunQueued, ""
			r.Attempt++
			list = append(list, *r)
		}
	}
	return list, nil
}

func (q *queue) add(r jobs.Run) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs = append(q.runs, r)
}

// change changes the first run of a carrier.
func (q *queue) change(carrier string, do func(r *jobs.Run)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.runs, func(r jobs.Run) bool { return r.Carrier == carrier })
	do(&q.runs[i])
}

// of returns the runs of a carrier.
func (q *queue) of(carrier string) (list []jobs.Run) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.runs {
		if r.Carrier == carrier {
			list = append(list, r)
		}
	}
	return list
}
