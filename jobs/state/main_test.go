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

func TestLedger(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		urls := map[jobs.Ledger]string{}
		start := func(t *testing.T, url string) jobs.Ledger {
			s := open(t, url)
			urls[s] = url
			return s
		}
		jobstest.TestLedger(t,
			func(t *testing.T) jobs.Ledger { return start(t, fresh(t)) },
			func(t *testing.T, l jobs.Ledger) jobs.Ledger { return start(t, urls[l]) })
	})
}

func TestRuns(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		urls := map[jobstest.State]string{}
		start := func(t *testing.T, url string) jobstest.State {
			s := open(t, url)
			urls[s] = url
			return s
		}
		jobstest.TestRuns(t,
			func(t *testing.T) jobstest.State { return start(t, fresh(t)) },
			func(t *testing.T, s jobstest.State) jobstest.State { return start(t, urls[s]) })
	})
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
