-- lock_noticing: whoever has this row looks at the shifts; another node leaves it to them
SELECT next_at, looked_at, version FROM noticing FOR UPDATE SKIP LOCKED

-- noticed: when to look again
UPDATE noticing SET next_at = $1, looked_at = $2, version = $3

-- notice_wishes: what people want to hear of their shifts
SELECT id, notice_hours, handoff_notices FROM users WHERE active

-- failing_methods: addresses at which the last message did not arrive
SELECT id, failing_why FROM contact_methods WHERE failing_since IS NOT NULL

-- insert_notice: said once; the second one to say it gets no row
INSERT INTO notices (id, user_id, subject_id, schedule_id, kind, shift_start, shift_end, hours, cause_id, said, created_at,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING RETURNING id

-- insert_notice_message: a notice on its way
INSERT INTO notifications (id, user_id, contact_method_id, kind, purpose, state, send_at, idempotency_key, notice_id,
    because, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'notice', 'waiting', $5, $1::uuid::text, $6, $7, $8, $8)

-- forget_notices: of shifts long over
DELETE FROM notices WHERE created_at < $1

-- swaps_lately: swaps that changed since $1 and are not over; `taker` said yes to one that was taken back
SELECT s.id, s.schedule_id, s.user_id, s.asked_user_id, s.taken_by_user_id, s.state, s.starts_at, s.ends_at,
    s.return_starts_at, s.return_ends_at, s.reason, s.created_by, (SELECT k.subject_id FROM notices k
        WHERE k.cause_id = s.id AND k.kind = 'swap_accepted' LIMIT 1) AS taker
FROM schedule_swaps s WHERE s.updated_at > $1 AND s.ends_at > $2 ORDER BY s.id

-- same_throttle: another one that counts the same
SELECT id FROM throttles WHERE kind = $1 AND scope = $2 AND seconds = $3 AND id IS DISTINCT FROM $4

-- release_held: throttles changed; whatever they hold back is looked at now
UPDATE notifications SET send_at = $1, updated_at = $1
WHERE state = 'waiting' AND send_at > $1 AND why LIKE 'held back:%'

-- coming_unreachable: whose shift is near and whom nobody could reach when it was looked at
SELECT DISTINCT subject_id, schedule_id, shift_start FROM notices WHERE kind = 'unreachable' AND shift_start > $1
ORDER BY shift_start, subject_id LIMIT 50

-- notices_of: what somebody was told of their shifts lately
SELECT kind, said, created_at FROM notices WHERE user_id = $1 ORDER BY id DESC LIMIT 5

-- alerts_of_bundle: what a message named, as it stands now
SELECT number, summary, status, started_at FROM alerts WHERE id = ANY($1::uuid[]) ORDER BY started_at, number
