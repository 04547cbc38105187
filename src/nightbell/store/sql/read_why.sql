-- why_pages: pages of the current occurrence, and why each was made, as its journal says
SELECT p.id, p.user_id, coalesce(u.name, 'user ' || p.user_id::text) AS name, p.created_at AS at, p.level, p.cycle,
    held.plan ->> 'name' AS plan, coalesce(j.because ->> 'named_by', '') AS because
FROM pages p
JOIN alerts a ON a.id = p.alert_id AND a.occurrence = p.occurrence
JOIN escalations e ON e.id = p.escalation_id
JOIN plans held ON held.id = e.plan_id
LEFT JOIN users u ON u.id = p.user_id
LEFT JOIN LATERAL (
    SELECT because FROM alert_events v WHERE v.alert_id = p.alert_id AND v.code = 'page.created'
        AND v.user_id = p.user_id AND v.level = p.level AND v.created_at = p.created_at LIMIT 1
) j ON true
WHERE p.alert_id = $1 ORDER BY p.id LIMIT 500

-- why_messages: what was sent, or was to be sent, for them
SELECT n.id, n.page_id, n.kind, n.state, n.why, n.send_at FROM notifications n
WHERE n.page_id = ANY($1::uuid[]) AND n.purpose = 'page' ORDER BY n.id LIMIT 2000

-- why_tries: how each attempt ended
SELECT notification_id, started_at, ended_at, outcome, why, provider_id FROM attempts
WHERE notification_id = ANY($1::uuid[]) ORDER BY notification_id, number

-- why_proofs: what providers and people said of them later
SELECT notification_id, stage, at FROM receipts WHERE notification_id = ANY($1::uuid[]) ORDER BY at, id

-- why_said: the journal of the current occurrence, from the line that began it
SELECT e.created_at AS at, e.code, e.details, coalesce(u.name, e.source) AS by, e.user_id, e.level, e.because
FROM alert_events e LEFT JOIN users u ON u.id = e.user_id
WHERE e.alert_id = $1 AND e.id >= coalesce((
    SELECT id FROM alert_events WHERE alert_id = $1 AND code IN ('alert.created', 'alert.reopened')
    ORDER BY id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')
ORDER BY e.id LIMIT 2000

-- why_climbs: the climbs of the current occurrence and how far each came
SELECT held.plan ->> 'name' AS plan, jsonb_array_length(held.plan -> 'rungs') AS levels, e.phase, e.wake_at,
    greatest(CASE WHEN e.round > 1 THEN jsonb_array_length(held.plan -> 'rungs') ELSE e.level END,
        coalesce((SELECT max(level) FROM pages p WHERE p.escalation_id = e.id), 0)) AS reached
FROM escalations e JOIN alerts a ON a.id = e.alert_id AND a.occurrence = e.occurrence
    JOIN plans held ON held.id = e.plan_id
WHERE e.alert_id = $1 ORDER BY e.id
