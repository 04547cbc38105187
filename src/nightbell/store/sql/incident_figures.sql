-- incident_figures: incidents that began since $3 and that a person may see, with the names they are counted by
SELECT i.*, s.name AS severity_name, coalesce(s.severity, '') AS level,
    ARRAY(SELECT v.name FROM incident_services x JOIN services v ON v.id = x.service_id WHERE x.incident_id = i.id
          ORDER BY v.name) AS services,
    ARRAY(SELECT t.name FROM incident_teams x JOIN teams t ON t.id = x.team_id WHERE x.incident_id = i.id
          ORDER BY t.name) AS teams
FROM incidents i LEFT JOIN severities s ON s.id = i.severity_id
WHERE least(i.detected_at, i.in_triage_at, i.started_at, i.in_progress_at, i.created_at) >= $3
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
ORDER BY i.sequential_id DESC LIMIT 20000
