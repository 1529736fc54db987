-- +goose Up
CREATE TABLE number_listings (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the position
    carrier  TEXT NOT NULL,
    source   TEXT NOT NULL,
    name     TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    changed  TIMESTAMPTZ NOT NULL,
    basis    TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    as_of    TIMESTAMPTZ NOT NULL,
    status   TEXT NOT NULL,
    rows     BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    others   BIGINT NOT NULL,
    learned  BIGINT NOT NULL,
    reasons  TEXT NOT NULL,
    faults   TEXT NOT NULL,
    notes    TEXT NOT NULL,
    run      TEXT NOT NULL,
    decided  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX number_listings_by_file ON number_listings (carrier, source, name, bytes, changed, basis);
CREATE INDEX number_listings_by_carrier ON number_listings (carrier, seq);
CREATE INDEX number_listings_by_source ON number_listings (carrier, source, as_of) WHERE status = 'taken';
CREATE INDEX number_listings_by_content ON number_listings (sha256);

-- What was known, from one listing on until another one. Only known_to is ever
-- set in a row that is there.
CREATE TABLE numbers (
    carrier    TEXT NOT NULL,
    digits     BIGINT NOT NULL, -- of the number in E.164
    ext        TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    known_from BIGINT NOT NULL, -- seq of the listing that said so
    known_to   BIGINT,          -- of the one that said otherwise
    valid_to   TIMESTAMPTZ,
    facts      TEXT NOT NULL,
    PRIMARY KEY (carrier, digits, ext, source, valid_from, known_from)
);
CREATE INDEX numbers_by_source ON numbers (carrier, source, digits, ext, valid_from) WHERE known_to IS NULL;

CREATE TABLE number_deliveries (
    carrier  TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    base     BIGINT NOT NULL,
    as_of    TIMESTAMPTZ NOT NULL,
    run      TEXT NOT NULL,
    begun    TIMESTAMPTZ NOT NULL,
    ended    TIMESTAMPTZ,
    files    TEXT NOT NULL,
    added    BIGINT NOT NULL,
    removed  BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    PRIMARY KEY (carrier, sequence)
);
