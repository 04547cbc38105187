-- Escalation that can be proved: whose turn it is, what mutes, what leads what.

-- -1 goes round until somebody acknowledges.
ALTER TABLE escalation_policies DROP CONSTRAINT escalation_policies_repeat_count_check;
ALTER TABLE escalation_policies ADD CHECK (repeat_count BETWEEN -1 AND 9);
ALTER TABLE escalation_paths DROP CONSTRAINT escalation_paths_repeat_count_check;
ALTER TABLE escalation_paths ADD CHECK (repeat_count BETWEEN -1 AND 9);

-- Whose turn it is at a level that goes round by alert; survives restarts, and is locked while it is turned.
CREATE TABLE round_robins (
    level_id   uuid PRIMARY KEY REFERENCES escalation_levels ON DELETE CASCADE,
    turn       bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- {"time_zone", "days": ["M"…], "start_time", "end_time"}: what a path's working hours mean.
ALTER TABLE escalation_policies ADD COLUMN business_hours jsonb;

-- How long an acknowledgement holds before it pages again; NULL leaves it to the installation, -1 is for ever.
ALTER TABLE urgencies ADD COLUMN retrigger_timeout_minutes integer CHECK (retrigger_timeout_minutes BETWEEN -1 AND 10080);

-- While it lasts, alerts of these services and sources are recorded and page nobody; what still fires at its end is
-- paged then. hours: {"time_zone", "blocks": [{"days": ["M"…], "start_time", "end_time"}]} for one that comes back.
CREATE TABLE maintenances (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    description text,
    service_ids uuid[] NOT NULL DEFAULT '{}',
    source_ids  uuid[] NOT NULL DEFAULT '{}',
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz,
    hours       jsonb,
    created_by  integer REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK (ends_at IS NULL OR ends_at > starts_at),
    CHECK (ends_at IS NOT NULL OR hours IS NOT NULL)
);

-- Which alerts are one: the first leads, the others follow it. rules of Rootly's alert_groups (rootly.md 2.2).
CREATE TABLE grouping_rules (
    id             uuid PRIMARY KEY,
    name           text NOT NULL,
    description    text,
    slug           text NOT NULL UNIQUE,
    condition_type text NOT NULL DEFAULT 'all' CHECK (condition_type IN ('all', 'any')),
    time_window    integer NOT NULL CHECK (time_window BETWEEN 1 AND 604800),
    by_title       boolean NOT NULL DEFAULT false,
    by_urgency     boolean NOT NULL DEFAULT false,
    targets        jsonb NOT NULL DEFAULT '[]',
    attributes     jsonb NOT NULL DEFAULT '[]',
    conditions     jsonb NOT NULL DEFAULT '[]',
    position       integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);

-- leader_id is set on an alert that follows; bucket identifies (rule, attributes) on one that leads.
ALTER TABLE alerts ADD COLUMN leader_id uuid REFERENCES alerts ON DELETE SET NULL;
ALTER TABLE alerts ADD COLUMN bucket bytea;
CREATE INDEX alerts_that_lead ON alerts (bucket) WHERE bucket IS NOT NULL AND status <> 'resolved'; -- engine/facts.py
CREATE INDEX alerts_that_follow ON alerts (leader_id) WHERE leader_id IS NOT NULL; -- /v1/alerts?filter[group_leader]

-- turn: whose turn within a rung that calls one after another; acknowledged: who has, where all must.
ALTER TABLE escalations ADD COLUMN turn integer NOT NULL DEFAULT 0;
ALTER TABLE escalations ADD COLUMN acknowledged integer[] NOT NULL DEFAULT '{}';
-- Which maintenance holds it, so that ending the maintenance early wakes it.
ALTER TABLE escalations ADD COLUMN muted_by uuid;
CREATE INDEX escalations_muted ON escalations (muted_by) WHERE muted_by IS NOT NULL; -- engine/configure_maintenance.py
