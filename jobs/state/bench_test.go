package state_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/uuid"
)

// The history of the benchmarks: 400 carriers, 100,000 runs in 250 days, a
// file for each carrier and day of a year.
const (
	historyRuns  = 100_000
	historyFiles = 146_000
	numbered     = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ROWS - 1) "
	makeRuns     = numbered + `INSERT INTO runs SELECT '0199-' || CAST(10000000 + i AS TEXT), 'job ' || CAST(i % 6 AS TEXT), 'reconcile',
		'carrier ' || CAST(i * 7 % 400 AS TEXT), AT(i / 400), AT(i / 400 + 1), '2026-10-01', 1,
		CASE WHEN i >= ROWS - 20 THEN 'queued' WHEN i % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 'schedule', '', '', '', 0,
		AT(i / 400), NULL, AT(i / 400), AT(i / 400), AT(i / 400), 'report ' || CAST(i AS TEXT), false, 'host', NULL, '', '{"profile": "…"}' FROM n`
	makeInputs = numbered + `INSERT INTO run_inputs SELECT '0199-' || CAST(10000000 + i / 2 AS TEXT), i % 2, 'carrier',
		'file ' || CAST(i / 3 AS TEXT), 'sum ' || CAST(i / 3 AS TEXT) FROM n`
	makeFiles = numbered + `INSERT INTO files (COLUMNS) SELECT 'id ' || CAST(i AS TEXT), 'carrier ' || CAST(i % 400 AS TEXT),
		'FAB_' || CAST(100000 + i AS TEXT) || '.csv', NULL, 'sum ' || CAST(i AS TEXT), 1000, 'csv+gzip', 'content', true, i / 400, '2026-10-01',
		CASE WHEN i % 200 = 0 THEN 'rejected' ELSE 'accepted' END, i % 200 > 0, 10, 10, 0, 0, 100, 0, 'null', 0, 'null', '', '', '', '', 'null',
		AT(i / 400), AT(i / 400), 'run', true FROM n`
	fileColumns = "id, carrier, name, raw_name, sha256, bytes, format, proof, verified, sequence, date, status, ingested, rows, accepted, rejected, " +
		"filtered, duration_ms, bad_rows, reasons, more_reasons, missing, replaces, replaces_id, duplicate_of, duplicate_of_id, notes, " +
		"received, decided, run, settled"
)

// history returns a store with a history.
func history(b *testing.B, url string) *state.Store {
	b.Helper()
	open(b, url)
	db := database(b, url)
	at := "(1767225600 + 86400 * (X)) * 1000000"
	if strings.HasPrefix(url, "postgres:") {
		at = "to_timestamp(1767225600 + 86400 * (X))"
	}
	before, after, _ := strings.Cut(at, "X")
	for _, c := range []struct {
		query string
		rows  int
	}{{makeRuns, historyRuns}, {makeInputs, 2 * historyRuns}, {makeFiles, historyFiles}} {
		q := strings.NewReplacer("COLUMNS", fileColumns, "ROWS", strconv.Itoa(c.rows)).Replace(c.query)
		for _, day := range []string{"i / 400 + 1", "i / 400"} {
			q = strings.ReplaceAll(q, "AT("+day+")", before+day+after)
		}
		if _, err := db.Exec(q); err != nil {
			b.Fatal(err)
		}
	}
	if strings.HasPrefix(url, "postgres:") { // as the server does by itself, sooner or later
		if _, err := db.Exec("VACUUM ANALYZE"); err != nil {
			b.Fatal(err)
		}
	}
	return open(b, url)
}

// BenchmarkLists asks for pages of a long history. None may take 100 ms.
func BenchmarkLists(b *testing.B) {
	eachDatabase(b, func(b *testing.B, url string) {
		s := history(b, url)
		day := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
		for _, c := range []struct {
			name string
			f    jobs.RunFilter
			want int
		}{
			{"newest", jobs.RunFilter{}, 50},
			{"deep page", jobs.RunFilter{Before: "0199-10000100"}, 50},
			{"job", jobs.RunFilter{Job: "job 1"}, 50},
			{"carrier", jobs.RunFilter{Carrier: "carrier 7"}, 50},
			{"state", jobs.RunFilter{State: jobs.RunFailed}, 50},
			{"running", jobs.RunFilter{State: jobs.RunRunning}, 0},
			{"job and state", jobs.RunFilter{Job: "job 2", State: jobs.RunFailed}, 50},
			{"job, carrier and state", jobs.RunFilter{Job: "job 1", Carrier: "carrier 7", State: jobs.RunSucceeded}, 50},
			{"carrier and state", jobs.RunFilter{Carrier: "carrier 350", State: jobs.RunFailed}, 50},
			{"a day long ago", jobs.RunFilter{From: day(3), To: day(4)}, 50},
			{"a day of a job", jobs.RunFilter{Job: "job 1", From: day(3), To: day(4)}, 50},
			{"a day of a carrier", jobs.RunFilter{Carrier: "carrier 7", From: day(3), To: day(4)}, 1},
			{"failures of a month", jobs.RunFilter{State: jobs.RunFailed, From: day(31), To: day(59)}, 50},
			{"half a year", jobs.RunFilter{From: day(0), To: day(180)}, 50},
			{"a file", jobs.RunFilter{File: "file 4000"}, 2},
			{"a report", jobs.RunFilter{Report: "report 777"}, 1},
		} {
			b.Run("runs/"+c.name, func(b *testing.B) {
				c.f.Limit = 50
				page(b, c.want, func() (int, error) { list, err := s.Runs(b.Context(), c.f); return len(list), err })
			})
		}
		for _, c := range []struct {
			name string
			f    jobs.FileFilter
			want int
		}{
			{"newest", jobs.FileFilter{}, 50},
			{"deep page", jobs.FileFilter{Before: "id 1000"}, 50},
			{"carrier", jobs.FileFilter{Carrier: "carrier 7"}, 50},
			{"status", jobs.FileFilter{Status: landing.StatusRejected}, 50},
			{"carrier and status", jobs.FileFilter{Carrier: "carrier 7", Status: landing.StatusRejected}, 0},
			{"a name of a carrier", jobs.FileFilter{Carrier: "carrier 7", Name: "FAB_100407"}, 1},
			{"a name", jobs.FileFilter{Name: "FAB_100407"}, 1},
			{"the last day", jobs.FileFilter{Since: day(364)}, 50},
			{"rejected in the last days", jobs.FileFilter{Since: day(363), Status: landing.StatusRejected}, 4},
		} {
			b.Run("files/"+c.name, func(b *testing.B) {
				c.f.Limit = 50
				page(b, c.want, func() (int, error) { list, err := s.ListFiles(b.Context(), c.f); return len(list), err })
			})
		}
	})
}

func page(b *testing.B, want int, list func() (int, error)) {
	for b.Loop() {
		if n, err := list(); n != want || err != nil {
			b.Fatalf("%d rows, not %d: %v", n, want, err)
		}
	}
}

// BenchmarkWrites records, and runs, beside a long history.
func BenchmarkWrites(b *testing.B) {
	eachDatabase(b, func(b *testing.B, url string) {
		s := history(b, url)
		b.Run("record and settle", func(b *testing.B) {
			for b.Loop() {
				e, err := recordFile(b.Context(), s, uuid.NewString())
				if err == nil {
					err = s.Settle(b.Context(), e.Carrier, e.ID)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("enqueue, claim and finish", func(b *testing.B) {
			for b.Loop() {
				if err := runOne(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("fire for 400 carriers", func(b *testing.B) {
			f := jobs.Fire{Job: "daily", At: now, Now: now, Runs: make([]jobs.Run, 400)}
			for b.Loop() {
				f.At = f.At.Add(time.Hour)
				for i := range f.Runs {
					f.Runs[i] = jobs.Run{Job: "daily", Carrier: fmt.Sprint("carrier ", i), Period: jobs.Period{From: f.At, To: f.At.Add(time.Hour)}}
				}
				if list, err := s.RecordFire(b.Context(), f); len(list) != 400 || err != nil {
					b.Fatal(len(list), err)
				}
			}
		})
	})
}

func runOne(ctx context.Context, s *state.Store) error {
	if _, err := s.Enqueue(ctx, jobs.Run{Job: "daily", Carrier: uuid.NewString()}, now); err != nil {
		return err
	}
	r, err := s.Claim(ctx, jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Minute, PerCarrier: 2})
	if err != nil {
		return err
	}
	_, err = s.Finish(ctx, r.Lease(), jobs.Ending{State: jobs.RunSucceeded}, now)
	return err
}

func eachDatabase(b *testing.B, bench func(b *testing.B, url string)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, b.TempDir()) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, postgres.Database(b)) })
}
