-- push_back: look again later at everything that is due for one alert
WITH a AS (UPDATE alerts SET wake_at = $2, updated_at = $3 WHERE id = $1 AND wake_at <= $3),
     e AS (UPDATE escalations SET wake_at = $2, updated_at = $3 WHERE alert_id = $1 AND wake_at <= $3)
UPDATE pages SET wake_at = $2, updated_at = $3 WHERE alert_id = $1 AND wake_at <= $3

-- insert_fault_event: a defect of ours, where whoever looks at the alert sees it
INSERT INTO alert_events (id, alert_id, kind, action, code, source, details, created_at, updated_at)
VALUES ($1, $2, 'informational', 'skipped', 'timer.fault', 'system', $3, $4, $4)
