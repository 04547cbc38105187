-- try_housekeeping_lock: one node at a time, until the end of the transaction
SELECT pg_try_advisory_xact_lock($1)

-- delivery_partitions: the partitions there are
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'deliveries'::regclass

-- save_shown_payloads: bodies of one day that an alert still shows
INSERT INTO payloads (delivery_id, body, created_at, updated_at)
SELECT d.id, d.body, $2, $2 FROM deliveries d
WHERE d.received_at >= $1 AND d.received_at < $1 + interval '1 day'
  AND EXISTS (SELECT 1 FROM alerts a WHERE a.delivery_id = d.id)
ON CONFLICT (delivery_id) DO NOTHING

-- settle_index: bring what the label index holds back for later (its pending list) to its place
SELECT gin_clean_pending_list('alerts_by_tag')

-- wake_forgotten: climbs held by planned work that is over; one began while it was being ended, and was told the old end
UPDATE escalations e SET wake_at = $1, updated_at = $1 WHERE e.muted_by IS NOT NULL AND e.wake_at > $1
    AND NOT EXISTS (SELECT 1 FROM maintenances m WHERE m.id = e.muted_by AND (m.ends_at IS NULL OR m.ends_at > $1))

-- forget_sessions: log-ins that are over
DELETE FROM sessions WHERE expires_at < $1
