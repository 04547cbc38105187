-- Phone and Slack channels: what operators tell of services, how far messages came, what people answered, codes.

-- One row for each service an operator configured; secrets inside are sealed (engine/vault.py).
CREATE TABLE providers (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    settings   jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- A code that proves an address is a message too.
ALTER TABLE notifications DROP CONSTRAINT notifications_purpose_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_purpose_check
    CHECK (purpose IN ('page', 'update', 'test', 'verify'));

-- How far a message is known to have come (core/receipt.py), and when to ask its provider next.
ALTER TABLE notifications ADD COLUMN stage text NOT NULL DEFAULT ''
    CHECK (stage IN ('', 'handed_over', 'accepted', 'failed', 'delivered', 'seen', 'acknowledged'));
ALTER TABLE notifications ADD COLUMN stage_at timestamptz;
ALTER TABLE notifications ADD COLUMN trace_at timestamptz;
ALTER TABLE notifications ADD COLUMN traces integer NOT NULL DEFAULT 0;
CREATE INDEX notifications_to_trace ON notifications (trace_at) WHERE trace_at IS NOT NULL; -- engine/tracing.py

-- What providers and people said of messages. One line for each thing said: twice is once.
CREATE TABLE receipts (
    id              uuid PRIMARY KEY,
    notification_id uuid NOT NULL REFERENCES notifications ON DELETE CASCADE,
    stage           text NOT NULL
        CHECK (stage IN ('handed_over', 'accepted', 'failed', 'delivered', 'seen', 'acknowledged')),
    provider_id     text NOT NULL DEFAULT '',
    why             text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_receipt_of_a_kind ON receipts (notification_id, stage, provider_id, why); -- engine/receive.py

-- What people may answer with: "4F" means this alert, to this person, for a few days.
CREATE TABLE reply_codes (
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    code       text NOT NULL,
    alert_id   uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, code)
);
CREATE UNIQUE INDEX one_code_per_alert ON reply_codes (user_id, alert_id); -- engine/replies.py
CREATE INDEX reply_codes_of_alert ON reply_codes (alert_id); -- the cascade

-- What people answered, understood or not, and what they were told. `reference` is the provider's id: twice is once.
CREATE TABLE replies (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL,
    reference       text NOT NULL,
    address         text NOT NULL,
    user_id         integer,
    notification_id uuid,
    alert_id        uuid,
    said            text NOT NULL,
    verdict         text NOT NULL CHECK (verdict IN ('done', 'refused', 'unclear', 'stranger')),
    answer          text NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_reply_per_reference ON replies (kind, reference); -- engine/receive.py
CREATE INDEX replies_by_age ON replies (created_at); -- engine/housekeeping.py, the settings page

-- The code that a contact method is proven by, for a while and a few tries. It is computed from the installation's key
-- and the id of the message that carries it (core/verification.py), so no row holds it.
CREATE TABLE verifications (
    contact_method_id uuid PRIMARY KEY REFERENCES contact_methods ON DELETE CASCADE,
    -- NULL once it was used, or guessed at too often.
    notification_id   uuid,
    expires_at        timestamptz NOT NULL,
    tries             integer NOT NULL DEFAULT 0,
    -- Codes sent since `day_began`.
    sent_today        integer NOT NULL DEFAULT 0,
    day_began         timestamptz NOT NULL,
    last_sent_at      timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

-- Messages that stand somewhere and can be changed there, while they may still become untrue.
CREATE TABLE posts (
    notification_id uuid PRIMARY KEY REFERENCES notifications ON DELETE CASCADE,
    alert_id        uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    -- What it says now, to be compared with the alert: status and who acknowledged.
    shown           text NOT NULL,
    edit_at         timestamptz,
    tries           integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX posts_alive ON posts (alert_id) WHERE edit_at IS NOT NULL; -- engine/posting.py
