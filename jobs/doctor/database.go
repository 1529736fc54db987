package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/jackc/pgx/v5"
)

// aside is how far two clocks may be apart.
const aside = 2 * time.Second

// Years that a clock which was never set does not show, and no clock should.
const (
	firstYear = 2025
	lastYear  = 2100
)

// database looks at the database, the clock beside what is in it, and what it
// says of the disk.
func (o *Options) database(ctx context.Context) []Finding {
	const what = "database"
	url := o.Config.Database.Reveal()
	if url == "" {
		url = o.Config.Data
		if _, err := os.Stat(filepath.Join(url, state.File)); err != nil {
			return []Finding{ok(what, "it is not there yet; it is made at the first start"), o.clock(time.Time{})}
		}
	}
	store, err := state.Open(ctx, url)
	if err != nil {
		return []Finding{bad(what, "see what it says", "%v", err), o.clock(time.Time{})}
	}
	all := o.inside(ctx, store)
	if o.Config.Database != "" {
		all = append(all, o.otherClock(ctx, url))
	}
	if err := store.Close(); err != nil {
		all = append(all, bad(what, "see what it says", "close it: %v", err))
	}
	return all
}

// inside looks into an open database.
func (o *Options) inside(ctx context.Context, store *state.Store) []Finding {
	const what = "database"
	newest, err := newestRow(ctx, store)
	if err != nil {
		return []Finding{bad(what, "see what it says", "%v", err)}
	}
	all := []Finding{ok(what, "%s: its tables are those of this program, and it takes writes", store.Where())}
	row := jobs.AuditRow{Time: o.Now().UTC(), Who: o.Who, What: "doctor"}
	if err := store.Note(ctx, row); err != nil {
		all[0] = bad(what, "see what it says", "%v", err)
	}
	return append(all, o.clock(newest), o.spool(ctx, store), o.reports(ctx, store))
}

// newestRow is when the latest thing happened that is recorded.
func newestRow(ctx context.Context, store *state.Store) (at time.Time, err error) {
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	runs, err := store.Runs(ctx, jobs.RunFilter{Limit: 1})
	for _, r := range runs {
		later(r.Created)
	}
	files, ferr := store.ListFiles(ctx, jobs.FileFilter{Limit: 1})
	for _, f := range files {
		later(f.Decided)
	}
	rows, rerr := store.Audit(ctx, jobs.AuditFilter{Limit: 1})
	for _, r := range rows {
		later(r.Time)
	}
	return at, errors.Join(err, ferr, rerr)
}

// clock judges the clock of this machine.
func (o *Options) clock(newest time.Time) Finding {
	const what, hint = "clock", "set the clock, and keep it right with NTP"
	now := o.Now().UTC()
	switch {
	case now.Year() < firstYear || now.Year() >= lastYear:
		return bad(what, hint, "it shows %s", now.Format(time.RFC3339))
	case newest.Sub(now) > aside:
		return bad(what, hint, "it shows %s, and the database has something of %s", now.Format(time.RFC3339), newest.UTC().Format(time.RFC3339))
	}
	return ok(what, "it shows %s", now.Format(time.RFC3339))
}

// otherClock compares the clock of the database's machine with this one's.
func (o *Options) otherClock(ctx context.Context, url string) Finding {
	const what, hint = "clock of the database", "keep both clocks right with NTP"
	before := o.Now()
	at, err := askTime(ctx, url)
	if err != nil {
		return bad(what, "try again", "%v", err)
	}
	// The question takes time: it was answered at some moment between.
	if apart := max(before.Sub(at), at.Sub(o.Now())); apart > aside {
		return bad(what, hint, "it is %s from this machine's", apart.Round(time.Millisecond))
	}
	return ok(what, "it agrees with this machine's")
}

func askTime(ctx context.Context, url string) (at time.Time, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return at, fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&at); err != nil {
		return at, fmt.Errorf("ask for the time: %w", err)
	}
	return at, nil
}
