-- Times are UTC, in microseconds since 1970. Columns that hold several values
-- hold them as JSON.

-- +goose Up
CREATE TABLE files (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of recording
    id              TEXT NOT NULL,
    carrier         TEXT NOT NULL,
    name            TEXT NOT NULL,
    raw_name        BLOB, -- of a name that is not UTF-8
    sha256          TEXT NOT NULL,
    bytes           INTEGER NOT NULL,
    format          TEXT NOT NULL,
    proof           TEXT NOT NULL,
    verified        BOOLEAN NOT NULL,
    sequence        INTEGER,
    date            TEXT NOT NULL,
    status          TEXT NOT NULL,
    ingested        BOOLEAN NOT NULL, -- its rows count
    rows            INTEGER NOT NULL,
    accepted        INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,
    filtered        INTEGER NOT NULL,
    duration_ms     INTEGER NOT NULL,
    bad_rows        INTEGER NOT NULL,
    reasons         TEXT NOT NULL,
    more_reasons    INTEGER NOT NULL,
    missing         TEXT NOT NULL,
    replaces        TEXT NOT NULL,
    replaces_id     TEXT NOT NULL,
    duplicate_of    TEXT NOT NULL,
    duplicate_of_id TEXT NOT NULL,
    notes           TEXT NOT NULL,
    received        INTEGER NOT NULL,
    decided         INTEGER NOT NULL,
    run             TEXT NOT NULL,
    settled         BOOLEAN NOT NULL
);
CREATE INDEX files_by_id ON files (id);
CREATE INDEX files_by_carrier ON files (carrier, seq);
CREATE INDEX files_by_status ON files (status, seq);
-- What lists select by, so that the wide rows of others are not looked at.
CREATE INDEX files_page ON files (seq, name, carrier, status, received);
CREATE INDEX files_by_content ON files (sha256, carrier);
CREATE INDEX files_by_number ON files (carrier, sequence, seq) WHERE ingested;
CREATE INDEX files_by_time ON files (received);
CREATE INDEX files_unsettled ON files (carrier, seq) WHERE NOT settled;

CREATE TABLE runs (
    id              TEXT NOT NULL PRIMARY KEY,
    job             TEXT NOT NULL,
    kind            TEXT NOT NULL,
    carrier         TEXT NOT NULL,
    period_from     INTEGER NOT NULL,
    period_to       INTEGER NOT NULL,
    period          TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    state           TEXT NOT NULL,
    cause           TEXT NOT NULL,
    asked_by        TEXT NOT NULL,
    rerun_of        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    scheduled_for   INTEGER,
    not_before      INTEGER,
    created         INTEGER NOT NULL,
    started         INTEGER,
    finished        INTEGER,
    report          TEXT NOT NULL,
    cancel_asked    BOOLEAN NOT NULL,
    owner           TEXT NOT NULL,
    lease_until     INTEGER,
    error           TEXT NOT NULL,
    settings        TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_active ON runs (job, carrier, period_from, period_to) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX runs_by_key ON runs (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX runs_queue ON runs (priority DESC, created, id) WHERE state = 'queued';
CREATE INDEX runs_running ON runs (carrier) WHERE state = 'running';
CREATE INDEX runs_by_carrier ON runs (carrier, id);
CREATE INDEX runs_by_carrier_and_job ON runs (carrier, job, state);
CREATE INDEX runs_by_job ON runs (job, id);
CREATE INDEX runs_by_job_and_state ON runs (job, state, id);
CREATE INDEX runs_by_state ON runs (state, id);
-- What lists select by, so that the wide rows of others are not looked at.
CREATE INDEX runs_page ON runs (id, period_from, period_to, job, carrier, state);
CREATE INDEX runs_by_period ON runs (period_from, period_to, id, job, carrier, state);
CREATE INDEX runs_by_report ON runs (report) WHERE report <> '';

CREATE TABLE run_inputs (
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    n      INTEGER NOT NULL, -- the order in which they were read
    role   TEXT NOT NULL,
    file   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, n)
);
CREATE INDEX run_inputs_by_file ON run_inputs (file, run);
CREATE INDEX run_inputs_by_content ON run_inputs (sha256, run);

CREATE TABLE fires (
    job           TEXT NOT NULL,
    scheduled_for INTEGER NOT NULL,
    fired         INTEGER NOT NULL,
    PRIMARY KEY (job, scheduled_for)
);

CREATE TABLE pauses (
    job       TEXT NOT NULL PRIMARY KEY,
    why       TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    since     INTEGER NOT NULL
);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    time   INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_who ON audit (who, id);
CREATE INDEX audit_by_what ON audit (what, id);
CREATE INDEX audit_by_object ON audit (object, id);

-- +goose StatementBegin
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit trail are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit trail are never removed');
END;
-- +goose StatementEnd
