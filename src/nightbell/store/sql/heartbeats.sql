-- lock_heartbeats: heartbeats that beat, are silent or are changed; by id, so that two of us wait and never block
SELECT * FROM heartbeats WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- due_heartbeats: which were silent for too long
SELECT id FROM heartbeats WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2

-- lock_due_heartbeat: one of them, unless another node has it or it beat meanwhile
SELECT * FROM heartbeats WHERE id = $1 AND wake_at <= $2 FOR UPDATE SKIP LOCKED

-- beat_heartbeat: it was heard of; the last sixty beats are kept for the picture
UPDATE heartbeats SET status = 'active', last_pinged_at = $2, last_pinged_by = $3, expires_at = $4, wake_at = $5,
    recent = recent[greatest(1, cardinality(recent) - 58):] || $2::timestamptz, updated_at = $2
WHERE id = $1

-- expire_heartbeat: it was silent for too long
UPDATE heartbeats SET status = 'expired', wake_at = NULL, updated_at = $2 WHERE id = $1

-- push_back_heartbeat: a defect of ours kept it from being looked at; it is looked at again
UPDATE heartbeats SET wake_at = $2, updated_at = $3 WHERE id = $1 AND wake_at IS NOT NULL

-- forgive_heartbeats: nobody could be heard while no node ran, or the clock was set; silence counts from here on
UPDATE heartbeats SET
    expires_at = $1::timestamptz + make_interval(mins => interval_count * CASE interval_unit WHEN 'minutes' THEN 1 WHEN 'hours' THEN 60 ELSE 1440 END),
    wake_at = $1::timestamptz + make_interval(mins => interval_count * CASE interval_unit WHEN 'minutes' THEN 1 WHEN 'hours' THEN 60 ELSE 1440 END, secs => grace_seconds),
    updated_at = $1
WHERE wake_at IS NOT NULL AND (wake_at <= $2 OR expires_at > $1::timestamptz
    + make_interval(mins => interval_count * CASE interval_unit WHEN 'minutes' THEN 1 WHEN 'hours' THEN 60 ELSE 1440 END))

-- keep_heartbeat_source: where alerts of heartbeats come from; made with the first of them
INSERT INTO sources (id, name, type, identity, created_at, updated_at)
SELECT $1::uuid, CASE WHEN EXISTS (SELECT FROM sources WHERE lower(name) = 'heartbeats') THEN 'Heartbeats ' || ($1::uuid)::text
    ELSE 'Heartbeats' END, 'heartbeat', 'fingerprint', $2, $2
ON CONFLICT DO NOTHING

-- heartbeat_source: whether there is one
SELECT id FROM sources WHERE id = $1

-- new_heartbeat_secret: the one before it no longer works
UPDATE heartbeats SET secret_hash = $2, sealed = $3, updated_at = $4 WHERE id = $1

-- heartbeat_sealed: the secret of a heartbeat, encrypted
SELECT sealed FROM heartbeats WHERE id = $1
