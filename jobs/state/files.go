package state

import (
	"context"
	"errors"

	"concord/jobs"
)

// ListFiles implements jobs.FileList.
func (s *Store) ListFiles(ctx context.Context, f jobs.FileFilter) (list []jobs.Entry, err error) {
	var w where
	w.equal("carrier", f.Carrier)
	w.equal("status", string(f.Status))
	w.equal("CASE WHEN microsoft THEN 'microsoft' ELSE 'carrier' END", f.Side)
	if f.Name != "" {
		w.add(s.d.contains+"(name, ?) > 0", text(f.Name)) // LIKE knows no case in SQLite
	}
	if !f.Since.IsZero() {
		w.add("received >= ?", f.Since)
	}
	err = s.read(ctx, "list files", func(t tx) error {
		if f.Before != "" {
			var seq int64
			found, err := t.one(ctx, []any{&seq}, "SELECT seq FROM files WHERE id = $1", f.Before)
			if err != nil || !found {
				return errors.Join(err, missing(found, jobs.ErrNoFile, f.Before))
			}
			w.add("seq < ?", seq)
		}
		// The rows are wide: those of the page are read after it was chosen.
		list, err = t.entries(ctx, "WHERE seq IN (SELECT seq FROM files"+w.text()+" ORDER BY seq DESC"+w.limit(f.Limit)+") ORDER BY seq DESC", w.args...)
		return err
	})
	return list, err
}

// File implements jobs.FileList.
func (s *Store) File(ctx context.Context, id string) (e jobs.Entry, err error) {
	err = s.read(ctx, "read what is known of a file", func(t tx) error {
		found, err := t.entry(ctx, "WHERE id = $1 ORDER BY seq LIMIT 1", text(id))
		e = deref(found)
		return errors.Join(err, missing(found != nil || err != nil, jobs.ErrNoFile, id))
	})
	return e, err
}
