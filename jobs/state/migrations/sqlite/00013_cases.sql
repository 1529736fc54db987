-- What people make of cases and versions.

-- +goose Up
-- How far the cases of a period are known.
CREATE TABLE case_periods (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    carrier     TEXT NOT NULL,
    period_from INTEGER NOT NULL,
    period_to   INTEGER NOT NULL,
    period      TEXT NOT NULL,
    report      TEXT NOT NULL,
    version     INTEGER NOT NULL
);
CREATE UNIQUE INDEX case_periods_by_period ON case_periods (carrier, period_from, period_to);

CREATE TABLE case_register (
    period       INTEGER NOT NULL, -- seq of case_periods
    case_id      TEXT NOT NULL,
    class        TEXT NOT NULL,
    start        INTEGER,
    microsoft_ms INTEGER NOT NULL,
    carrier_ms   INTEGER NOT NULL,
    diff_ms      INTEGER NOT NULL,
    present      BOOLEAN NOT NULL, -- in the newest version
    since        INTEGER NOT NULL,
    state        TEXT NOT NULL,
    was          TEXT NOT NULL, -- the state before the latest action
    owner        TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    changed      INTEGER,
    action       INTEGER NOT NULL, -- seq of the latest in case_actions; 0: none
    PRIMARY KEY (period, case_id)
) WITHOUT ROWID;
CREATE INDEX case_register_by_case ON case_register (case_id);
CREATE INDEX case_register_by_action ON case_register (action) WHERE action > 0;
CREATE INDEX case_register_decided ON case_register (state, period, case_id) WHERE state <> 'open';
CREATE INDEX case_register_by_owner ON case_register (owner, period, case_id) WHERE owner <> '';

-- What was done, to one case or to many at once, by a person or by a version.
CREATE TABLE case_actions (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL,
    done_by   TEXT NOT NULL,
    done      INTEGER NOT NULL,
    key       TEXT, -- NULL: it cannot be repeated
    request   TEXT NOT NULL, -- a hash of what was asked for
    new_owner TEXT, -- NULL: it stayed
    comment   TEXT NOT NULL,
    version   INTEGER NOT NULL, -- 0: a person did it
    matched   INTEGER NOT NULL,
    cases     INTEGER NOT NULL,
    microsoft_ms INTEGER NOT NULL,
    carrier_ms   INTEGER NOT NULL,
    diff_ms      INTEGER NOT NULL
);
CREATE UNIQUE INDEX case_actions_by_key ON case_actions (done_by, key) WHERE key IS NOT NULL;

CREATE TABLE case_trail (
    period  INTEGER NOT NULL,
    case_id TEXT NOT NULL,
    action  INTEGER NOT NULL,
    before  TEXT NOT NULL,
    after   TEXT NOT NULL,
    PRIMARY KEY (period, case_id, action)
) WITHOUT ROWID;

CREATE TABLE signoffs (
    report       TEXT NOT NULL PRIMARY KEY,
    carrier      TEXT NOT NULL,
    period_from  INTEGER NOT NULL,
    period_to    INTEGER NOT NULL,
    state        TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    submitted    INTEGER,
    approved_by  TEXT NOT NULL,
    approved     INTEGER,
    reopened_by  TEXT NOT NULL,
    reopened     INTEGER,
    why          TEXT NOT NULL
);
-- One approval locks a period.
CREATE UNIQUE INDEX signoffs_lock ON signoffs (carrier, period_from, period_to) WHERE state = 'approved';
CREATE INDEX signoffs_by_period ON signoffs (carrier, period_from, period_to);
