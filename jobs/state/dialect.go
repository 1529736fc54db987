package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"concord/jobs"

	"github.com/pressly/goose/v3"
)

// dialect is in what the two databases differ.
type dialect struct {
	schema     goose.Dialect
	migrations fs.FS
	isolation  *sql.TxOptions
	snapshot   *sql.TxOptions // of transactions that read
	oneWriter  bool           // who writes keeps all others from it
	// rebind writes the parameters of a query, $1 and so on, as the database
	// has them.
	rebind func(query string) string
	// at is a time as it is stored.
	at func(time.Time) any
	// lockCarrier keeps others from deciding about the carrier until the
	// transaction ends; nil: no two write at once anyway.
	lockCarrier string
	// lockRow and lockFree end a SELECT that keeps others from the rows that
	// it returns; lockFree passes over those that are kept already.
	lockRow, lockFree string
	// queue has the database go through the queue in its order, where it would
	// rather sort all of a long one.
	queue string
	// optimize has the database find out what its indexes are good for; empty:
	// it does so by itself.
	optimize string
	// contains is the function that finds one text in another.
	contains string
	// again reports whether a transaction failed because of another one.
	again func(error) bool
	// tables describes every table, guards what lets nothing be changed in one,
	// and scrub has the database forget what was in rows that are gone.
	tables func(context.Context, tx) ([]table, error)
	guards func(ctx context.Context, t tx, table string) ([]guard, error)
	scrub  func(context.Context, tx) error
	// hint says what to do about an error; empty: nothing is known.
	hint func(error) string
}

// querier is a transaction or a database.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tx is a querier in its dialect.
type tx struct {
	q querier
	d *dialect
}

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.q.ExecContext(ctx, t.d.rebind(query), t.args(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query calls row for each row. row scans it.
func (t tx) query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) (err error) {
	rows, err := t.q.QueryContext(ctx, t.d.rebind(query), t.args(args)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one reads the only row into dest, and reports whether there was one.
func (t tx) one(ctx context.Context, dest []any, query string, args ...any) (found bool, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	}, query, args...)
	return found, err
}

// args returns arguments with times as they are stored, and zero times as
// NULL.
func (t tx) args(list []any) []any {
	out := make([]any, len(list))
	for i, a := range list {
		switch v := a.(type) {
		case time.Time:
			if out[i] = t.d.at(v); v.IsZero() {
				out[i] = nil
			}
		case edge:
			out[i] = t.d.at(time.Time(v))
		default:
			out[i] = a
		}
	}
	return out
}

// edge is a time in a column that is never NULL, because it is part of a
// unique key: there a zero time is the year 1.
type edge time.Time

// moment scans a time.
type moment struct{ t *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(v).UTC()
	case time.Time:
		*m.t = v.UTC()
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

// micro cuts a time down to what is stored of it.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// answers are errors that are no trouble of the database.
var answers = []error{
	jobs.ErrActive, jobs.ErrKey, jobs.ErrNoRun, jobs.ErrOver, jobs.ErrRetry, jobs.ErrLost, jobs.ErrFired, jobs.ErrNoFile,
	jobs.ErrNoReport, jobs.ErrVersion, jobs.ErrNoMessage, jobs.ErrNoListing, jobs.ErrDelivery, jobs.ErrRemoves, jobs.ErrNoErasure, jobs.ErrNoHold, jobs.ErrReleased, jobs.ErrProof,
	jobs.ErrNoCase, jobs.ErrStale, jobs.ErrAmbiguous, jobs.ErrExpected, jobs.ErrSignOff, jobs.ErrFourEyes, jobs.ErrLocked, errNothing,
}

// trouble says what could not be done, where and what to do.
func (s *Store) trouble(what string, err error) error {
	if err == nil {
		return nil
	}
	for _, a := range answers {
		if errors.Is(err, a) {
			return err
		}
	}
	hint := ""
	if !errors.Is(err, context.Canceled) {
		hint = s.d.hint(err)
	}
	return &troubleError{fmt.Sprintf("state database %s: %s: ", s.where, what), err, hint}
}

// troubleError is one sentence about an error.
type troubleError struct {
	what string
	err  error
	hint string
}

// Error implements error. That of a connection has a line for each address
// that was tried.
func (e *troubleError) Error() string {
	lines := strings.FieldsFunc(e.err.Error(), func(r rune) bool { return r == '\n' || r == '\t' })
	var once []string
	for _, l := range lines {
		if !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	if e.hint != "" {
		once = append(once, e.hint)
	}
	return e.what + strings.ReplaceAll(strings.Join(once, "; "), ":; ", ": ")
}

// Unwrap returns the cause.
func (e *troubleError) Unwrap() error { return e.err }
