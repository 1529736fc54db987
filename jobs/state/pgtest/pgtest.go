// Package pgtest is for tests only: a PostgreSQL of their own, from the
// system's package, in a temporary folder. It listens at no port, starts with
// the first database that is asked for, and ends with the tests, even when
// they are killed. A machine without PostgreSQL fails the tests.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// LockedUser needs LockedPassword; every other user needs none.
const (
	LockedUser     = "locked"
	LockedPassword = "open sesame"
)

// server is the one of this process.
type server struct {
	once sync.Once
	err  error
	bin  string
	dir  string
	stop func() error
	n    atomic.Int64
}

// Server starts when a database is asked for. Its zero value is ready; Stop
// ends it.
type Server struct{ s server }

// Database makes an empty database and returns its URL.
func (p *Server) Database(t testing.TB) string {
	t.Helper()
	s := &p.s
	s.once.Do(func() { s.err = s.start() })
	if s.err != nil {
		t.Fatal(s.err)
	}
	name := "test" + strconv.FormatInt(s.n.Add(1), 10)
	if err := s.sql("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.url("postgres", name)
}

// Stop ends the server and removes its folder.
func (p *Server) Stop() error {
	if p.s.dir == "" {
		return nil
	}
	var err error
	if p.s.stop != nil {
		err = p.s.stop()
	}
	return errors.Join(err, os.RemoveAll(p.s.dir))
}

func (s *server) url(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return u.String()
}

func (s *server) sql(statement string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.url("postgres", "postgres"))
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, statement)
	return errors.Join(err, c.Close(ctx))
}

func (s *server) start() (err error) {
	if s.bin, err = binaries(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil { // short: the path of a socket may have 107 bytes
		return err
	}
	as, err := s.account()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	hba := "local all " + LockedUser + " scram-sha-256\nlocal all all trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil { // its owner stays
		return err
	}
	if err := s.run(data); err != nil {
		return err
	}
	return s.sql("CREATE ROLE " + LockedUser + " LOGIN PASSWORD '" + LockedPassword + "'")
}

// binaries returns the folder of the newest PostgreSQL.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.Join(err, errors.New("these tests need PostgreSQL: install the package postgresql (make machine does it)"))
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0: not a release
	return n
}

// account gives the folder to the user postgres when this is root, as whom a
// PostgreSQL does not run, and returns how to be that user.
func (s *server) account() (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	uid, gid, err := postgres()
	if err != nil {
		return nil, err
	}
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	return as, os.Chown(s.dir, int(uid), int(gid))
}

// run starts the server and waits until it answers.
func (s *server) run(data string) error {
	as, err := s.account()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", data, "-k", s.dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr, cmd.Dir = &out, &out, as, s.dir
	endWithParent(as)
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		// The kernel tells the end of the thread that started the server,
		// which so has to live as long.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.stop = func() error {
		err := cmd.Process.Signal(syscall.SIGINT) // ends without waiting for clients
		return errors.Join(err, <-ended)
	}
	for range 600 {
		if err = s.sql("SELECT 1"); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not answer: %w\n%s", errors.Join(err, s.stop()), out.String())
}
