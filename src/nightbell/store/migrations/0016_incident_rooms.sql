-- Chat rooms of incidents.

-- The room of one incident: what is wanted of it, and how far that is. state: wanted (nobody made it yet), open, archived,
-- failed (it cannot be made; `why` says). wake_at: when to look next; NULL while everything is as it should be. asks:
-- counts what happened, so that whoever looked knows whether something happened meanwhile. A room is brought to what is
-- wanted step by step: whoever stops in the middle goes on from there.
CREATE TABLE incident_rooms (
    id           uuid PRIMARY KEY,
    incident_id  uuid NOT NULL UNIQUE REFERENCES incidents ON DELETE CASCADE,
    kind         text NOT NULL DEFAULT 'slack' CHECK (kind IN ('slack')),
    state        text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'open', 'archived', 'failed')),
    private      boolean NOT NULL DEFAULT false,
    name         text NOT NULL,
    channel_id   text UNIQUE,
    -- The message on top, and what it and the topic said when they were last written.
    header_ts    text,
    header       text NOT NULL DEFAULT '',
    topic        text NOT NULL DEFAULT '',
    -- Accounts that were asked in, and people who have none there.
    invited      text[] NOT NULL DEFAULT '{}',
    absent       integer[] NOT NULL DEFAULT '{}',
    opened_by    integer REFERENCES users ON DELETE SET NULL,
    asks         integer NOT NULL DEFAULT 0,
    wake_at      timestamptz,
    lease_until  timestamptz,
    leased_by    text,
    attempts     integer NOT NULL DEFAULT 0,
    why          text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK (state IN ('wanted', 'failed') OR channel_id IS NOT NULL),
    CHECK ((lease_until IS NULL) = (leased_by IS NULL))
);
CREATE INDEX incident_rooms_due ON incident_rooms (wake_at) WHERE wake_at IS NOT NULL; -- engine/rooms.py

-- Lines of the timeline that were told in the room. No foreign key: what was deleted was told all the same.
CREATE TABLE incident_room_lines (
    id         uuid PRIMARY KEY,
    room_id    uuid NOT NULL REFERENCES incident_rooms ON DELETE CASCADE,
    event_id   uuid NOT NULL,
    ts         text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (room_id, event_id),
    UNIQUE (room_id, ts)
);

-- Messages that somebody marked in the room, and the entry each became; kept before it is answered, like every report.
CREATE TABLE incident_room_marks (
    id         uuid PRIMARY KEY,
    room_id    uuid NOT NULL REFERENCES incident_rooms ON DELETE CASCADE,
    ts         text NOT NULL,
    marked_by  text NOT NULL,
    event_id   uuid,
    done_at    timestamptz,
    why        text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (room_id, ts)
);
CREATE INDEX incident_room_marks_waiting ON incident_room_marks (room_id) WHERE done_at IS NULL; -- engine/rooms.py
