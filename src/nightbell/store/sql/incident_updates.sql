-- same_incident_update: an update that was sent under this key already
SELECT id FROM incident_updates WHERE incident_id = $1 AND key = $2

-- incident_followers: people who subscribed to an incident, and those of its teams that are told of theirs
SELECT user_id FROM incident_subscribers WHERE incident_id = $1 AND user_id IS NOT NULL
UNION
SELECT m.user_id FROM incident_teams x
JOIN teams t ON t.id = x.team_id AND t.incident_broadcast_enabled
JOIN incidents i ON i.id = x.incident_id AND NOT i.private
JOIN team_members m ON m.team_id = t.id
WHERE x.incident_id = $1
ORDER BY 1

-- incident_channels: channels of teams that are told of their incidents
SELECT DISTINCT t.incident_broadcast_channel ->> 'id' AS address FROM incident_teams x
JOIN teams t ON t.id = x.team_id AND t.incident_broadcast_enabled AND t.incident_broadcast_channel ->> 'id' <> ''
JOIN incidents i ON i.id = x.incident_id AND NOT i.private
WHERE x.incident_id = $1
ORDER BY 1

-- incident_addresses: addresses that said they want to be told of an incident, but for those that are told by a method $2
SELECT id, email FROM incident_subscribers
WHERE incident_id = $1 AND email IS NOT NULL AND confirmed_at IS NOT NULL AND ended_at IS NULL
    AND lower(email) NOT IN (SELECT lower(address) FROM contact_methods WHERE id = ANY($2::uuid[]) AND kind = 'email')
ORDER BY lower(email)

-- page_addresses: addresses that said they want to be told what a status page publishes
SELECT id, email FROM status_page_subscribers
WHERE status_page_id = $1 AND confirmed_at IS NOT NULL AND ended_at IS NULL ORDER BY lower(email)

-- insert_incident_update: what is written once for everybody who follows
INSERT INTO incident_updates (id, incident_id, key, title, body, recipients, created_by, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- insert_told: messages that speak of an incident; written with what they speak of, so none is written twice
INSERT INTO notifications (id, user_id, contact_method_id, kind, address, purpose, state, send_at, idempotency_key,
    because, incident_update_id, created_at, updated_at)
SELECT id, user_id, method_id, kind, address, 'notice', 'waiting', $7, key, because::jsonb, $8, $7, $7
FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $9::text[])
    AS t (id, user_id, method_id, kind, address, key, because)

-- unasked_subscribers: addresses that nobody asked yet whether they want to be told, of incidents and of pages
SELECT s.id, s.email, 'incident' AS of, coalesce(nullif(i.public_title, ''), i.title) AS about
FROM incident_subscribers s JOIN incidents i ON i.id = s.incident_id
WHERE s.email IS NOT NULL AND s.asked_at IS NULL AND s.ended_at IS NULL
UNION ALL
SELECT s.id, s.email, 'page', coalesce(nullif(p.public_title, ''), p.title)
FROM status_page_subscribers s JOIN status_pages p ON p.id = s.status_page_id
WHERE s.asked_at IS NULL AND s.ended_at IS NULL
LIMIT 200

-- asked_incident_subscribers: they were asked; whoever is first does it
UPDATE incident_subscribers SET asked_at = $2, updated_at = $2 WHERE id = ANY($1::uuid[]) AND asked_at IS NULL RETURNING id

-- asked_page_subscribers: they were asked; whoever is first does it
UPDATE status_page_subscribers SET asked_at = $2, updated_at = $2 WHERE id = ANY($1::uuid[]) AND asked_at IS NULL RETURNING id

-- subscriber: who stands behind a link, and of what they are told
SELECT s.id, s.email, s.confirmed_at, s.ended_at, 'incident' AS of, coalesce(nullif(i.public_title, ''), i.title) AS about
FROM incident_subscribers s JOIN incidents i ON i.id = s.incident_id WHERE s.id = $1 AND s.email IS NOT NULL
UNION ALL
SELECT s.id, s.email, s.confirmed_at, s.ended_at, 'page', coalesce(nullif(p.public_title, ''), p.title)
FROM status_page_subscribers s JOIN status_pages p ON p.id = s.status_page_id WHERE s.id = $1

-- confirm_incident_subscriber: they want it, also after they had ended it
UPDATE incident_subscribers SET confirmed_at = coalesce(confirmed_at, $2), ended_at = NULL, updated_at = $2 WHERE id = $1

-- confirm_page_subscriber: they want it, also after they had ended it
UPDATE status_page_subscribers SET confirmed_at = coalesce(confirmed_at, $2), ended_at = NULL, updated_at = $2 WHERE id = $1

-- end_incident_subscriber: nothing more to them
UPDATE incident_subscribers SET ended_at = coalesce(ended_at, $2), updated_at = $2 WHERE id = $1

-- end_page_subscriber: nothing more to them
UPDATE status_page_subscribers SET ended_at = coalesce(ended_at, $2), updated_at = $2 WHERE id = $1

-- call_off_told: messages to an address that wants none any more
UPDATE notifications SET state = 'canceled', why = 'the one who follows ended it', finished_at = $2, updated_at = $2
WHERE state = 'waiting' AND purpose = 'notice' AND because ->> 'subscriber' = $1

-- add_page_subscriber: an address that is asked whether it wants what a page publishes; one that ended it stays so
INSERT INTO status_page_subscribers (id, status_page_id, email, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (status_page_id, lower(email)) DO NOTHING RETURNING id

-- remove_page_subscriber: an address of a page
DELETE FROM status_page_subscribers WHERE id = $1 AND status_page_id = $2

-- page_subscribers: the addresses of a page
SELECT id, email, asked_at, confirmed_at, ended_at FROM status_page_subscribers WHERE status_page_id = $1
ORDER BY lower(email) LIMIT 1000

-- incident_mail_subscribers: addresses that follow an incident, whatever they said
SELECT id, email, asked_at, confirmed_at, ended_at FROM incident_subscribers
WHERE incident_id = $1 AND email IS NOT NULL ORDER BY lower(email) LIMIT 1000

-- updates_of_incident: what was sent to everybody who follows, the newest first, and what became of it
SELECT u.id, u.incident_id, u.key, u.title, u.body, u.recipients, u.created_by, u.created_at, u.updated_at, p.name AS by_name,
    count(n.id) AS messages, count(n.id) FILTER (WHERE n.state = 'sent') AS sent,
    count(n.id) FILTER (WHERE n.state = 'refused') AS refused,
    count(n.id) FILTER (WHERE n.state = 'unknown') AS in_doubt
FROM incident_updates u LEFT JOIN users p ON p.id = u.created_by
LEFT JOIN notifications n ON n.incident_update_id = u.id
WHERE u.incident_id = $1 GROUP BY u.id, p.name ORDER BY u.created_at DESC, u.id DESC LIMIT 200
