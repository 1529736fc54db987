-- Times are UTC. Ids compare byte by byte, as SQLite does. Columns that hold several values
-- hold them as JSON.

-- +goose Up
CREATE TABLE files (
    seq             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of recording
    id              TEXT COLLATE "C" NOT NULL,
    carrier         TEXT COLLATE "C" NOT NULL,
    name            TEXT NOT NULL,
    raw_name        BYTEA, -- of a name that is not UTF-8
    sha256          TEXT NOT NULL,
    bytes           BIGINT NOT NULL,
    format          TEXT NOT NULL,
    proof           TEXT NOT NULL,
    verified        BOOLEAN NOT NULL,
    sequence        BIGINT,
    date            TEXT NOT NULL,
    status          TEXT NOT NULL,
    ingested        BOOLEAN NOT NULL, -- its rows count
    rows            BIGINT NOT NULL,
    accepted        BIGINT NOT NULL,
    rejected        BIGINT NOT NULL,
    filtered        BIGINT NOT NULL,
    duration_ms     BIGINT NOT NULL,
    bad_rows        BIGINT NOT NULL,
    reasons         TEXT NOT NULL,
    more_reasons    BIGINT NOT NULL,
    missing         TEXT NOT NULL,
    replaces        TEXT NOT NULL,
    replaces_id     TEXT NOT NULL,
    duplicate_of    TEXT NOT NULL,
    duplicate_of_id TEXT NOT NULL,
    notes           TEXT NOT NULL,
    received        TIMESTAMPTZ NOT NULL,
    decided         TIMESTAMPTZ NOT NULL,
    run             TEXT COLLATE "C" NOT NULL,
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
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    job             TEXT COLLATE "C" NOT NULL,
    kind            TEXT NOT NULL,
    carrier         TEXT COLLATE "C" NOT NULL,
    period_from     TIMESTAMPTZ NOT NULL,
    period_to       TIMESTAMPTZ NOT NULL,
    period          TEXT NOT NULL,
    attempt         BIGINT NOT NULL,
    state           TEXT NOT NULL,
    cause           TEXT NOT NULL,
    asked_by        TEXT NOT NULL,
    rerun_of        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    priority        BIGINT NOT NULL,
    scheduled_for   TIMESTAMPTZ,
    not_before      TIMESTAMPTZ,
    created         TIMESTAMPTZ NOT NULL,
    started         TIMESTAMPTZ,
    finished        TIMESTAMPTZ,
    report          TEXT NOT NULL,
    cancel_asked    BOOLEAN NOT NULL,
    owner           TEXT NOT NULL,
    lease_until     TIMESTAMPTZ,
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
    run    TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    n      BIGINT NOT NULL, -- the order in which they were read
    role   TEXT NOT NULL,
    file   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, n)
);
CREATE INDEX run_inputs_by_file ON run_inputs (file, run);
CREATE INDEX run_inputs_by_content ON run_inputs (sha256, run);

CREATE TABLE fires (
    job           TEXT COLLATE "C" NOT NULL,
    scheduled_for TIMESTAMPTZ NOT NULL,
    fired         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (job, scheduled_for)
);

CREATE TABLE pauses (
    job       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    why       TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    since     TIMESTAMPTZ NOT NULL
);

CREATE TABLE audit (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time   TIMESTAMPTZ NOT NULL,
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
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of the audit trail are never changed or removed';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
