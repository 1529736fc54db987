-- What was done to data that the law is about. Proofs are a chain: the sum of
-- each covers that of the one before it. The last one is kept beside it.

-- +goose Up
CREATE TABLE privacy_proofs (
    seq       INTEGER NOT NULL PRIMARY KEY, -- from 1, without gaps
    at        INTEGER NOT NULL,
    act       TEXT NOT NULL,
    class     TEXT NOT NULL,
    country   TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    rule      TEXT NOT NULL,
    ref       TEXT NOT NULL,
    count     INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    data_from INTEGER,
    data_to   INTEGER,
    run       TEXT NOT NULL,
    asked_by  TEXT NOT NULL,
    items     TEXT NOT NULL,
    prev      TEXT NOT NULL,
    sum       TEXT NOT NULL
);
CREATE INDEX privacy_proofs_by_carrier ON privacy_proofs (carrier, seq);
CREATE INDEX privacy_proofs_by_ref ON privacy_proofs (ref, seq) WHERE ref <> '';

CREATE TABLE privacy_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    sum TEXT NOT NULL
);
INSERT INTO privacy_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- +goose StatementBegin
CREATE TRIGGER privacy_proofs_are_never_changed BEFORE UPDATE ON privacy_proofs
BEGIN
    SELECT RAISE(ABORT, 'proofs are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER privacy_proofs_are_never_removed BEFORE DELETE ON privacy_proofs
BEGIN
    SELECT RAISE(ABORT, 'proofs are never removed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER privacy_head_goes_forward BEFORE UPDATE ON privacy_head WHEN NEW.seq <> OLD.seq + 1
BEGIN
    SELECT RAISE(ABORT, 'the head of the proofs goes from one to the next');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER privacy_head_stays BEFORE DELETE ON privacy_head
BEGIN
    SELECT RAISE(ABORT, 'the head of the proofs is never removed');
END;
-- +goose StatementEnd

-- Numbers of the proofs that tell of a purge; 0: it is kept.
ALTER TABLE files ADD COLUMN raw_purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN records_purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE number_listings ADD COLUMN raw_purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE microsoft_files ADD COLUMN raw_purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call_deliveries ADD COLUMN purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN purged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN cases_purged INTEGER NOT NULL DEFAULT 0;

-- What is purged and may still lie on the disk.
CREATE TABLE purge_remains (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    proof     INTEGER NOT NULL,
    class     TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    object    TEXT NOT NULL, -- id of a file or of a report
    microsoft BOOLEAN NOT NULL,
    name      BLOB NOT NULL, -- of the file as it arrived, the folder of the report, or the name in the outbox
    sha256    TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    received  INTEGER
);
CREATE INDEX purge_remains_by_carrier ON purge_remains (carrier, seq);

CREATE TABLE holds (
    id           TEXT NOT NULL PRIMARY KEY,
    carrier      TEXT NOT NULL,
    period_from  INTEGER NOT NULL,
    period_to    INTEGER NOT NULL,
    period       TEXT NOT NULL,
    why          TEXT NOT NULL,
    placed_by    TEXT NOT NULL,
    placed       INTEGER NOT NULL,
    released_by  TEXT NOT NULL,
    released_why TEXT NOT NULL,
    released     INTEGER -- NULL: it stands
);
CREATE INDEX holds_by_carrier ON holds (carrier, placed);
