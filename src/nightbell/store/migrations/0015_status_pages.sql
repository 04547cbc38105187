-- Status pages, what is published on them, planned work as incidents, and updates to those who follow an incident.

-- ---------------------------------------------------------------- status pages

-- What somebody outside may read. service_ids: what it shows, in this order. public: for everybody; where it is false
-- the address carries a token, which is computed from `token_round`, so that moving it on makes the old one useless.
-- wire: attributes of Rootly's that are kept and change nothing here. All texts are text, never markup.
CREATE TABLE status_pages (
    id                 uuid PRIMARY KEY,
    title              text NOT NULL,
    slug               text NOT NULL CONSTRAINT status_pages_slug_key UNIQUE,
    public_title       text NOT NULL DEFAULT '',
    description        text NOT NULL DEFAULT '',
    public_description text NOT NULL DEFAULT '',
    success_message    text NOT NULL DEFAULT '',
    failure_message    text NOT NULL DEFAULT '',
    footer             text NOT NULL DEFAULT '',
    website_url        text NOT NULL DEFAULT '',
    support_url        text NOT NULL DEFAULT '',
    privacy_url        text NOT NULL DEFAULT '',
    section_order      text[] NOT NULL DEFAULT '{maintenance,system_status,incidents}',
    time_zone          text NOT NULL DEFAULT 'Etc/UTC',
    service_ids        uuid[] NOT NULL DEFAULT '{}',
    public             boolean NOT NULL DEFAULT true,
    enabled            boolean NOT NULL DEFAULT true,
    indexed            boolean NOT NULL DEFAULT false,
    token_round        integer NOT NULL DEFAULT 1,
    wire               jsonb NOT NULL DEFAULT '{}',
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);

-- What was published of an incident, on one page. impact: what it does to the services shown; null: as the incident's
-- severity says.
CREATE TABLE status_page_events (
    id                 uuid PRIMARY KEY,
    incident_id        uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    status_page_id     uuid NOT NULL REFERENCES status_pages ON DELETE CASCADE,
    event              text NOT NULL,
    status             text NOT NULL CHECK (status IN ('investigating', 'identified', 'monitoring', 'resolved',
                                                       'scheduled', 'in_progress', 'verifying', 'completed')),
    impact             text CHECK (impact IN ('operational', 'degraded', 'partial_outage', 'major_outage', 'maintenance')),
    started_at         timestamptz NOT NULL,
    notify_subscribers boolean NOT NULL DEFAULT false,
    should_tweet       boolean NOT NULL DEFAULT false,
    created_by         integer REFERENCES users ON DELETE SET NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX status_page_events_of_incident ON status_page_events (incident_id, started_at); -- engine/incident_publishing.py
CREATE INDEX status_page_events_of_page ON status_page_events (status_page_id, started_at); -- store/read/status_pages.py

-- ---------------------------------------------------------------- planned work

-- Planned work that an incident of kind scheduled owns: it is changed and ended through its incident.
ALTER TABLE maintenances ADD COLUMN incident_id uuid UNIQUE REFERENCES incidents ON DELETE CASCADE;

-- ---------------------------------------------------------------- who follows an incident

-- An address of somebody who is nobody here is asked once whether it wants this (asked_at, null while it was not), and
-- is told nothing before confirmed_at and nothing after ended_at. A person of ours needs none of that.
ALTER TABLE incident_subscribers ADD COLUMN asked_at timestamptz;
ALTER TABLE incident_subscribers ADD COLUMN confirmed_at timestamptz;
ALTER TABLE incident_subscribers ADD COLUMN ended_at timestamptz;

-- Addresses that are told what a status page publishes with notify_subscribers; asked, confirmed and ended as above.
CREATE TABLE status_page_subscribers (
    id             uuid PRIMARY KEY,
    status_page_id uuid NOT NULL REFERENCES status_pages ON DELETE CASCADE,
    email          text NOT NULL,
    asked_at       timestamptz,
    confirmed_at   timestamptz,
    ended_at       timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_page_subscription_per_address ON status_page_subscribers (status_page_id, lower(email));

-- What was written once for everybody who follows. key: sent again with the same key, it is the same update.
CREATE TABLE incident_updates (
    id          uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    key         text NOT NULL,
    title       text NOT NULL,
    body        text NOT NULL,
    recipients  integer NOT NULL DEFAULT 0,
    created_by  integer REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT incident_updates_key_key UNIQUE (incident_id, key)
);
-- Which update a message carries; its words are in `because`.
ALTER TABLE notifications ADD COLUMN incident_update_id uuid REFERENCES incident_updates ON DELETE CASCADE;
CREATE INDEX notifications_of_incident_update ON notifications (incident_update_id) WHERE incident_update_id IS NOT NULL; -- store/read/incident_updates.py

-- A team that is told of the incidents it is on: its people by their quiet ways, and a channel {"id","name"}.
ALTER TABLE teams ADD COLUMN incident_broadcast_enabled boolean NOT NULL DEFAULT false;
ALTER TABLE teams ADD COLUMN incident_broadcast_channel jsonb;
