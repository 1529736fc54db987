-- +goose Up
ALTER TABLE files ADD COLUMN microsoft BOOLEAN NOT NULL DEFAULT false; -- Microsoft's, about the carrier
ALTER TABLE files ADD COLUMN profile TEXT NOT NULL DEFAULT '';
-- Of the files before this step no days are known: there is nothing to follow.
ALTER TABLE files ADD COLUMN followed BOOLEAN NOT NULL DEFAULT true;

DROP INDEX files_by_number;
CREATE INDEX files_by_number ON files (carrier, microsoft, sequence, seq) WHERE ingested;
DROP INDEX files_page;
CREATE INDEX files_page ON files (seq, name, carrier, microsoft, status, received);
CREATE INDEX files_by_replaced ON files (replaces_id) WHERE replaces_id <> '';
CREATE INDEX files_unfollowed ON files (seq) WHERE NOT followed;

-- With what a claim passes over runs by.
DROP INDEX runs_queue;
CREATE INDEX runs_queue ON runs (priority DESC, created, id, kind, job, carrier, not_before) WHERE state = 'queued';

CREATE TABLE file_days (
    file        INTEGER NOT NULL REFERENCES files (seq) ON DELETE CASCADE,
    carrier     TEXT NOT NULL,
    microsoft   BOOLEAN NOT NULL,
    day         TEXT NOT NULL, -- in UTC, such as 2026-10-01
    rows        INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (file, day)
) WITHOUT ROWID;
CREATE INDEX file_days_by_day ON file_days (carrier, day, microsoft, file) WHERE rows > 0;

CREATE TABLE reports (
    seq                   INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of publishing
    id                    TEXT NOT NULL,
    carrier               TEXT NOT NULL,
    period_from           INTEGER NOT NULL,
    period_to             INTEGER NOT NULL,
    period                TEXT NOT NULL,
    version               INTEGER NOT NULL,
    job                   TEXT NOT NULL,
    run                   TEXT NOT NULL,
    supersedes            TEXT NOT NULL,
    superseded_by         TEXT NOT NULL,
    folder                TEXT NOT NULL,
    basis                 TEXT NOT NULL,
    manifest              TEXT NOT NULL,
    as_of                 INTEGER NOT NULL,
    published             INTEGER NOT NULL,
    verdict               TEXT NOT NULL,
    microsoft_records     INTEGER NOT NULL,
    microsoft_duration_ms INTEGER NOT NULL,
    carrier_records       INTEGER NOT NULL,
    carrier_duration_ms   INTEGER NOT NULL,
    difference_ppm        INTEGER NOT NULL,
    discrepancies         INTEGER NOT NULL,
    pending               INTEGER NOT NULL,
    opened                INTEGER NOT NULL,
    changed               INTEGER NOT NULL,
    closed                INTEGER NOT NULL
);
CREATE UNIQUE INDEX reports_by_id ON reports (id);
CREATE UNIQUE INDEX reports_by_run ON reports (run);
CREATE UNIQUE INDEX reports_by_version ON reports (carrier, period_from, period_to, version);
CREATE INDEX reports_by_carrier ON reports (carrier, seq);
CREATE INDEX reports_by_job ON reports (job, seq, period_from, period_to);
CREATE INDEX reports_by_verdict ON reports (verdict, seq);
-- What lists select by, so that the wide rows of others are not looked at.
CREATE INDEX reports_page ON reports (seq, period_from, period_to, carrier, job, verdict, superseded_by);

CREATE TABLE cases (
    report    INTEGER NOT NULL, -- seq of reports
    carrier   TEXT NOT NULL,
    case_id   TEXT NOT NULL,
    event     TEXT NOT NULL,
    class     TEXT NOT NULL,
    before    TEXT NOT NULL, -- class in the version before
    diff_ms   INTEGER NOT NULL,
    before_ms INTEGER NOT NULL
);
CREATE INDEX cases_by_report ON cases (report DESC, case_id);
CREATE INDEX cases_by_carrier ON cases (carrier, report DESC, case_id);
CREATE INDEX cases_by_case ON cases (case_id, report DESC);

CREATE TABLE alerts (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of raising
    id        TEXT NOT NULL,
    alert_key TEXT NOT NULL,
    kind      TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    job       TEXT NOT NULL,
    subject   TEXT NOT NULL,
    text      TEXT NOT NULL,
    raised    INTEGER NOT NULL,
    resolved  INTEGER -- NULL: it is open
);
CREATE UNIQUE INDEX alerts_by_id ON alerts (id);
CREATE UNIQUE INDEX alerts_open_by_key ON alerts (alert_key) WHERE resolved IS NULL;
CREATE INDEX alerts_open ON alerts (seq) WHERE resolved IS NULL;
CREATE INDEX alerts_by_key ON alerts (alert_key, seq);
CREATE INDEX alerts_by_kind ON alerts (kind, seq);
CREATE INDEX alerts_by_carrier ON alerts (carrier, seq);

-- What was not delivered yet.
CREATE TABLE messages (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of what happened
    id           TEXT NOT NULL,
    alert        INTEGER NOT NULL REFERENCES alerts (seq) ON DELETE CASCADE,
    alert_key    TEXT NOT NULL,
    resolved     BOOLEAN NOT NULL, -- that it was, not that it was raised
    attempts     INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    error        TEXT NOT NULL
);
CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE INDEX messages_by_key ON messages (alert_key, seq);
