-- Microsoft's files beside those of one carrier's call records, and deliveries
-- of calls and their quality.

-- +goose Up
CREATE TABLE microsoft_files (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier  TEXT NOT NULL, -- empty: of several
    name     TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    received TIMESTAMPTZ NOT NULL,
    sha256   TEXT NOT NULL,
    holds    TEXT NOT NULL,
    status   TEXT NOT NULL,
    format   TEXT NOT NULL,
    rows     BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    first    TIMESTAMPTZ,
    last     TIMESTAMPTZ,
    reasons  TEXT NOT NULL,
    faults   TEXT NOT NULL,
    notes    TEXT NOT NULL,
    shares   TEXT NOT NULL,
    nobody   BIGINT NOT NULL,
    waiting  BIGINT NOT NULL,
    rest     TEXT NOT NULL,
    until    TIMESTAMPTZ,
    decided  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX microsoft_files_by_file ON microsoft_files (carrier, name, bytes, received);
CREATE INDEX microsoft_files_by_last ON microsoft_files (carrier, last);
CREATE INDEX microsoft_files_by_content ON microsoft_files (sha256);
CREATE INDEX microsoft_files_waiting ON microsoft_files (rest) WHERE rest <> '';

CREATE TABLE call_deliveries (
    carrier     TEXT NOT NULL,
    sequence    BIGINT NOT NULL,
    period_from TIMESTAMPTZ NOT NULL,
    period_to   TIMESTAMPTZ NOT NULL,
    period      TEXT NOT NULL,
    version     BIGINT NOT NULL,
    base        BIGINT NOT NULL,
    newest      BIGINT NOT NULL, -- 1: no version supersedes it
    job         TEXT NOT NULL,
    run         TEXT NOT NULL,
    basis       TEXT NOT NULL,
    settings    TEXT NOT NULL,
    inputs      TEXT NOT NULL,
    begun       TIMESTAMPTZ NOT NULL,
    ended       TIMESTAMPTZ,
    files       TEXT NOT NULL,
    calls       TEXT NOT NULL,
    quality     TEXT NOT NULL,
    PRIMARY KEY (carrier, sequence)
);
CREATE UNIQUE INDEX call_deliveries_by_period ON call_deliveries (carrier, period_from, period_to, version);
