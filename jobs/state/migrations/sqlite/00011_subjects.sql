-- Requests of persons to have their number erased, and what was.

-- +goose Up
CREATE TABLE erasures (
    id        TEXT NOT NULL PRIMARY KEY,
    number    TEXT NOT NULL, -- until it is erased, then empty
    pseudonym TEXT NOT NULL, -- a keyed hash
    state     TEXT NOT NULL,
    asked_by  TEXT NOT NULL,
    asked     INTEGER NOT NULL,
    ended     INTEGER,
    left_over TEXT NOT NULL,
    proof     TEXT NOT NULL
);
CREATE UNIQUE INDEX erasures_open ON erasures (pseudonym) WHERE ended IS NULL;

-- What held a number: of each thing once.
CREATE TABLE erased_items (
    erasure TEXT NOT NULL REFERENCES erasures (id) ON DELETE CASCADE,
    store   TEXT NOT NULL,
    item    TEXT NOT NULL, -- an id or a keyed hash
    rows    INTEGER NOT NULL,
    PRIMARY KEY (erasure, store, item)
);

-- Contents that are not kept, and not taken when they come again.
CREATE TABLE erased_contents (
    sha256  TEXT NOT NULL PRIMARY KEY,
    erasure TEXT NOT NULL,
    instead TEXT NOT NULL -- what is there of it without the number; empty: nothing
);

-- Versions whose files are others since.
CREATE TABLE erased_reports (
    report  TEXT NOT NULL,
    erasure TEXT NOT NULL,
    settled BOOLEAN NOT NULL, -- the new files are in their place
    PRIMARY KEY (report, erasure)
);
