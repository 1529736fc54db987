package state_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
)

// earlier makes a database as the first release has it, with files of then.
func earlier(t *testing.T, url string) {
	t.Helper()
	dialect, dir, at := goose.DialectSQLite3, "migrations/sqlite", "1790834400000000"
	if strings.HasPrefix(url, "postgres:") {
		dialect, dir, at = goose.DialectPostgres, "migrations/postgres", "'2026-10-01T06:00:00Z'"
	}
	db := database(t, url)
	p, err := goose.NewProvider(dialect, db, os.DirFS(dir), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		"('a', 'fabrikam', 'FAB_000007.csv', 'aa', 7, 'accepted', true, true)",
		"('b', 'fabrikam', 'FAB_000008.csv', 'bb', 8, 'accepted', true, false)",
		"('c', 'fabrikam', 'FAB_000009.csv', 'cc', 9, 'rejected', false, false)",
	} {
		values := strings.NewReplacer("('", "(1, 'csv', 'content', true, '', 10, 10, 0, 0, 100, 0, 'null', 0, 'null', '', '', '', '', 'null', "+at+", "+at+", 'r', '").Replace(file)
		if _, err := db.Exec("INSERT INTO files (bytes, format, proof, verified, date, rows, accepted, rejected, filtered, duration_ms, bad_rows, " +
			"reasons, more_reasons, missing, replaces, replaces_id, duplicate_of, duplicate_of_id, notes, received, decided, run, " +
			"id, carrier, name, sha256, sequence, status, ingested, settled) VALUES " + values); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFilesOfTheFirstReleaseStay opens a database that knows no sides and no
// days: its files still count, and are not taken for news.
func TestFilesOfTheFirstReleaseStay(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		earlier(t, url)
		s := open(t, url)
		want := jobs.Entry{
			ID: "a", Carrier: "fabrikam", Name: "FAB_000007.csv", SHA256: "aa", Bytes: 1, Format: "csv", Proof: "content", Verified: true,
			Sequence: new(int64), Status: landing.StatusAccepted, Rows: 10, Accepted: 10, DurationMS: 100, Received: now, Decided: now, Run: "r", Settled: true,
		}
		*want.Sequence = 7
		got, err := s.File(t.Context(), "a")
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(err, d)
		}
		unsettled, err := s.Unsettled(t.Context(), "fabrikam")
		if len(unsettled) != 2 || err != nil {
			t.Error(unsettled, err)
		}
		news, err := s.Unfollowed(t.Context(), "", 0)
		if len(news) != 0 || err != nil {
			t.Error(news, err)
		}
		covering, err := s.Covering(t.Context(), "fabrikam", now.Add(-48*time.Hour), now.Add(48*time.Hour))
		if len(covering) != 0 || err != nil {
			t.Error(covering, err)
		}
		var known jobs.Known
		a := jobs.Arrival{Carrier: "fabrikam", Name: "x", SHA256: "bb", Received: now, Sequence: want.Sequence}
		if _, err := s.Record(t.Context(), a, func(k jobs.Known) jobs.Entry {
			known = k
			return jobs.Entry{ID: "x", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: now, Status: landing.StatusDuplicate}
		}); err != nil {
			t.Fatal(err)
		}
		if known.Content == nil || known.Content.ID != "b" || known.Number == nil || known.Number.ID != "a" || known.Highest == nil || *known.Highest != 8 {
			t.Errorf("%+v", known)
		}
	})
}
