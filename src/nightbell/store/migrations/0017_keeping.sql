-- How long the ledger and the auditor's findings are kept; what people are told of swaps.

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

-- Swaps are told of like shifts: once each. cause_id: the swap, so that who asks again after a no is heard again.
ALTER TABLE notices DROP CONSTRAINT notices_kind_check;
ALTER TABLE notices ADD CONSTRAINT notices_kind_check CHECK (kind IN ('upcoming', 'begins', 'ends', 'unreachable',
    'alarm', 'webhook', 'swap_asked', 'swap_accepted', 'swap_declined', 'swap_withdrawn'));
ALTER TABLE notices ADD COLUMN cause_id uuid;
ALTER TABLE notices DROP CONSTRAINT notices_user_id_subject_id_schedule_id_kind_shift_start_hou_key;
CREATE UNIQUE INDEX one_notice ON notices (user_id, subject_id, schedule_id, kind, shift_start, hours,
    coalesce(cause_id, '00000000-0000-0000-0000-000000000000')); -- engine/notices.py
