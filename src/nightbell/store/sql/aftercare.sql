-- arm_traces: ask providers later what became of messages; those of which the end is known are left alone
UPDATE notifications n SET trace_at = t.trace_at, traces = 0,
    stage = CASE WHEN n.stage = '' AND n.state = 'sent' THEN 'accepted' ELSE n.stage END,
    stage_at = CASE WHEN n.stage = '' AND n.state = 'sent' THEN $3 ELSE n.stage_at END
FROM unnest($1::uuid[], $2::timestamptz[]) AS t (id, trace_at)
WHERE n.id = t.id AND n.state IN ('sent', 'unknown') AND n.stage NOT IN ('failed', 'delivered', 'seen', 'acknowledged')

-- settle_early: what is in doubt or would be tried again, and was reported as arrived meanwhile
UPDATE notifications SET state = 'sent', finished_at = coalesce(finished_at, $2::timestamptz), updated_at = $2
WHERE id = ANY($1::uuid[]) AND state IN ('unknown', 'waiting') AND stage IN ('accepted', 'delivered', 'seen', 'acknowledged')

-- insert_posts: messages that stand somewhere and say where the alert stood
INSERT INTO posts (notification_id, alert_id, shown, edit_at, created_at, updated_at)
SELECT t.id, t.alert_id, t.shown, $4, $4, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS t (id, alert_id, shown)
ON CONFLICT (notification_id) DO NOTHING

-- claim_traces: messages to ask about now; another node does not ask before $2
UPDATE notifications SET trace_at = $2, traces = traces + 1 WHERE id IN (
    SELECT id FROM notifications WHERE trace_at <= $1 ORDER BY trace_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id, state, stage, provider_id, traces, finished_at

-- retrace: ask about a message again then, or NULL: never
UPDATE notifications SET trace_at = $2 WHERE id = $1 AND trace_at IS NOT NULL

-- last_tries: when messages were tried last
SELECT DISTINCT ON (notification_id) notification_id, started_at FROM attempts WHERE notification_id = ANY($1::uuid[])
ORDER BY notification_id, number DESC

-- provider_ids: the provider's ids of other messages to the address of this one, around its time
SELECT DISTINCT x.provider_id FROM notifications n
JOIN contact_methods m ON m.id = n.contact_method_id
JOIN contact_methods o ON o.kind = m.kind AND o.address = m.address
JOIN notifications x ON x.contact_method_id = o.id AND x.id <> n.id AND x.provider_id <> ''
    AND x.created_at > n.created_at - interval '1 day' AND (x.bundle_id = n.bundle_id) IS NOT TRUE
WHERE n.id = $1

-- others_under_way: whether another message of the same page has arrived, or may
SELECT EXISTS (SELECT 1 FROM notifications WHERE page_id = $1 AND id <> $2 AND state IN ('waiting', 'sending', 'sent'))

-- claim_posts: messages that stand somewhere and say what is no longer true; another node does not change them before $2
UPDATE posts SET edit_at = $2, tries = tries + 1, updated_at = $1 WHERE notification_id IN (
    SELECT p.notification_id FROM posts p JOIN alerts a ON a.id = p.alert_id
    JOIN notifications m ON m.id = p.notification_id
    WHERE p.edit_at <= $1 AND (a.status <> p.shown OR a.occurrence <> m.occurrence)
    ORDER BY p.edit_at LIMIT $3 FOR UPDATE OF p SKIP LOCKED
)
RETURNING notification_id, tries

-- messages_of_posts: what is needed to write them anew
SELECT n.id, n.alert_id, n.page_id, n.user_id, n.contact_method_id, n.kind, n.purpose, n.level, n.attempts,
    n.idempotency_key, n.send_at, n.created_at, n.about, n.bundle_id, n.notice_id, n.provider_id, n.occurrence,
    a.occurrence AS present, a.status AS standing, u.name AS taker
FROM notifications n JOIN alerts a ON a.id = n.alert_id LEFT JOIN users u ON u.id = a.acknowledged_by
WHERE n.id = ANY($1::uuid[])

-- messages_in_bundles: everything that was told with others, the one that stood first in front
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id FROM notifications
WHERE bundle_id = ANY($1::uuid[]) ORDER BY bundle_id, id <> bundle_id, send_at, id

-- posted: what a message says now; NULL when it will never change again
UPDATE posts SET shown = $2, edit_at = $3, tries = CASE WHEN $4 THEN 0 ELSE tries END, updated_at = $5
WHERE notification_id = $1

-- forget_replies: answers of long ago
DELETE FROM replies WHERE created_at < $1

-- message_again: a message that is written once more
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, level, attempts, idempotency_key, send_at,
    created_at, about, bundle_id, notice_id FROM notifications WHERE id = $1
