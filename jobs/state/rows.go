package state

import (
	"context"
	"time"

	"concord/jobs"
)

// BindRows implements jobs.RowBatches.
func (s *Store) BindRows(ctx context.Context, carrier, key, body string, now time.Time) (b jobs.RowBatch, err error) {
	err = s.write(ctx, "bind a key to rows", func(t tx) error {
		n, err := t.exec(ctx, "INSERT INTO row_batches (carrier, key, body, begun) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", carrier, key, body, micro(now))
		if err != nil {
			return err
		}
		var placed time.Time
		_, err = t.one(ctx, []any{&b.Body, moment{&placed}}, "SELECT body, placed FROM row_batches WHERE carrier = $1 AND key = $2", carrier, key)
		b.Fresh, b.Placed = n > 0, !placed.IsZero()
		return err
	})
	return b, err
}

// PlaceRows implements jobs.RowBatches.
func (s *Store) PlaceRows(ctx context.Context, carrier, key string, now time.Time) error {
	return s.write(ctx, "remember that rows are in the inbox", func(t tx) error {
		_, err := t.exec(ctx, "UPDATE row_batches SET placed = $1 WHERE carrier = $2 AND key = $3 AND placed IS NULL", micro(now), carrier, key)
		return err
	})
}
