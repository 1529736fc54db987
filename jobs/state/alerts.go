package state

import (
	"context"
	"errors"
	"time"

	"concord/jobs"

	"github.com/google/uuid"
)

// alertColumns are those of an alert, in the order of alertFields.
const alertColumns = "a.id, a.alert_key, a.kind, a.carrier, a.job, a.subject, a.text, a.raised, a.resolved"

func alertFields(a *jobs.Alert) []any {
	return []any{&a.ID, &a.Key, &a.Kind, &a.Carrier, &a.Job, &a.Subject, &a.Text, moment{&a.Raised}, moment{&a.Resolved}}
}

// Raise implements jobs.Alerts.
func (s *Store) Raise(ctx context.Context, a jobs.Alert, now time.Time) (out jobs.Alert, raised bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return out, false, err
	}
	a.ID, a.Raised, a.Resolved = id.String(), micro(now), time.Time{}
	for _, s := range []*string{&a.Key, (*string)(&a.Kind), &a.Carrier, &a.Job, &a.Subject, &a.Text} {
		*s = text(*s)
	}
	err = s.write(ctx, "raise an alert", func(t tx) (err error) {
		out, raised, err = t.raise(ctx, a)
		return err
	})
	if err != nil {
		return jobs.Alert{}, false, err
	}
	return out, raised, nil
}

// raise opens an alert. The open one that is in its way may be resolved while
// it is looked for.
func (t tx) raise(ctx context.Context, a jobs.Alert) (jobs.Alert, bool, error) {
	for range attempts {
		var seq int64
		raised, err := t.one(ctx, []any{&seq}, "INSERT INTO alerts (alert_key, id, kind, carrier, job, subject, text, raised) VALUES "+
			tuples(1, 8)+" ON CONFLICT (alert_key) WHERE resolved IS NULL DO NOTHING RETURNING seq",
			a.Key, a.ID, string(a.Kind), a.Carrier, a.Job, a.Subject, a.Text, edge(a.Raised))
		if err != nil {
			return a, false, err
		}
		if raised {
			return a, true, t.tell(ctx, seq, a.Key, false, a.Raised)
		}
		var open jobs.Alert
		found, err := t.one(ctx, alertFields(&open), "SELECT "+alertColumns+" FROM alerts a WHERE alert_key = $1 AND resolved IS NULL", a.Key)
		if err != nil || found {
			return open, false, err
		}
	}
	return a, false, errors.New("others were in the way")
}

// Resolve implements jobs.Alerts.
func (s *Store) Resolve(ctx context.Context, key string, now time.Time) (was bool, err error) {
	err = s.write(ctx, "resolve an alert", func(t tx) error {
		was, err = t.resolve(ctx, key, now)
		return err
	})
	return was && err == nil, err
}

func (t tx) resolve(ctx context.Context, key string, now time.Time) (was bool, err error) {
	var seq int64
	found, err := t.one(ctx, []any{&seq}, "SELECT seq FROM alerts WHERE alert_key = $1 AND resolved IS NULL"+t.d.lockRow, text(key))
	if err != nil || !found {
		return false, err
	}
	if _, err := t.exec(ctx, "UPDATE alerts SET resolved = $1 WHERE seq = $2", edge(now), seq); err != nil {
		return false, err
	}
	return true, t.tell(ctx, seq, text(key), true, now)
}

// Alerts implements jobs.Alerts.
func (s *Store) Alerts(ctx context.Context, f jobs.AlertFilter) (list []jobs.Alert, err error) {
	var w where
	w.equal("alert_key", f.Key)
	w.equal("kind", string(f.Kind))
	w.equal("carrier", f.Carrier)
	if f.Open {
		w.add("resolved IS NULL")
	}
	if f.Before != "" {
		w.add("seq < (SELECT seq FROM alerts WHERE id = ?)", text(f.Before))
	}
	err = s.read(ctx, "list alerts", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var a jobs.Alert
			err := scan(alertFields(&a)...)
			list = append(list, a)
			return err
		}, "SELECT "+alertColumns+" FROM alerts a"+w.text()+" ORDER BY seq DESC"+w.limit(f.Limit), w.args...)
	})
	return list, err
}

// tell writes a message about an alert, to be delivered at once.
func (t tx) tell(ctx context.Context, alert int64, key string, resolved bool, now time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "INSERT INTO messages (id, alert, alert_key, resolved, attempts, next_attempt, error) VALUES ($1, $2, $3, $4, 0, $5, '')",
		id.String(), alert, key, resolved, edge(now))
	return err
}

// Messages implements jobs.Alerts.
func (s *Store) Messages(ctx context.Context, now time.Time, limit int) (list []jobs.Message, err error) {
	var w where
	w.add("m.next_attempt <= ?", edge(now))
	w.add("NOT EXISTS (SELECT 1 FROM messages first WHERE first.alert_key = m.alert_key AND first.seq < m.seq)")
	err = s.read(ctx, "find what is to be told", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var m jobs.Message
			var resolved bool
			err := scan(append([]any{&m.ID, &m.Attempts, &m.Error, &resolved}, alertFields(&m.Alert)...)...)
			if !resolved {
				m.Alert.Resolved = time.Time{} // as it was then
			}
			list = append(list, m)
			return err
		}, "SELECT m.id, m.attempts, m.error, m.resolved, "+alertColumns+" FROM messages m JOIN alerts a ON a.seq = m.alert"+
			w.text()+" ORDER BY m.seq"+w.limit(limit), w.args...)
	})
	return list, err
}

// Delivered implements jobs.Alerts.
func (s *Store) Delivered(ctx context.Context, id string) error {
	return s.write(ctx, "forget a message", func(t tx) error {
		n, err := t.exec(ctx, "DELETE FROM messages WHERE id = $1", text(id))
		return firstOf(err, missing(n > 0, jobs.ErrNoMessage, id))
	})
}

// Postpone implements jobs.Alerts.
func (s *Store) Postpone(ctx context.Context, id string, until time.Time, why string) error {
	return s.write(ctx, "postpone a message", func(t tx) error {
		n, err := t.exec(ctx, "UPDATE messages SET attempts = attempts + 1, next_attempt = $2, error = $3 WHERE id = $1", text(id), edge(until), text(why))
		return firstOf(err, missing(n > 0, jobs.ErrNoMessage, id))
	})
}
