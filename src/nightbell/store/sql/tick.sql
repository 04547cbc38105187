-- alerts_alike: of alerts that are locked, those with one climb and at most one page of it due, and nothing else;
-- gathered by all that their next step may look at (core/alike.py), where there are at least $3 of a kind. A page that
-- was heard of within the last minute is left out: what was just sent to whom is another thing for each of them
SELECT array_agg(s.alert_id) AS alert_ids, array_agg(s.climb_id) AS climb_ids, array_agg(s.page_id) AS page_ids
FROM (
    SELECT a.id AS alert_id, e.id AS climb_id, w.id AS page_id, a.status, a.source_id, a.urgency_id, d.service_ids,
        e.wake_at <= $2 AS climbs, e.occurrence, e.origin, e.plan_id, e.phase, e.level, e.round, e.fired, e.reached,
        e.turn, e.acknowledged, e.muted_by, p.paged, w.user_id AS page_user_id, w.level AS page_level,
        w.cycle AS page_cycle, w.loudness AS page_loudness, w.progress AS page_progress,
        w.created_at AS page_created_at, w.shadows_user_id AS page_shadows_user_id
    FROM unnest($1::uuid[]) AS i (id)
    JOIN alerts a ON a.id = i.id
    JOIN escalations e ON e.alert_id = a.id AND e.occurrence = a.occurrence AND e.phase <> 'ended'
    LEFT JOIN alert_details d ON d.alert_id = a.id
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS paged, count(*) FILTER (WHERE wake_at <= $2) AS due FROM pages
        WHERE alert_id = a.id AND phase = 'paging'
    ) p
    LEFT JOIN pages w ON p.due = 1 AND w.alert_id = a.id AND w.phase = 'paging' AND w.wake_at <= $2
    WHERE a.status = 'triggered' AND a.group_rule_id IS NULL AND (a.wake_at IS NULL OR a.wake_at > $2) AND p.due <= 1
        AND (e.wake_at <= $2 AND e.phase = 'climbing' OR w.id IS NOT NULL AND (e.wake_at > $2 OR e.wake_at IS NULL))
        AND NOT EXISTS (
            SELECT FROM escalations o
            WHERE o.alert_id = a.id AND o.id <> e.id AND o.occurrence = a.occurrence AND o.phase <> 'ended')
        AND (w.id IS NULL OR w.escalation_id = e.id AND w.occurrence = e.occurrence AND NOT EXISTS (
            SELECT FROM notifications n
            WHERE n.alert_id = a.id AND n.purpose = 'page' AND n.created_at > $2::timestamptz - interval '1 minute'))
) s
GROUP BY s.status, s.source_id, s.urgency_id, s.service_ids, s.climbs, s.occurrence, s.origin, s.plan_id, s.phase,
    s.level, s.round, s.fired, s.reached, s.turn, s.acknowledged, s.muted_by, s.paged, s.page_user_id, s.page_level,
    s.page_cycle, s.page_loudness, s.page_progress, s.page_created_at, s.page_shadows_user_id
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
