package state

import (
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// sqliteReaders is how many read at once. Writing takes turns.
const sqliteReaders = 4

func newSQLite() *dialect {
	return &dialect{
		schema:     goose.DialectSQLite3,
		migrations: sub(sqliteMigrations, "migrations/sqlite"),
		oneWriter:  true,
		rebind:     func(q string) string { return strings.ReplaceAll(q, "$", "?") },
		at:         func(t time.Time) any { return t.UnixMicro() },
		queue:      " INDEXED BY runs_queue",
		optimize:   "PRAGMA optimize = 0x10002", // all tables, of each some rows
		contains:   "instr",
		again:      func(err error) bool { return sqliteCode(err) == codes.SQLITE_BUSY || errors.Is(err, errBusy) },
		tables:     sqliteTables,
		guards:     sqliteGuards,
		scrub:      sqliteScrub,
		hint:       sqliteHint,
	}
}

func openSQLite(path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := makeFile(abs); err != nil {
		return nil, err
	}
	s := &Store{d: newSQLite(), where: abs}
	if s.w, err = sqlitePool(abs, 1, "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)"); err != nil {
		return nil, s.trouble("open", err)
	}
	if s.r, err = sqlitePool(abs, sqliteReaders, "_pragma=query_only(1)"); err != nil {
		return nil, s.trouble("open", err)
	}
	return s, nil
}

// sqlitePool returns up to n connections to a file.
func sqlitePool(path string, n int, options ...string) (*sql.DB, error) {
	// A wait for another program is not cut short by a context, so it is short,
	// and begun again.
	name := url.URL{Scheme: "file", Path: path} // escapes what SQLite would take for options
	options = append(options, "_pragma=busy_timeout(2500)", "_pragma=foreign_keys(1)", "_pragma=secure_delete(1)")
	c, err := sqlite.NewConnector(name.String() + "?" + strings.Join(options, "&"))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// makeFile makes an empty file that no one else may read, unless there is one:
// SQLite itself would let everyone read it. A file that is there is not
// opened, because closing it would let go of the locks of another Store of
// this process.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	var hint string
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		hint = "; make the folder first"
	case errors.Is(err, fs.ErrPermission):
		hint = "; let this user write into its folder, or choose another one"
	}
	return fmt.Errorf("state database %s: make it: %w%s", path, errors.Unwrap(err), hint)
}

// sqliteCode returns the primary code of an error; 0: it is not of SQLite.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

func sqliteHint(err error) string {
	switch sqliteCode(err) {
	case codes.SQLITE_FULL:
		return "the disk is full: free some space; nothing was half recorded"
	case codes.SQLITE_BUSY:
		return "another program keeps it locked: end that one, or wait"
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return "let this user read and write the file and its folder"
	case codes.SQLITE_NOTADB:
		return "this is not a database of concord: choose another file"
	case codes.SQLITE_CORRUPT:
		return "the file is damaged: put a backup in its place"
	case codes.SQLITE_IOERR:
		return "the disk does not read or write: check its space, its quota and its health"
	}
	return ""
}
