package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a Store that can fail and be slow.
type memory struct {
	mu    sync.Mutex
	fired map[string][]time.Time
	fault error
	delay time.Duration
}

func (m *memory) LastFire(_ context.Context, job string) (time.Time, error) {
	m.hang()
	m.mu.Lock()
	defer m.mu.Unlock()
	var last time.Time
	for _, at := range m.fired[job] {
		if at.After(last) {
			last = at
		}
	}
	return last, m.fault
}

func (m *memory) RecordFire(_ context.Context, job string, due time.Time, _ How) (bool, error) {
	m.hang()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return false, m.fault
	}
	if slices.ContainsFunc(m.fired[job], due.Equal) {
		return false, nil
	}
	m.fired[job] = append(m.fired[job], due)
	return true, nil
}

func (m *memory) hang() {
	m.mu.Lock()
	delay := m.delay
	m.mu.Unlock()
	time.Sleep(delay)
}

func (m *memory) slow(delay time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delay = delay
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = err
}

var errDown = errors.New("the database is down")

// world is a machine with a clock of its own, on which a loop runs.
type world struct {
	t     testing.TB
	store *memory

	mu      sync.Mutex
	ahead   time.Duration // the clock before the bubble's
	fires   []string      // "job 2026-10-01T04:00 schedule"
	late    time.Duration // the most that a fire came after it was due
	skips   []string
	failed  int
	sets    chan []Job
	stop    context.CancelFunc
	stopped chan error
}

// inWorld runs f in a bubble whose clock begins at start.
func inWorld(t *testing.T, start string, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newWorld(t, start, &memory{fired: map[string][]time.Time{}})) })
}

func newWorld(t testing.TB, start string, store *memory) *world {
	return &world{t: t, store: store, ahead: time.Until(instant(t, start))}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// start begins a loop, as a new process would.
func (w *world) start(jobs ...Job) {
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.stopped, w.sets = stop, make(chan error, 1), make(chan []Job, 1)
	w.sets <- jobs
	loop := Loop{Store: w.store, Now: w.now, Fire: w.fire, Skipped: w.skip, Failed: w.fail}
	go func() { w.stopped <- loop.Run(ctx, w.sets) }()
	synctest.Wait()
}

func (w *world) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.stopped; !errors.Is(err, context.Canceled) {
		w.t.Errorf("the loop ended with %v", err)
	}
}

func (w *world) fire(ctx context.Context, job string, due time.Time, how How) {
	if ctx.Err() != nil {
		w.t.Errorf("%s %s is fired in a context that has ended", job, due)
	}
	now := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fires = append(w.fires, fmt.Sprintf("%s %s %s", job, due.Format("01-02T15:04"), how))
	w.late = max(w.late, now.Sub(due))
}

func (w *world) skip(job string, from, to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skips = append(w.skips, fmt.Sprintf("%s %s to %s", job, from.Format("01-02T15:04"), to.Format("01-02T15:04")))
}

func (w *world) fail(string, time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed++
}

// has checks what has been fired since it was asked last.
func (w *world) has(want ...string) {
	w.t.Helper()
	if got := w.new(); !slices.Equal(got, want) {
		w.t.Errorf("fired\n%q, want\n%q", got, want)
	}
}

// new returns what has been fired since it was asked last.
func (w *world) new() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.fires
	w.fires = nil
	return got
}

// fit checks that the store has each instant of a job later than one time and
// up to another, once each, and nothing else in between.
func (m *memory) fit(t interface {
	Helper()
	Errorf(string, ...any)
}, job Job, from, to time.Time) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	got := slices.Clone(m.fired[job.Name])
	slices.SortFunc(got, time.Time.Compare)
	got = slices.DeleteFunc(got, func(at time.Time) bool { return !at.After(from) || at.After(to) })
	var want []time.Time
	for at := job.Schedule.Next(from); !at.After(to); at = job.Schedule.Next(at) {
		want = append(want, at)
	}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%s (%s) fired %d times from %s to %s, want %d:\n%v\n%v", job.Name, job.Schedule, len(got), from, to, len(want), got, want)
	}
}
