package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"concord/jobs"
)

// Claim implements jobs.Runs.
func (s *Store) Claim(ctx context.Context, o jobs.ClaimOptions) (r jobs.Run, err error) {
	err = s.write(ctx, "claim a run", func(t tx) (err error) {
		var id string
		query, args := nextRun(o, t.d.queue)
		found, err := t.one(ctx, []any{&id}, query+t.d.lockFree, args...)
		if err != nil || !found {
			return firstOf(err, jobs.ErrNoRun)
		}
		if r, err = t.run(ctx, "WHERE id = $1", id); err != nil {
			return err
		}
		r.State, r.Owner, r.Started, r.LeaseUntil = jobs.RunRunning, o.Owner, micro(o.Now), micro(o.Now.Add(o.Lease))
		return t.save(ctx, &r)
	})
	if err != nil {
		return jobs.Run{}, err
	}
	return r, nil
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// nextRun is the query for the run that is next. by says how the database is
// to look for it.
func nextRun(o jobs.ClaimOptions, by string) (query string, args []any) {
	var w where
	w.add("state = 'queued'")
	w.add("(not_before IS NULL OR not_before <= ?)", o.Now)
	w.add("NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.job = runs.job)")
	// Nothing is read that is being rewritten.
	w.add("NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.state = 'working')")
	if o.Urgent {
		w.add("priority >= 0")
	}
	w.among("kind", o.Kinds)
	if o.PerCarrier > 0 {
		like, kinds := oneOf(" AND r.kind", o.Kinds)
		w.add("? > (SELECT count(*) FROM runs r WHERE r.state = 'running' AND r.carrier = runs.carrier"+like+")", append([]any{o.PerCarrier}, kinds...)...)
	}
	return "SELECT id FROM runs" + by + w.text() + " ORDER BY priority DESC, created, id LIMIT 1", w.args
}

// Heartbeat implements jobs.Runs.
func (s *Store) Heartbeat(ctx context.Context, l jobs.Lease, until time.Time) (cancel bool, err error) {
	err = s.write(ctx, "extend a lease", func(t tx) error {
		r, err := t.held(ctx, l)
		if err != nil {
			return err
		}
		cancel, r.LeaseUntil = r.CancelAsked, micro(until)
		return t.save(ctx, &r)
	})
	return cancel, err
}

// held returns the run of a lease that is not over.
func (t tx) held(ctx context.Context, l jobs.Lease) (jobs.Run, error) {
	r, err := t.locked(ctx, l.Run)
	if err == nil && (r.State != jobs.RunRunning || r.Lease() != l) {
		err = fmt.Errorf("%w: %s", jobs.ErrLost, l.Run)
	}
	return r, err
}

// Snapshot implements jobs.Runs.
func (s *Store) Snapshot(ctx context.Context, l jobs.Lease, settings json.RawMessage, inputs []jobs.RunInput) error {
	return s.write(ctx, "note what a run works with", func(t tx) error {
		if _, err := t.held(ctx, l); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "UPDATE runs SET settings = $1 WHERE id = $2", string(settings), l.Run); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM run_inputs WHERE run = $1", l.Run); err != nil {
			return err
		}
		return t.putInputs(ctx, l.Run, inputs)
	})
}

// Release implements jobs.Runs.
func (s *Store) Release(ctx context.Context, l jobs.Lease, now time.Time) error {
	return s.write(ctx, "put a run back", func(t tx) error {
		r, err := t.held(ctx, l)
		if err != nil {
			return err
		}
		return t.putBack(ctx, &r, now)
	})
}

// putBack puts a run that is locked back into the queue.
func (t tx) putBack(ctx context.Context, r *jobs.Run, now time.Time) error {
	r.LeaseUntil = time.Time{}
	if r.CancelAsked {
		r.State, r.Finished = jobs.RunCancelled, micro(now)
	} else {
		r.State, r.Owner, r.Started = jobs.RunQueued, "", time.Time{}
	}
	return t.save(ctx, r)
}

// Finish implements jobs.Runs.
func (s *Store) Finish(ctx context.Context, l jobs.Lease, e jobs.Ending, now time.Time) (next jobs.Run, err error) {
	if !e.State.Over() {
		return next, fmt.Errorf("a run cannot end as %q", e.State)
	}
	err = s.write(ctx, "end a run", func(t tx) error {
		next = jobs.Run{}
		if err := t.keepApproval(ctx, e.Held); err != nil {
			return err
		}
		r, err := t.locked(ctx, l.Run)
		switch {
		case err != nil:
			return err
		case r.Lease() != l || r.State != jobs.RunRunning && r.State != e.State:
			return fmt.Errorf("%w: %s", jobs.ErrLost, l.Run)
		case r.State == e.State: // said before, and the answer was lost
			return nil
		}
		if open, err := t.reopened(ctx, &r, e.Held, now); err != nil || open {
			next = r
			return err
		}
		if err := t.end(ctx, &r, e, now); err != nil || e.RetryAt.IsZero() || r.CancelAsked {
			return err
		}
		next, err = t.retry(ctx, r, r.By, e.RetryAt, now)
		return err
	})
	return next, err
}

// end ends a run that is locked.
func (t tx) end(ctx context.Context, r *jobs.Run, e jobs.Ending, now time.Time) error {
	r.State, r.Report, r.Finished, r.LeaseUntil = e.State, e.Report, micro(now), time.Time{}
	if e.Error != "" || !r.CancelAsked || e.State == jobs.RunSucceeded {
		r.Error = e.Error
	}
	return t.save(ctx, r)
}

// lost is what a run is told that its service did not finish.
const lost = "the service that ran it ended or fell silent"

// Expire implements jobs.Runs.
func (s *Store) Expire(ctx context.Context, now time.Time, most int) (list []jobs.Run, err error) {
	return s.takeAway(ctx, now, most, " AND lease_until < $1", now)
}

// Abandon implements jobs.Runs.
func (s *Store) Abandon(ctx context.Context, now time.Time, most int) (list []jobs.Run, err error) {
	return s.takeAway(ctx, now, most, "")
}

// takeAway ends the hold of services on the runs that a condition is true of.
func (s *Store) takeAway(ctx context.Context, now time.Time, most int, condition string, args ...any) (list []jobs.Run, err error) {
	err = s.write(ctx, "take runs from services that are gone", func(t tx) (err error) {
		if list, err = t.runs(ctx, selectRun+"WHERE state = 'running'"+condition+" ORDER BY id"+t.d.lockFree, args...); err != nil {
			return err
		}
		for i := range list {
			expire(&list[i], now, most)
			if err := t.save(ctx, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func expire(r *jobs.Run, now time.Time, most int) {
	r.LeaseUntil = time.Time{}
	switch {
	case r.CancelAsked:
		r.State, r.Finished = jobs.RunCancelled, micro(now)
	case r.Attempt >= most:
		r.State, r.Finished, r.Error = jobs.RunFailed, micro(now), lost
	default:
		r.State, r.Owner, r.Started, r.Error = jobs.RunQueued, "", time.Time{}, lost
		r.Attempt++
	}
}
