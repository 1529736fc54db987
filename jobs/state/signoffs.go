package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

const selectSignOff = "SELECT r.id, r.carrier, r.period_from, r.period_to, r.period, r.version, coalesce(s.state, 'draft'), coalesce(s.submitted_by, ''), s.submitted, " +
	"coalesce(s.approved_by, ''), s.approved, coalesce(s.reopened_by, ''), s.reopened, coalesce(s.why, '') FROM reports r LEFT JOIN signoffs s ON s.report = r.id"

func (t tx) signOffs(ctx context.Context, rest string, args ...any) (list []jobs.SignOff, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var s jobs.SignOff
		err := scan(&s.Report, &s.Carrier, moment{&s.Period.From}, moment{&s.Period.To}, &s.Period.Text, &s.Version, (*string)(&s.State), &s.SubmittedBy, moment{&s.Submitted},
			&s.ApprovedBy, moment{&s.Approved}, &s.ReopenedBy, moment{&s.Reopened}, &s.Why)
		list = append(list, s)
		return err
	}, selectSignOff+rest, args...)
	return list, err
}

// TakeStep implements jobs.SignOffs.
func (s *Store) TakeStep(ctx context.Context, report string, step jobs.SignOffStep, by, why string, now time.Time) (out jobs.SignOff, err error) {
	err = s.write(ctx, "sign a version off", func(t tx) error {
		// Who publishes the next version waits for the same row.
		r, err := t.report(ctx, "WHERE id = $1"+t.d.lockRow, text(report))
		if err != nil || r.ID == "" {
			return firstOf(err, missing(r.ID != "", jobs.ErrNoReport, report))
		}
		out, err = t.step(ctx, &r, step, text(by), text(why), micro(now))
		return err
	})
	if err != nil {
		return jobs.SignOff{}, err
	}
	return out, nil
}

func (t tx) step(ctx context.Context, r *jobs.Report, step jobs.SignOffStep, by, why string, now time.Time) (jobs.SignOff, error) {
	list, err := t.signOffs(ctx, " WHERE r.id = $1", r.ID)
	if err != nil {
		return jobs.SignOff{}, err
	}
	s := list[0]
	switch {
	case r.Kind != jobs.ReportReconcile:
		return s, fmt.Errorf("%w: only reconciliations are signed off; a usage follows from them", jobs.ErrSignOff)
	case r.SupersededBy != "" && (step == jobs.StepSubmit || step == jobs.StepApprove):
		return s, fmt.Errorf("%w: version %d of %s of %s is superseded; take the newest one", jobs.ErrSignOff, r.Version, r.Period.Text, r.Carrier)
	}
	if s, err = s.Take(step, by, why, now); err != nil {
		return s, err
	}
	_, err = t.exec(ctx, "INSERT INTO signoffs (report, carrier, period_from, period_to, state, submitted_by, submitted, approved_by, approved, reopened_by, reopened, why) VALUES "+
		tuples(1, 12)+" ON CONFLICT (report) DO UPDATE SET state = excluded.state, submitted_by = excluded.submitted_by, submitted = excluded.submitted, approved_by = excluded.approved_by, "+
		"approved = excluded.approved, reopened_by = excluded.reopened_by, reopened = excluded.reopened, why = excluded.why",
		s.Report, text(s.Carrier), edge(s.Period.From), edge(s.Period.To), string(s.State), s.SubmittedBy, s.Submitted, s.ApprovedBy, s.Approved, s.ReopenedBy, s.Reopened, s.Why)
	if err == nil && step == jobs.StepReopen {
		err = t.goOn(ctx, r, by, now)
	}
	return s, err
}

// goOn has a run say what was held back as long as the period was locked.
func (t tx) goOn(ctx context.Context, r *jobs.Report, by string, now time.Time) error {
	held, err := t.resolve(ctx, jobs.LockedKey(r.Carrier, r.Period), now)
	if err != nil || !held {
		return err
	}
	_, err = t.enqueue(ctx, jobs.Run{Job: r.Job, Kind: r.Kind, Carrier: r.Carrier, Period: r.Period, Trigger: jobs.TriggerUpload, By: by}, now)
	if errors.Is(err, jobs.ErrActive) { // it begins now, or finds the period open, at its end at the latest
		err = nil
	}
	return err
}

// SignOff implements jobs.SignOffs.
func (s *Store) SignOff(ctx context.Context, report string) (out jobs.SignOff, err error) {
	err = s.read(ctx, "read a sign-off", func(t tx) error {
		list, err := t.signOffs(ctx, " WHERE r.id = $1", text(report))
		if err != nil || len(list) == 0 {
			return firstOf(err, missing(len(list) > 0, jobs.ErrNoReport, report))
		}
		out = list[0]
		return nil
	})
	return out, err
}

// SignOffs implements jobs.SignOffs.
func (s *Store) SignOffs(ctx context.Context, f jobs.SignOffFilter) (list []jobs.SignOff, err error) {
	w := signOffsWhere(f)
	err = s.read(ctx, "list sign-offs", func(t tx) error {
		list, err = t.signOffs(ctx, w.text()+" ORDER BY r.seq DESC"+w.limit(f.Limit), w.args...)
		return err
	})
	return list, err
}

// wasReopened is true of a version whose period was reopened.
const wasReopened = "EXISTS (SELECT 1 FROM signoffs o WHERE o.carrier = r.carrier AND o.period_from = r.period_from AND o.period_to = r.period_to AND o.reopened IS NOT NULL)"

func signOffsWhere(f jobs.SignOffFilter) (w where) {
	if f.Newest {
		w.add("r.kind = ?", jobs.ReportReconcile)
		w.add("r.superseded_by = ''")
	} else {
		w.add("s.report IS NOT NULL")
	}
	w.equal("r.carrier", f.Carrier)
	switch {
	case f.Newest && f.State == jobs.SignOffDraft:
		w.add("coalesce(s.state, 'draft') = 'draft' AND NOT " + wasReopened)
	case f.Newest && f.State == jobs.SignOffReopened:
		w.add("coalesce(s.state, 'draft') IN ('draft', 'reopened') AND " + wasReopened)
	default:
		w.equal("s.state", string(f.State))
	}
	if f.Period != nil {
		w.add("r.period_from = ?", edge(f.Period.From))
		w.add("r.period_to = ?", edge(f.Period.To))
	}
	if f.Before != "" {
		w.add("r.seq < (SELECT seq FROM reports WHERE id = ?)", text(f.Before))
	}
	return w
}

// Lock implements jobs.SignOffs.
func (s *Store) Lock(ctx context.Context, carrier string, p jobs.Period) (lock *jobs.SignOff, err error) {
	err = s.read(ctx, "look whether a period is locked", func(t tx) error {
		lock, err = t.lockOf(ctx, carrier, p)
		return err
	})
	return lock, err
}

func (t tx) lockOf(ctx context.Context, carrier string, p jobs.Period) (*jobs.SignOff, error) {
	list, err := t.signOffs(ctx, " WHERE s.carrier = $1 AND s.period_from = $2 AND s.period_to = $3 AND s.state = 'approved'", text(carrier), edge(p.From), edge(p.To))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// keepApproval keeps others from taking a step with an approved version until the
// transaction ends. It comes before a run is locked, as in TakeStep.
func (t tx) keepApproval(ctx context.Context, held *jobs.SignOff) error {
	if held == nil {
		return nil
	}
	_, err := t.report(ctx, "WHERE id = $1"+t.d.lockRow, text(held.Report))
	return err
}

// reopened puts a run back that was held by an approval which locks its period no
// more, even if another one does: somebody is to be told of it then.
func (t tx) reopened(ctx context.Context, r *jobs.Run, held *jobs.SignOff, now time.Time) (bool, error) {
	if held == nil {
		return false, nil
	}
	lock, err := t.lockOf(ctx, r.Carrier, r.Period)
	if err != nil || lock != nil && lock.Report == held.Report && lock.Approved.Equal(held.Approved) {
		return false, err
	}
	_, err = t.resolve(ctx, jobs.LockedKey(r.Carrier, r.Period), now)
	return true, firstOf(err, t.putBack(ctx, r, now))
}

// unlocked returns jobs.ErrLocked when an approval keeps a version back. Who
// approves waits for the row of the newest version, which is held by now.
func (t tx) unlocked(ctx context.Context, r *jobs.Report) error {
	if r.Kind != jobs.ReportReconcile {
		return nil
	}
	lock, err := t.lockOf(ctx, r.Carrier, r.Period)
	if err == nil && lock != nil {
		err = fmt.Errorf("%w: %s", jobs.ErrLocked, lock.Locked())
	}
	return err
}
