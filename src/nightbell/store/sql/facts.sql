-- configuration_version: moves with every configuration change. Asked first in a transaction that writes, so it also
-- keeps that transaction to its indexes: a plan cached while a table was small would read a storm from end to end
SELECT version, set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_mergejoin', 'off', true)
FROM configuration

-- by_indexes: the same for a transaction that needs no configuration
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_mergejoin', 'off', true)

-- alert_number_block: the first of a thousand alert numbers that nobody else gets
SELECT nextval('alert_numbers')

-- lock_alerts_by_identity: the alerts a batch speaks of, locked in key order so that two nodes cannot deadlock
SELECT id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count, truncated,
       started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at, snoozed_until, last_received_at,
       delivery_id, unpaged, content, created_at, group_rule_id AS "group"
FROM alerts WHERE identity = ANY($1::bytea[]) ORDER BY identity FOR UPDATE

-- lock_alerts_by_id: the same, for alerts found by their members, their timers or a person's request
SELECT id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count, truncated,
       started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at, snoozed_until, last_received_at,
       delivery_id, unpaged, content, created_at, group_rule_id AS "group"
FROM alerts WHERE id = ANY($1::uuid[]) ORDER BY identity FOR UPDATE

-- lock_alerts_by_bucket: the alerts that take others in, locked, so that they stay open until the others have joined
SELECT id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count, truncated,
       started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at, snoozed_until, last_received_at,
       delivery_id, unpaged, content, created_at, group_rule_id AS "group"
FROM alerts WHERE bucket = ANY($1::bytea[]) ORDER BY identity FOR UPDATE

-- groups_of: the places of alerts in groups; most alerts have none
SELECT id, group_rule_id AS rule_id, leader_id, bucket, group_until AS until, coalesce(group_size, 0) AS size,
    group_handed_at AS handed_at
FROM alerts WHERE id = ANY($1::uuid[])

-- open_followers: alerts that follow another and are not over
SELECT id FROM alerts WHERE leader_id = $1 AND status <> 'resolved'

-- bucket_is_led: whether an alert takes others into this bucket
SELECT EXISTS (SELECT 1 FROM alerts WHERE bucket = $1)

-- alerts_by_firing_members: which alerts hold these fingerprints, for a group key that changed (rootly.md 1.6)
SELECT m.alert_id, m.fingerprint, m.source_id, d.receiver
FROM alert_members m JOIN alert_details d USING (alert_id)
WHERE m.state = 'firing' AND m.fingerprint = ANY($1::text[])

-- alerts_by_firing_group: which alerts have members firing in groups that are over
SELECT DISTINCT alert_id, group_hash FROM alert_members WHERE state = 'firing' AND group_hash = ANY($1::bytea[])

-- members_of: members of locked alerts, without the wide text that a decision does not need
SELECT alert_id, fingerprint, state, group_hash, starts_at, ends_at, expires_at, absent_since, last_seen_at,
       occurrence, inferred
FROM alert_members WHERE alert_id = ANY($1::uuid[]) ORDER BY alert_id, starts_at, fingerprint

-- escalations_of: climbs of the current occurrences
SELECT e.id, e.alert_id, e.occurrence, e.origin, e.plan_id, e.phase, e.level, e.round, e.fired, e.reached, e.token,
       e.wake_at, e.created_at, e.turn, e.acknowledged, e.muted_by
FROM escalations e JOIN alerts a ON a.id = e.alert_id AND a.occurrence = e.occurrence
WHERE e.alert_id = ANY($1::uuid[]) AND e.phase <> 'ended' ORDER BY e.id

-- plans_by_id: frozen policies of climbs
SELECT id, plan::text AS plan FROM plans WHERE id = ANY($1::uuid[])

-- shown_of: what is stored of the text of alerts, for paths that are chosen without a delivery at hand
SELECT alert_id, labels, service_ids, targets FROM alert_details WHERE alert_id = ANY($1::uuid[])

-- lock_round_robins: whose turn it is, nobody else's until this transaction ends
SELECT level_id, turn FROM round_robins ORDER BY level_id FOR UPDATE

-- pages_of: pages still going on
SELECT id, alert_id, escalation_id, user_id, occurrence, level, cycle, loudness, progress, wake_at, created_at,
    shadows_user_id
FROM pages WHERE alert_id = ANY($1::uuid[]) AND phase = 'paging' ORDER BY id

-- page_messages_of: what was sent to whom in the current occurrence; a channel is nobody
SELECT n.alert_id, n.page_id, n.user_id, n.contact_method_id, n.kind, n.state, n.created_at,
    p.shadows_user_id IS NOT NULL AS listens
FROM notifications n JOIN alerts a ON a.id = n.alert_id AND a.occurrence = n.occurrence
LEFT JOIN pages p ON p.id = n.page_id
WHERE n.alert_id = ANY($1::uuid[]) AND n.purpose = 'page' AND n.state <> 'canceled'
  AND n.contact_method_id IS NOT NULL AND n.address IS NULL
ORDER BY n.id

-- claim_due_alerts: alerts that time must look at; another node's are passed over while looking for as many as are
-- asked for, so that two nodes share what is due. The timer is locked with its alert, so that one which another node
-- carried out since this statement began is seen as it is now
WITH x AS (
    SELECT id FROM alerts WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2 FOR UPDATE SKIP LOCKED
), y AS (
    SELECT a.id FROM escalations e JOIN alerts a ON a.id = e.alert_id WHERE e.wake_at <= $1
    ORDER BY e.wake_at LIMIT $2 FOR UPDATE OF a, e SKIP LOCKED
), z AS (
    SELECT a.id FROM pages p JOIN alerts a ON a.id = p.alert_id WHERE p.wake_at <= $1
    ORDER BY p.wake_at LIMIT $2 FOR UPDATE OF a, p SKIP LOCKED
)
SELECT id FROM x UNION SELECT id FROM y UNION SELECT id FROM z LIMIT $2

-- next_due: when time must look again for pages and for what has time (workflows, webhooks, incidents), and whether a
-- message is on its way; one statement, so that whoever moves a clock that stands still sees nothing slip from due to sent
SELECT LEAST(
    (SELECT min(wake_at) FROM alerts WHERE wake_at IS NOT NULL),
    (SELECT min(wake_at) FROM escalations WHERE wake_at IS NOT NULL),
    (SELECT min(wake_at) FROM pages WHERE wake_at IS NOT NULL),
    (SELECT min(send_at) FROM notifications WHERE state = 'waiting'),
    (SELECT min(lease_until) FROM notifications WHERE state = 'sending'),
    (SELECT min(wake_at) FROM heartbeats WHERE wake_at IS NOT NULL),
    (SELECT next_at FROM noticing)
) AS due, LEAST(
    (SELECT min(wake_at) FROM workflow_runs WHERE wake_at IS NOT NULL),
    (SELECT min(at) FROM happenings WHERE matched_at IS NULL OR relayed_at IS NULL),
    (SELECT min(created_at) FROM audit_log WHERE relayed_at IS NULL),
    (SELECT min(d.send_at) FROM webhooks_deliveries d JOIN webhooks_endpoints e ON e.id = d.endpoint_id AND e.enabled
        WHERE d.state = 'waiting'),
    (SELECT min(CASE WHEN status = 'scheduled' THEN scheduled_for ELSE scheduled_until END) FROM incidents
        WHERE status IN ('scheduled', 'in_progress')),
    (SELECT min(i.updated_at) FROM incidents i
        WHERE i.resolve_with_alerts AND i.status IN ('in_triage', 'started', 'mitigated')
          AND EXISTS (SELECT FROM incident_alerts x WHERE x.incident_id = i.id)
          AND NOT EXISTS (SELECT FROM incident_alerts x JOIN alerts a ON a.id = x.alert_id
                          WHERE x.incident_id = i.id AND a.status <> 'resolved'))
) AS due_at_leisure, EXISTS (SELECT FROM notifications WHERE state = 'sending')
    OR EXISTS (SELECT FROM webhooks_deliveries WHERE state = 'sending') AS sending

-- alerts_of_api_key: open alerts that were made here with this deduplication key; rare, so no index serves it
SELECT a.id FROM alert_details d JOIN alerts a ON a.id = d.alert_id
WHERE d.group_key = $1 AND d.receiver = 'api' AND a.status <> 'resolved'
