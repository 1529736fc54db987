-- What was done to data that the law is about. Proofs are a chain: the sum of
-- each covers that of the one before it. The last one is kept beside it.

-- +goose Up
CREATE TABLE privacy_proofs (
    seq       BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps
    at        TIMESTAMPTZ NOT NULL,
    act       TEXT NOT NULL,
    class     TEXT NOT NULL,
    country   TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    rule      TEXT NOT NULL,
    ref       TEXT NOT NULL,
    count     BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    data_from TIMESTAMPTZ,
    data_to   TIMESTAMPTZ,
    run       TEXT NOT NULL,
    asked_by  TEXT NOT NULL,
    items     TEXT NOT NULL,
    prev      TEXT NOT NULL,
    sum       TEXT NOT NULL
);
CREATE INDEX privacy_proofs_by_carrier ON privacy_proofs (carrier, seq);
CREATE INDEX privacy_proofs_by_ref ON privacy_proofs (ref, seq) WHERE ref <> '';

CREATE TABLE privacy_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL,
    sum TEXT NOT NULL
);
INSERT INTO privacy_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- +goose StatementBegin
CREATE FUNCTION privacy_proofs_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'proofs are never changed or removed';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER privacy_proofs_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_proofs
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_proofs_are_append_only();
CREATE TRIGGER privacy_head_stays BEFORE DELETE OR TRUNCATE ON privacy_head
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_proofs_are_append_only();
CREATE TRIGGER privacy_head_goes_forward BEFORE UPDATE ON privacy_head
    FOR EACH ROW WHEN (NEW.seq <> OLD.seq + 1) EXECUTE FUNCTION privacy_proofs_are_append_only();

-- Numbers of the proofs that tell of a purge; 0: it is kept.
ALTER TABLE files ADD COLUMN raw_purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN records_purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE number_listings ADD COLUMN raw_purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE microsoft_files ADD COLUMN raw_purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE call_deliveries ADD COLUMN purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN cases_purged BIGINT NOT NULL DEFAULT 0;

-- What is purged and may still lie on the disk.
CREATE TABLE purge_remains (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proof     BIGINT NOT NULL,
    class     TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    object    TEXT NOT NULL, -- id of a file or of a report
    microsoft BOOLEAN NOT NULL,
    name      BYTEA NOT NULL, -- of the file as it arrived, the folder of the report, or the name in the outbox
    sha256    TEXT NOT NULL,
    bytes     BIGINT NOT NULL,
    received  TIMESTAMPTZ
);
CREATE INDEX purge_remains_by_carrier ON purge_remains (carrier, seq);

CREATE TABLE holds (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    carrier      TEXT NOT NULL,
    period_from  TIMESTAMPTZ NOT NULL,
    period_to    TIMESTAMPTZ NOT NULL,
    period       TEXT NOT NULL,
    why          TEXT NOT NULL,
    placed_by    TEXT NOT NULL,
    placed       TIMESTAMPTZ NOT NULL,
    released_by  TEXT NOT NULL,
    released_why TEXT NOT NULL,
    released     TIMESTAMPTZ -- NULL: it stands
);
CREATE INDEX holds_by_carrier ON holds (carrier, placed);
