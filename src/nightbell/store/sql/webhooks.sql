-- slug_taken_webhooks_endpoint: whether another endpoint has this slug
SELECT EXISTS (SELECT 1 FROM webhooks_endpoints WHERE slug = $1 AND id <> $2)

-- endpoint_sealed: the secret of an endpoint as it is kept
SELECT sealed FROM webhooks_endpoints WHERE id = $1

-- new_endpoint_secret: what goes out from now on is signed with another one
UPDATE webhooks_endpoints SET sealed = $2, updated_at = $3 WHERE id = $1

-- directory_webhooks: what enabled endpoints want to hear
SELECT DISTINCT unnest(event_types) AS event_type FROM webhooks_endpoints WHERE enabled

-- webhooks_news: whether anything is to be told, and whether anything is due; asked once a second
SELECT EXISTS (SELECT 1 FROM happenings WHERE relayed_at IS NULL)
    OR EXISTS (SELECT 1 FROM audit_log WHERE relayed_at IS NULL) AS told,
    EXISTS (SELECT 1 FROM webhooks_deliveries WHERE state = 'waiting' AND send_at <= $1) AS due

-- unrelayed_happenings: the oldest that nobody was told of; not locked, because the same row is matched by workflows
SELECT id, kind, alert_id, incident_id, action_item_id, run_id, data, at FROM happenings
WHERE relayed_at IS NULL ORDER BY at, id LIMIT $1

-- relayed_happenings: they were told
UPDATE happenings SET relayed_at = $2, updated_at = $2 WHERE id = ANY($1::uuid[]) AND relayed_at IS NULL

-- unrelayed_audit: what was written down of changes and not yet told
SELECT a.id, a.user_id, a.actor, a.action, a.item_type, a.item_id, a.changes, a.remote_ip, a.created_at, u.email
FROM audit_log a LEFT JOIN users u ON u.id = a.user_id
WHERE a.relayed_at IS NULL ORDER BY a.created_at, a.id LIMIT $1

-- relayed_audit: they were told
UPDATE audit_log SET relayed_at = $2 WHERE id = ANY($1::uuid[]) AND relayed_at IS NULL

-- listening_endpoints: who hears of what
SELECT id, event_types, private FROM webhooks_endpoints WHERE enabled

-- incidents_of_happenings: what decides who may hear of an incident, and what its events are called
SELECT id, kind, private, title, retrospective, retrospective_status FROM incidents WHERE id = ANY($1::uuid[])

-- insert_webhook_deliveries: events on their way; one that is told twice is one
INSERT INTO webhooks_deliveries (id, endpoint_id, event_id, event_type, payload, send_at, give_up_at, created_at, updated_at)
SELECT id, endpoint_id, event_id, event_type, payload, $6, $7, $6, $6
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS t (id, endpoint_id, event_id, event_type, payload)
WHERE EXISTS (SELECT 1 FROM webhooks_endpoints e WHERE e.id = t.endpoint_id)
ON CONFLICT (endpoint_id, event_id) DO NOTHING

-- due_endpoints: whom something is due for
SELECT e.id FROM webhooks_endpoints e WHERE e.enabled AND e.id <> ALL($2::uuid[])
    AND EXISTS (SELECT 1 FROM webhooks_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.send_at <= $1)
LIMIT $3

-- claim_webhook_deliveries: lease what is due for one endpoint; the attempt is counted before anything is sent
UPDATE webhooks_deliveries d SET state = 'sending', attempts = attempts + 1, lease_until = $4, leased_by = $5, updated_at = $2
FROM webhooks_endpoints e
WHERE e.id = d.endpoint_id AND e.enabled AND d.id IN (
    SELECT id FROM webhooks_deliveries WHERE state = 'waiting' AND endpoint_id = $1 AND send_at <= $2
    ORDER BY send_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING d.id, d.event_id, d.payload, d.attempts, d.give_up_at, e.url, e.sealed, e.custom_headers

-- finish_webhook_deliveries: what was answered; only whoever holds the lease may say so. The last 20 tries are kept
UPDATE webhooks_deliveries d SET state = t.state, send_at = t.send_at, response_status = t.status,
    response_body = t.body, why = t.why, lease_until = NULL, leased_by = NULL,
    tries = jsonb_path_query_array(d.tries || t.try, '$[last-19 to last]'),
    delivered_at = CASE WHEN t.state = 'delivered' THEN $8::timestamptz END, updated_at = $8
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::text[], $6::text[], $7::jsonb[])
    AS t (id, state, send_at, status, body, why, try)
WHERE d.id = t.id AND d.state = 'sending' AND d.leased_by = $9

-- release_webhook_deliveries: whoever was sending them is gone; they are sent again, with the same event id
UPDATE webhooks_deliveries SET state = 'waiting', send_at = $1, lease_until = NULL, leased_by = NULL, updated_at = $1,
    why = 'the process that was sending it stopped; it may have arrived'
WHERE state = 'sending' AND (lease_until <= $1 OR leased_by = ANY($2::text[]))

-- endpoint_works: it took something again
UPDATE webhooks_endpoints SET failing_since = NULL, failing_why = '', updated_at = $2
WHERE id = $1 AND failing_since IS NOT NULL

-- endpoint_fails: it took nothing of what it was sent
UPDATE webhooks_endpoints SET failing_since = coalesce(failing_since, $2), failing_why = $3, updated_at = $2 WHERE id = $1

-- give_up_endpoint: switch off one that took nothing for too long; the row count says who did
UPDATE webhooks_endpoints SET enabled = false, disabled_why = failing_why, updated_at = $3
WHERE id = $1 AND enabled AND failing_since <= $2 RETURNING name, failing_since, disabled_why

-- drop_webhook_deliveries: nothing more goes to an endpoint that is switched off
UPDATE webhooks_deliveries SET state = 'failed', why = $2, updated_at = $3 WHERE endpoint_id = $1 AND state = 'waiting'

-- lock_webhook_delivery: one that is to be sent again
SELECT d.id, e.enabled, e.name FROM webhooks_deliveries d JOIN webhooks_endpoints e ON e.id = d.endpoint_id
WHERE d.id = $1 FOR UPDATE OF d

-- redeliver_webhook: once more from the beginning; one under way is left alone
UPDATE webhooks_deliveries SET state = 'waiting', attempts = 0, send_at = $2, give_up_at = $3, delivered_at = NULL,
    why = 'sent again by hand', updated_at = $2
WHERE id = $1 AND state <> 'sending'

-- forget_webhook_deliveries: what is kept no longer
DELETE FROM webhooks_deliveries WHERE created_at < $1 AND state IN ('delivered', 'failed')

-- insert_plain_notice: something to tell a person that is about no shift
INSERT INTO notices (id, user_id, subject_id, kind, shift_start, shift_end, said, created_at, updated_at)
VALUES ($1, $2, $2, 'webhook', $4, $4, $3, $4, $4)

-- webhook_operators: who looks after the installation
SELECT id FROM users WHERE active AND role IN ('owner', 'admin') ORDER BY id

-- endpoints_overview: every endpoint and how it does
SELECT e.*, d.last_at, d.waiting, d.failed FROM webhooks_endpoints e
LEFT JOIN LATERAL (
    SELECT max(delivered_at) AS last_at, count(*) FILTER (WHERE state IN ('waiting', 'sending')) AS waiting,
        count(*) FILTER (WHERE state = 'failed') AS failed
    FROM (SELECT delivered_at, state FROM webhooks_deliveries WHERE endpoint_id = e.id ORDER BY created_at DESC LIMIT 1000) x
) d ON true ORDER BY lower(e.name), e.id
