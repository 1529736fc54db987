package state_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"concord/jobs/state"
)

// The history of the benchmarks: 400 carriers and a year. Of each carrier and
// day there are two files, of one side each, and a report, of which every tenth
// has a second version; 100,000 runs; 40,000 alerts, of which every hundredth
// is open and not told yet.
const (
	historyRuns   = 100_000
	historyFiles  = 292_000
	historyAlerts = 40_000
	historyFirst  = 146_000 // reports that are a first version
	numbered      = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ROWS - 1) "
	makeRuns      = numbered + `INSERT INTO runs SELECT '0199-' || CAST(10000000 + i AS TEXT), 'job ' || CAST(i % 6 AS TEXT), 'reconcile',
		'carrier ' || CAST(i * 7 % 400 AS TEXT), AT(i / 400), AT(i / 400 + 1), '2026-10-01', 1,
		CASE WHEN i >= ROWS - 20 THEN 'queued' WHEN i % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 'schedule', '', '', '', 0,
		AT(i / 400), NULL, AT(i / 400), AT(i / 400), AT(i / 400), 'report ' || CAST(i AS TEXT), false, 'host', NULL, '', '{"profile": "…"}' FROM n`
	makeBackfill = numbered + `INSERT INTO runs SELECT '0200-' || CAST(10000000 + i AS TEXT), 'backfill', 'reconcile',
		'carrier ' || CAST(i % 400 AS TEXT), AT(i / 400), AT(i / 400 + 1), '2026-10-01', 1, 'queued', 'backfill', '', '', '', -10,
		NULL, NULL, AT(i / 400), NULL, NULL, '', false, '', NULL, '', '' FROM n`
	makeInputs = numbered + `INSERT INTO run_inputs SELECT '0199-' || CAST(10000000 + i / 2 AS TEXT), i % 2, 'carrier',
		'file ' || CAST(i / 3 AS TEXT), 'sum ' || CAST(i / 3 AS TEXT) FROM n`
	makeFiles = numbered + `INSERT INTO files (id, carrier, name, raw_name, sha256, bytes, format, proof, verified, sequence, date,
		status, ingested, rows, accepted, rejected, filtered, duration_ms, bad_rows, reasons, more_reasons, missing,
		replaces, replaces_id, duplicate_of, duplicate_of_id, notes, received, decided, run, settled, microsoft, followed)
		SELECT 'id ' || CAST(i AS TEXT), 'carrier ' || CAST(i % 400 AS TEXT),
		'FAB_' || CAST(100000 + i AS TEXT) || '.csv', NULL, 'sum ' || CAST(i AS TEXT), 1000, 'csv+gzip', 'content', true, i / 800, '2026-10-01',
		CASE WHEN i % 200 = 0 THEN 'rejected' ELSE 'accepted' END, i % 200 > 0, 10, 10, 0, 0, 100, 0, 'null', 0, 'null',
		'', CASE WHEN i % 1000 = 999 THEN 'id ' || CAST(i - 800 AS TEXT) ELSE '' END, '', '', 'null',
		AT(i / 800), AT(i / 800), 'run', true, i / 400 % 2 = 1, i < ROWS - 50 FROM n`
	makeDays = `INSERT INTO file_days (file, carrier, microsoft, day, rows, duration_ms)
		SELECT seq, carrier, microsoft, DAY, 10, 100 FROM files WHERE ingested`
	makeReports = numbered + `INSERT INTO reports (id, carrier, period_from, period_to, period, version, job, run, supersedes, superseded_by,
		folder, basis, manifest, as_of, published, verdict, microsoft_records, microsoft_duration_ms, carrier_records, carrier_duration_ms,
		difference_ppm, discrepancies, pending, opened, changed, closed)
		SELECT 'report ' || CAST(i AS TEXT), 'carrier ' || CAST(i % 400 AS TEXT), AT(i / 400), AT(i / 400 + 1), '2026-10-01', 1,
		'job ' || CAST(i % 6 AS TEXT), '0199-' || CAST(10000000 + i AS TEXT), '', CASE WHEN i % 10 = 0 THEN 'next ' || CAST(i AS TEXT) ELSE '' END,
		'carrier/' || CAST(i AS TEXT) || '/v1', 'a hash', 'a hash', AT(i / 400), AT(i / 400),
		CASE WHEN i % 1000 = 5 THEN 'dispute' WHEN i % 20 = 0 THEN 'warning' ELSE 'ok' END, 1000, 60000, 999, 60000, 1, 2, 3, 4, 5, 6 FROM n`
	makeVersions = `INSERT INTO reports (id, carrier, period_from, period_to, period, version, job, run, supersedes, superseded_by,
		folder, basis, manifest, as_of, published, verdict, microsoft_records, microsoft_duration_ms, carrier_records, carrier_duration_ms,
		difference_ppm, discrepancies, pending, opened, changed, closed)
		SELECT REPLACE(id, 'report', 'next'), carrier, period_from, period_to, period, 2, job, 'again ' || run, id, '',
		REPLACE(folder, 'v1', 'v2'), basis, manifest, as_of, published, verdict, microsoft_records, microsoft_duration_ms, carrier_records,
		carrier_duration_ms, difference_ppm, discrepancies, pending, opened, changed, closed
		FROM reports WHERE superseded_by <> '' ORDER BY seq`
	makeCases = numbered + `INSERT INTO cases (report, carrier, case_id, event, class, before, diff_ms, before_ms)
		SELECT seq, carrier, 'case ' || CAST(seq % 500 * 100 + i AS TEXT), CASE WHEN i < 10 THEN 'opened' WHEN i < 19 THEN 'changed' ELSE 'closed' END,
		'missing_carrier', '', 1000, 0 FROM reports CROSS JOIN n WHERE version = 2`
	makeAlerts = numbered + `INSERT INTO alerts (id, alert_key, kind, carrier, job, subject, text, raised, resolved)
		SELECT 'alert ' || CAST(i AS TEXT), 'key ' || CAST(i / 4 * 4 + CASE WHEN i % 100 = 0 THEN 1 ELSE 0 END AS TEXT),
		CASE WHEN i % 40 = 0 THEN 'gap' ELSE 'file_missing' END,
		'carrier ' || CAST(i % 400 AS TEXT), 'job 1', '2026-10-01', 'ask for it', AT(i / 400), CASE WHEN i % 100 = 0 THEN NULL ELSE AT(i / 400 + 1) END FROM n`
	makeMessages = `INSERT INTO messages (id, alert, alert_key, resolved, attempts, next_attempt, error)
		SELECT 'message ' || id, seq, alert_key, false, 0, raised, '' FROM alerts WHERE resolved IS NULL ORDER BY seq`
)

var historyAt = regexp.MustCompile(`AT\(([^()]*)\)`)

// history returns a store with a history.
func history(b *testing.B, url string) *state.Store {
	b.Helper()
	open(b, url)
	for _, c := range []struct {
		query string
		rows  int
	}{
		{makeRuns, historyRuns}, {makeInputs, 2 * historyRuns}, {makeFiles, historyFiles}, {makeDays, 0}, {makeReports, historyFirst}, {makeVersions, 0},
		{makeCases, 20}, {makeAlerts, historyAlerts}, {makeMessages, 0},
	} {
		populate(b, url, c.query, c.rows)
	}
	if strings.HasPrefix(url, "postgres:") { // as the server does by itself, sooner or later
		populate(b, url, "VACUUM ANALYZE", 0)
	}
	return open(b, url)
}

// populate runs one of the queries above.
func populate(b *testing.B, url, query string, rows int) {
	b.Helper()
	at, day := "(1767225600 + 86400 * ($1)) * 1000000", "date(received / 1000000, 'unixepoch')"
	if strings.HasPrefix(url, "postgres:") {
		at, day = "to_timestamp(1767225600 + 86400 * ($1))", "to_char(received AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
	}
	query = strings.NewReplacer("ROWS", strconv.Itoa(rows), "DAY", day).Replace(historyAt.ReplaceAllString(query, at))
	if _, err := database(b, url).Exec(query); err != nil {
		b.Fatal(err)
	}
}

// year is a day of the history.
func year(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
