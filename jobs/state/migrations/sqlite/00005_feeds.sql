-- What was taken from Microsoft's feeds, so that what comes again is known.

-- +goose Up
CREATE TABLE feed_marks (
    feed TEXT PRIMARY KEY,
    mark INTEGER NOT NULL
);

CREATE TABLE feed_rows (
    feed    TEXT NOT NULL,
    id      TEXT NOT NULL,
    sum     TEXT NOT NULL,
    start   INTEGER,
    seconds INTEGER,
    PRIMARY KEY (feed, id)
);
CREATE INDEX feed_rows_by_start ON feed_rows (feed, start);
