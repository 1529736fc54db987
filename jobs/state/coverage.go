package state

import (
	"context"
	"slices"
	"time"

	"concord/jobs"
)

// replaced is true of a file that a later one takes the place of.
const replaced = "EXISTS (SELECT 1 FROM files later WHERE later.replaces_id = files.id AND later.replaces_id <> '' AND later.ingested " +
	"AND later.carrier = files.carrier AND later.microsoft = files.microsoft AND later.seq > files.seq)"

// Covering implements jobs.Coverage.
func (s *Store) Covering(ctx context.Context, carrier string, from, to time.Time) (list []jobs.Entry, err error) {
	if !from.Before(to) {
		return nil, ctx.Err()
	}
	err = s.read(ctx, "find the files of some days", func(t tx) (err error) {
		list, err = t.entries(ctx, "WHERE seq IN (SELECT file FROM file_days WHERE carrier = $1 AND day >= $2 AND day <= $3 AND rows > 0) "+
			"AND ingested AND NOT "+replaced+" ORDER BY seq", carrier, day(from), day(to.Add(-1)))
		return err
	})
	return list, err
}

// day is the day of an instant, as it is stored.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Unfollowed implements jobs.Coverage.
func (s *Store) Unfollowed(ctx context.Context, after string, limit int) (list []jobs.Followup, err error) {
	var w where
	w.add("NOT followed")
	if after != "" {
		w.add("seq > (SELECT seq FROM files WHERE id = ?)", text(after))
	}
	err = s.read(ctx, "find files to follow", func(t tx) error {
		list = nil
		entries, err := t.entries(ctx, w.text()+" ORDER BY seq"+w.limit(limit), w.args...)
		if err != nil {
			return err
		}
		for _, e := range entries {
			f := jobs.Followup{Entry: e}
			if f.Touched, err = t.touched(ctx, &e); err != nil {
				return err
			}
			list = append(list, f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// touched returns the days of an entry and of all that it replaces.
func (t tx) touched(ctx context.Context, e *jobs.Entry) (days []string, err error) {
	for _, d := range e.Days {
		days = append(days, d.Date)
	}
	if e.ReplacesID == "" {
		return days, nil
	}
	err = t.query(ctx, func(scan func(...any) error) error {
		var d string
		err := scan(&d)
		days = append(days, d)
		return err
	}, "WITH RECURSIVE chain (file, id) AS (SELECT seq, replaces_id FROM files WHERE id = $1 AND carrier = $2 AND microsoft = $3 "+
		"UNION SELECT files.seq, files.replaces_id FROM chain JOIN files ON files.id = chain.id WHERE carrier = $2 AND microsoft = $3) "+
		"SELECT DISTINCT day FROM file_days WHERE file IN (SELECT file FROM chain)", e.ReplacesID, e.Carrier, e.Microsoft)
	slices.Sort(days)
	return slices.Compact(days), err
}

// Follow implements jobs.Coverage.
func (s *Store) Follow(ctx context.Context, id string) error {
	return s.write(ctx, "follow a file", func(t tx) error {
		n, err := t.exec(ctx, "UPDATE files SET followed = $1 WHERE id = $2", true, text(id))
		return firstOf(err, missing(n > 0, jobs.ErrNoFile, id))
	})
}

// putDays records the days of a new entry.
func (t tx) putDays(ctx context.Context, seq int64, e *jobs.Entry) error {
	for _, d := range e.Days {
		if _, err := t.exec(ctx, "INSERT INTO file_days (file, carrier, microsoft, day, rows, duration_ms) VALUES ($1, $2, $3, $4, $5, $6)",
			seq, e.Carrier, e.Microsoft, d.Date, d.Rows, d.DurationMS); err != nil {
			return err
		}
	}
	return nil
}

// daysAtOnce is of how many entries the days are read at once.
const daysAtOnce = 100

// addDays fills in the days of entries, of which seqs are the numbers.
func (t tx) addDays(ctx context.Context, list []jobs.Entry, seqs []int64) error {
	at := make(map[int64]*jobs.Entry, len(list))
	for i := range list {
		at[seqs[i]] = &list[i]
	}
	for chunk := range slices.Chunk(seqs, daysAtOnce) {
		args := make([]any, len(chunk))
		for i, seq := range chunk {
			args[i] = seq
		}
		if err := t.query(ctx, func(scan func(...any) error) error {
			var seq int64
			var d jobs.Day
			err := scan(&seq, &d.Date, &d.Rows, &d.DurationMS)
			if e := at[seq]; err == nil {
				e.Days = append(e.Days, d)
			}
			return err
		}, "SELECT file, day, rows, duration_ms FROM file_days WHERE file IN "+tuples(1, len(args))+" ORDER BY file, day", args...); err != nil {
			return err
		}
	}
	return nil
}
