-- Notifying: bundles, fairness, throttles, quiet hours, updates, and notices of shifts.

-- What a message is about: the service of its alert, else the source; all zeroes where it is about neither. Messages to
-- one person about one thing are told together, and each thing gets its first message out before any gets its second.
ALTER TABLE notifications ADD COLUMN about uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
-- Told in one message with others: all of them have one bundle_id, the id of the message that stood first.
ALTER TABLE notifications ADD COLUMN bundle_id uuid;
CREATE INDEX notifications_in_turn ON notifications (user_id, about, send_at) WHERE state = 'waiting'; -- engine/deliver.py
CREATE INDEX notifications_of_bundle ON notifications (bundle_id) WHERE bundle_id IS NOT NULL; -- engine/bundles.py

-- A notice speaks of a shift and of no alert.
ALTER TABLE notifications DROP CONSTRAINT notifications_purpose_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_purpose_check
    CHECK (purpose IN ('page', 'update', 'test', 'verify', 'notice'));

-- At most so many messages of a kind in so many seconds: to one contact method, or from the whole installation.
CREATE TABLE throttles (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL,
    scope      text NOT NULL CHECK (scope IN ('method', 'installation')),
    most       integer NOT NULL CHECK (most BETWEEN 1 AND 100000),
    seconds    integer NOT NULL CHECK (seconds BETWEEN 1 AND 86400),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (kind, scope, seconds)
);

-- When messages of throttled kinds went out: what a throttle counts. Kept a day (the longest throttle).
CREATE TABLE throttle_uses (
    id                uuid PRIMARY KEY,
    kind              text NOT NULL,
    contact_method_id uuid NOT NULL,
    used_at           timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX throttle_uses_of_kind ON throttle_uses (kind, used_at); -- engine/deliver.py

-- Since when nothing arrives at an address: its last message was refused. Written when it changes, and only then.
ALTER TABLE contact_methods ADD COLUMN failing_since timestamptz;
ALTER TABLE contact_methods ADD COLUMN failing_why text NOT NULL DEFAULT '';

-- quiet_hours: {"blocks": [{"days", "start_time", "end_time", "all_day"}], "audible": false}, on the wall clock of
-- time_zone; {} is none. updates: told of what became of alerts they were paged for. notice_hours: how long before a
-- shift they are reminded, none: not at all.
ALTER TABLE users ADD COLUMN quiet_hours jsonb NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN updates text NOT NULL DEFAULT 'all' CHECK (updates IN ('all', 'resolved', 'none'));
ALTER TABLE users ADD COLUMN notice_hours integer[] NOT NULL DEFAULT '{24}';
ALTER TABLE users ADD COLUMN handoff_notices boolean NOT NULL DEFAULT true;

-- When shifts must be looked at next, and which configuration that was computed from. Whoever locks the row looks.
CREATE TABLE noticing (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    next_at    timestamptz,
    looked_at  timestamptz,
    version    bigint NOT NULL DEFAULT 0
);
INSERT INTO noticing DEFAULT VALUES;

-- What was said of shifts, each thing once. subject_id: whose shift it is, which is not always who is told.
CREATE TABLE notices (
    id          uuid PRIMARY KEY,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    subject_id  integer NOT NULL,
    schedule_id uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('upcoming', 'begins', 'ends', 'unreachable', 'alarm')),
    shift_start timestamptz NOT NULL,
    shift_end   timestamptz NOT NULL,
    hours       integer NOT NULL DEFAULT 0,
    said        text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (user_id, subject_id, schedule_id, kind, shift_start, hours)
);
CREATE INDEX notices_by_age ON notices (created_at); -- engine/housekeeping.py
ALTER TABLE notifications ADD COLUMN notice_id uuid REFERENCES notices ON DELETE CASCADE;
