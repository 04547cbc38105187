-- read_alert_details: the wide part of the alerts on one page of a list
SELECT alert_id, labels, annotations, description, external_url, receiver, group_key, dedup_key, dedup_rule, targets,
    routing, service_ids, team_ids
FROM alert_details WHERE alert_id = ANY($1::uuid[]);

-- read_alert_pages: who was paged in the present occurrence of these alerts, in the order of the pages
SELECT p.alert_id, p.user_id FROM pages p JOIN alerts a ON a.id = p.alert_id AND a.occurrence = p.occurrence
WHERE p.alert_id = ANY($1::uuid[]) AND p.shadows_user_id IS NULL GROUP BY 1, 2 ORDER BY min(p.id::text);

-- read_alert_notified: who was sent a message that may have arrived, for these alerts, in order
SELECT alert_id, user_id FROM notifications
WHERE alert_id = ANY($1::uuid[]) AND purpose = 'page' AND state IN ('sent', 'unknown') AND address IS NULL
GROUP BY 1, 2 ORDER BY min(id::text);

-- read_bodies: requests as they were sent, compressed, the large ones left out
SELECT id, body FROM deliveries WHERE id = ANY($1::uuid[]) AND size <= $2
UNION ALL
SELECT delivery_id, body FROM payloads WHERE delivery_id = ANY($1::uuid[]) AND octet_length(body) <= $2;

-- read_members: the members of one alert, those that fire first
SELECT fingerprint, state, inferred, labels, annotations, generator_url, starts_at, ends_at, expires_at, absent_since,
    last_seen_at, occurrence
FROM alert_members WHERE alert_id = $1 ORDER BY state, starts_at DESC, fingerprint LIMIT $2;

-- read_occurrences: the past occurrences of one alert, the latest first
SELECT number, started_at, ended_at, acknowledged_at FROM occurrences WHERE alert_id = $1 ORDER BY number DESC LIMIT $2;

-- read_alert_by_number: the id behind a short id
SELECT id FROM alerts WHERE number = $1;

-- read_attempts: every try of these notifications, in order
SELECT notification_id, id, number, outcome, why, provider_id, worker, started_at, ended_at FROM attempts
WHERE notification_id = ANY($1::uuid[]) ORDER BY notification_id, number;

-- read_delivery: one request; the partition is found by its own index
SELECT d.id, d.received_at, d.source_id, d.path, d.remote_ip, d.user_agent, d.status_code, d.outcome, d.reason, d.size,
    d.alert_count, d.body, d.results, d.created_at, d.updated_at
FROM deliveries d WHERE d.id = $1;
