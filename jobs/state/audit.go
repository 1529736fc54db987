package state

import (
	"context"

	"concord/jobs"
)

// Note implements jobs.Trail.
func (s *Store) Note(ctx context.Context, row jobs.AuditRow) error {
	return s.write(ctx, "note what was done", func(t tx) error { return t.note(ctx, row) })
}

// Noted returns the same database for doing one thing, such as Pause or Cancel:
// whatever it changes is noted in the trail in the same transaction, and what
// fails is not noted. Its Close is that of s.
func (s *Store) Noted(row jobs.AuditRow) *Store {
	noted := *s
	noted.note = &row
	return &noted
}

func (t tx) note(ctx context.Context, row jobs.AuditRow) error {
	_, err := t.exec(ctx, "INSERT INTO audit (time, who, what, object, detail) VALUES ($1, $2, $3, $4, $5)",
		edge(row.Time), text(row.Who), text(row.What), text(row.Object), text(row.Detail))
	return err
}

// Audit implements jobs.Trail.
func (s *Store) Audit(ctx context.Context, f jobs.AuditFilter) (list []jobs.AuditRow, err error) {
	var w where
	w.equal("who", f.Who)
	w.equal("what", f.What)
	w.equal("object", f.Object)
	if !f.Since.IsZero() {
		w.add("time >= ?", f.Since)
	}
	if f.Before != 0 {
		w.add("id < ?", f.Before)
	}
	err = s.read(ctx, "list what was done", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var row jobs.AuditRow
			err := scan(&row.ID, moment{&row.Time}, &row.Who, &row.What, &row.Object, &row.Detail)
			list = append(list, row)
			return err
		}, "SELECT id, time, who, what, object, detail FROM audit"+w.text()+" ORDER BY id DESC"+w.limit(f.Limit), w.args...)
	})
	return list, err
}
