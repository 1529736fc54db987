package state

import (
	"context"
	"errors"
	"slices"
	"strings"

	"concord/jobs"
)

// ListFiles implements jobs.FileList.
func (s *Store) ListFiles(ctx context.Context, f jobs.FileFilter) (list []jobs.Entry, err error) {
	var w where
	w.equal("carrier", f.Carrier)
	w.equal("status", string(f.Status))
	w.equal("CASE WHEN microsoft THEN 'microsoft' ELSE 'carrier' END", f.Side)
	if f.Name != "" && !f.Masked {
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
		if f.Name != "" && f.Masked {
			list, err = t.maskedFiles(ctx, w, f)
			return err
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

// errEnough ends a walk.
var errEnough = errors.New("enough")

// maskedFiles lists the entries whose masked names have a part. The database
// cannot mask: names are walked until there are enough.
func (t tx) maskedFiles(ctx context.Context, w where, f jobs.FileFilter) (list []jobs.Entry, err error) {
	var seqs []any
	err = t.query(ctx, func(scan func(...any) error) error {
		var seq int64
		var name string
		if err := scan(&seq, &name); err != nil {
			return err
		}
		if strings.Contains(jobs.Mask(name), f.Name) {
			seqs = append(seqs, seq)
		}
		if f.Limit > 0 && len(seqs) == f.Limit {
			return errEnough
		}
		return nil
	}, "SELECT seq, name FROM files"+w.text()+" ORDER BY seq DESC", w.args...)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	for chunk := range slices.Chunk(seqs, daysAtOnce) {
		some, err := t.entries(ctx, "WHERE seq IN "+tuples(1, len(chunk))+" ORDER BY seq DESC", chunk...)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}
