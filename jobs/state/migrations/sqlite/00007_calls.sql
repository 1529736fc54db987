-- Microsoft's files beside those of one carrier's call records, and deliveries
-- of calls and their quality.

-- +goose Up
CREATE TABLE microsoft_files (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    carrier  TEXT NOT NULL, -- empty: of several
    name     TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    holds    TEXT NOT NULL,
    status   TEXT NOT NULL,
    format   TEXT NOT NULL,
    rows     INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    first    INTEGER,
    last     INTEGER,
    reasons  TEXT NOT NULL,
    faults   TEXT NOT NULL,
    notes    TEXT NOT NULL,
    shares   TEXT NOT NULL,
    nobody   INTEGER NOT NULL,
    waiting  INTEGER NOT NULL,
    rest     TEXT NOT NULL,
    until    INTEGER,
    decided  INTEGER NOT NULL
);
CREATE UNIQUE INDEX microsoft_files_by_file ON microsoft_files (carrier, name, bytes, received);
CREATE INDEX microsoft_files_by_last ON microsoft_files (carrier, last);
CREATE INDEX microsoft_files_by_content ON microsoft_files (sha256);
CREATE INDEX microsoft_files_waiting ON microsoft_files (rest) WHERE rest <> '';

CREATE TABLE call_deliveries (
    carrier     TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    period_from INTEGER NOT NULL,
    period_to   INTEGER NOT NULL,
    period      TEXT NOT NULL,
    version     INTEGER NOT NULL,
    base        INTEGER NOT NULL,
    newest      INTEGER NOT NULL, -- 1: no version supersedes it
    job         TEXT NOT NULL,
    run         TEXT NOT NULL,
    basis       TEXT NOT NULL,
    settings    TEXT NOT NULL,
    inputs      TEXT NOT NULL,
    begun       INTEGER NOT NULL,
    ended       INTEGER,
    files       TEXT NOT NULL,
    calls       TEXT NOT NULL,
    quality     TEXT NOT NULL,
    PRIMARY KEY (carrier, sequence)
);
CREATE UNIQUE INDEX call_deliveries_by_period ON call_deliveries (carrier, period_from, period_to, version);
