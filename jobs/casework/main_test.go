package casework_test

import (
	"fmt"
	"os"
	"testing"

	"concord/jobs/state/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// eachDatabase runs a benchmark on both; fresh returns the URL of an empty one.
func eachDatabase(b *testing.B, bench func(b *testing.B, fresh func(testing.TB) string)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, func(t testing.TB) string { return t.TempDir() }) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, postgres.Database) })
}
