-- audit_lock: one auditor at a time, until the end of the transaction
SELECT pg_try_advisory_xact_lock(7420003)

-- audit_no_next_action: open alerts that nobody took, that nothing will look at again, and that no line of the current
-- occurrence's journal explains. $1: reasons
SELECT a.id, a.number, a.summary, a.status FROM alerts a
WHERE a.status IN ('triggered', 'deferred') AND a.leader_id IS NULL AND a.snoozed_until IS NULL
    AND NOT EXISTS (SELECT FROM escalations e WHERE e.alert_id = a.id AND e.occurrence = a.occurrence
        AND (e.phase = 'exhausted' OR (e.phase IN ('climbing', 'held') AND e.wake_at IS NOT NULL)))
    AND NOT EXISTS (SELECT FROM pages p WHERE p.alert_id = a.id AND p.occurrence = a.occurrence
        AND p.phase = 'paging' AND p.wake_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM notifications n WHERE n.alert_id = a.id AND n.occurrence = a.occurrence
        AND n.purpose = 'page' AND n.state IN ('waiting', 'sending'))
    AND NOT EXISTS (SELECT FROM alert_events v WHERE v.alert_id = a.id AND v.code = ANY($1::text[]) AND v.id >= coalesce((
        SELECT b.id FROM alert_events b WHERE b.alert_id = a.id AND b.code IN ('alert.created', 'alert.reopened')
        ORDER BY b.id DESC LIMIT 1), a.id))
ORDER BY a.id LIMIT 200

-- audit_recorded_only: alerts of the last day that name somebody, page nobody and do not say why. $1: reasons, $2: since
SELECT a.id, a.number, a.summary, a.status FROM alerts a JOIN alert_details d ON d.alert_id = a.id
WHERE a.status = 'open' AND a.id >= $2 AND a.leader_id IS NULL AND NOT a.unpaged AND d.targets <> '[]'::jsonb
    AND NOT EXISTS (SELECT FROM alert_events v WHERE v.alert_id = a.id AND v.code = ANY($1::text[]))
ORDER BY a.id LIMIT 200

-- audit_paged_twice: one person, twice for one step of one climb
SELECT p.alert_id, a.number, p.user_id, p.level, p.cycle, count(*) AS many
FROM pages p JOIN alerts a ON a.id = p.alert_id WHERE p.id >= $1
GROUP BY p.alert_id, a.number, p.escalation_id, p.level, p.user_id, p.cycle HAVING count(*) > 1
ORDER BY p.alert_id LIMIT 200

-- audit_sent_twice: messages that were tried again after their provider had taken them
SELECT DISTINCT later.notification_id, n.kind, n.user_id FROM attempts later
JOIN attempts earlier ON earlier.notification_id = later.notification_id AND earlier.number < later.number
    AND earlier.outcome = 'sent' AND later.started_at > earlier.ended_at
JOIN notifications n ON n.id = later.notification_id
WHERE later.id >= $1 ORDER BY later.notification_id LIMIT 200

-- audit_overdue: of each kind of due work, how much is older than its bound and since when. $1: kinds, $2: the instants
-- before which nothing of a kind may still be due
SELECT b.kind, d.many, d.oldest FROM unnest($1::text[], $2::timestamptz[]) AS b (kind, before), LATERAL (
    SELECT count(*) AS many, min(wake_at) AS oldest FROM alerts WHERE b.kind = 'alert' AND wake_at < b.before
    UNION ALL
    SELECT count(*), min(wake_at) FROM escalations WHERE b.kind = 'climb' AND wake_at < b.before
    UNION ALL
    SELECT count(*), min(wake_at) FROM pages WHERE b.kind = 'page' AND wake_at < b.before
    UNION ALL
    SELECT count(*), min(send_at) FROM notifications
    WHERE b.kind = 'message' AND state = 'waiting' AND send_at < b.before
    UNION ALL
    SELECT count(*), min(lease_until) FROM notifications
    WHERE b.kind = 'lease' AND state = 'sending' AND lease_until < b.before
    UNION ALL
    SELECT count(*), min(trace_at) FROM notifications WHERE b.kind = 'doubt' AND trace_at < b.before
    UNION ALL
    SELECT count(*), min(wake_at) FROM heartbeats WHERE b.kind = 'heartbeat' AND wake_at < b.before
    UNION ALL
    SELECT count(*), min(p.created_at) FROM pages p WHERE b.kind = 'seal' AND p.id >= $3 AND p.created_at < b.before
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject = p.id AND l.step = 'decided')
) d WHERE d.many > 0 ORDER BY b.kind

-- audit_chain: a slice of the ledger, in order
SELECT position, step, subject, alert_id, at, entry, digest FROM ledger WHERE position > $1 ORDER BY position LIMIT $2

-- audit_beginning: where the ledger begins, once its older part was put away
SELECT position, digest FROM ledger_anchors ORDER BY position DESC LIMIT 1

-- audit_entry: one entry, by its place
SELECT digest FROM ledger WHERE position = $1

-- audit_ledger_end: where the ledger ends
SELECT coalesce(max(position), 0) FROM ledger

-- audit_untrue: entries of a slice that the rows they tell of deny: another time, another person, or no row at all
-- though the alert is there
SELECT l.position, l.step FROM ledger l
LEFT JOIN pages p ON l.step = 'decided' AND p.id = l.subject
LEFT JOIN attempts t ON l.step IN ('handed_over', 'accepted') AND t.id = l.subject
LEFT JOIN alert_events e ON l.step = 'acknowledged' AND e.id = l.subject
WHERE l.position > $1 AND l.position <= $2 AND EXISTS (SELECT FROM alerts a WHERE a.id = l.alert_id) AND (
    (l.step = 'decided' AND (p.created_at IS DISTINCT FROM l.at
        OR p.user_id IS DISTINCT FROM (l.entry::jsonb ->> 'person')::int))
    OR (l.step = 'handed_over' AND t.started_at IS DISTINCT FROM l.at)
    OR (l.step = 'accepted' AND t.outcome = 'sent' AND (t.ended_at IS DISTINCT FROM l.at
        OR t.provider_id IS DISTINCT FROM l.entry::jsonb ->> 'provider_id'))
)
ORDER BY l.position LIMIT 20

-- audit_found: a finding, new or seen once more
INSERT INTO findings (id, invariant, subject, told, last_seen_at, created_at, updated_at)
SELECT id, $2, subject, told, $5, $5, $5 FROM unnest($1::uuid[], $3::text[], $4::text[]) AS t (id, subject, told)
ON CONFLICT (invariant, subject) WHERE gone_at IS NULL
DO UPDATE SET rounds = findings.rounds + 1, told = excluded.told, last_seen_at = excluded.last_seen_at,
    updated_at = excluded.updated_at

-- audit_gone: what is not found any more
UPDATE findings SET gone_at = $3, updated_at = $3
WHERE gone_at IS NULL AND invariant = $1 AND NOT subject = ANY($2::text[])

-- audit_to_page: findings that the operators were not told of, claimed so that they are told once. $3: rounds in which
-- it must have been seen
UPDATE findings SET paged_at = $2 WHERE invariant = $1 AND gone_at IS NULL AND paged_at IS NULL AND rounds >= $3
RETURNING told

-- audit_not_paged: they could not be told; the next round tries again
UPDATE findings SET paged_at = NULL WHERE invariant = $1 AND gone_at IS NULL AND paged_at = $2

-- audit_open: how many findings stand, by invariant
SELECT invariant, count(*) AS many, count(paged_at) AS paged FROM findings WHERE gone_at IS NULL GROUP BY invariant

-- audit_stamp: when the auditor went round last
INSERT INTO instance (key, value, created_at, updated_at) VALUES ('audited', $1, $2, $2)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at

-- audit_stamped: where the ledger ended when the auditor went round last
SELECT value FROM instance WHERE key = 'audited'
