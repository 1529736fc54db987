package schedule

import "time"

// watch is one job of a running loop.
type watch struct {
	Job
	loaded bool // whether the store has said what fired last
	// since is from when on the loop has watched without a gap. What was due
	// before was missed.
	since   time.Time
	next    time.Time // the first instant that is not decided; zero: none
	pending []firing  // decided and not recorded, oldest first

	failures int
	retry    time.Time // on the steady clock
}

// firing is an instant that is owed.
type firing struct {
	due time.Time // UTC
	how How
}

// change gives a job new settings. What it owes by the old ones, it owes.
func (w *watch) change(job Job, now time.Time) {
	changed := w.Schedule.String() != job.Schedule.String()
	w.Job = job
	if w.Window <= 0 {
		w.Window = DefaultWindow
	}
	if w.loaded && changed {
		w.since = now
		w.next = w.Schedule.Next(now)
	}
}

// begin sets out from what the store knows. A fire of the future is one of a
// clock that was wrong, and says nothing of what was missed.
func (w *watch) begin(last time.Time) {
	w.loaded = true
	if last.Before(w.Since) {
		last = w.Since
	}
	if last.IsZero() || last.After(w.since) {
		last = w.since
	}
	w.next = w.Schedule.Next(last)
}

// goBack follows a clock that was put back. What comes again is offered to the
// store again, which knows what has fired; what the clock had run ahead of
// and nobody fired is not lost.
func (w *watch) goBack(now time.Time) {
	if w.loaded {
		w.next = w.Schedule.Next(now)
	}
	if w.since.After(now) {
		w.since = now
	}
}

// decide moves what is due from the schedule to pending.
func (w *watch) decide(now time.Time, skipped func(job string, from, to time.Time)) {
	floor := w.since.Add(-w.Window)
	if !w.next.IsZero() && w.next.Before(floor) {
		skipped(w.Name, w.next, floor)
		w.next = w.Schedule.Next(floor.Add(-time.Nanosecond))
	}
	missed := w.due(earlier(w.since.Add(-grace), now))
	caught := w.policy(missed)
	if n := len(missed) - len(caught); n > 0 {
		skipped(w.Name, missed[0], missed[n-1])
	}
	w.owe(caught, CaughtUp)
	w.owe(w.due(now), OnTime)
}

// due takes the instants up to now from the schedule.
func (w *watch) due(now time.Time) []time.Time {
	var all []time.Time
	for !w.next.IsZero() && !w.next.After(now) {
		all = append(all, w.next)
		w.next = w.Schedule.Next(w.next)
	}
	return all
}

// policy returns which of the missed instants are caught up: the last ones.
func (w *watch) policy(missed []time.Time) []time.Time {
	switch w.CatchUp {
	case None:
		return nil
	case Last:
		return missed[max(0, len(missed)-1):]
	}
	return missed
}

func (w *watch) owe(due []time.Time, how How) {
	for _, at := range due {
		w.pending = append(w.pending, firing{at.UTC(), how})
	}
}

// tried remembers how a call of the store went.
func (w *watch) tried(err error) {
	if err == nil {
		w.failures, w.retry = 0, time.Time{}
		return
	}
	delay := min(lastRetry, firstRetry<<min(w.failures, 10))
	w.failures++
	w.retry = time.Now().Add(delay)
}

// idle returns for how long there is nothing to do for the job at most; 0:
// there is something now.
func (w *watch) idle(now time.Time) time.Duration {
	if !w.loaded || len(w.pending) > 0 {
		return max(0, time.Until(w.retry))
	}
	if w.next.IsZero() {
		return glance
	}
	return max(0, w.next.Sub(now))
}
