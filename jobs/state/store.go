// Package state keeps what the service must not forget in one database: the
// ledger of files and their days, runs and their inputs, published reports,
// alerts, schedules, pauses and the audit trail. It implements the interfaces
// that package jobs declares.
//
// The database is a file of SQLite, or PostgreSQL, which several services may
// share. What is said to be done is on the disk; what is not done left
// nothing. Of two that decide about the same carrier, run or instant, the
// second sees what the first did. A Store is safe for concurrent use; who
// opens it closes it. Times are kept in UTC, in whole microseconds, and come
// from the caller: nothing here asks a clock.
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"concord/jobs"
)

// File is the name of the database in a data folder.
const File = "concord.db"

// Store is a state database. Its errors say what could not be done, in which
// database, and what to do.
type Store struct {
	d     *dialect
	where string  // the database as a person knows it; holds no password
	w     *sql.DB // for transactions that write
	r     *sql.DB // for reading; PostgreSQL: the same
	note  *jobs.AuditRow
	// taking lets one version at a time into the register of cases.
	taking chan struct{}
}

var (
	_ jobs.Ledger           = (*Store)(nil)
	_ jobs.FileList         = (*Store)(nil)
	_ jobs.Coverage         = (*Store)(nil)
	_ jobs.Runs             = (*Store)(nil)
	_ jobs.Reports          = (*Store)(nil)
	_ jobs.Alerts           = (*Store)(nil)
	_ jobs.Schedules        = (*Store)(nil)
	_ jobs.Trail            = (*Store)(nil)
	_ jobs.FeedRows         = (*Store)(nil)
	_ jobs.HostFiles        = (*Store)(nil)
	_ jobs.RowBatches       = (*Store)(nil)
	_ jobs.ReportDeliveries = (*Store)(nil)
	_ jobs.Numbers          = (*Store)(nil)
	_ jobs.Proofs           = (*Store)(nil)
	_ jobs.Purges           = (*Store)(nil)
	_ jobs.DisputeHolds     = (*Store)(nil)
	_ jobs.CaseBook         = (*Store)(nil)
	_ jobs.SignOffs         = (*Store)(nil)
)

var hasScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)

// Open opens the database at url and makes its tables, or brings them up to
// date; several programs may do so at once. A path, or sqlite:PATH, is a file
// of SQLite, which is made when its folder is there; a folder means the file
// named File in it, and an empty url the one in the working folder. An url
// that begins with postgres:// or postgresql:// is a database of PostgreSQL.
func Open(ctx context.Context, url string) (_ *Store, err error) {
	s, err := open(url)
	if err != nil {
		return nil, err
	}
	s.taking = make(chan struct{}, 1)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	// Programs that make a file at once may be in each other's way.
	if err := s.insist(ctx, "open", func() error { return s.w.PingContext(ctx) }); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, s.trouble("bring the tables up to date", err)
	}
	if s.d.optimize != "" {
		_, _ = s.w.ExecContext(ctx, s.d.optimize) // slower lists are no reason not to start
	}
	return s, nil
}

// open makes a store that has not been connected yet.
func open(url string) (*Store, error) {
	path, isSQLite := strings.CutPrefix(url, "sqlite:")
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(url)
	case isSQLite:
		path = strings.TrimPrefix(path, "//")
	case hasScheme.MatchString(url):
		return nil, fmt.Errorf("the state database is at an address that begins with %s; use a path, or postgres://", hasScheme.FindString(url))
	}
	if info, err := os.Stat(path); path == "" || err == nil && info.IsDir() {
		path = filepath.Join(path, File)
	}
	return openSQLite(path)
}

// Where names the database for a person, without a password.
func (s *Store) Where() string { return s.where }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.trouble("reach it", s.r.PingContext(ctx))
}

// Close ends the connections; a second time it does nothing.
func (s *Store) Close() error {
	if s.r == s.w {
		return s.w.Close()
	}
	return errors.Join(s.r.Close(), s.w.Close())
}

// attempts is how often a transaction is tried when others keep getting into
// its way, or connections break.
const attempts = 8

// write runs do in a transaction and commits it; do may run again. what says
// in a few words what it is for.
func (s *Store) write(ctx context.Context, what string, do func(tx) error) error {
	return s.insist(ctx, what, func() error { return s.try(ctx, do) })
}

// read runs do outside of a transaction; it may run again.
func (s *Store) read(ctx context.Context, what string, do func(tx) error) error {
	return s.insist(ctx, what, func() error { return do(tx{s.r, s.d}) })
}

// snapshot runs do in a transaction that only reads, and sees one instant; it may
// run again.
func (s *Store) snapshot(ctx context.Context, what string, do func(tx) error) error {
	return s.insist(ctx, what, func() error {
		t, err := s.r.BeginTx(ctx, s.d.snapshot)
		if err != nil {
			return err
		}
		defer func() { _ = t.Rollback() }() // it was only read
		return do(tx{t, s.d})
	})
}

// insist tries again what failed and left nothing.
func (s *Store) insist(ctx context.Context, what string, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if err == nil || n == attempts || !s.d.again(err) {
			return s.trouble(what, err)
		}
		if err := rest(ctx, n); err != nil {
			return s.trouble(what, err)
		}
	}
}

func (s *Store) try(ctx context.Context, do func(tx) error) error {
	t, err := s.w.BeginTx(ctx, s.d.isolation)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing
	if err := do(tx{t, s.d}); err != nil {
		return err
	}
	if s.note != nil {
		if err := (tx{t, s.d}).note(ctx, *s.note); err != nil {
			return err
		}
	}
	if err := t.Commit(); err != nil {
		return commitError{err}
	}
	return nil
}

// commitError leaves open whether the transaction was done, unless the
// database says that it was not.
type commitError struct{ error }

// Unwrap returns what it is made of.
func (e commitError) Unwrap() error { return e.error }

// rest waits the longer the more often it was tried, and not as long as
// others do.
func rest(ctx context.Context, n int) error {
	t := time.NewTimer(time.Duration(1+rand.IntN(10<<n)) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
