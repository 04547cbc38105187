-- Schedules: who is on call when, and everything that changes it. Shifts are computed and never stored.
-- Nothing that was once true is deleted: a schedule and a rotation get a deleted_at, an edit closes a version.

-- time_off, holidays: what somebody's absence does here. ignore; show it as a conflict; exchange: the next serves.
CREATE TABLE schedules (
    id                uuid PRIMARY KEY,
    name              text NOT NULL,
    description       text,
    time_zone         text NOT NULL DEFAULT 'Etc/UTC',
    owner_user_id     integer REFERENCES users ON DELETE SET NULL,
    owner_team_ids    uuid[] NOT NULL DEFAULT '{}',
    all_time_coverage boolean NOT NULL DEFAULT false,
    time_off          text NOT NULL DEFAULT 'show' CHECK (time_off IN ('ignore', 'show', 'exchange')),
    holidays          text NOT NULL DEFAULT 'show' CHECK (holidays IN ('ignore', 'show', 'exchange')),
    settings          jsonb NOT NULL DEFAULT '{}',
    deleted_at        timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_schedule_per_name ON schedules (lower(name)) WHERE deleted_at IS NULL;

-- A rotation as people describe it; what that means from which instant on is in its versions.
-- type: daily, weekly, biweekly, monthly, custom. hours: all_day, same_time (windows), custom (schedule_active_days).
CREATE TABLE schedule_rotations (
    id           uuid PRIMARY KEY,
    schedule_id  uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    name         text NOT NULL,
    position     integer NOT NULL CHECK (position BETWEEN 1 AND 1000),
    type         text NOT NULL CHECK (type IN ('daily', 'weekly', 'biweekly', 'monthly', 'custom')),
    time_zone    text NOT NULL DEFAULT 'Etc/UTC',
    handoff_time text NOT NULL,
    handoff_day  text,
    length       integer CHECK (length BETWEEN 1 AND 10000),
    length_unit  text CHECK (length_unit IN ('hours', 'days', 'weeks')),
    advance      text CHECK (advance IN ('elapsed', 'active_days', 'calendar', 'calendar_skip')),
    turn_minutes integer CHECK (turn_minutes > 0),
    all_week     boolean NOT NULL DEFAULT true,
    days         text[] NOT NULL DEFAULT '{S,M,T,W,R,F,U}',
    hours        text NOT NULL DEFAULT 'all_day' CHECK (hours IN ('all_day', 'same_time', 'custom')),
    windows      jsonb NOT NULL DEFAULT '[]',
    starts_at    timestamptz,
    ends_at      timestamptz,
    deleted_at   timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK (starts_at IS NULL OR ends_at IS NULL OR ends_at > starts_at)
);
CREATE INDEX rotations_of_schedule ON schedule_rotations (schedule_id); -- engine/timetable.py

-- Members of the same position serve together. skipped_at: gone since then, and the reason people see.
CREATE TABLE schedule_members (
    id                 uuid PRIMARY KEY,
    rotation_id        uuid NOT NULL REFERENCES schedule_rotations ON DELETE CASCADE,
    position           integer NOT NULL CHECK (position BETWEEN 1 AND 1000),
    user_id            integer REFERENCES users ON DELETE CASCADE,
    nested_schedule_id uuid REFERENCES schedules ON DELETE CASCADE,
    skipped_at         timestamptz,
    skipped_why        text,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CHECK ((user_id IS NULL) <> (nested_schedule_id IS NULL))
);
CREATE INDEX members_of_rotation ON schedule_members (rotation_id); -- engine/timetable.py

-- The hours of one day of a rotation whose hours are custom. windows: [{"start_time": "09:00", "end_time": "17:00"}]
CREATE TABLE schedule_active_days (
    id          uuid PRIMARY KEY,
    rotation_id uuid NOT NULL REFERENCES schedule_rotations ON DELETE CASCADE,
    day         text NOT NULL CHECK (day IN ('S', 'M', 'T', 'W', 'R', 'F', 'U')),
    windows     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_entry_per_active_day ON schedule_active_days (rotation_id, day);

-- What a rotation means in [starts_at, ends_at): an edit closes the version that runs and opens the next.
-- spec: {"position", "zone", "unit", "every", "anchor", "advance", "phase", "turn_minutes", "turns", "windows"}
CREATE TABLE schedule_versions (
    id          uuid PRIMARY KEY,
    rotation_id uuid NOT NULL REFERENCES schedule_rotations ON DELETE CASCADE,
    schedule_id uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz,
    spec        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK (ends_at IS NULL OR ends_at > starts_at)
);
CREATE INDEX versions_of_schedule ON schedule_versions (schedule_id); -- engine/timetable.py
CREATE UNIQUE INDEX one_running_version ON schedule_versions (rotation_id, starts_at);

CREATE TABLE schedule_overrides (
    id               uuid PRIMARY KEY,
    schedule_id      uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    change           text NOT NULL CHECK (change IN ('add', 'remove', 'replace', 'cover')),
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    user_id          integer REFERENCES users ON DELETE CASCADE,
    replaces_user_id integer REFERENCES users ON DELETE CASCADE,
    reason           text NOT NULL DEFAULT '',
    created_by       integer REFERENCES users ON DELETE SET NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK (ends_at > starts_at),
    CHECK (change = 'remove' OR change = 'cover' OR user_id IS NOT NULL),
    CHECK (change IN ('add', 'cover') OR replaces_user_id IS NOT NULL)
);
CREATE INDEX overrides_of_schedule ON schedule_overrides (schedule_id, ends_at); -- engine/timetable.py

-- Somebody asks to be relieved, perhaps by one person only, perhaps for a shift of theirs in return.
CREATE TABLE schedule_swaps (
    id               uuid PRIMARY KEY,
    schedule_id      uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    shift_id         uuid NOT NULL,
    user_id          integer NOT NULL REFERENCES users ON DELETE CASCADE,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    asked_user_id    integer REFERENCES users ON DELETE CASCADE,
    return_starts_at timestamptz,
    return_ends_at   timestamptz,
    reason           text NOT NULL DEFAULT '',
    state            text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'declined', 'withdrawn')),
    taken_by_user_id integer REFERENCES users ON DELETE CASCADE,
    answered_at      timestamptz,
    created_by       integer REFERENCES users ON DELETE SET NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK (ends_at > starts_at),
    CHECK ((return_starts_at IS NULL) = (return_ends_at IS NULL)),
    CHECK (return_starts_at IS NULL OR (return_ends_at > return_starts_at AND asked_user_id IS NOT NULL)),
    CHECK ((state = 'accepted') = (taken_by_user_id IS NOT NULL)),
    CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE INDEX swaps_of_schedule ON schedule_swaps (schedule_id, ends_at); -- engine/timetable.py

-- of_user_id NULL: everybody on call in the schedule is followed.
CREATE TABLE schedule_shadows (
    id          uuid PRIMARY KEY,
    schedule_id uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    of_user_id  integer REFERENCES users ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK (ends_at > starts_at),
    CHECK (of_user_id IS DISTINCT FROM user_id)
);
CREATE INDEX shadows_of_schedule ON schedule_shadows (schedule_id, ends_at); -- engine/timetable.py

CREATE TABLE time_off (
    id         uuid PRIMARY KEY,
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    reason     text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX time_off_of_user ON time_off (user_id, ends_at); -- engine/timetable.py

-- Whose public holidays count for a person: days of their own time zone.
CREATE TABLE holiday_calendars (
    id          uuid PRIMARY KEY,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    country     text NOT NULL,
    subdivision text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_holiday_calendar ON holiday_calendars (user_id);

-- When somebody works, by the clocks where they live: what a schedule's report counts the rest of the day against.
CREATE TABLE working_hours (
    id         uuid PRIMARY KEY,
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    days       text[] NOT NULL,
    windows    jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_working_week ON working_hours (user_id);

-- A calendar elsewhere as a layer. url is sealed: such addresses are secrets. error: why the last look failed.
CREATE TABLE schedule_feeds (
    id              uuid PRIMARY KEY,
    schedule_id     uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    name            text NOT NULL,
    position        integer NOT NULL CHECK (position BETWEEN 1 AND 1000),
    url             bytea NOT NULL,
    refresh_minutes integer NOT NULL DEFAULT 15 CHECK (refresh_minutes BETWEEN 5 AND 1440),
    next_fetch_at   timestamptz,
    tried_at        timestamptz,
    good_at         timestamptz,
    error           text,
    unknown_people  text[] NOT NULL DEFAULT '{}',
    deleted_at      timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX feeds_due ON schedule_feeds (next_fetch_at) WHERE deleted_at IS NULL; -- engine/feeds.py

-- The last good copy. What lies behind the moment of a look stays as it was then.
CREATE TABLE schedule_bookings (
    id         uuid PRIMARY KEY,
    feed_id    uuid NOT NULL REFERENCES schedule_feeds ON DELETE CASCADE,
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX bookings_of_feed ON schedule_bookings (feed_id, ends_at); -- engine/timetable.py

-- Secret addresses that need no login: a person's calendar, a schedule's calendar, or who is on call as text.
CREATE TABLE calendar_links (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('person', 'schedule', 'on_call')),
    name         text NOT NULL DEFAULT '',
    user_id      integer REFERENCES users ON DELETE CASCADE,
    schedule_id  uuid REFERENCES schedules ON DELETE CASCADE,
    token_hash   bytea NOT NULL UNIQUE,
    sealed       bytea NOT NULL,
    created_by   integer REFERENCES users ON DELETE SET NULL,
    cancelled_at timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK ((kind = 'person') = (user_id IS NOT NULL)),
    CHECK (kind <> 'schedule' OR schedule_id IS NOT NULL),
    CHECK (kind <> 'person' OR schedule_id IS NULL)
);
