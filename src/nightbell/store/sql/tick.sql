-- climbs_alike: of alerts that are locked, those with one climb, which is due as nothing else of them is; gathered by
-- where the climb stands and by what its next step may look at (core/alike.py), where there are at least $3 of a kind
SELECT array_agg(s.alert_id) AS alert_ids, array_agg(s.climb_id) AS climb_ids
FROM (
    SELECT a.id AS alert_id, e.id AS climb_id, a.status, a.source_id, a.urgency_id, d.service_ids, e.occurrence,
        e.origin, e.plan_id, e.phase, e.level, e.round, e.fired, e.reached, e.turn, e.acknowledged, e.muted_by, p.paged
    FROM unnest($1::uuid[]) AS i (id)
    JOIN alerts a ON a.id = i.id
    JOIN escalations e ON e.alert_id = a.id AND e.occurrence = a.occurrence AND e.phase <> 'ended'
    LEFT JOIN alert_details d ON d.alert_id = a.id
    LEFT JOIN LATERAL (
        SELECT true AS paged, bool_or(wake_at <= $2) AS due FROM pages WHERE alert_id = a.id AND phase = 'paging'
        HAVING count(*) > 0
    ) p ON true
    WHERE a.status = 'triggered' AND a.group_rule_id IS NULL AND (a.wake_at IS NULL OR a.wake_at > $2)
        AND e.phase = 'climbing' AND e.wake_at <= $2 AND p.due IS NOT TRUE
        AND NOT EXISTS (
            SELECT FROM escalations o
            WHERE o.alert_id = a.id AND o.id <> e.id AND o.occurrence = a.occurrence AND o.phase <> 'ended')
) s
GROUP BY s.status, s.source_id, s.urgency_id, s.service_ids, s.occurrence, s.origin, s.plan_id, s.phase, s.level,
    s.round, s.fired, s.reached, s.turn, s.acknowledged, s.muted_by, s.paged
HAVING count(*) >= $3

-- push_back: look again later at everything that is due for one alert
WITH a AS (UPDATE alerts SET wake_at = $2, updated_at = $3 WHERE id = $1 AND wake_at <= $3),
     e AS (UPDATE escalations SET wake_at = $2, updated_at = $3 WHERE alert_id = $1 AND wake_at <= $3)
UPDATE pages SET wake_at = $2, updated_at = $3 WHERE alert_id = $1 AND wake_at <= $3

-- insert_fault_event: a defect of ours, where whoever looks at the alert sees it
INSERT INTO alert_events (id, alert_id, kind, action, code, source, details, created_at, updated_at)
VALUES ($1, $2, 'informational', 'skipped', 'timer.fault', 'system', $3, $4, $4)

-- rewind_climbs: timers set while the clock was ahead of the one it was set back to; $2 forgives what clocks do anyway
UPDATE escalations SET wake_at = $1::timestamptz + (wake_at - updated_at), updated_at = $1
WHERE wake_at IS NOT NULL AND updated_at > $2

-- rewind_pages: the same for personal rules
UPDATE pages SET wake_at = $1::timestamptz + (wake_at - updated_at), updated_at = $1
WHERE wake_at IS NOT NULL AND updated_at > $2

-- rewind_messages: the same for messages that wait
UPDATE notifications SET send_at = $1::timestamptz + (send_at - updated_at), updated_at = $1
WHERE state = 'waiting' AND updated_at > $2

-- rewind_leases: the same for messages being sent: a dead worker's lease must lapse in this life
UPDATE notifications SET lease_until = $1::timestamptz + (lease_until - updated_at), updated_at = $1
WHERE state = 'sending' AND updated_at > $2
