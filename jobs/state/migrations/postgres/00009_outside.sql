-- What was taken from Microsoft's hosts, what carriers posted as rows, and
-- reports that go to carriers.

-- +goose Up
CREATE TABLE host_files (
    host    TEXT NOT NULL,
    name    TEXT NOT NULL,
    bytes   BIGINT NOT NULL,
    changed TIMESTAMPTZ NOT NULL,
    taken   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (host, name, changed, bytes)
);

CREATE TABLE row_batches (
    carrier TEXT NOT NULL,
    key     TEXT NOT NULL, -- SHA-256 of the one that the carrier sent
    body    TEXT NOT NULL, -- SHA-256 of what it sent
    begun   TIMESTAMPTZ NOT NULL,
    placed  TIMESTAMPTZ, -- NULL: it may not have reached the inbox
    PRIMARY KEY (carrier, key)
);

CREATE TABLE report_deliveries (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in the order of publication
    report   TEXT NOT NULL,
    carrier  TEXT NOT NULL,
    begun    TIMESTAMPTZ, -- NULL: it waits
    ended    TIMESTAMPTZ, -- NULL: it may not have reached the outbox
    files    TEXT NOT NULL,
    manifest TEXT NOT NULL
);
CREATE UNIQUE INDEX report_deliveries_by_report ON report_deliveries (report);
CREATE INDEX report_deliveries_waiting ON report_deliveries (seq) WHERE ended IS NULL;
