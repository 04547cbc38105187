-- Outgoing webhooks: who hears of what happens, and what became of it.

-- Somebody's URL that is told of events. sealed: the secret its deliveries are signed with. custom_headers: [{"name",
-- "value"}], values sealed. failing_since: since when nothing was taken; NULL while all is well. disabled_why: what the
-- program switched it off for; '' where a person did, or it is on.
CREATE TABLE webhooks_endpoints (
    id             uuid PRIMARY KEY,
    name           text NOT NULL,
    slug           text NOT NULL UNIQUE,
    url            text NOT NULL,
    event_types    text[] NOT NULL DEFAULT '{}',
    sealed         bytea NOT NULL,
    enabled        boolean NOT NULL DEFAULT true,
    custom_headers jsonb NOT NULL DEFAULT '[]',
    -- Hears of private incidents too.
    private        boolean NOT NULL DEFAULT false,
    failing_since  timestamptz,
    failing_why    text NOT NULL DEFAULT '',
    disabled_why   text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CHECK (NOT enabled OR disabled_why = '')
);

-- One event for one endpoint: the bytes of its body, sent again as they are. event_id is the same at every endpoint and
-- at every try. tries: the last ones, [{"at", "status", "why", "ms"}].
CREATE TABLE webhooks_deliveries (
    id              uuid PRIMARY KEY,
    endpoint_id     uuid NOT NULL REFERENCES webhooks_endpoints ON DELETE CASCADE,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    payload         text NOT NULL,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'delivered', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    send_at         timestamptz NOT NULL,
    lease_until     timestamptz,
    leased_by       text,
    response_status integer,
    response_body   text NOT NULL DEFAULT '',
    why             text NOT NULL DEFAULT '',
    tries           jsonb NOT NULL DEFAULT '[]',
    -- Until when it is tried.
    give_up_at      timestamptz NOT NULL,
    delivered_at    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (endpoint_id, event_id), -- engine/relaying.py: an event that is relayed twice is one delivery
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX webhooks_deliveries_due ON webhooks_deliveries (endpoint_id, send_at) WHERE state = 'waiting'; -- engine/posting_webhooks.py
CREATE INDEX webhooks_deliveries_leased ON webhooks_deliveries (lease_until) WHERE state = 'sending'; -- engine/posting_webhooks.py
CREATE INDEX webhooks_deliveries_listed ON webhooks_deliveries (endpoint_id, created_at DESC); -- store/read/webhooks.py
CREATE INDEX webhooks_deliveries_by_age ON webhooks_deliveries (created_at); -- engine/relaying.py, what is kept no longer

-- What was written down and not yet told. What is older than this table is nobody's news.
ALTER TABLE audit_log ADD COLUMN relayed_at timestamptz;
UPDATE audit_log SET relayed_at = created_at;
CREATE INDEX audit_unrelayed ON audit_log (created_at) WHERE relayed_at IS NULL; -- engine/relaying.py

-- A notice may be about an endpoint that was switched off, and then it is about no shift: its times are when it was
-- said, and it has no schedule.
ALTER TABLE notices ALTER COLUMN schedule_id DROP NOT NULL;
ALTER TABLE notices DROP CONSTRAINT notices_kind_check;
ALTER TABLE notices ADD CONSTRAINT notices_kind_check
    CHECK (kind IN ('upcoming', 'begins', 'ends', 'unreachable', 'alarm', 'webhook'));
ALTER TABLE notices ADD CONSTRAINT notices_of_shifts_name_theirs CHECK ((kind = 'webhook') = (schedule_id IS NULL));
