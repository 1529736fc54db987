package state

import (
	"context"
	"errors"
	"time"

	"concord/jobs"
)

// LastFire implements jobs.Schedules.
func (s *Store) LastFire(ctx context.Context, job string) (at time.Time, err error) {
	err = s.read(ctx, "find when a job fired", func(t tx) error {
		_, err := t.one(ctx, []any{moment{&at}}, "SELECT max(scheduled_for) FROM fires WHERE job = $1", job)
		return err
	})
	return at, err
}

// RecordFire implements jobs.Schedules.
func (s *Store) RecordFire(ctx context.Context, f jobs.Fire) (list []jobs.Run, err error) {
	err = s.write(ctx, "note that a job fired", func(t tx) (err error) {
		list, err = t.fire(ctx, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// firesKept is how many instants of a job are remembered. Those before count
// as instants for which it fired.
const firesKept = 1000

func (t tx) fire(ctx context.Context, f jobs.Fire) (list []jobs.Run, err error) {
	oldest, err := t.oldestFire(ctx, f.Job)
	if err != nil || f.At.Before(oldest) {
		return nil, firstOf(err, jobs.ErrFired)
	}
	if _, err := t.exec(ctx, "DELETE FROM fires WHERE job = $1 AND scheduled_for < $2", f.Job, edge(oldest)); err != nil {
		return nil, err
	}
	n, err := t.exec(ctx, "INSERT INTO fires (job, scheduled_for, fired) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", f.Job, edge(f.At), edge(f.Now))
	if err != nil || n == 0 {
		return nil, firstOf(err, jobs.ErrFired)
	}
	for _, r := range f.Runs {
		out, err := t.enqueue(ctx, r, f.Now)
		switch {
		case err == nil:
			list = append(list, out)
		case !errors.Is(err, jobs.ErrActive):
			return nil, err
		default:
			if err := t.standIn(ctx, &out, &r); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// oldestFire returns the oldest instant of a job to keep; the year 1 as long as
// there are few.
func (t tx) oldestFire(ctx context.Context, job string) (at time.Time, err error) {
	_, err = t.one(ctx, []any{moment{&at}}, "SELECT scheduled_for FROM fires WHERE job = $1 ORDER BY scheduled_for DESC LIMIT 1 OFFSET $2", job, firesKept-1)
	return at, err
}

// Pause implements jobs.Schedules.
func (s *Store) Pause(ctx context.Context, p jobs.Pause) error {
	return s.write(ctx, "pause a job", func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO pauses (job, why, paused_by, since) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT (job) DO UPDATE SET why = excluded.why, paused_by = excluded.paused_by", p.Job, text(p.Why), text(p.By), edge(p.Since))
		return err
	})
}

// Resume implements jobs.Schedules.
func (s *Store) Resume(ctx context.Context, job string) (was bool, err error) {
	err = s.write(ctx, "resume a job", func(t tx) error {
		n, err := t.exec(ctx, "DELETE FROM pauses WHERE job = $1", job)
		was = n > 0
		return err
	})
	return was, err
}

// Paused implements jobs.Schedules.
func (s *Store) Paused(ctx context.Context) (list []jobs.Pause, err error) {
	err = s.read(ctx, "list paused jobs", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var p jobs.Pause
			err := scan(&p.Job, &p.Why, &p.By, moment{&p.Since})
			list = append(list, p)
			return err
		}, "SELECT job, why, paused_by, since FROM pauses ORDER BY job")
	})
	return list, err
}
