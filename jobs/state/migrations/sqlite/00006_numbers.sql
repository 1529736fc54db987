-- +goose Up
CREATE TABLE number_listings (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- the position
    carrier  TEXT NOT NULL,
    source   TEXT NOT NULL,
    name     TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    basis    TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    as_of    INTEGER NOT NULL,
    status   TEXT NOT NULL,
    rows     INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    others   INTEGER NOT NULL,
    learned  INTEGER NOT NULL,
    reasons  TEXT NOT NULL,
    faults   TEXT NOT NULL,
    notes    TEXT NOT NULL,
    run      TEXT NOT NULL,
    decided  INTEGER NOT NULL
);
CREATE UNIQUE INDEX number_listings_by_file ON number_listings (carrier, source, name, bytes, changed, basis);
CREATE INDEX number_listings_by_carrier ON number_listings (carrier, seq);
CREATE INDEX number_listings_by_source ON number_listings (carrier, source, as_of) WHERE status = 'taken';
CREATE INDEX number_listings_by_content ON number_listings (sha256);

-- What was known, from one listing on until another one. Only known_to is ever
-- set in a row that is there.
CREATE TABLE numbers (
    carrier    TEXT NOT NULL,
    digits     INTEGER NOT NULL, -- of the number in E.164
    ext        TEXT NOT NULL,
    source     TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    known_from INTEGER NOT NULL, -- seq of the listing that said so
    known_to   INTEGER,          -- of the one that said otherwise
    valid_to   INTEGER,
    facts      TEXT NOT NULL,
    PRIMARY KEY (carrier, digits, ext, source, valid_from, known_from)
) WITHOUT ROWID;
CREATE INDEX numbers_by_source ON numbers (carrier, source, digits, ext, valid_from) WHERE known_to IS NULL;

CREATE TABLE number_deliveries (
    carrier  TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    base     INTEGER NOT NULL,
    as_of    INTEGER NOT NULL,
    run      TEXT NOT NULL,
    begun    INTEGER NOT NULL,
    ended    INTEGER,
    files    TEXT NOT NULL,
    added    INTEGER NOT NULL,
    removed  INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    PRIMARY KEY (carrier, sequence)
);
