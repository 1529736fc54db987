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
