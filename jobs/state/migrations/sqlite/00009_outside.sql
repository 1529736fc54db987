-- What was taken from Microsoft's hosts, what carriers posted as rows, and
-- reports that go to carriers.

-- +goose Up
CREATE TABLE host_files (
    host    TEXT NOT NULL,
    name    TEXT NOT NULL,
    bytes   INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    taken   INTEGER NOT NULL,
    PRIMARY KEY (host, name, changed, bytes)
) WITHOUT ROWID;

CREATE TABLE row_batches (
    carrier TEXT NOT NULL,
    key     TEXT NOT NULL, -- SHA-256 of the one that the carrier sent
    body    TEXT NOT NULL, -- SHA-256 of what it sent
    begun   INTEGER NOT NULL,
    placed  INTEGER, -- NULL: it may not have reached the inbox
    PRIMARY KEY (carrier, key)
) WITHOUT ROWID;

CREATE TABLE report_deliveries (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of publication
    report   TEXT NOT NULL,
    carrier  TEXT NOT NULL,
    begun    INTEGER, -- NULL: it waits
    ended    INTEGER, -- NULL: it may not have reached the outbox
    files    TEXT NOT NULL,
    manifest TEXT NOT NULL
);
CREATE UNIQUE INDEX report_deliveries_by_report ON report_deliveries (report);
CREATE INDEX report_deliveries_waiting ON report_deliveries (seq) WHERE ended IS NULL;
