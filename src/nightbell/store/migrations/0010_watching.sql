-- Watching: heartbeats, the ledger's hash chain, the auditor's findings.

-- ---------------------------------------------------------------- heartbeats

-- Somebody who must be heard of every so often. status: waiting (nothing heard yet), active, expired. expires_at is what
-- people are shown; wake_at is when the engine looks: the same plus the grace. recent: the last beats, oldest first.
-- target: {"type","id"}. matchers: alerts of any source whose labels match are beats and page nobody; '' for none.
CREATE TABLE heartbeats (
    id                uuid PRIMARY KEY,
    name              text NOT NULL,
    description       text,
    alert_summary     text NOT NULL,
    alert_description text,
    urgency_id        uuid REFERENCES urgencies ON DELETE SET NULL,
    interval_count    integer NOT NULL CHECK (interval_count BETWEEN 1 AND 1000),
    interval_unit     text NOT NULL CHECK (interval_unit IN ('minutes', 'hours', 'days')),
    grace_seconds     integer NOT NULL DEFAULT 0 CHECK (grace_seconds BETWEEN 0 AND 604800),
    target            jsonb NOT NULL,
    owner_team_ids    uuid[] NOT NULL DEFAULT '{}',
    matchers          text NOT NULL DEFAULT '',
    enabled           boolean NOT NULL DEFAULT false,
    status            text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'active', 'expired')),
    secret_hash       bytea NOT NULL UNIQUE,
    sealed            bytea NOT NULL,
    mail_name         text NOT NULL UNIQUE,
    last_pinged_at    timestamptz,
    last_pinged_by    text NOT NULL DEFAULT '',
    expires_at        timestamptz,
    wake_at           timestamptz,
    recent            timestamptz[] NOT NULL DEFAULT '{}',
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CHECK ((status = 'active') = (wake_at IS NOT NULL)),
    CHECK (status = 'waiting' OR expires_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_heartbeat_per_name ON heartbeats (lower(name));
CREATE INDEX heartbeats_due ON heartbeats (wake_at) WHERE wake_at IS NOT NULL; -- engine/heartbeats.py

-- ---------------------------------------------------------------- the ledger

-- What became of every page, sealed shortly after it was committed: digest = SHA-256 of the digest before it and of
-- `entry`, a canonical text (core/ledger.py). subject is the row that an entry is about; no foreign key, because an
-- entry outlives what it tells of. Rows are only ever added, in the order of position, without a gap.
CREATE TABLE ledger (
    position   bigint PRIMARY KEY CHECK (position > 0),
    step       text NOT NULL,
    subject    uuid NOT NULL,
    alert_id   uuid,
    at         timestamptz NOT NULL,
    entry      text NOT NULL,
    digest     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX ledger_by_subject ON ledger (subject, step); -- engine/sealing.py: what is sealed already
CREATE INDEX ledger_of_alert ON ledger (alert_id, position) WHERE alert_id IS NOT NULL; -- store/read/ledger.py

-- Acknowledgements are found without reading every line of every timeline. -- engine/sealing.py
CREATE INDEX events_acknowledged ON alert_events (id)
    WHERE code IN ('alert.acknowledged', 'alert.acknowledged_in_part', 'alert.joined');

-- ---------------------------------------------------------------- the auditor

-- What the auditor found: one open finding for each invariant and subject. Written by the auditor alone.
CREATE TABLE findings (
    id           uuid PRIMARY KEY,
    invariant    text NOT NULL,
    subject      text NOT NULL,
    told         text NOT NULL,
    rounds       integer NOT NULL DEFAULT 1,
    last_seen_at timestamptz NOT NULL,
    paged_at     timestamptz,
    gone_at      timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_open_finding ON findings (invariant, subject) WHERE gone_at IS NULL;
