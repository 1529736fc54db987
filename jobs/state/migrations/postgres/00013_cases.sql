-- What people make of cases and versions.

-- +goose Up
-- How far the cases of a period are known.
CREATE TABLE case_periods (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier     TEXT COLLATE "C" NOT NULL,
    period_from TIMESTAMPTZ NOT NULL,
    period_to   TIMESTAMPTZ NOT NULL,
    period      TEXT NOT NULL,
    report      TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL
);
CREATE UNIQUE INDEX case_periods_by_period ON case_periods (carrier, period_from, period_to);

CREATE TABLE case_register (
    period       BIGINT NOT NULL, -- seq of case_periods
    case_id      TEXT COLLATE "C" NOT NULL,
    class        TEXT NOT NULL,
    start        TIMESTAMPTZ,
    microsoft_ms BIGINT NOT NULL,
    carrier_ms   BIGINT NOT NULL,
    diff_ms      BIGINT NOT NULL,
    present      BOOLEAN NOT NULL, -- in the newest version
    since        TIMESTAMPTZ NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    was          TEXT NOT NULL, -- the state before the latest action
    owner        TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    changed      TIMESTAMPTZ,
    action       BIGINT NOT NULL, -- seq of the latest in case_actions; 0: none
    PRIMARY KEY (period, case_id)
);
CREATE INDEX case_register_by_case ON case_register (case_id);
CREATE INDEX case_register_by_action ON case_register (action) WHERE action > 0;
CREATE INDEX case_register_decided ON case_register (state, period, case_id) WHERE state <> 'open';
CREATE INDEX case_register_by_owner ON case_register (owner, period, case_id) WHERE owner <> '';

-- What was done, to one case or to many at once, by a person or by a version.
CREATE TABLE case_actions (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        TEXT COLLATE "C" NOT NULL,
    done_by   TEXT COLLATE "C" NOT NULL,
    done      TIMESTAMPTZ NOT NULL,
    key       TEXT COLLATE "C", -- NULL: it cannot be repeated
    request   TEXT NOT NULL, -- a hash of what was asked for
    new_owner TEXT COLLATE "C", -- NULL: it stayed
    comment   TEXT NOT NULL,
    version   BIGINT NOT NULL, -- 0: a person did it
    matched   BIGINT NOT NULL,
    cases     BIGINT NOT NULL,
    microsoft_ms BIGINT NOT NULL,
    carrier_ms   BIGINT NOT NULL,
    diff_ms      BIGINT NOT NULL
);
CREATE UNIQUE INDEX case_actions_by_key ON case_actions (done_by, key) WHERE key IS NOT NULL;

CREATE TABLE case_trail (
    period  BIGINT NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    action  BIGINT NOT NULL,
    before  TEXT NOT NULL,
    after   TEXT NOT NULL,
    PRIMARY KEY (period, case_id, action)
);

CREATE TABLE signoffs (
    report       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    carrier      TEXT COLLATE "C" NOT NULL,
    period_from  TIMESTAMPTZ NOT NULL,
    period_to    TIMESTAMPTZ NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    submitted_by TEXT NOT NULL,
    submitted    TIMESTAMPTZ,
    approved_by  TEXT NOT NULL,
    approved     TIMESTAMPTZ,
    reopened_by  TEXT NOT NULL,
    reopened     TIMESTAMPTZ,
    why          TEXT NOT NULL
);
-- One approval locks a period.
CREATE UNIQUE INDEX signoffs_lock ON signoffs (carrier, period_from, period_to) WHERE state = 'approved';
CREATE INDEX signoffs_by_period ON signoffs (carrier, period_from, period_to);
