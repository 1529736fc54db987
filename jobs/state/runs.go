package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"concord/jobs"

	"github.com/google/uuid"
)

// runColumns are those of a run that lists show, in the order of runValues and
// scanRun. Settings follow.
const runColumns = "id, job, kind, carrier, period_from, period_to, period, attempt, state, cause, asked_by, rerun_of, " +
	"idempotency_key, priority, scheduled_for, not_before, created, started, finished, report, cancel_asked, owner, lease_until, error"

const (
	selectRun = "SELECT " + runColumns + ", settings FROM runs "
	insertRun = "INSERT INTO runs (" + runColumns + ", settings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, " +
		"$14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) ON CONFLICT DO NOTHING"
	updateRun = "UPDATE runs SET attempt = $2, state = $3, not_before = $4, started = $5, finished = $6, report = $7, " +
		"cancel_asked = $8, owner = $9, lease_until = $10, error = $11 WHERE id = $1"
)

// Enqueue implements jobs.Runs.
func (s *Store) Enqueue(ctx context.Context, r jobs.Run, now time.Time) (out jobs.Run, err error) {
	err = s.write(ctx, "enqueue a run", func(t tx) (err error) {
		out, err = t.enqueue(ctx, r, now)
		return err
	})
	if !errors.Is(err, jobs.ErrActive) {
		return out, err
	}
	// A transaction of its own: the answer undid the first, and nobody has
	// started a run that would be noted.
	quiet := *s
	quiet.note = nil
	serr := quiet.write(ctx, "have a run stand in for another", func(t tx) error { return t.standIn(ctx, &out, &r) })
	return out, firstOf(serr, err)
}

// enqueue adds a run. That which is in its way may end while it is looked for.
func (t tx) enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error) {
	if err := prepare(&r, now); err != nil {
		return r, err
	}
	for range attempts {
		if before, err := t.sameKey(ctx, &r); err != nil || before.ID != "" {
			return before, err
		}
		n, err := t.exec(ctx, insertRun, runValues(&r)...)
		if err != nil {
			return r, err
		}
		if n > 0 {
			return r, t.putInputs(ctx, r.ID, r.Inputs)
		}
		if active, err := t.active(ctx, &r); err != nil || active.ID != "" {
			return active, errors.Join(err, jobs.ErrActive)
		}
	}
	return r, errors.New("others were in the way")
}

// standIn makes a queued run one that another need not wait behind.
func (t tx) standIn(ctx context.Context, active, r *jobs.Run) error {
	if active.State != jobs.RunQueued {
		return nil
	}
	before := *active
	active.Priority = max(active.Priority, r.Priority)
	if r.NotBefore.Before(active.NotBefore) {
		active.NotBefore = r.NotBefore
	}
	if active.ScheduledFor.IsZero() {
		active.ScheduledFor = r.ScheduledFor
	}
	if active.Priority == before.Priority && active.NotBefore.Equal(before.NotBefore) && active.ScheduledFor.Equal(before.ScheduledFor) {
		return nil
	}
	_, err := t.exec(ctx, "UPDATE runs SET priority = $2, not_before = $3, scheduled_for = $4 WHERE id = $1 AND state = 'queued'",
		active.ID, active.Priority, micro(active.NotBefore), micro(active.ScheduledFor))
	active.NotBefore, active.ScheduledFor = micro(active.NotBefore), micro(active.ScheduledFor)
	return err
}

// prepare makes a run a new one.
func prepare(r *jobs.Run, now time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	r.ID, r.State, r.Created, r.Attempt = id.String(), jobs.RunQueued, now, max(r.Attempt, 1)
	r.Started, r.Finished, r.LeaseUntil, r.CancelAsked = time.Time{}, time.Time{}, time.Time{}, false
	r.Owner, r.Error, r.Report = "", "", ""
	for _, at := range []*time.Time{&r.Period.From, &r.Period.To, &r.ScheduledFor, &r.NotBefore, &r.Created} {
		*at = micro(*at)
	}
	return nil
}

// sameKey returns the run of the same key, without an ID if there is none.
func (t tx) sameKey(ctx context.Context, r *jobs.Run) (jobs.Run, error) {
	if r.Key == "" {
		return jobs.Run{}, nil
	}
	k, err := t.run(ctx, "WHERE idempotency_key = $1 AND idempotency_key <> ''", text(r.Key))
	same := k.Job == r.Job && k.Carrier == r.Carrier && k.Period.From.Equal(r.Period.From) && k.Period.To.Equal(r.Period.To)
	if err == nil && k.ID != "" && !same {
		return jobs.Run{}, jobs.ErrKey
	}
	return k, err
}

// active returns the run that must not run twice, without an ID if there is
// none.
func (t tx) active(ctx context.Context, r *jobs.Run) (jobs.Run, error) {
	return t.run(ctx, "WHERE job = $1 AND carrier = $2 AND period_from = $3 AND period_to = $4 AND state IN ('queued', 'running')",
		r.Job, r.Carrier, edge(r.Period.From), edge(r.Period.To))
}

// Retry implements jobs.Runs.
func (s *Store) Retry(ctx context.Context, id, by string, notBefore, now time.Time) (out jobs.Run, err error) {
	err = s.write(ctx, "try a run again", func(t tx) error {
		r, err := t.locked(ctx, id)
		if err != nil {
			return err
		}
		if r.State != jobs.RunFailed && r.State != jobs.RunCancelled {
			out = r
			return fmt.Errorf("%w: %s is %s", jobs.ErrRetry, id, r.State)
		}
		out, err = t.retry(ctx, r, by, notBefore, now)
		return err
	})
	return out, err
}

// retry enqueues the next attempt of r.
func (t tx) retry(ctx context.Context, r jobs.Run, by string, notBefore, now time.Time) (jobs.Run, error) {
	r.RerunOf, r.Attempt, r.Trigger, r.By, r.Key, r.NotBefore = r.ID, r.Attempt+1, jobs.TriggerRetry, by, "", notBefore
	return t.enqueue(ctx, r, now)
}

// Cancel implements jobs.Runs.
func (s *Store) Cancel(ctx context.Context, id, by string, now time.Time) (out jobs.Run, err error) {
	err = s.write(ctx, "cancel a run", func(t tx) (err error) {
		if out, err = t.locked(ctx, id); err != nil {
			return err
		}
		switch {
		case out.State.Over():
			return fmt.Errorf("%w: %s has %s", jobs.ErrOver, id, out.State)
		case out.State == jobs.RunQueued:
			out.State, out.Finished, out.Error = jobs.RunCancelled, micro(now), cancelledBy(by)
		case !out.CancelAsked: // who asked first is remembered
			out.Error = cancelledBy(by)
		}
		out.CancelAsked = true
		return t.save(ctx, &out)
	})
	return out, err
}

func cancelledBy(by string) string {
	if by == "" {
		return "cancelled"
	}
	return "cancelled by " + text(by)
}

// Run implements jobs.Runs.
func (s *Store) Run(ctx context.Context, id string) (r jobs.Run, err error) {
	err = s.read(ctx, "read a run", func(t tx) (err error) {
		if r, err = t.run(ctx, "WHERE id = $1", text(id)); err == nil {
			err = missing(r.ID != "", jobs.ErrNoRun, id)
		}
		return err
	})
	return r, err
}

// narrow is how long a span may be of which the runs are found by their
// periods. That they begin before its end follows, but makes SQLite do so; of a
// longer one, the newest runs are likely to be among the newest of all.
const narrow = 62 * 24 * time.Hour

// Runs implements jobs.Runs.
func (s *Store) Runs(ctx context.Context, f jobs.RunFilter) (list []jobs.Run, err error) {
	var w where
	w.equal("carrier", f.Carrier)
	w.equal("job", f.Job)
	w.equal("state", string(f.State))
	if f.Report != "" {
		w.add("report = ? AND report <> ''", text(f.Report)) // the index has no empty ones, and SQLite wants to be told
	}
	if !f.From.IsZero() {
		w.add("period_from >= ?", f.From)
	}
	if !f.To.IsZero() {
		w.add("period_to <= ?", f.To)
		if f.To.Sub(f.From) <= narrow {
			w.add("period_from <= ?", f.To)
		}
	}
	if f.File != "" {
		w.add("id IN (SELECT run FROM run_inputs WHERE file = ? UNION SELECT run FROM run_inputs WHERE sha256 = ?)", text(f.File), text(f.File))
	}
	if f.Before != "" {
		w.add("id < ?", text(f.Before))
	}
	err = s.read(ctx, "list runs", func(t tx) error {
		list, err = t.runs(ctx, "SELECT "+runColumns+", '' FROM runs"+w.text()+" ORDER BY id DESC"+w.limit(f.Limit), w.args...)
		return err
	})
	return list, err
}

// run returns the only run with its inputs, or one without an ID.
func (t tx) run(ctx context.Context, rest string, args ...any) (jobs.Run, error) {
	list, err := t.runs(ctx, selectRun+rest, args...)
	if err != nil || len(list) == 0 {
		return jobs.Run{}, err
	}
	r := list[0]
	err = t.query(ctx, func(scan func(...any) error) error {
		var in jobs.RunInput
		err := scan(&in.Role, &in.File, &in.SHA256)
		r.Inputs = append(r.Inputs, in)
		return err
	}, "SELECT role, file, sha256 FROM run_inputs WHERE run = $1 ORDER BY n", r.ID)
	return r, err
}

// locked returns a run and keeps others from it until the transaction ends.
func (t tx) locked(ctx context.Context, id string) (jobs.Run, error) {
	r, err := t.run(ctx, "WHERE id = $1"+t.d.lockRow, text(id))
	if err == nil {
		err = missing(r.ID != "", jobs.ErrNoRun, id)
	}
	return r, err
}

func (t tx) runs(ctx context.Context, query string, args ...any) (list []jobs.Run, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var r jobs.Run
		err := scanRun(&r, scan)
		list = append(list, r)
		return err
	}, query, args...)
	return list, err
}

func (t tx) putInputs(ctx context.Context, id string, inputs []jobs.RunInput) error {
	for n, in := range inputs {
		if _, err := t.exec(ctx, "INSERT INTO run_inputs (run, n, role, file, sha256) VALUES ($1, $2, $3, $4, $5)",
			id, n, text(in.Role), text(in.File), text(in.SHA256)); err != nil {
			return err
		}
	}
	return nil
}

// save writes what changes in the life of a run.
func (t tx) save(ctx context.Context, r *jobs.Run) error {
	_, err := t.exec(ctx, updateRun, r.ID, r.Attempt, string(r.State), r.NotBefore, r.Started, r.Finished, text(r.Report),
		r.CancelAsked, text(r.Owner), r.LeaseUntil, text(r.Error))
	return err
}

func runValues(r *jobs.Run) []any {
	return []any{
		r.ID, text(r.Job), text(r.Kind), text(r.Carrier), edge(r.Period.From), edge(r.Period.To), text(r.Period.Text), r.Attempt,
		string(r.State), string(r.Trigger), text(r.By), text(r.RerunOf), text(r.Key), r.Priority, r.ScheduledFor, r.NotBefore,
		r.Created, r.Started, r.Finished, text(r.Report), r.CancelAsked, text(r.Owner), r.LeaseUntil, text(r.Error), string(r.Settings),
	}
}

func scanRun(r *jobs.Run, scan func(...any) error) error {
	var settings string
	err := scan(
		&r.ID, &r.Job, &r.Kind, &r.Carrier, moment{&r.Period.From}, moment{&r.Period.To}, &r.Period.Text, &r.Attempt,
		&r.State, &r.Trigger, &r.By, &r.RerunOf, &r.Key, &r.Priority, moment{&r.ScheduledFor}, moment{&r.NotBefore},
		moment{&r.Created}, moment{&r.Started}, moment{&r.Finished}, &r.Report, &r.CancelAsked, &r.Owner, moment{&r.LeaseUntil}, &r.Error, &settings,
	)
	if settings = strings.TrimSpace(settings); settings != "" {
		r.Settings = json.RawMessage(settings)
	}
	return err
}
