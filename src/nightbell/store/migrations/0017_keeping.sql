-- How long the ledger and the auditor's findings are kept.

-- Where the chain begins once its older part was put away: `position` is the last entry that was, `digest` its digest,
-- which the next entry follows. The part lies in `archive`, a file beside the data of the node that wrote it. An entry of
-- the chain itself (step put_away, subject = id) says the same, so a row made up here is found. before: nothing that was
-- sealed since was put away.
CREATE TABLE ledger_anchors (
    id         uuid PRIMARY KEY,
    first      bigint NOT NULL CHECK (first > 0),
    position   bigint NOT NULL UNIQUE CHECK (position >= first),
    digest     bytea NOT NULL,
    archive    text NOT NULL,
    sha256     bytea NOT NULL,
    before     timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX findings_settled ON findings (gone_at) WHERE gone_at IS NOT NULL; -- engine/keeping.py
