-- Incidents: their timeline, people, action items and alerts, and the catalogs that they are described with.

-- ---------------------------------------------------------------- catalogs

CREATE TABLE severities (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL CONSTRAINT severities_slug_key UNIQUE,
    description text,
    severity    text NOT NULL DEFAULT 'medium' CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    color       text,
    -- The worst first.
    position    integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_severity_per_name ON severities (lower(name));

CREATE TABLE incident_types (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL CONSTRAINT incident_types_slug_key UNIQUE,
    description text,
    color       text,
    position    integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_incident_type_per_name ON incident_types (lower(name));

CREATE TABLE environments (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL CONSTRAINT environments_slug_key UNIQUE,
    description text,
    color       text,
    position    integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_environment_per_name ON environments (lower(name));

CREATE TABLE functionalities (
    id                   uuid PRIMARY KEY,
    name                 text NOT NULL,
    slug                 text NOT NULL CONSTRAINT functionalities_slug_key UNIQUE,
    description          text,
    public_description   text,
    color                text,
    position             integer NOT NULL DEFAULT 1,
    service_ids          uuid[] NOT NULL DEFAULT '{}',
    environment_ids      uuid[] NOT NULL DEFAULT '{}',
    owner_team_ids       uuid[] NOT NULL DEFAULT '{}',
    escalation_policy_id uuid REFERENCES escalation_policies ON DELETE SET NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_functionality_per_name ON functionalities (lower(name));

CREATE TABLE incident_roles (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL CONSTRAINT incident_roles_slug_key UNIQUE,
    summary     text,
    description text,
    position    integer NOT NULL DEFAULT 1,
    optional    boolean NOT NULL DEFAULT false,
    enabled     boolean NOT NULL DEFAULT true,
    -- Several people may hold it at once.
    many        boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_incident_role_per_name ON incident_roles (lower(name));

CREATE TABLE sub_statuses (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    slug          text NOT NULL CONSTRAINT sub_statuses_slug_key UNIQUE,
    description   text,
    parent_status text NOT NULL CHECK (parent_status IN ('in_triage', 'started', 'mitigated', 'resolved', 'closed', 'cancelled',
        'planning', 'scheduled', 'in_progress', 'verifying', 'completed')),
    position      integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- ---------------------------------------------------------------- incidents

-- The last number that was given out. A row and not a sequence: what is rolled back gives its number back.
CREATE TABLE incident_numbers (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last     integer NOT NULL DEFAULT 0
);
INSERT INTO incident_numbers DEFAULT VALUES;

-- key: whoever asks again with the same one gets the incident there is (a workflow: one for each occurrence).
-- resolve_alerts: its alerts are resolved with it. resolve_with_alerts: it is resolved when all its alerts are.
CREATE TABLE incidents (
    id                   uuid PRIMARY KEY,
    sequential_id        integer NOT NULL CONSTRAINT incidents_sequential_id_key UNIQUE,
    slug                 text NOT NULL CONSTRAINT incidents_slug_key UNIQUE,
    title                text NOT NULL,
    public_title         text,
    summary              text,
    kind                 text NOT NULL DEFAULT 'normal' CHECK (kind IN ('test', 'test_sub', 'example', 'example_sub', 'normal',
        'normal_sub', 'backfilled', 'scheduled', 'scheduled_sub')),
    status               text NOT NULL CHECK (status IN ('in_triage', 'started', 'mitigated', 'resolved', 'closed', 'cancelled',
        'scheduled', 'in_progress', 'completed')),
    sub_status_id        uuid REFERENCES sub_statuses ON DELETE SET NULL,
    private              boolean NOT NULL DEFAULT false,
    source               text NOT NULL,
    severity_id          uuid REFERENCES severities ON DELETE SET NULL,
    parent_incident_id   uuid REFERENCES incidents ON DELETE SET NULL,
    duplicate_of_id      uuid REFERENCES incidents ON DELETE SET NULL,
    labels               jsonb NOT NULL DEFAULT '{}',
    key                  text CONSTRAINT incidents_key_key UNIQUE,
    resolve_alerts       boolean NOT NULL DEFAULT true,
    resolve_with_alerts  boolean NOT NULL DEFAULT false,
    muted_service_ids    uuid[] NOT NULL DEFAULT '{}',
    scheduled_for        timestamptz,
    scheduled_until      timestamptz,
    mitigation_message   text,
    resolution_message   text,
    cancellation_message text,
    retrospective        text NOT NULL DEFAULT '',
    retrospective_status text NOT NULL DEFAULT 'not_started'
        CHECK (retrospective_status IN ('not_started', 'active', 'completed', 'skipped')),
    created_by           integer REFERENCES users ON DELETE SET NULL,
    in_triage_by         integer REFERENCES users ON DELETE SET NULL,
    started_by           integer REFERENCES users ON DELETE SET NULL,
    mitigated_by         integer REFERENCES users ON DELETE SET NULL,
    resolved_by          integer REFERENCES users ON DELETE SET NULL,
    closed_by            integer REFERENCES users ON DELETE SET NULL,
    cancelled_by         integer REFERENCES users ON DELETE SET NULL,
    in_triage_at         timestamptz,
    detected_at          timestamptz,
    started_at           timestamptz,
    acknowledged_at      timestamptz,
    mitigated_at         timestamptz,
    resolved_at          timestamptz,
    closed_at            timestamptz,
    cancelled_at         timestamptz,
    in_progress_at       timestamptz,
    completed_at         timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CHECK (status <> 'in_triage' OR in_triage_at IS NOT NULL),
    CHECK (status NOT IN ('started', 'mitigated', 'resolved') OR started_at IS NOT NULL),
    CHECK (status <> 'mitigated' OR mitigated_at IS NOT NULL),
    CHECK (status <> 'resolved' OR resolved_at IS NOT NULL),
    CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CHECK (status <> 'scheduled' OR (scheduled_for IS NOT NULL AND scheduled_until IS NOT NULL)),
    CHECK (status <> 'in_progress' OR in_progress_at IS NOT NULL),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK (mitigated_at >= started_at),
    CHECK (resolved_at >= started_at),
    CHECK (resolved_at >= mitigated_at),
    CHECK (closed_at >= resolved_at),
    CHECK (scheduled_until > scheduled_for),
    CHECK (completed_at >= in_progress_at),
    CHECK (parent_incident_id <> id),
    CHECK (duplicate_of_id <> id)
);
CREATE INDEX incidents_by_status ON incidents (status, id); -- store/read/incidents.py: the tabs of the list
CREATE INDEX incidents_by_start ON incidents (started_at DESC NULLS LAST, id DESC); -- store/read/incidents.py
CREATE INDEX incidents_of_parent ON incidents (parent_incident_id) WHERE parent_incident_id IS NOT NULL;
CREATE INDEX duplicates_of_incident ON incidents (duplicate_of_id) WHERE duplicate_of_id IS NOT NULL;
CREATE INDEX incidents_waiting_for_alerts ON incidents (id)
    WHERE resolve_with_alerts AND status IN ('in_triage', 'started', 'mitigated'); -- engine/incidents_sweep.py
CREATE INDEX incidents_planned ON incidents (scheduled_for) WHERE status IN ('scheduled', 'in_progress'); -- engine: planned work

CREATE TABLE incident_services (
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    service_id  uuid NOT NULL REFERENCES services ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (incident_id, service_id)
);
CREATE INDEX incidents_of_service ON incident_services (service_id);

CREATE TABLE incident_teams (
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    team_id     uuid NOT NULL REFERENCES teams ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (incident_id, team_id)
);
CREATE INDEX incidents_of_team ON incident_teams (team_id);

CREATE TABLE incident_environments (
    incident_id    uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (incident_id, environment_id)
);
CREATE INDEX incidents_of_environment ON incident_environments (environment_id);

CREATE TABLE incident_functionalities (
    incident_id      uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    functionality_id uuid NOT NULL REFERENCES functionalities ON DELETE CASCADE,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (incident_id, functionality_id)
);
CREATE INDEX incidents_of_functionality ON incident_functionalities (functionality_id);

CREATE TABLE incident_type_links (
    incident_id      uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    incident_type_id uuid NOT NULL REFERENCES incident_types ON DELETE CASCADE,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (incident_id, incident_type_id)
);
CREATE INDEX incidents_of_type ON incident_type_links (incident_type_id);

-- occurrence: which one of the alert's it was when the two were put together.
CREATE TABLE incident_alerts (
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    alert_id    uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    occurrence  integer NOT NULL,
    created_by  integer REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (incident_id, alert_id)
);
CREATE INDEX incidents_of_alert ON incident_alerts (alert_id); -- the page of an alert, /v1/alerts

-- The timeline. code is ours and says exactly what happened; because names the workflow, alert or person behind it.
-- key: a workflow's task that is carried out again after a crash writes no second line.
CREATE TABLE incident_events (
    id          uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    code        text NOT NULL,
    event       text NOT NULL,
    visibility  text NOT NULL DEFAULT 'internal' CHECK (visibility IN ('internal', 'external')),
    source      text NOT NULL,
    actor       text NOT NULL,
    user_id     integer REFERENCES users ON DELETE SET NULL,
    because     jsonb NOT NULL DEFAULT '{}',
    attachments jsonb NOT NULL DEFAULT '[]',
    key         text,
    occurred_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX events_of_incident ON incident_events (incident_id, occurred_at, id); -- the timeline
CREATE UNIQUE INDEX one_incident_event_per_key ON incident_events (incident_id, key) WHERE key IS NOT NULL;

-- schedule_id: whose on-call person was given the role; the person is who it was at that moment.
CREATE TABLE incident_role_assignments (
    id               uuid PRIMARY KEY,
    incident_id      uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    incident_role_id uuid NOT NULL REFERENCES incident_roles ON DELETE CASCADE,
    user_id          integer NOT NULL REFERENCES users ON DELETE CASCADE,
    schedule_id      uuid REFERENCES schedules ON DELETE SET NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    UNIQUE (incident_id, incident_role_id, user_id)
);
CREATE INDEX incident_roles_of_user ON incident_role_assignments (user_id); -- who may see a private one

-- Whom to tell: a person, or an address of somebody who is none.
CREATE TABLE incident_subscribers (
    id          uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    user_id     integer REFERENCES users ON DELETE CASCADE,
    email       text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, email) = 1)
);
CREATE UNIQUE INDEX one_subscription_per_person ON incident_subscribers (incident_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX one_subscription_per_address ON incident_subscribers (incident_id, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX incident_subscriptions_of_user ON incident_subscribers (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE incident_action_items (
    id                  uuid PRIMARY KEY,
    incident_id         uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    summary             text NOT NULL,
    description         text,
    kind                text NOT NULL DEFAULT 'task' CHECK (kind IN ('task', 'follow_up')),
    priority            text NOT NULL DEFAULT 'medium' CHECK (priority IN ('high', 'medium', 'low')),
    status              text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in_progress', 'cancelled', 'done')),
    assigned_to_user_id integer REFERENCES users ON DELETE SET NULL,
    assigned_team_ids   uuid[] NOT NULL DEFAULT '{}',
    due_date            date,
    created_by          integer REFERENCES users ON DELETE SET NULL,
    completed_at        timestamptz,
    key                 text,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CHECK ((status IN ('done', 'cancelled')) = (completed_at IS NOT NULL))
);
CREATE INDEX action_items_of_incident ON incident_action_items (incident_id, id);
CREATE INDEX action_items_open ON incident_action_items (due_date) WHERE completed_at IS NULL; -- store/read/action_items.py
CREATE UNIQUE INDEX one_action_item_per_key ON incident_action_items (incident_id, key) WHERE key IS NOT NULL;
