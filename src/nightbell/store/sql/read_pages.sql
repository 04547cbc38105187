-- page_ringing: pages of one person that ring in the browser; the row itself is the message, so it need not be sent yet
SELECT DISTINCT ON (a.id) n.id, a.id AS alert_id, a.number, a.summary, a.started_at, n.level, n.created_at
FROM notifications n
JOIN alerts a ON a.id = n.alert_id
WHERE n.user_id = $1 AND n.id >= $2 AND n.kind = 'inbox' AND n.purpose = 'page'
  AND n.state IN ('waiting', 'sending', 'sent')
  AND a.status = 'triggered' AND a.occurrence = n.occurrence AND a.snoozed_until IS NULL
ORDER BY a.id DESC, n.id DESC
LIMIT 5;

-- page_chrome: what the frame of every page shows: how many alerts fire, and whether this person can be paged, here and away from it
SELECT (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'triggered' LIMIT 1000) t) AS firing,
       EXISTS (SELECT 1 FROM contact_methods
               WHERE user_id = $1 AND verified_at IS NOT NULL AND failing_since IS NULL) AS reachable,
       EXISTS (SELECT 1 FROM contact_methods
               WHERE user_id = $1 AND verified_at IS NOT NULL AND failing_since IS NULL AND kind <> 'inbox') AS away,
       (SELECT count(*) FROM findings WHERE gone_at IS NULL) AS findings,
       (SELECT updated_at FROM instance WHERE key = 'audited') AS audited_at;

-- page_alert_counts: alerts by status, each counted to 10,001 at most
SELECT (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'triggered' LIMIT 10001) t) AS triggered,
       (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'acknowledged' LIMIT 10001) t) AS acknowledged,
       (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'open' LIMIT 10001) t) AS open,
       (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'deferred' LIMIT 10001) t) AS deferred,
       (SELECT count(*) FROM (SELECT 1 FROM alerts WHERE status = 'resolved' LIMIT 10001) t) AS resolved,
       (SELECT count(*) FROM (SELECT 1 FROM alerts LIMIT 10001) t) AS "all";

-- page_alert: one alert with what is shown of it, by number or id
SELECT a.*, d.labels, d.annotations, d.description, d.external_url, d.receiver, d.group_key, d.dedup_key,
       d.dedup_rule, d.targets, d.routing, d.service_ids, d.team_ids,
       s.name AS source_name, s.type AS source_type, u.name AS urgency, p.name AS acknowledger
FROM alerts a
JOIN alert_details d ON d.alert_id = a.id
LEFT JOIN sources s ON s.id = a.source_id
LEFT JOIN urgencies u ON u.id = a.urgency_id
LEFT JOIN users p ON p.id = a.acknowledged_by
WHERE a.number = $1 OR a.id = $2;

-- page_open_groups: how many groups of these rules are open
SELECT group_rule_id AS rule_id, count(*) AS open FROM alerts
WHERE group_rule_id = ANY($1::uuid[]) AND leader_id IS NULL AND status <> 'resolved'
GROUP BY group_rule_id;

-- page_leaders: open alerts that lead a group by a rule, the latest first
SELECT id, number, summary, status, group_size, group_until, bucket IS NOT NULL AS taking FROM alerts
WHERE group_rule_id = $1 AND leader_id IS NULL AND status <> 'resolved'
ORDER BY id DESC
LIMIT $2;

-- page_followers: alerts that follow another, open ones first
SELECT id, number, summary, status, started_at, ended_at FROM alerts
WHERE leader_id = $1
ORDER BY (status = 'resolved'), started_at, id
LIMIT $2;

-- page_leading: alerts that others follow, as those name them
SELECT id, number, summary, status FROM alerts WHERE id = ANY($1::uuid[]);

-- page_followed: how many open alerts follow these
SELECT leader_id, count(*) AS open FROM alerts
WHERE leader_id = ANY($1::uuid[]) AND status <> 'resolved'
GROUP BY leader_id;

-- page_members: what fires and fired in one alert, firing first
SELECT fingerprint, state, inferred, labels, annotations, generator_url, starts_at, ends_at, expires_at, absent_since,
       last_seen_at, occurrence
FROM alert_members
WHERE alert_id = $1
ORDER BY state, starts_at DESC
LIMIT $2;

-- page_events: the latest entries of an alert's journal
SELECT e.id, e.kind, e.action, e.code, e.source, e.user_id, e.details, e.because, e.level, e.created_at, u.name AS user_name
FROM alert_events e
LEFT JOIN users u ON u.id = e.user_id
WHERE e.alert_id = $1
ORDER BY e.id DESC
LIMIT $2;

-- page_notifications: the latest messages sent, or to be sent, for an alert
SELECT n.id, n.user_id, n.kind, n.purpose, n.level, n.state, n.send_at, n.attempts, n.why, n.because, n.provider_id,
       n.stage, n.stage_at, n.finished_at, n.created_at, u.name AS user_name, c.name AS method_name, c.address, c.kind AS method_kind, n.address AS channel,
       (SELECT count(*) FROM notifications b WHERE b.bundle_id = n.bundle_id) AS told_with
FROM notifications n
LEFT JOIN users u ON u.id = n.user_id
LEFT JOIN contact_methods c ON c.id = n.contact_method_id
WHERE n.alert_id = $1
ORDER BY n.id DESC
LIMIT $2;

-- page_attempts: every try of these messages, in order
SELECT notification_id, number, outcome, why, provider_id, started_at, ended_at
FROM attempts
WHERE notification_id = ANY($1::uuid[])
ORDER BY notification_id, number;

-- page_escalations: the climbs of an alert, newest first
SELECT e.*, p.plan FROM escalations e JOIN plans p ON p.id = e.plan_id
WHERE e.alert_id = $1
ORDER BY e.created_at DESC, e.id DESC
LIMIT 20;

-- page_paging: whoever is being paged by these alerts now
SELECT g.alert_id, g.level, u.name, g.created_at
FROM pages g
JOIN users u ON u.id = g.user_id
WHERE g.alert_id = ANY($1::uuid[]) AND g.phase = 'paging' AND g.shadows_user_id IS NULL
ORDER BY g.alert_id, g.level DESC, g.id DESC;

-- page_climbs: the climbs of these alerts that go on
SELECT e.*, p.plan FROM escalations e JOIN plans p ON p.id = e.plan_id
WHERE e.alert_id = ANY($1::uuid[]) AND e.phase IN ('climbing', 'held');

-- page_occurrences: how often an alert came before, and for how long
SELECT number, started_at, ended_at, acknowledged_at FROM occurrences WHERE alert_id = $1 ORDER BY number DESC LIMIT $2;

-- page_receiver_history: of the last 200 alerts of a receiver, among the last 2,000 of all, how many ever resolved
SELECT count(*) FILTER (WHERE r.status = 'resolved' OR r.occurrence > 1) AS resolved, count(*) AS seen
FROM (SELECT a.status, a.occurrence
      FROM (SELECT id, status, occurrence, source_id FROM alerts ORDER BY id DESC LIMIT 2000) a
      JOIN alert_details d ON d.alert_id = a.id
      WHERE a.source_id = $1 AND d.receiver = $2
      LIMIT 200) r;

-- page_deliveries: requests received, newest first
SELECT d.id, d.received_at, d.source_id, d.path, d.remote_ip, d.user_agent, d.status_code, d.outcome, d.reason, d.size,
       d.alert_count, d.results, s.name AS source_name
FROM deliveries d
LEFT JOIN sources s ON s.id = d.source_id
WHERE ($1::uuid IS NULL OR d.source_id = $1) AND ($2::text IS NULL OR d.outcome = $2) AND ($3::uuid IS NULL OR d.id < $3)
ORDER BY d.id DESC
LIMIT $4;

-- page_delivery: one request with its compressed body
SELECT d.*, s.name AS source_name FROM deliveries d LEFT JOIN sources s ON s.id = d.source_id WHERE d.id = $1;

-- page_deliveries_of_alert: which of the last thousand requests of a source told of an alert
SELECT id, received_at, status_code, outcome, size, alert_count, user_agent
FROM (SELECT * FROM deliveries WHERE source_id = $1 AND id >= $2 ORDER BY id DESC LIMIT 1000) d
WHERE results @> $3
ORDER BY id DESC
LIMIT 10;

-- page_unpaged: alerts that asked for somebody and reached nobody
SELECT a.id, a.number, a.summary, a.started_at FROM alerts a
WHERE a.status IN ('triggered', 'open', 'acknowledged') AND a.unpaged
ORDER BY a.id DESC LIMIT 5;

-- page_set_up: which of the first steps are done
SELECT EXISTS (SELECT 1 FROM sources WHERE type <> 'heartbeat') AS source,
       EXISTS (SELECT 1 FROM sources WHERE last_delivery_at IS NOT NULL) AS heard,
       EXISTS (SELECT 1 FROM contact_methods WHERE user_id = $1 AND verified_at IS NOT NULL) AS method,
       EXISTS (SELECT 1 FROM escalation_levels) AS policy,
       EXISTS (SELECT 1 FROM alerts) AS alert;

-- page_reachability: who can be paged, by which kinds
SELECT u.id, u.name, u.email, u.role, u.active, u.time_zone,
       coalesce(array_agg(DISTINCT c.kind) FILTER (WHERE c.verified_at IS NOT NULL), '{}') AS kinds,
       coalesce(array_agg(DISTINCT c.kind) FILTER (WHERE c.verified_at IS NOT NULL AND c.failing_since IS NOT NULL), '{}') AS failing,
       count(DISTINCT r.id) AS rules
FROM users u
LEFT JOIN contact_methods c ON c.user_id = u.id
LEFT JOIN notification_rules r ON r.user_id = u.id
GROUP BY u.id
ORDER BY u.active DESC, lower(u.name), u.id;

-- page_invitations: links that were not used yet
SELECT id, email, role, expires_at, created_at FROM invitations
WHERE used_at IS NULL AND expires_at > $1 AND email IS NOT NULL ORDER BY created_at DESC;

-- page_audit: the latest changes of the configuration
SELECT id, actor, action, item_type, item_id, created_at FROM audit_log ORDER BY id DESC LIMIT $1;

-- page_test: how a test message of one's own fared
SELECT n.id, n.state, n.why, n.finished_at, n.created_at FROM notifications n
WHERE n.user_id = $1 AND n.contact_method_id = $2 AND n.purpose = 'test' ORDER BY n.id DESC LIMIT 1;

-- page_instance: one setting of the installation
SELECT value FROM instance WHERE key = $1;

-- page_open_pages: requests for attention that may still use a later contact method
SELECT id, user_id, level, loudness, progress, created_at FROM pages
WHERE alert_id = $1 AND phase = 'paging' AND wake_at IS NOT NULL;
