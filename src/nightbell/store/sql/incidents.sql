-- lock_incident_numbers: the last number given out; held until the transaction ends, so that no number is left out
SELECT last FROM incident_numbers FOR UPDATE;

-- use_incident_number: count a number as given out
UPDATE incident_numbers SET last = $1;

-- alerts_for_incident: what an incident takes over from alerts, kept where they are in the order in which deliveries
-- lock them: a link to an alert holds its row, and two who hold in different orders would wait for each other
SELECT a.id, a.number, a.summary, a.status, a.occurrence, a.started_at, a.acknowledged_at,
    coalesce(d.service_ids, '{}') AS service_ids, coalesce(d.team_ids, '{}') AS team_ids
FROM alerts a LEFT JOIN alert_details d ON d.alert_id = a.id
WHERE a.id = ANY($1::uuid[]) ORDER BY a.identity FOR KEY SHARE OF a;

-- incidents_whose_alerts_are_over: open incidents that end with their alerts and have none that is not resolved
SELECT i.id FROM incidents i
WHERE i.resolve_with_alerts AND i.status IN ('in_triage', 'started', 'mitigated')
  AND EXISTS (SELECT 1 FROM incident_alerts x WHERE x.incident_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM incident_alerts x JOIN alerts a ON a.id = x.alert_id
                  WHERE x.incident_id = i.id AND a.status <> 'resolved')
ORDER BY i.id LIMIT $1;

-- seed_catalog_row: whether the catalogs of incidents were filled once; what was deleted since stays deleted
INSERT INTO instance (key, value, created_at, updated_at) VALUES ('incident_catalogs', 'true', $1, $1)
ON CONFLICT DO NOTHING;

-- parent_of_incident: what an incident is below
SELECT parent_incident_id FROM incidents WHERE id = $1;

-- parent_of_sub_status: which status a finer one belongs to
SELECT parent_status FROM sub_statuses WHERE id = $1;
