-- incident_screen: incidents of some statuses that a person may see, open ones first, the newest first among them
SELECT i.id, i.sequential_id, i.slug, i.title, i.status, i.private, i.kind, i.summary,
       coalesce(i.started_at, i.in_triage_at, i.scheduled_for, i.created_at) AS began_at,
       coalesce(i.resolved_at, i.closed_at, i.cancelled_at, i.completed_at) AS over_at,
       s.name AS severity, s.severity AS severity_rank, i.status IN ('in_triage', 'started', 'mitigated') AS open,
       ARRAY(SELECT v.name FROM incident_services x JOIN services v ON v.id = x.service_id
             WHERE x.incident_id = i.id ORDER BY v.name) AS services,
       ARRAY(SELECT t.name FROM incident_teams x JOIN teams t ON t.id = x.team_id
             WHERE x.incident_id = i.id ORDER BY t.name) AS teams,
       (SELECT u.name FROM incident_role_assignments a JOIN incident_roles r ON r.id = a.incident_role_id
        JOIN users u ON u.id = a.user_id WHERE a.incident_id = i.id ORDER BY r.position, a.id LIMIT 1) AS leads,
       (SELECT count(*) FROM incident_alerts a WHERE a.incident_id = i.id) AS alerts,
       (SELECT count(*) FROM incident_action_items a WHERE a.incident_id = i.id AND a.completed_at IS NULL) AS to_do
FROM incidents i
LEFT JOIN severities s ON s.id = i.severity_id
WHERE (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
  AND (cardinality($3::text[]) = 0 OR i.status = ANY($3))
  AND ($4::uuid IS NULL OR i.severity_id = $4)
  AND ($5::uuid IS NULL OR EXISTS (SELECT 1 FROM incident_services x WHERE x.incident_id = i.id AND x.service_id = $5))
  AND ($6::uuid IS NULL OR EXISTS (SELECT 1 FROM incident_teams x WHERE x.incident_id = i.id AND x.team_id = $6))
  AND ($7::text = '' OR i.title ILIKE $7 OR i.summary ILIKE $7 OR i.sequential_id = $8::int)
  AND ($9::int IS NULL OR (i.status IN ('in_triage', 'started', 'mitigated'), i.sequential_id) < ($10::boolean, $9))
ORDER BY i.status IN ('in_triage', 'started', 'mitigated') DESC, i.sequential_id DESC
LIMIT $11;

-- incident_screen_counts: how many incidents a person may see, by status
SELECT i.status, count(*) AS count
FROM incidents i
WHERE NOT i.private OR $2 OR i.created_by = $1
   OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
   OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1)
GROUP BY i.status;

-- incident_page: one incident that a person may see, by number, id or slug, with the names around it
SELECT i.*, s.name AS severity, s.severity AS severity_rank, c.name AS creator,
       p.sequential_id AS parent_number, p.title AS parent_title,
       d.sequential_id AS original_number, d.title AS original_title,
       (SELECT jsonb_object_agg(u.id::text, u.name) FROM users u WHERE u.id IN (i.in_triage_by, i.started_by,
        i.mitigated_by, i.resolved_by, i.closed_by, i.cancelled_by)) AS names
FROM incidents i
LEFT JOIN severities s ON s.id = i.severity_id
LEFT JOIN users c ON c.id = i.created_by
LEFT JOIN incidents p ON p.id = i.parent_incident_id
LEFT JOIN incidents d ON d.id = i.duplicate_of_id
WHERE (i.sequential_id = $3::int OR i.id = $4::uuid OR i.slug = $5::text)
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1));

-- incident_page_links: what an incident is about: (kind, id, name), names in order
SELECT 'service' AS kind, v.id, v.name FROM incident_services x JOIN services v ON v.id = x.service_id WHERE x.incident_id = $1
UNION ALL
SELECT 'team', t.id, t.name FROM incident_teams x JOIN teams t ON t.id = x.team_id WHERE x.incident_id = $1
UNION ALL
SELECT 'environment', e.id, e.name FROM incident_environments x JOIN environments e ON e.id = x.environment_id
WHERE x.incident_id = $1
UNION ALL
SELECT 'type', t.id, t.name FROM incident_type_links x JOIN incident_types t ON t.id = x.incident_type_id
WHERE x.incident_id = $1
ORDER BY 1, 3;

-- incident_page_events: the timeline of an incident, oldest first; the newest where there are too many
SELECT * FROM (
  SELECT e.*, u.name AS user_name FROM incident_events e LEFT JOIN users u ON u.id = e.user_id
  WHERE e.incident_id = $1 ORDER BY e.occurred_at DESC, e.id DESC LIMIT $2
) newest ORDER BY occurred_at, id;

-- incident_page_roles: every role in use, and who has it in an incident
SELECT r.id, r.name, r.slug, r.summary, r.optional, r.enabled, r.many,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', a.id, 'user_id', a.user_id, 'name', u.name, 'schedule', s.name)
                                  ORDER BY a.id)
                 FROM incident_role_assignments a JOIN users u ON u.id = a.user_id LEFT JOIN schedules s ON s.id = a.schedule_id
                 WHERE a.incident_id = $1 AND a.incident_role_id = r.id), '[]') AS people
FROM incident_roles r
WHERE r.enabled OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = $1 AND a.incident_role_id = r.id)
ORDER BY r.position, r.name;

-- incident_page_items: what is to be done for an incident, what is open first
SELECT a.*, i.sequential_id, u.name AS owner,
       ARRAY(SELECT t.name FROM teams t WHERE t.id = ANY(a.assigned_team_ids) ORDER BY t.name) AS teams
FROM incident_action_items a JOIN incidents i ON i.id = a.incident_id LEFT JOIN users u ON u.id = a.assigned_to_user_id
WHERE a.incident_id = $1
ORDER BY a.completed_at IS NOT NULL, a.due_date NULLS LAST, a.id;

-- incident_page_alerts: the alerts of an incident, as they stand now
SELECT a.id, a.number, a.summary, a.status, a.started_at, a.ended_at, a.firing_count, x.occurrence,
       a.occurrence > x.occurrence AS again, x.created_at AS attached_at
FROM incident_alerts x JOIN alerts a ON a.id = x.alert_id
WHERE x.incident_id = $1
ORDER BY a.status = 'resolved', a.started_at, a.id
LIMIT 500;

-- incident_page_subscribers: which people are told of an incident; addresses of others are status_pages.sql's
SELECT b.id, b.user_id, u.name
FROM incident_subscribers b JOIN users u ON u.id = b.user_id
WHERE b.incident_id = $1 AND b.ended_at IS NULL
ORDER BY u.name;

-- incident_page_family: incidents below an incident, and those that are the same as it, as far as a person may see them
SELECT i.id, i.sequential_id, i.title, i.status, i.parent_incident_id = $3 AS below
FROM incidents i
WHERE (i.parent_incident_id = $3 OR i.duplicate_of_id = $3)
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
ORDER BY i.sequential_id;

-- incidents_of_alert: the incidents that an alert belongs to, as far as a person may see them, the newest first
SELECT i.id, i.sequential_id, i.title, i.status
FROM incident_alerts x JOIN incidents i ON i.id = x.incident_id
WHERE x.alert_id = $3
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
ORDER BY i.sequential_id DESC
LIMIT 20;

-- incident_choices: open incidents to choose from, the newest first, and lately resolved ones after them
SELECT i.id, i.sequential_id, i.title, i.status
FROM incidents i
WHERE i.status IN ('in_triage', 'started', 'mitigated', 'resolved') AND i.id IS DISTINCT FROM $3::uuid
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments a WHERE a.incident_id = i.id AND a.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
ORDER BY i.status = 'resolved', i.sequential_id DESC
LIMIT 100;

-- action_item_screen: what is to be done for incidents that a person may see; $3 whose, NULL for everybody's
SELECT a.id, a.summary, a.status, a.priority, a.kind, a.due_date, a.completed_at, u.name AS owner,
       ARRAY(SELECT t.name FROM teams t WHERE t.id = ANY(a.assigned_team_ids) ORDER BY t.name) AS teams,
       i.sequential_id, i.title, i.status AS incident_status
FROM incident_action_items a
JOIN incidents i ON i.id = a.incident_id
LEFT JOIN users u ON u.id = a.assigned_to_user_id
WHERE (a.completed_at IS NULL) = $4
  AND ($3::int IS NULL OR a.assigned_to_user_id = $3
       OR a.assigned_team_ids && ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = $3))
  AND (NOT i.private OR $2 OR i.created_by = $1
       OR EXISTS (SELECT 1 FROM incident_role_assignments r WHERE r.incident_id = i.id AND r.user_id = $1)
       OR EXISTS (SELECT 1 FROM incident_subscribers b WHERE b.incident_id = i.id AND b.user_id = $1))
ORDER BY a.completed_at DESC NULLS FIRST, a.due_date NULLS LAST, CASE a.priority WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, a.id
LIMIT 200;

-- incident_catalog_uses: how many incidents use each row of the catalogs
SELECT severity_id AS id, count(*) AS uses FROM incidents WHERE severity_id IS NOT NULL GROUP BY 1
UNION ALL
SELECT incident_type_id, count(*) FROM incident_type_links GROUP BY 1
UNION ALL
SELECT environment_id, count(*) FROM incident_environments GROUP BY 1
UNION ALL
SELECT incident_role_id, count(DISTINCT incident_id) FROM incident_role_assignments GROUP BY 1;
