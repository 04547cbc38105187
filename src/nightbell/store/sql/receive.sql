-- read_providers: what operators configured of services
SELECT name, settings FROM providers

-- set_provider: change what is known of a service
INSERT INTO providers (id, name, settings, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at

-- alert_of_message: which alert a message is about, to be locked first
SELECT alert_id FROM notifications WHERE id = $1

-- lock_message: how far a message came
SELECT id, alert_id, page_id, user_id, contact_method_id, kind, purpose, state, stage, provider_id FROM notifications
WHERE id = $1 FOR UPDATE

-- insert_receipt: one line for each thing said; nothing when it was said before
INSERT INTO receipts (id, notification_id, stage, provider_id, why, at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (notification_id, stage, provider_id, why) DO NOTHING
RETURNING id

-- move_message: how far it is known to have come now
UPDATE notifications SET stage = $2, stage_at = $3, state = $4, why = CASE WHEN $5 = '' THEN why ELSE $5 END,
    provider_id = CASE WHEN provider_id = '' THEN $6 ELSE provider_id END,
    finished_at = CASE WHEN $4 IN ('waiting', 'sending') THEN finished_at ELSE coalesce(finished_at, $7::timestamptz) END,
    trace_at = CASE WHEN $8 THEN NULL ELSE trace_at END, updated_at = $7
WHERE id = $1

-- people_at: whose verified addresses these are, on any of these kinds
SELECT DISTINCT m.user_id, u.name, u.role FROM contact_methods m JOIN users u ON u.id = m.user_id
WHERE m.kind = ANY($1::text[]) AND lower(m.address) = ANY($2::text[]) AND m.verified_at IS NOT NULL AND u.active
ORDER BY m.user_id

-- alert_by_code: which alert an answer means
SELECT c.alert_id, c.user_id FROM reply_codes c
WHERE c.user_id = ANY($1::int[]) AND c.code = $2 AND c.updated_at > $3 ORDER BY c.updated_at DESC LIMIT 1

-- alerts_paging: which alerts wait for these people, with their codes, the newest first
SELECT DISTINCT ON (a.id) a.id AS alert_id, n.user_id, a.summary, a.status, coalesce(c.code, '') AS code
FROM notifications n JOIN alerts a ON a.id = n.alert_id
LEFT JOIN reply_codes c ON c.alert_id = a.id AND c.user_id = n.user_id AND c.updated_at > $2
WHERE n.user_id = ANY($1::int[]) AND n.purpose = 'page' AND n.created_at > $2 AND a.status = ANY($3::text[])
    AND n.occurrence = a.occurrence
ORDER BY a.id DESC, n.id DESC LIMIT 50

-- message_to_answer: the last page about an alert to a person, for the receipt of an answer
SELECT n.id, n.bundle_id, coalesce(p.cycle, 0) AS cycle FROM notifications n LEFT JOIN pages p ON p.id = n.page_id
WHERE n.alert_id = $1 AND n.user_id = $2 AND n.purpose = 'page' AND n.state IN ('sent', 'unknown', 'sending', 'waiting', 'refused')
ORDER BY (n.kind = ANY($3::text[])) DESC, n.id DESC LIMIT 1

-- message_pressed: what a button belongs to
SELECT n.id, n.alert_id, n.user_id, n.kind, n.purpose, n.contact_method_id,
    coalesce(p.cycle, (n.because ->> 'cycle')::int, 0) AS cycle
FROM notifications n LEFT JOIN pages p ON p.id = n.page_id WHERE n.id = $1

-- told_as_one: a message, and those that were told with it, in the order in which they are locked
SELECT n.id FROM notifications n LEFT JOIN alerts a ON a.id = n.alert_id
WHERE n.id = $1 OR n.bundle_id = (SELECT bundle_id FROM notifications WHERE id = $1)
ORDER BY a.identity NULLS FIRST, n.id

-- reply_heard: what was answered when the same reply came before
SELECT answer, verdict, alert_id FROM replies WHERE kind = $1 AND reference = $2

-- insert_reply: what somebody answered, and what they were told
INSERT INTO replies (id, kind, reference, address, user_id, notification_id, alert_id, said, verdict, answer, created_at,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT (kind, reference) DO NOTHING

-- read_replies: what people answered lately, for the operator
SELECT r.id, r.kind, r.address, r.said, r.verdict, r.answer, r.created_at, u.name FROM replies r
LEFT JOIN users u ON u.id = r.user_id ORDER BY r.created_at DESC, r.id DESC LIMIT $1

-- lock_people: give codes to one person at a time
SELECT id FROM users WHERE id = ANY($1::int[]) ORDER BY id FOR NO KEY UPDATE

-- codes_of_people: which codes mean something now
SELECT user_id, alert_id, code FROM reply_codes WHERE user_id = ANY($1::int[]) AND updated_at > $2

-- put_codes: from now on this code means this alert, to this person
INSERT INTO reply_codes (user_id, code, alert_id, created_at, updated_at)
SELECT t.user_id, t.code, t.alert_id, $4, $4 FROM unnest($1::int[], $2::text[], $3::uuid[]) AS t (user_id, code, alert_id)
ON CONFLICT (user_id, code) DO UPDATE SET alert_id = excluded.alert_id, updated_at = excluded.updated_at

-- drop_codes: an alert has one code for each person; older ones of these mean nothing any more
DELETE FROM reply_codes c USING unnest($1::int[], $2::uuid[]) AS t (user_id, alert_id)
WHERE c.user_id = t.user_id AND c.alert_id = t.alert_id

-- touch_codes: a code that was sent again lives anew
UPDATE reply_codes c SET updated_at = $3 FROM unnest($1::int[], $2::uuid[]) AS t (user_id, alert_id)
WHERE c.user_id = t.user_id AND c.alert_id = t.alert_id

-- first_messages: the provider's ids of the first message about an occurrence at an address
SELECT DISTINCT ON (n.id) n.id, f.provider_id FROM notifications n
JOIN notifications f ON f.alert_id = n.alert_id AND f.contact_method_id = n.contact_method_id
    AND f.occurrence = n.occurrence AND f.purpose = 'page' AND f.state = 'sent' AND f.provider_id <> ''
WHERE n.id = ANY($1::uuid[]) ORDER BY n.id, f.id

-- lock_verification: the last code of a contact method
SELECT notification_id, expires_at, tries, sent_today, day_began, last_sent_at FROM verifications
WHERE contact_method_id = $1 FOR UPDATE

-- put_verification: what is known of the code of a contact method
INSERT INTO verifications (contact_method_id, notification_id, expires_at, tries, sent_today, day_began, last_sent_at,
    created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (contact_method_id) DO UPDATE SET notification_id = excluded.notification_id,
    expires_at = excluded.expires_at, tries = excluded.tries, sent_today = excluded.sent_today,
    day_began = excluded.day_began, last_sent_at = excluded.last_sent_at, updated_at = excluded.updated_at

-- insert_verification_message: a message that carries a code
INSERT INTO notifications (id, user_id, contact_method_id, kind, purpose, state, send_at, idempotency_key, created_at,
    updated_at)
SELECT $1::uuid, user_id, id, kind, 'verify', 'waiting', $3, $1::uuid::text, $3, $3 FROM contact_methods WHERE id = $2

-- same_address: the methods of the same person at the same address, of kinds that ring the same device
SELECT o.id FROM contact_methods m JOIN contact_methods o ON o.user_id = m.user_id AND o.address = m.address
WHERE m.id = $1 AND (o.id = m.id OR (m.kind = ANY($2::text[]) AND o.kind = ANY($2::text[]))) ORDER BY o.id

-- read_verifications: what is known of the codes of a person's contact methods, and how their messages fared
SELECT v.contact_method_id, v.expires_at, v.tries, v.sent_today, v.day_began, v.last_sent_at,
    v.notification_id IS NOT NULL AND v.expires_at > $2 AS waits, n.state, n.why
FROM verifications v JOIN contact_methods m ON m.id = v.contact_method_id
LEFT JOIN notifications n ON n.id = v.notification_id WHERE m.user_id = $1

-- lock_method: one code at a time
SELECT user_id, kind FROM contact_methods WHERE id = $1 FOR UPDATE

-- codes_sent_to: how many codes went out for a person since an instant, also to addresses that are gone
SELECT count(*) FROM notifications WHERE user_id = $1 AND purpose = 'verify' AND created_at > $2

-- unanswerable: how often an address said what nobody understands, since an instant
SELECT count(*) FROM replies WHERE created_at > $3 AND kind = $1 AND address = $2 AND verdict IN ('stranger', 'unclear')

-- keep_payload: what was sent of an alert that no delivery brought
INSERT INTO payloads (delivery_id, body, created_at, updated_at) VALUES ($1, $2, $3, $3)
