-- claim_notifications: lease due messages to one worker until $3; the attempt is counted before anything is sent
UPDATE notifications SET state = 'sending', attempts = attempts + 1, lease_until = $3, leased_by = $4, updated_at = $1
WHERE id IN (
    SELECT id FROM notifications WHERE state = 'waiting' AND send_at <= $1
    ORDER BY send_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id

-- turns_after: whoever waits for messages about what, after ($1, $2); it leaps from one to the next in the index
WITH RECURSIVE turns AS (
    (SELECT user_id, about, 1 AS turn FROM notifications WHERE state = 'waiting' AND (user_id, about) > ($1, $2)
     ORDER BY user_id, about LIMIT 1)
    UNION ALL
    SELECT n.user_id, n.about, t.turn + 1 FROM turns t, LATERAL (
        SELECT user_id, about FROM notifications WHERE state = 'waiting' AND (user_id, about) > (t.user_id, t.about)
        ORDER BY user_id, about LIMIT 1
    ) n WHERE t.turn < $3
)
SELECT user_id, about FROM turns ORDER BY turn

-- claim_first: lease the first due message of each (person, thing), so that a storm on one service does not delay
-- another
UPDATE notifications SET state = 'sending', attempts = attempts + 1, lease_until = $2, leased_by = $3, updated_at = $1
WHERE id IN (
    SELECT n.id FROM unnest($4::int[], $5::uuid[]) AS t (user_id, about), LATERAL (
        SELECT id FROM notifications m WHERE state = 'waiting' AND m.user_id = t.user_id AND m.about = t.about
            AND send_at <= $1 ORDER BY send_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) n
)
RETURNING id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id

-- claim_fellows: what else is due for the same people about the same things, to be told with what was claimed
UPDATE notifications SET state = 'sending', attempts = attempts + 1, lease_until = $2, leased_by = $3, updated_at = $1
WHERE id IN (
    SELECT n.id FROM unnest($4::int[], $5::uuid[], $6::uuid[], $7::text[]) AS t (user_id, about, method_id, purpose)
    JOIN notifications n ON n.state = 'waiting' AND n.user_id = t.user_id AND n.about = t.about AND n.send_at <= $1
        AND n.contact_method_id = t.method_id AND n.purpose = t.purpose AND n.attempts = 0
    LIMIT 10000 FOR UPDATE OF n SKIP LOCKED
)
RETURNING id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id

-- fellows_of: for whom, about what, a message waits or is under way that another one could be told with
SELECT user_id, about, method_id, purpose
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[]) AS t (user_id, about, method_id, purpose)
WHERE EXISTS (SELECT FROM notifications n WHERE n.state = 'waiting' AND n.user_id = t.user_id AND n.about = t.about
        AND n.contact_method_id = t.method_id AND n.purpose = t.purpose)
    OR EXISTS (SELECT FROM notifications n WHERE n.state = 'sending' AND n.user_id = t.user_id AND n.about = t.about
        AND n.contact_method_id = t.method_id AND n.purpose = t.purpose)

-- leased_before: what is leased to a worker since before $3, and not lapsed at $2: it looks whether it knows of all of it
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id
FROM notifications WHERE state = 'sending' AND leased_by = $1 AND lease_until > $2 AND updated_at <= $3
ORDER BY lease_until LIMIT 1000

-- bundle_notifications: messages that are told as one from now on
UPDATE notifications n SET bundle_id = t.bundle_id
FROM unnest($1::uuid[], $2::uuid[]) AS t (id, bundle_id) WHERE n.id = t.id AND n.bundle_id IS NULL

-- hold_back: messages whose throttle is full go later; nothing was tried
UPDATE notifications n SET state = 'waiting', attempts = attempts - 1, send_at = t.send_at, lease_until = NULL,
    leased_by = NULL, why = t.why, updated_at = $4
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS t (id, send_at, why) WHERE n.id = t.id

-- lock_throttles: one node at a time counts what went out
SELECT pg_advisory_xact_lock(7236451)

-- throttle_uses: what went out of throttled kinds lately
SELECT kind, contact_method_id, used_at AS at FROM throttle_uses WHERE kind = ANY($1::text[]) AND used_at > $2

-- use_throttles: what goes out now
INSERT INTO throttle_uses (id, kind, contact_method_id, used_at, created_at, updated_at)
SELECT id, kind, contact_method_id, $4, $4, $4 FROM unnest($1::uuid[], $2::text[], $3::uuid[])
    AS t (id, kind, contact_method_id)

-- start_attempts: what is about to be tried, on disk before it is
INSERT INTO attempts (id, notification_id, number, worker, started_at, created_at, updated_at)
SELECT id, notification_id, number, $4, $5, $5, $5
FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS t (id, notification_id, number)

-- addressed: what the messages need of people, methods and alerts; a post to a channel has no person and no method
SELECT n.id, coalesce(u.name, n.address, '') AS recipient, u.active OR n.address IS NOT NULL AS active,
    coalesce(m.address, n.address) AS address, coalesce(m.settings, '{}') AS settings, m.failing_since, a.number, a.status, a.summary, a.started_at,
    a.firing_count, a.member_count, d.labels, d.annotations, d.description, y.name AS urgency,
    p.cycle, p.loudness, s.name AS shadows, coalesce(v.name, o.name) AS about_name, n.because, k.said AS notice,
    CASE WHEN a.group_rule_id IS NOT NULL
        THEN (SELECT count(*) FROM alerts f WHERE f.leader_id = a.id AND f.status <> 'resolved') END AS followers
FROM notifications n
LEFT JOIN users u ON u.id = n.user_id
LEFT JOIN contact_methods m ON m.id = n.contact_method_id
LEFT JOIN alerts a ON a.id = n.alert_id
LEFT JOIN alert_details d ON d.alert_id = n.alert_id
LEFT JOIN urgencies y ON y.id = a.urgency_id
LEFT JOIN pages p ON p.id = n.page_id
LEFT JOIN users s ON s.id = p.shadows_user_id
LEFT JOIN services v ON v.id = n.about
LEFT JOIN sources o ON o.id = n.about
LEFT JOIN notices k ON k.id = n.notice_id
WHERE n.id = ANY($1::uuid[])

-- alerts_of_message: what a message named: its own alert, or those of all that were told with it
SELECT alert_id FROM notifications
WHERE (id = $1 OR bundle_id = (SELECT bundle_id FROM notifications WHERE id = $1)) AND alert_id IS NOT NULL
GROUP BY alert_id ORDER BY min(id::text)

-- last_message_about: the last message that told a person of an alert
SELECT id FROM notifications WHERE alert_id = $2 AND user_id = $1 AND purpose = 'page'
    AND state IN ('sending', 'sent', 'unknown') ORDER BY id DESC LIMIT 1

-- lock_alerts_of_messages: an act that calls messages off, and an answer that would send one again, wait for each other
SELECT id FROM alerts WHERE id = ANY($1::uuid[]) ORDER BY identity FOR UPDATE

-- finish_notifications: what became of them; only whoever holds the lease may say so. What would be tried again is
-- called off when its page ended meanwhile: nobody is woken for an alert that somebody took
UPDATE notifications n SET state = t.verdict, send_at = coalesce(t.send_at, n.send_at), lease_until = NULL,
    leased_by = NULL, provider_id = t.provider_id, why = t.why,
    finished_at = CASE WHEN t.verdict = 'waiting' THEN NULL ELSE $7::timestamptz END, updated_at = $7
FROM (
    SELECT u.*, CASE WHEN u.state = 'waiting' AND p.phase = 'ended' THEN 'canceled' ELSE u.state END AS verdict
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
        AS u (id, state, send_at, provider_id, why)
    JOIN notifications m ON m.id = u.id LEFT JOIN pages p ON p.id = m.page_id
) t
WHERE n.id = t.id AND n.state = 'sending' AND n.leased_by = $6

-- finish_attempts: how each try ended
UPDATE attempts x SET outcome = t.outcome, why = t.why, provider_id = t.provider_id, ended_at = $6, updated_at = $6
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[])
    AS t (notification_id, number, outcome, why, provider_id)
WHERE x.notification_id = t.notification_id AND x.number = t.number

-- lapsed_leases: messages whose worker is gone or too slow; whether they were sent nobody knows
SELECT id, alert_id, page_id, user_id, kind, level, attempts FROM notifications
WHERE state = 'sending' AND (lease_until <= $1 OR leased_by = ANY($2::text[]))
ORDER BY lease_until LIMIT 200 FOR UPDATE SKIP LOCKED

-- release_lapsed: sent again once, under the same idempotency key; after that, or when the page ended, left in doubt. A
-- post to a channel is never sent again: nobody waits for it, and everybody there would read it twice. Where the provider
-- can be asked ($3) it is asked first, at $4 (send_absent); what it reported meanwhile needs neither
UPDATE notifications n SET state = t.verdict, send_at = $2, lease_until = NULL, leased_by = NULL,
    why = 'the process that was sending it stopped; it may have been sent',
    trace_at = CASE WHEN t.verdict = 'unknown' AND t.asked THEN $4::timestamptz ELSE n.trace_at END, traces = 0,
    finished_at = CASE WHEN t.verdict = 'waiting' THEN NULL ELSE $2::timestamptz END, updated_at = $2
FROM (
    SELECT m.id, m.kind = ANY($3::text[]) AND m.address IS NULL AS asked,
        CASE WHEN m.stage IN ('accepted', 'delivered', 'seen', 'acknowledged') THEN 'sent'
            WHEN m.attempts < 2 AND p.phase IS DISTINCT FROM 'ended' AND m.address IS NULL AND NOT m.kind = ANY($3::text[])
            THEN 'waiting' ELSE 'unknown' END AS verdict
    FROM notifications m LEFT JOIN pages p ON p.id = m.page_id WHERE m.id = ANY($1::uuid[])
) t
WHERE n.id = t.id
RETURNING n.id, n.state

-- end_lapsed_attempts: the tries of messages whose worker is gone
UPDATE attempts SET outcome = 'unknown', why = 'the process stopped before an answer came', ended_at = $2,
    updated_at = $2
WHERE notification_id = ANY($1::uuid[]) AND outcome IS NULL

-- send_absent: what the process that stopped had not handed over, as its provider says, is sent now, once, with all that
-- was told with it; nothing where it is no such message
UPDATE notifications n SET state = 'waiting', send_at = $2, finished_at = NULL, trace_at = NULL, why = '', updated_at = $2
WHERE n.state = 'unknown' AND n.stage = '' AND n.attempts < 2
    AND (n.id = $1 OR n.bundle_id = (SELECT bundle_id FROM notifications WHERE id = $1))
    AND EXISTS (SELECT FROM attempts t WHERE t.notification_id = n.id AND t.number = n.attempts
        AND t.why = 'the process stopped before an answer came')
    AND NOT EXISTS (SELECT FROM pages p WHERE p.id = n.page_id AND p.phase = 'ended')

-- note_lost_posts: the journal says of a post to a channel that it did not arrive, or may not have
INSERT INTO alert_events (id, alert_id, kind, action, code, source, details, level, created_at, updated_at)
SELECT id, alert_id, 'notification', 'skipped', 'channel.failed', 'Nightbell', details, level, $5, $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS t (id, alert_id, details, level)

-- insert_test_notification: a message that tries out a contact method
INSERT INTO notifications (id, user_id, contact_method_id, kind, purpose, state, send_at, idempotency_key, created_at,
    updated_at)
SELECT $1::uuid, user_id, id, kind, 'test', 'waiting', $3, $1::uuid::text, $3, $3 FROM contact_methods WHERE id = $2
RETURNING id
