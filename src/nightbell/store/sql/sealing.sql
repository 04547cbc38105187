-- ledger_head: the last entry
SELECT position, digest, at FROM ledger ORDER BY position DESC LIMIT 1

-- unsealed: what was committed of pages from the id $1 on and is in no entry yet, oldest first. Ids are UUIDv7, so a
-- range of them is a range of time; the order in which transactions committed is another, hence the question for each.
-- OFFSET 0 keeps the planner from going through all messages, which it takes for few, to find these attempts.
SELECT * FROM (
    SELECT 'decided' AS step, p.id AS subject, p.alert_id, p.id AS page_id, NULL::uuid AS notification_id, p.user_id,
        '' AS provider_id, p.created_at AS at, jsonb_build_object('level', p.level, 'cycle', p.cycle,
            'loudness', p.loudness, 'occurrence', p.occurrence, 'escalation', p.escalation_id) AS told
    FROM pages p WHERE p.id >= $1
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = p.id AND l.step = 'decided')
    UNION ALL
    SELECT 'queued', n.id, n.alert_id, n.page_id, n.id, n.user_id, '', n.created_at, jsonb_build_object(
        'channel', n.kind, 'method', n.contact_method_id, 'level', n.level, 'because', n.because -> 'rule')
    FROM notifications n WHERE n.id >= $1 AND n.purpose = 'page' AND n.address IS NULL
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = n.id AND l.step = 'queued')
    UNION ALL
    SELECT 'canceled', n.id, n.alert_id, n.page_id, n.id, n.user_id, '', coalesce(n.finished_at, n.updated_at),
        jsonb_build_object('channel', n.kind, 'why', n.why)
    FROM notifications n WHERE n.id >= $1 AND n.purpose = 'page' AND n.address IS NULL AND n.state = 'canceled'
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = n.id AND l.step = 'canceled')
    UNION ALL
    SELECT 'handed_over', a.id, n.alert_id, n.page_id, n.id, n.user_id, '', a.started_at,
        jsonb_build_object('channel', n.kind, 'attempt', a.number, 'worker', a.worker)
    FROM attempts a CROSS JOIN LATERAL (SELECT * FROM notifications WHERE id = a.notification_id OFFSET 0) n
    WHERE a.id >= $1 AND n.purpose = 'page' AND n.address IS NULL
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = a.id AND l.step = 'handed_over')
    UNION ALL
    SELECT CASE a.outcome WHEN 'sent' THEN 'accepted' ELSE a.outcome END, a.id, n.alert_id, n.page_id, n.id, n.user_id,
        a.provider_id, a.ended_at, jsonb_build_object('channel', n.kind, 'attempt', a.number, 'why', a.why)
    FROM attempts a CROSS JOIN LATERAL (SELECT * FROM notifications WHERE id = a.notification_id OFFSET 0) n
    WHERE a.id >= $1 AND n.purpose = 'page' AND n.address IS NULL AND a.outcome IS NOT NULL AND a.ended_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = a.id
            AND l.step = CASE a.outcome WHEN 'sent' THEN 'accepted' ELSE a.outcome END)
    UNION ALL
    SELECT r.stage, r.id, n.alert_id, n.page_id, n.id, n.user_id, r.provider_id, r.at,
        jsonb_build_object('channel', n.kind, 'why', r.why)
    FROM receipts r CROSS JOIN LATERAL (SELECT * FROM notifications WHERE id = r.notification_id OFFSET 0) n
    WHERE r.id >= $1 AND n.purpose = 'page' AND n.address IS NULL
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = r.id AND l.step = r.stage)
    UNION ALL
    SELECT 'acknowledged', e.id, e.alert_id, NULL, NULL, e.user_id, '', e.created_at,
        jsonb_build_object('code', e.code, 'by', e.source)
    FROM alert_events e WHERE e.id >= $1
        AND e.code IN ('alert.acknowledged', 'alert.acknowledged_in_part', 'alert.joined')
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = e.id AND l.step = 'acknowledged')
) u ORDER BY at, subject, step LIMIT $2

-- append_ledger: entries in their order; the positions are a key, so two sealers cannot both be right
INSERT INTO ledger (position, step, subject, alert_id, at, entry, digest, created_at, updated_at)
SELECT position, step, subject, alert_id, at, entry, digest, $8, $8
FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::bytea[])
    AS t (position, step, subject, alert_id, at, entry, digest)

-- ledger_after: entries in order, a slice at a time
SELECT position, step, subject, alert_id, at, entry, digest FROM ledger WHERE position > $1 ORDER BY position LIMIT $2

-- ledger_before: the latest entries
SELECT position, step, subject, alert_id, at, entry, digest FROM ledger
WHERE position < $1 AND ($3::uuid IS NULL OR alert_id = $3) ORDER BY position DESC LIMIT $2

-- ledger_beginning: where the chain begins: the last entry that was put away, and since when none was
SELECT position, digest, before FROM ledger_anchors ORDER BY position DESC LIMIT 1

-- ledger_oldest: when the first entry that is still here was sealed
SELECT created_at FROM ledger ORDER BY position LIMIT 1

-- ledger_old: the entries from the beginning that were sealed before $1, up to the first that was not
SELECT s.position, s.step, s.subject, s.alert_id, s.at, s.entry, s.digest FROM (
    SELECT l.*, bool_and(l.created_at < $1) OVER (ORDER BY l.position) AS old
    FROM (SELECT * FROM ledger ORDER BY position LIMIT $2) l
) s WHERE s.old ORDER BY s.position

-- put_away: entries that lie in a file now leave the table
DELETE FROM ledger WHERE position <= $1

-- anchor_ledger: where the chain begins from now on
INSERT INTO ledger_anchors (id, first, position, digest, archive, sha256, before, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- forget_findings: findings that have been settled for long
DELETE FROM findings WHERE gone_at < $1
