-- Chat and push channels: codes that link a chat to a person, and who asks a service for news.

-- Codes that link a chat to a person, once: hashed, like every secret that only has to be recognised.
CREATE TABLE link_codes (
    id         uuid PRIMARY KEY,
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    kind       text NOT NULL,
    code_hash  bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX link_codes_of_user ON link_codes (user_id, kind); -- engine/linking.py, and the cascade

-- One row for each service that is asked for news: by which node, how far it came, and what it is called there.
CREATE TABLE pollers (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL UNIQUE,
    holder      text NOT NULL DEFAULT '',
    lease_until timestamptz,
    -- Everything up to here was carried out.
    position    bigint NOT NULL DEFAULT 0,
    -- What was last arranged with the service, to be compared with what is wanted; no secrets.
    arranged    text NOT NULL DEFAULT '',
    -- The name of the bot, for links to it.
    known_as    text NOT NULL DEFAULT '',
    trouble     text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
