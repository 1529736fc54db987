package state

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"concord/jobs"
)

// idsAtOnce is how many rows are looked up, or kept, by one statement.
const idsAtOnce = 500

// FeedRows implements jobs.FeedRows.
func (s *Store) FeedRows(ctx context.Context, feed string, ids []string) (map[string]jobs.FeedRow, error) {
	known := make(map[string]jobs.FeedRow, len(ids))
	err := s.read(ctx, "find rows of a feed", func(t tx) error {
		clear(known)
		for some := range slices.Chunk(ids, idsAtOnce) {
			var w where
			w.add("feed = ?", feed)
			w.among("id", some)
			if err := t.query(ctx, scanFeedRows(known), "SELECT id, sum, start, seconds FROM feed_rows"+w.text(), w.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return known, err
}

func scanFeedRows(known map[string]jobs.FeedRow) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var r jobs.FeedRow
		var seconds sql.Null[int64]
		if err := scan(&r.ID, &r.Sum, moment{&r.Start}, &seconds); err != nil {
			return err
		}
		if seconds.Valid {
			r.Seconds = &seconds.V
		}
		known[r.ID] = r
		return nil
	}
}

// KeepFeedRows implements jobs.FeedRows.
func (s *Store) KeepFeedRows(ctx context.Context, feed string, rows []jobs.FeedRow) error {
	return s.write(ctx, "keep rows of a feed", func(t tx) error {
		for some := range slices.Chunk(rows, idsAtOnce) {
			var args []any
			for _, r := range some {
				args = append(args, feed, text(r.ID), r.Sum, micro(r.Start), r.Seconds)
			}
			if _, err := t.exec(ctx, "INSERT INTO feed_rows (feed, id, sum, start, seconds) VALUES "+tuples(len(some), 5)+
				" ON CONFLICT (feed, id) DO UPDATE SET sum = excluded.sum, start = excluded.start, seconds = excluded.seconds", args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// FeedMark implements jobs.FeedRows.
func (s *Store) FeedMark(ctx context.Context, feed string) (mark time.Time, err error) {
	err = s.read(ctx, "find until when a feed was read", func(t tx) error {
		_, err := t.one(ctx, []any{moment{&mark}}, "SELECT mark FROM feed_marks WHERE feed = $1", feed)
		return err
	})
	return mark, err
}

// SetFeedMark implements jobs.FeedRows.
func (s *Store) SetFeedMark(ctx context.Context, feed string, mark, forget time.Time) error {
	return s.write(ctx, "note until when a feed was read", func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO feed_marks (feed, mark) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET mark = excluded.mark", feed, micro(mark))
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, "DELETE FROM feed_rows WHERE feed = $1 AND start < $2", feed, micro(forget))
		return err
	})
}
