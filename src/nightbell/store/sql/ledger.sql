-- insert_alerts: new alerts; identity is unique, so a race between nodes fails here and is tried again
INSERT INTO alerts (id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count,
    member_count, firing_count, truncated, started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at,
    snoozed_until, last_received_at, delivery_id, wake_at, unpaged, tags, content, created_at, updated_at)
SELECT id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count,
    member_count, firing_count, truncated, started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at,
    snoozed_until, last_received_at, delivery_id, wake_at, unpaged, tags::bigint[], content, created_at, $27
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[] /*=*/, $4::bytea[], $5::text[], $6::uuid[], $7::text[], $8::text[],
    $9::int[] /*=*/, $10::int[] /*=*/, $11::int[], $12::int[], $13::int[] /*=*/, $14::timestamptz[],
    $15::timestamptz[] /*=*/, $16::timestamptz[] /*=*/, $17::int[] /*=*/, $18::timestamptz[] /*=*/,
    $19::timestamptz[] /*=*/, $20::timestamptz[], $21::uuid[], $22::timestamptz[] /*=*/, $23::bool[] /*=*/,
    $24::text[], $25::bigint[], $26::timestamptz[])
    AS t (id, number, source_id, identity, status, urgency_id, summary, alertname, occurrence, request_count,
    member_count, firing_count, truncated, started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at,
    snoozed_until, last_received_at, delivery_id, wake_at, unpaged, tags, content, created_at)

-- update_alerts: known alerts that changed in more than their counters
UPDATE alerts a SET identity = t.identity, status = t.status, urgency_id = t.urgency_id, summary = t.summary,
    occurrence = t.occurrence, request_count = t.request_count, member_count = t.member_count,
    firing_count = t.firing_count, truncated = t.truncated, started_at = t.started_at, ended_at = t.ended_at,
    acknowledged_at = t.acknowledged_at, acknowledged_by = t.acknowledged_by, resolved_at = t.resolved_at,
    snoozed_until = t.snoozed_until, last_received_at = t.last_received_at, delivery_id = t.delivery_id,
    wake_at = t.wake_at, unpaged = t.unpaged, tags = coalesce(t.tags::bigint[], a.tags), content = t.content,
    updated_at = $23
FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[], $5::text[], $6::int[], $7::int[], $8::int[], $9::int[],
    $10::int[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::int[], $15::timestamptz[],
    $16::timestamptz[], $17::timestamptz[], $18::uuid[], $19::timestamptz[], $20::bool[], $21::text[], $22::bigint[])
    AS t (id, identity, status, urgency_id, summary, occurrence, request_count, member_count, firing_count, truncated,
    started_at, ended_at, acknowledged_at, acknowledged_by, resolved_at, snoozed_until, last_received_at, delivery_id,
    wake_at, unpaged, tags, content)
WHERE a.id = t.id

-- touch_alerts: repeats that say nothing new; no indexed column moves, so the row is updated in place
UPDATE alerts a SET request_count = t.request_count, last_received_at = t.last_received_at,
    delivery_id = t.delivery_id, updated_at = $5
FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::uuid[])
    AS t (id, request_count, last_received_at, delivery_id)
WHERE a.id = t.id

-- release_buckets: alerts that take nobody in any more, before others do
UPDATE alerts SET bucket = NULL WHERE id = ANY($1::uuid[]) AND bucket IS NOT NULL

-- group_alerts: who leads and who follows; one bucket has one leader, so a race between nodes fails here, tried again
UPDATE alerts a SET group_rule_id = t.rule_id, leader_id = t.leader_id, bucket = t.bucket, group_until = t.until,
    group_size = t.size, group_handed_at = t.handed_at, updated_at = $8
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[], $6::int[], $7::timestamptz[])
    AS t (id, rule_id, leader_id, bucket, until, size, handed_at)
WHERE a.id = t.id

-- upsert_details: the wide part, as the last delivery that changed it says it; routing only where somebody was routed
INSERT INTO alert_details (alert_id, labels, annotations, description, external_url, receiver, group_key, dedup_key,
    dedup_rule, targets, routing, service_ids, team_ids, created_at, updated_at)
SELECT alert_id, labels::jsonb, annotations::jsonb, description, external_url, receiver, group_key, dedup_key,
    dedup_rule, coalesce(targets, '[]')::jsonb, coalesce(routing, '[]')::jsonb, coalesce(service_ids, '{}')::uuid[],
    coalesce(team_ids, '{}')::uuid[], $14, $14
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[] /*=*/, $10::text[] /*=*/, $11::text[] /*=*/, $12::text[] /*=*/, $13::text[] /*=*/)
    AS t (alert_id, labels, annotations, description, external_url, receiver, group_key, dedup_key, dedup_rule,
    targets, routing, service_ids, team_ids)
ON CONFLICT (alert_id) DO UPDATE SET labels = excluded.labels, annotations = excluded.annotations,
    description = excluded.description, external_url = excluded.external_url, receiver = excluded.receiver,
    group_key = excluded.group_key, dedup_key = excluded.dedup_key, dedup_rule = excluded.dedup_rule,
    updated_at = excluded.updated_at

-- update_routing: whom a delivery of a known alert was routed to
UPDATE alert_details d SET targets = t.targets::jsonb, routing = t.routing::jsonb,
    service_ids = t.service_ids::uuid[], team_ids = t.team_ids::uuid[], updated_at = $6
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS t (alert_id, targets, routing, service_ids, team_ids)
WHERE d.alert_id = t.alert_id

-- upsert_members: label sets of alerts; the labels of a fingerprint never change, so only the first row holds them
INSERT INTO alert_members (alert_id, fingerprint, source_id, group_hash, state, inferred, labels, annotations,
    generator_url, starts_at, ends_at, expires_at, absent_since, last_seen_at, occurrence, created_at, updated_at)
SELECT alert_id, fingerprint, source_id, group_hash, state, inferred, labels::jsonb, annotations::jsonb,
    generator_url, starts_at, ends_at, expires_at, absent_since, last_seen_at, occurrence, $16, $16
FROM unnest($1::uuid[], $2::text[], $3::uuid[] /*=*/, $4::bytea[], $5::text[] /*=*/, $6::bool[] /*=*/, $7::text[],
    $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[] /*=*/, $12::timestamptz[] /*=*/,
    $13::timestamptz[] /*=*/, $14::timestamptz[], $15::int[] /*=*/)
    AS t (alert_id, fingerprint, source_id, group_hash, state, inferred, labels, annotations, generator_url, starts_at,
    ends_at, expires_at, absent_since, last_seen_at, occurrence)
ON CONFLICT (alert_id, fingerprint) DO UPDATE SET group_hash = excluded.group_hash, state = excluded.state,
    inferred = excluded.inferred, annotations = excluded.annotations, generator_url = excluded.generator_url,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at, expires_at = excluded.expires_at,
    absent_since = excluded.absent_since, last_seen_at = excluded.last_seen_at, occurrence = excluded.occurrence,
    updated_at = excluded.updated_at

-- move_members: members that changed though no delivery named them: closed with their group, expired, absent
UPDATE alert_members m SET state = t.state, inferred = t.inferred, ends_at = t.ends_at, expires_at = t.expires_at,
    absent_since = t.absent_since, last_seen_at = t.last_seen_at, updated_at = $9
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bool[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[]) AS t (alert_id, fingerprint, state, inferred, ends_at, expires_at, absent_since, last_seen_at)
WHERE m.alert_id = t.alert_id AND m.fingerprint = t.fingerprint

-- insert_events: the journal
INSERT INTO alert_events (id, alert_id, kind, action, code, source, user_id, details, because, level, created_at,
    updated_at)
SELECT id, alert_id, kind, action, code, source, user_id, details, because::jsonb, level, at, at
FROM unnest($1::uuid[], $2::uuid[], $3::text[] /*=*/, $4::text[] /*=*/, $5::text[] /*=*/, $6::text[] /*=*/,
    $7::int[] /*=*/, $8::text[], $9::text[], $10::int[] /*=*/, $11::timestamptz[])
    AS t (id, alert_id, kind, action, code, source, user_id, details, because, level, at)

-- insert_occurrences: episodes that are over
INSERT INTO occurrences (id, alert_id, number, started_at, ended_at, acknowledged_at, created_at, updated_at)
SELECT id, alert_id, number, started_at, ended_at, acknowledged_at, $7, $7
FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
    AS t (id, alert_id, number, started_at, ended_at, acknowledged_at)
ON CONFLICT (alert_id, number) DO UPDATE SET ended_at = excluded.ended_at, updated_at = excluded.updated_at

-- insert_plans: frozen policies that climbs begin to hold; the same one is kept once
INSERT INTO plans (id, plan, created_at, updated_at)
SELECT id, plan::jsonb, $3, $3 FROM unnest($1::uuid[], $2::text[]) AS t (id, plan) ORDER BY id
ON CONFLICT (id) DO NOTHING

-- insert_escalations: climbs that begin
INSERT INTO escalations (id, alert_id, occurrence, origin, plan_id, created_at, phase, level, round, fired, reached,
    token, wake_at, turn, acknowledged, muted_by, updated_at)
SELECT id, alert_id, occurrence, origin, plan_id, created_at, phase, level, round, fired, reached, token, wake_at,
    turn, acknowledged::int[], muted_by, $17
FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[], $8::int[],
    $9::int[], $10::int[], $11::int[], $12::uuid[], $13::timestamptz[], $14::int[], $15::text[], $16::uuid[])
    AS t (id, alert_id, occurrence, origin, plan_id, created_at, phase, level, round, fired, reached, token, wake_at,
    turn, acknowledged, muted_by)

-- move_escalations: climbs under way
UPDATE escalations e SET phase = t.phase, level = t.level, round = t.round, fired = t.fired, reached = t.reached,
    token = t.token, wake_at = t.wake_at, turn = t.turn, acknowledged = t.acknowledged::int[], muted_by = t.muted_by,
    updated_at = $12
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::uuid[], $8::timestamptz[],
    $9::int[], $10::text[], $11::uuid[])
    AS t (id, phase, level, round, fired, reached, token, wake_at, turn, acknowledged, muted_by)
WHERE e.id = t.id

-- upsert_pages: requests for somebody's attention
INSERT INTO pages (id, alert_id, escalation_id, user_id, occurrence, level, cycle, loudness, phase, progress, wake_at,
    created_at, shadows_user_id, updated_at)
SELECT id, alert_id, escalation_id, user_id, occurrence, level, cycle, loudness, phase, progress, wake_at, created_at,
    shadows_user_id, $14
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[], $8::text[], $9::text[],
    $10::int[], $11::timestamptz[], $12::timestamptz[], $13::int[])
    AS t (id, alert_id, escalation_id, user_id, occurrence, level, cycle, loudness, phase, progress, wake_at,
    created_at, shadows_user_id)
ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, progress = excluded.progress, wake_at = excluded.wake_at,
    updated_at = excluded.updated_at

-- insert_notifications: messages to be sent
INSERT INTO notifications (id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, state,
    send_at, idempotency_key, because, about, address, created_at, updated_at)
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, 'waiting', send_at,
    idempotency_key, because::jsonb, about, address, $15, $15
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::int[], $9::int[],
    $10::timestamptz[], $11::text[], $12::text[], $13::uuid[], $14::text[])
    AS t (id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, send_at,
    idempotency_key, because, about, address)

-- insert_leased: messages that are sent once this is committed, by the worker that leases them; of the first try
INSERT INTO notifications (id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, state,
    send_at, attempts, lease_until, leased_by, idempotency_key, because, about, address, created_at, updated_at)
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, 'sending', send_at, 1, $16,
    $17, idempotency_key, because::jsonb, about, address, $15, $18
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::int[], $9::int[],
    $10::timestamptz[], $11::text[], $12::text[], $13::uuid[], $14::text[])
    AS t (id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, send_at,
    idempotency_key, because, about, address)

-- cancel_page_messages: nobody is to be woken for these any more; what is being sent now cannot be called back
UPDATE notifications SET state = 'canceled', why = 'the alert no longer pages', finished_at = $2, updated_at = $2
WHERE alert_id = ANY($1::uuid[]) AND state = 'waiting' AND purpose = 'page'

-- cancel_messages_of_pages: nobody is to be woken by these pages any more; others of the alert go on
UPDATE notifications SET state = 'canceled', why = 'the page is over', finished_at = $2, updated_at = $2
WHERE page_id = ANY($1::uuid[]) AND state = 'waiting' AND purpose = 'page'

-- turn_round_robins: whose turn it is next, kept through restarts; a climb may still hold a level that was deleted
INSERT INTO round_robins (level_id, turn, created_at, updated_at)
SELECT l.id, t.turn, $3, $3 FROM unnest($1::uuid[], $2::bigint[]) AS t (level_id, turn)
    JOIN escalation_levels l ON l.id = t.level_id FOR KEY SHARE OF l
ON CONFLICT (level_id) DO UPDATE SET turn = round_robins.turn + excluded.turn, updated_at = excluded.updated_at

-- insert_deliveries: raw requests and what became of each
INSERT INTO deliveries (id, received_at, source_id, path, remote_ip, user_agent, status_code, outcome, reason, size,
    alert_count, body, results, created_at, updated_at)
SELECT id, received_at, source_id, path, remote_ip, user_agent, status_code, outcome, reason, size, alert_count, body,
    results::jsonb, received_at, received_at
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[],
    $9::text[], $10::int[], $11::int[], $12::bytea[], $13::text[])
    AS t (id, received_at, source_id, path, remote_ip, user_agent, status_code, outcome, reason, size, alert_count,
    body, results)

-- touch_sources: when each source was last heard; at most once a second each, so that writers do not queue for the row
UPDATE sources SET last_delivery_at = $2::timestamptz
WHERE id = ANY($1::uuid[]) AND (last_delivery_at IS NULL OR last_delivery_at < $2::timestamptz - interval '1 second')
