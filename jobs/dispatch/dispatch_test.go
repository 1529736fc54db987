package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs"
)

// world is a dispatcher at work in a bubble of virtual time.
type world struct {
	t    *testing.T
	q    *queue
	d    *Dispatcher
	mu   sync.Mutex
	hows []string
	wake chan struct{}
}

// run has a dispatcher work while do looks on, and then stops it.
func run(t *testing.T, work Work, do func(w *world), set ...func(d *Dispatcher)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, q: &queue{}, wake: make(chan struct{}, 1)}
		w.d = &Dispatcher{
			Runs: w.q, Kinds: map[string]Work{"reconcile": work}, Owner: "a", Wake: w.wake,
			Observer: Observer{Ended: func(r jobs.Run, how How, _ error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.hows = append(w.hows, r.Carrier+" "+string(how))
			}},
		}
		for _, f := range set {
			f(w.d)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.d.Run(ctx)
		}()
		do(w)
		stop()
		<-done
	})
}

func (w *world) add(carrier string, priority int) {
	w.q.add(jobs.Run{ID: carrier, Job: "daily", Kind: "reconcile", Carrier: carrier, Attempt: 1, State: jobs.RunQueued, Priority: priority})
}

// after lets time pass and everything happen that is due.
func (w *world) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) want(carrier string, states ...jobs.RunState) []jobs.Run {
	w.t.Helper()
	list := w.q.of(carrier)
	var got []jobs.RunState
	for _, r := range list {
		got = append(got, r.State)
	}
	if fmt.Sprint(got) != fmt.Sprint(states) {
		w.t.Errorf("runs of %s are %v, want %v", carrier, got, states)
	}
	return list
}

func (w *world) told(want string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := fmt.Sprint(w.hows); got != want {
		w.t.Errorf("told %s, want %s", got, want)
	}
}

func succeed(context.Context, jobs.Run) (jobs.Ending, error) {
	return jobs.Ending{State: jobs.RunSucceeded, Report: "r1"}, nil
}

func TestARunIsDoneAsSoonAsSomebodyTellsOfIt(t *testing.T) {
	run(t, succeed, func(w *world) {
		w.after(time.Second)
		w.add("fabrikam", 0)
		w.wake <- struct{}{}
		w.after(time.Millisecond)
		if r := w.want("fabrikam", jobs.RunSucceeded); r[0].Report != "r1" {
			t.Errorf("%+v", r[0])
		}
		w.add("litware", 0) // nobody tells
		w.after(3 * time.Second)
		w.want("litware", jobs.RunSucceeded)
	})
}

func TestAFailureThatMayPassIsTriedAgainLaterAndOneThatWillNotIsNot(t *testing.T) {
	var n int
	work := func(_ context.Context, r jobs.Run) (jobs.Ending, error) {
		if r.Carrier == "broken" {
			return jobs.Ending{}, fmt.Errorf("read: %w", Permanent(errors.New("a.csv is damaged")))
		}
		if n++; n < 3 {
			return jobs.Ending{}, errors.New("the disk is full")
		}
		return succeed(t.Context(), r)
	}
	run(t, work, func(w *world) {
		w.add("broken", 0)
		w.add("patient", 0)
		w.after(3 * time.Second)
		w.want("broken", jobs.RunFailed)
		if r := w.want("patient", jobs.RunFailed, jobs.RunQueued); r[0].Error != "the disk is full" {
			t.Errorf("error %q", r[0].Error)
		}
		w.after(time.Minute)
		w.want("patient", jobs.RunFailed, jobs.RunFailed, jobs.RunQueued)
		w.after(2 * time.Minute)
		w.want("patient", jobs.RunFailed, jobs.RunFailed, jobs.RunSucceeded)
	})
}

func TestAttemptsComeToAnEnd(t *testing.T) {
	work := func(context.Context, jobs.Run) (jobs.Ending, error) { return jobs.Ending{}, errors.New("no") }
	run(t, work, func(w *world) {
		w.add("fabrikam", 0)
		w.after(24 * time.Hour)
		w.want("fabrikam", jobs.RunFailed, jobs.RunFailed, jobs.RunFailed, jobs.RunFailed, jobs.RunFailed)
	})
}

// untilTold works until its context ends.
func untilTold(ctx context.Context, _ jobs.Run) (jobs.Ending, error) {
	<-ctx.Done()
	return jobs.Ending{}, ctx.Err()
}

func TestARunIsCancelledWithinSeconds(t *testing.T) {
	run(t, untilTold, func(w *world) {
		w.add("fabrikam", 0)
		w.after(3 * time.Second)
		w.want("fabrikam", jobs.RunRunning)
		w.q.change("fabrikam", func(r *jobs.Run) { r.CancelAsked = true })
		w.after(6 * time.Second)
		w.want("fabrikam", jobs.RunCancelled)
		w.told("[fabrikam cancelled]")
	})
}

func TestALongRunKeepsItsLease(t *testing.T) {
	work := func(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
		time.Sleep(time.Hour)
		return succeed(ctx, r)
	}
	run(t, work, func(w *world) {
		w.add("fabrikam", 0)
		w.after(2 * time.Hour)
		if r := w.want("fabrikam", jobs.RunSucceeded); r[0].Attempt != 1 {
			t.Errorf("attempt %d", r[0].Attempt)
		}
	})
}

func TestAServiceThatStopsPutsItsRunsBack(t *testing.T) {
	var q *queue
	run(t, untilTold, func(w *world) {
		q = w.q
		w.add("fabrikam", 0)
		w.after(3 * time.Second)
		w.q.mu.Lock()
		w.q.broken = 2 // and the state is out of order for a moment
		w.q.mu.Unlock()
	})
	if r := q.of("fabrikam")[0]; r.State != jobs.RunQueued || r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
}

// Who looks at what has ended would take a late file for dealt with.
func TestARunThatIsPutBackAtItsEndIsNotOver(t *testing.T) {
	n := 0
	work := func(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
		if n++; n == 1 {
			return jobs.Ending{State: jobs.RunSucceeded, Held: &jobs.SignOff{}}, nil
		}
		return succeed(ctx, r)
	}
	run(t, work, func(w *world) {
		w.add("fabrikam", 0)
		w.after(6 * time.Second)
		w.want("fabrikam", jobs.RunSucceeded)
		w.told("[fabrikam released fabrikam succeeded]")
	})
}

func TestARunThatAnotherServiceTookIsLeftToIt(t *testing.T) {
	run(t, untilTold, func(w *world) {
		w.add("fabrikam", 0)
		w.after(3 * time.Second)
		w.q.change("fabrikam", func(r *jobs.Run) { r.Owner = "b" })
		w.after(6 * time.Second)
		w.want("fabrikam", jobs.RunRunning)
		w.told("[fabrikam lost]")
		w.after(time.Minute) // b is silent, too
		if r := w.q.of("fabrikam")[0]; r.Owner != "a" || r.Attempt != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// An outage of the state that is longer than the lease must not end in two
// services that do the same run.
func TestAServiceThatCannotKeepItsLeaseStops(t *testing.T) {
	run(t, untilTold, func(w *world) {
		w.add("fabrikam", 0)
		w.after(3 * time.Second)
		w.q.mu.Lock()
		w.q.broken = 1000
		w.q.mu.Unlock()
		w.after(45 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.hows) == 0 || w.hows[0] != "fabrikam lost" {
			t.Errorf("told %v", w.hows)
		}
	})
}

func TestBackfillsLeaveAPlaceForToday(t *testing.T) {
	run(t, untilTold, func(w *world) {
		for i := range 5 {
			w.add(fmt.Sprint("old", i), jobs.PriorityBackfill)
		}
		w.after(5 * time.Second)
		w.want("old1", jobs.RunRunning)
		w.want("old2", jobs.RunQueued)
		w.add("today", 0)
		w.after(3 * time.Second)
		w.want("today", jobs.RunRunning)
	})
}

func TestADefectEndsItsRunOnly(t *testing.T) {
	work := func(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
		if r.Carrier == "bad" {
			panic("+493012345678")
		}
		return succeed(ctx, r)
	}
	run(t, work, func(w *world) {
		w.add("bad", 0)
		w.add("good", 0)
		w.q.add(jobs.Run{ID: "x", Kind: "unheard", Carrier: "other", Attempt: 1, State: jobs.RunQueued})
		w.after(3 * time.Second)
		w.want("good", jobs.RunSucceeded)
		w.want("other", jobs.RunQueued) // for a service that knows it
		if r := w.want("bad", jobs.RunFailed); r[0].Error != "a run of kind reconcile met a defect of concord (string); please report it" {
			t.Errorf("error %q", r[0].Error)
		}
	})
}

func TestWorkMayRecordItsOwnEnd(t *testing.T) {
	var q *queue
	work := func(ctx context.Context, r jobs.Run) (jobs.Ending, error) {
		_, err := q.Finish(ctx, r.Lease(), jobs.Ending{State: jobs.RunSucceeded, Report: "own"}, time.Now())
		return jobs.Ending{}, err
	}
	run(t, work, func(w *world) {
		q = w.q
		w.add("fabrikam", 0)
		w.after(3 * time.Second)
		if r := w.want("fabrikam", jobs.RunSucceeded); r[0].Report != "own" {
			t.Errorf("%+v", r[0])
		}
		w.told("[fabrikam succeeded]")
	})
}

// However many workers there are, the state is asked by one or two.
func TestIdleWorkersDoNotWearTheStateOut(t *testing.T) {
	run(t, untilTold, func(w *world) {
		w.after(time.Minute)
		w.q.mu.Lock()
		if n := len(w.q.claims); n < 50 || n > 65 {
			t.Errorf("asked %d times in a minute", n)
		}
		w.q.mu.Unlock()
		for i := range 40 {
			w.add(fmt.Sprint("c", i), 0)
		}
		w.wake <- struct{}{}
		w.after(time.Millisecond)
		running := 0
		for i := range 40 {
			if w.q.of(fmt.Sprint("c", i))[0].State == jobs.RunRunning {
				running++
			}
		}
		if running != 33 {
			t.Errorf("%d runs at once, want 33", running)
		}
	}, func(d *Dispatcher) { d.Workers = 32 })
}

// A service that can do nothing of its kinds at the moment must not take runs
// of others, which it would only spoil.
func TestWhatCannotBeDoneIsNotTaken(t *testing.T) {
	var can atomic.Bool
	run(t, succeed, func(w *world) {
		w.add("fabrikam", 0)
		w.q.add(jobs.Run{ID: "x", Kind: "collect", Carrier: "other", Attempt: 1, State: jobs.RunQueued})
		w.after(time.Minute)
		w.want("fabrikam", jobs.RunQueued)
		w.want("other", jobs.RunQueued)
		can.Store(true)
		w.after(3 * time.Second)
		w.want("fabrikam", jobs.RunSucceeded)
		w.want("other", jobs.RunQueued)
	}, func(d *Dispatcher) { d.Can = func(string) bool { return can.Load() } })
}
