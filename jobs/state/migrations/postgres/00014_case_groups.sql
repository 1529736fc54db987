-- Cases of a period that are alike are a group: counts, sums and work on all of
-- them are of the group, whatever their number.

-- +goose Up
ALTER TABLE case_periods ADD COLUMN taking TEXT COLLATE "C" NOT NULL DEFAULT ''; -- the version that is being taken over; version 0: the first one
ALTER TABLE case_periods ADD COLUMN taken BIGINT NOT NULL DEFAULT 0; -- how many of its news are
ALTER TABLE case_periods ADD COLUMN action BIGINT NOT NULL DEFAULT 0; -- seq of what it does to cases; 0: nothing yet
CREATE INDEX case_periods_unfinished ON case_periods (seq) WHERE version = 0;

CREATE TABLE case_groups (
    seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period       BIGINT NOT NULL, -- seq of case_periods
    class        TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL,
    since        TIMESTAMPTZ NOT NULL,
    present      BOOLEAN NOT NULL, -- in the newest version
    revision     BIGINT NOT NULL, -- how often it was worked on as a whole; no case joins it after that
    changed      TIMESTAMPTZ, -- when it was last
    cases        BIGINT NOT NULL,
    microsoft_ms BIGINT NOT NULL,
    carrier_ms   BIGINT NOT NULL,
    diff_ms      BIGINT NOT NULL
);
INSERT INTO case_groups (period, class, state, owner, since, present, revision, cases, microsoft_ms, carrier_ms, diff_ms)
SELECT period, class, state, owner, since, present, 0, count(*), sum(microsoft_ms)::bigint, sum(carrier_ms)::bigint, sum(diff_ms)::bigint
FROM case_register GROUP BY period, class, state, owner, since, present;
CREATE INDEX case_groups_by_period ON case_groups (period);
CREATE INDEX case_groups_disputed ON case_groups (period) WHERE state = 'disputed';

-- What was done to a group, and so to each of its cases.
CREATE TABLE case_group_trail (
    of_group BIGINT NOT NULL, -- seq of case_groups
    action   BIGINT NOT NULL,
    before   TEXT COLLATE "C" NOT NULL,
    after    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (of_group, action)
);
CREATE INDEX case_group_trail_by_action ON case_group_trail (action);

ALTER TABLE case_register RENAME TO case_register_before;
CREATE TABLE case_register (
    case_id      TEXT COLLATE "C" NOT NULL,
    period       BIGINT NOT NULL, -- seq of case_periods
    in_group     BIGINT NOT NULL, -- seq of case_groups
    start        TIMESTAMPTZ,
    microsoft_ms BIGINT NOT NULL,
    carrier_ms   BIGINT NOT NULL,
    diff_ms      BIGINT NOT NULL,
    revision     BIGINT NOT NULL, -- without that of the group
    changed      TIMESTAMPTZ, -- not as part of the group
    CONSTRAINT case_register_key PRIMARY KEY (case_id, period)
);
INSERT INTO case_register
SELECT r.case_id, r.period, g.seq, r.start, r.microsoft_ms, r.carrier_ms, r.diff_ms, r.revision, r.changed
FROM case_register_before r JOIN case_groups g ON g.period = r.period AND g.class = r.class AND g.state = r.state AND g.owner = r.owner AND g.since = r.since AND g.present = r.present
ORDER BY r.case_id, r.period;
DROP TABLE case_register_before;
ALTER TABLE case_register RENAME CONSTRAINT case_register_key TO case_register_pkey;
CREATE INDEX case_register_by_group ON case_register (in_group, case_id);
