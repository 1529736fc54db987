-- A version is of a reconciliation or of a usage; both may be about one period.

-- +goose Up
ALTER TABLE reports ADD COLUMN kind TEXT NOT NULL DEFAULT 'reconcile';
DROP INDEX reports_by_version;
CREATE UNIQUE INDEX reports_by_version ON reports (carrier, kind, period_from, period_to, version);
DROP INDEX reports_page;
CREATE INDEX reports_page ON reports (seq, period_from, period_to, carrier, job, verdict, superseded_by, kind);
