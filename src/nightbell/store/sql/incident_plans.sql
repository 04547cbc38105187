-- maintenance_of_incident: the planned work that an incident owns, locked
SELECT id, name, service_ids, source_ids, starts_at, ends_at, hours FROM maintenances WHERE incident_id = $1 FOR UPDATE

-- plans_due: planned work that begins or ends now, and what it is to become
SELECT id, CASE WHEN status = 'scheduled' THEN 'in_progress' ELSE 'completed' END AS to_status FROM incidents
WHERE status = 'scheduled' AND scheduled_for <= $1 OR status = 'in_progress' AND scheduled_until <= $1
ORDER BY scheduled_for LIMIT 100

-- muted_unattached: alerts that planned work holds and that are not attached to its incident yet, as many as it takes
SELECT f.incident_id, f.alert_ids[1:f.room] AS alert_ids
FROM (
    SELECT m.incident_id, array_agg(DISTINCT e.alert_id) AS alert_ids,
        1000 - (SELECT count(*) FROM incident_alerts y WHERE y.incident_id = m.incident_id) AS room
    FROM maintenances m
    JOIN incidents i ON i.id = m.incident_id AND i.status = 'in_progress'
    JOIN escalations e ON e.muted_by = m.id
    WHERE NOT EXISTS (
        SELECT FROM incident_alerts x WHERE x.incident_id = m.incident_id AND x.alert_id = e.alert_id)
    GROUP BY m.incident_id
) f
WHERE f.room > 0

-- number_of_incident: what people call it
SELECT sequential_id FROM incidents WHERE id = $1
