package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"concord/jobs"
	"concord/jobs/jobstest"
	"concord/jobs/state"
	"concord/jobs/state/pgtest"
)

var postgres pgtest.Server

// TestMain lets the test program be a service that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, serve(context.Background(), os.Args[2]))
		os.Exit(1)
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// both runs a test on both databases; fresh returns the URL of an empty one.
func both(t *testing.T, test func(t *testing.T, fresh func(t testing.TB) string)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "state.db") })
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres.Database) })
}

func open(t testing.TB, url string) *state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// contract runs a contract on both databases.
func contract[T comparable](t *testing.T, as func(*state.Store) T, test func(t *testing.T, open func(*testing.T) T, reopen func(*testing.T, T) T)) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		urls := map[T]string{}
		start := func(t *testing.T, url string) T {
			s := as(open(t, url))
			urls[s] = url
			return s
		}
		test(t, func(t *testing.T) T { return start(t, fresh(t)) }, func(t *testing.T, s T) T { return start(t, urls[s]) })
	})
}

func TestLedger(t *testing.T) {
	contract(t, func(s *state.Store) jobs.Ledger { return s }, jobstest.TestLedger)
}

func TestCoverage(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Covered { return s }, jobstest.TestCoverage)
}

func TestRuns(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.State { return s }, jobstest.TestRuns)
}

func TestReports(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Publisher { return s }, jobstest.TestReports)
}

func TestCases(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Casebook { return s }, jobstest.TestCases)
}

func TestNumbers(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Directory { return s }, jobstest.TestNumbers)
}

func TestCalls(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Callbook { return s }, jobstest.TestCalls)
}

func TestAlerts(t *testing.T) {
	contract(t, func(s *state.Store) jobs.Alerts { return s }, jobstest.TestAlerts)
}

// TestAStoreThatIsClosedSaysSo also closes it twice.
func TestAStoreThatIsClosedSaysSo(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		if err := errors.Join(s.Ping(t.Context()), s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Run(t.Context(), "x")
		if err == nil || errors.Is(err, jobs.ErrNoRun) || s.Ping(t.Context()) == nil {
			t.Error(err)
		}
	})
}
