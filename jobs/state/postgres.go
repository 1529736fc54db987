package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

const (
	postgresConns   = 10
	postgresConnect = 10 * time.Second
)

func newPostgres() *dialect {
	return &dialect{
		schema:      goose.DialectPostgres,
		migrations:  sub(postgresMigrations, "migrations/postgres"),
		isolation:   &sql.TxOptions{Isolation: sql.LevelReadCommitted}, // after a lock, the next statement sees what its holder did
		snapshot:    &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		rebind:      func(q string) string { return q },
		at:          func(t time.Time) any { return micro(t) },
		lockCarrier: "SELECT pg_advisory_xact_lock(20261101, hashtext($1))",
		lockRow:     " FOR UPDATE",
		lockFree:    " FOR UPDATE SKIP LOCKED",
		contains:    "strpos",
		again:       postgresAgain,
		tables:      postgresTables,
		guards:      postgresGuards,
		scrub:       postgresScrub,
		hint:        postgresHint,
	}
}

func openPostgres(url string) (*Store, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("state database: %w; write postgres://user@host:5432/database", err) // the password is masked
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = postgresConnect
	}
	// A service that has gone silent within a transaction must not keep others
	// from a carrier for ever. A list of what is rare must not be read by a
	// plan that was made for what is frequent.
	for name, value := range map[string]string{
		"application_name": "concord", "idle_in_transaction_session_timeout": "60000", "plan_cache_mode": "force_custom_plan",
	} {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return &Store{d: newPostgres(), where: postgresName(c), w: db, r: db}, nil
}

func postgresName(c *pgx.ConnConfig) string {
	if strings.HasPrefix(c.Host, "/") {
		return c.Database + " of PostgreSQL at " + c.Host
	}
	return c.Database + " of PostgreSQL at " + net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// postgresAgain: a transaction that another one made fail is tried again, and
// one that lost its connection before it was to be committed.
func postgresAgain(err error) bool {
	code := postgresCode(err)
	var commit commitError
	var broken *net.OpError
	switch {
	case code == "40001", code == "40P01": // serialization failure, deadlock
		return true
	case errors.As(err, &commit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "08"): // the server or the connection ended
		return true
	}
	return pgconn.SafeToRetry(err) || errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF)
}

// postgresHints say what to do, by the code of an error or its class.
var postgresHints = map[string]string{
	"28":    "check the user and the password in its URL",
	"3D000": "make the database first, or check its name in the URL",
	"3F000": "let this user make tables, or have them made in a schema of its own",
	"42501": "let this user make, read and write tables in it",
	"25006": "this server only reads: name the primary one in the URL",
	"53100": "the server's disk is full: free some space there; nothing was half recorded",
	"53300": "the server has no connection left: raise max_connections, or end other programs",
	"57P":   "the server is starting or ending: try again",
}

func postgresHint(err error) string {
	code := postgresCode(err)
	for _, n := range []int{5, 3, 2} {
		if hint := postgresHints[code[:min(n, len(code))]]; hint != "" {
			return hint
		}
	}
	var connect *pgconn.ConnectError
	if code == "" && (errors.As(err, &connect) || errors.Is(err, context.DeadlineExceeded)) {
		return "check that the server runs, and its host and port in the URL"
	}
	return ""
}
