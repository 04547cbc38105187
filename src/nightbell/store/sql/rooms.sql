-- want_room: a room for an incident that has none; asked for once more, one that was given up is tried anew
INSERT INTO incident_rooms (id, incident_id, private, name, opened_by, wake_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $6)
ON CONFLICT (incident_id) DO UPDATE SET wake_at = $6, asks = incident_rooms.asks + 1, updated_at = $6, attempts = 0,
    state = CASE WHEN incident_rooms.state = 'failed' THEN 'wanted' ELSE incident_rooms.state END

-- wake_rooms: something happened to these incidents
UPDATE incident_rooms SET wake_at = $2, asks = asks + 1, updated_at = $2
WHERE incident_id = ANY($1::uuid[]) AND state <> 'failed'

-- incidents_for_rooms: what decides whether an incident gets a room by itself
SELECT i.id, i.sequential_id AS number, i.slug, i.kind, i.private, coalesce(s.severity, '') AS severity
FROM incidents i LEFT JOIN severities s ON s.id = i.severity_id
WHERE i.id = ANY($1::uuid[]) AND NOT EXISTS (SELECT 1 FROM incident_rooms r WHERE r.incident_id = i.id)

-- claim_room: lease the room that waits longest
UPDATE incident_rooms SET lease_until = $2, leased_by = $3, attempts = attempts + 1, updated_at = $1
WHERE id = (
    SELECT id FROM incident_rooms WHERE wake_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
    ORDER BY wake_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *

-- release_room: what came of a look; where something happened meanwhile, somebody looks again at once
UPDATE incident_rooms SET lease_until = NULL, leased_by = NULL, why = $4, updated_at = $5,
    state = CASE WHEN $6 THEN 'failed' ELSE state END,
    attempts = CASE WHEN $4 = '' THEN 0 ELSE attempts END,
    wake_at = CASE WHEN $6 THEN NULL WHEN asks <> $2 THEN $5::timestamptz ELSE $3::timestamptz END
WHERE id = $1 AND leased_by = $7

-- forget_room_leases: this node's former self holds none
UPDATE incident_rooms SET lease_until = NULL, leased_by = NULL WHERE leased_by = $1

-- room_made: where it is
UPDATE incident_rooms SET state = 'open', channel_id = $2, name = $3, updated_at = $4 WHERE id = $1

-- room_state: it was archived, or opened again
UPDATE incident_rooms SET state = $2, updated_at = $3 WHERE id = $1

-- room_topic: what the topic says
UPDATE incident_rooms SET topic = $2, updated_at = $3 WHERE id = $1

-- room_header: what stands on top, and which message that is
UPDATE incident_rooms SET header = $2, header_ts = $3, updated_at = $4 WHERE id = $1

-- room_invited: who was asked in, and who has no account there
UPDATE incident_rooms SET invited = $2, absent = $3, updated_at = $4 WHERE id = $1

-- add_room_line: a line that was told in the room; told twice it is one
INSERT INTO incident_room_lines (id, room_id, event_id, ts, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING

-- room_lines: the timeline since a moment, and what of it was told in the room
SELECT e.id, e.event, e.actor, e.user_id, e.source, e.key, e.occurred_at, l.ts
FROM incident_events e LEFT JOIN incident_room_lines l ON l.event_id = e.id AND l.room_id = $2
WHERE e.incident_id = $1 AND e.created_at >= $3 ORDER BY e.created_at, e.id

-- room_of_channel: whether a channel is another room of ours
SELECT id FROM incident_rooms WHERE channel_id = $1

-- room_incident: what a room shows of its incident
SELECT i.id, i.sequential_id AS number, i.slug, i.title, coalesce(i.summary, '') AS summary, i.status, i.kind, i.private,
    coalesce(s.severity, '') AS severity, coalesce(s.name, '') AS severity_name,
    ARRAY(SELECT v.name FROM incident_services x JOIN services v ON v.id = x.service_id WHERE x.incident_id = i.id ORDER BY v.name) AS services
FROM incidents i LEFT JOIN severities s ON s.id = i.severity_id WHERE i.id = $1

-- room_roles: who holds which role
SELECT r.name AS role, u.name AS person FROM incident_role_assignments a JOIN incident_roles r ON r.id = a.incident_role_id
JOIN users u ON u.id = a.user_id WHERE a.incident_id = $1 ORDER BY r.position, r.name, u.name

-- room_people: whom to ask in, and where they are on Slack: role holders, whoever made it or asked for the room, and,
-- unless it is private, whoever was paged for its alerts or took them; an empty address is asked for by e-mail
SELECT u.id, u.email, coalesce((
    SELECT m.address FROM contact_methods m WHERE m.user_id = u.id AND m.kind = 'slack' AND m.address ~ '^[UW]' ORDER BY m.created_at LIMIT 1
), '') AS address
FROM users u WHERE u.active AND u.id IN (
    SELECT user_id FROM incident_role_assignments WHERE incident_id = $1
    UNION SELECT p.user_id FROM incident_alerts a JOIN pages p ON p.alert_id = a.alert_id AND p.occurrence >= a.occurrence
        JOIN incidents i ON i.id = a.incident_id WHERE a.incident_id = $1 AND NOT i.private
    UNION SELECT l.acknowledged_by FROM incident_alerts a JOIN alerts l ON l.id = a.alert_id
        JOIN incidents i ON i.id = a.incident_id WHERE a.incident_id = $1 AND NOT i.private
    UNION SELECT created_by FROM incidents WHERE id = $1
    UNION SELECT opened_by FROM incident_rooms WHERE incident_id = $1
) ORDER BY u.id

-- mark_in_room: somebody marked a message; one that we wrote ourselves stands in the timeline already
INSERT INTO incident_room_marks (id, room_id, ts, marked_by, created_at, updated_at)
SELECT $1, r.id, $3, $4, $5, $5 FROM incident_rooms r
WHERE r.channel_id = $2 AND r.state = 'open' AND r.header_ts IS DISTINCT FROM $3
    AND NOT EXISTS (SELECT 1 FROM incident_room_lines l WHERE l.room_id = r.id AND l.ts = $3)
ON CONFLICT (room_id, ts) DO NOTHING RETURNING room_id

-- wake_room: somebody marked something there
UPDATE incident_rooms SET wake_at = $2, asks = asks + 1, updated_at = $2 WHERE id = $1

-- waiting_marks: marked messages that are not in the timeline yet
SELECT id, ts, marked_by FROM incident_room_marks WHERE room_id = $1 AND done_at IS NULL ORDER BY ts LIMIT 20

-- mark_done: what a marked message became, or why nothing
UPDATE incident_room_marks SET event_id = $2, why = $3, done_at = $4, updated_at = $4 WHERE id = $1

-- room_of_incident: the room of an incident, for its page
SELECT id, state, name, channel_id, why, wake_at, attempts, created_at FROM incident_rooms WHERE incident_id = $1

-- rooms_of_incidents: where the rooms of some incidents are
SELECT incident_id, channel_id, name FROM incident_rooms WHERE incident_id = ANY($1::uuid[]) AND channel_id IS NOT NULL
