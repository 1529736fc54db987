package state_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"concord/jobs/state"
	"concord/jobs/state/pgtest"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"
)

func TestOpenTakesPathsAndURLs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	odd := filepath.Join(dir, "a b?c=d%20#e.db")
	for url, want := range map[string]string{
		"":                              filepath.Join(dir, state.File),
		"x.db":                          filepath.Join(dir, "x.db"),
		"sqlite:y.db":                   filepath.Join(dir, "y.db"),
		"sqlite://" + dir + "/z.db":     filepath.Join(dir, "z.db"),
		dir:                             filepath.Join(dir, state.File),
		odd:                             odd,
		"sqlite:" + dir + "/../" + "/u": filepath.Join(filepath.Dir(dir), "u"),
	} {
		s := open(t, url)
		info, err := os.Stat(want)
		if err != nil || s.Where() != want {
			t.Errorf("%q is in %s: %v", url, s.Where(), err)
			continue
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", want, info.Mode())
		}
		if _, err := recordFile(t.Context(), s, "a"); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged")
	damage(t, damaged)
	pg := postgres.Database(t)
	as := func(user string) string { return strings.Replace(pg, "postgres@", user+"@", 1) }
	for name, c := range map[string]struct {
		url string
		say []string
	}{
		"no folder":         {filepath.Join(dir, "no/such/folder/x.db"), []string{"no/such/folder/x.db", "no such file", "make the folder first"}},
		"a file as folder":  {filepath.Join(text, "x.db"), []string{"not a directory"}},
		"another file":      {text, []string{text, "choose another file"}},
		"a damaged file":    {damaged, []string{damaged, "backup"}},
		"another scheme":    {"mysql://x/y", []string{"mysql://", "postgres://"}},
		"a URL that is bad": {"postgres://u:secret@host:port/x", []string{"postgres://user@host:5432/database"}},
		"no server":         {"postgres://u:secret@127.0.0.1:1/x", []string{"x of PostgreSQL at 127.0.0.1:1", "refused", "check that the server runs"}},
		"no database":       {strings.Replace(pg, "/test", "/no", 1), []string{"does not exist", "make the database first"}},
		"wrong password":    {as(pgtest.LockedUser + ":secret"), []string{"password authentication failed", "check the user and the password"}},
		"no such user":      {as("nobody"), []string{"nobody", "check the user and the password"}},
		"may make no table": {as(pgtest.LockedUser + ":open%20sesame"), []string{"permission denied", "let this user make"}},
	} {
		s, err := state.Open(t.Context(), c.url)
		if err == nil {
			t.Errorf("%s: opened: %v", name, s.Close())
			continue
		}
		for _, want := range append(c.say, "state database") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
	if _, err := state.Open(t.Context(), as(pgtest.LockedUser+":open%20sesame")); err == nil {
		t.Error("a user without rights has tables")
	}
}

// damage makes a database of which the pages after the first are noise.
func damage(t *testing.T, path string) {
	t.Helper()
	s := open(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ {
		b[i] = 0xAA
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// database opens the database at url without a Store.
func database(t testing.TB, url string) *sql.DB {
	t.Helper()
	if strings.HasPrefix(url, "postgres:") {
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	if info, err := os.Stat(url); err == nil && info.IsDir() {
		url = filepath.Join(url, state.File)
	}
	c, err := sqlite.NewConnector("file:" + url)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestTheTablesOfALaterProgramAreLeftAlone(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		open(t, url)
		if _, err := database(t, url).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)"); err != nil {
			t.Fatal(err)
		}
		_, err := state.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), "version 99") || !strings.Contains(err.Error(), "use the newer concord") {
			t.Error(err)
		}
	})
}

func TestTheTrailCannotBeChanged(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		if err := s.Note(t.Context(), auditRow); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"UPDATE audit SET who = 'nobody'", "DELETE FROM audit"} {
			if _, err := database(t, url).Exec(statement); err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

// TestBothDatabasesHaveTheSameTables compares what the migrations make.
func TestBothDatabasesHaveTheSameTables(t *testing.T) {
	lite, pg := filepath.Join(t.TempDir(), "x.db"), postgres.Database(t)
	open(t, lite)
	open(t, pg)
	of := map[string]string{
		lite: "SELECT m.name || '.' || c.name || ' ' || c.\"notnull\" FROM sqlite_master m, pragma_table_info(m.name) c " +
			"WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' " +
			"UNION ALL SELECT 'index ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
		pg: "SELECT table_name || '.' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END FROM information_schema.columns " +
			"WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' " +
			"UNION ALL SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey'",
	}
	found := map[string]map[string]bool{}
	for url, query := range of {
		found[url] = names(t, database(t, url), query)
	}
	for name := range found[lite] {
		// A primary key that is a number is NOT NULL without saying so.
		if !found[pg][name] && !found[pg][strings.TrimSuffix(name, "0")+"1"] {
			t.Errorf("only SQLite has %s", name)
		}
	}
	if len(found[lite]) != len(found[pg]) || len(found[lite]) < 70 {
		t.Errorf("%d and %d columns and indexes", len(found[lite]), len(found[pg]))
	}
}

func names(t *testing.T, db *sql.DB, query string) map[string]bool {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestManyServicesStartAtOnce(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		for range 5 {
			url := fresh(t)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					s, err := state.Open(t.Context(), url)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := recordFile(t.Context(), s, fmt.Sprint(i)); err != nil {
						t.Error(err)
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			list, err := open(t, url).Files(t.Context(), "fabrikam")
			if len(list) != 8 || err != nil {
				t.Fatal(len(list), err)
			}
		}
	})
}

// TestAServerThatForgetsItsClients ends every connection between two calls.
func TestAServerThatForgetsItsClients(t *testing.T) {
	url := postgres.Database(t)
	s := open(t, url)
	for i := range 3 {
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{second(recordFile(t.Context(), s, fmt.Sprint(i))), second(s.Paused(t.Context()))} {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }
