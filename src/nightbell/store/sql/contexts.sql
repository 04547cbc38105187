-- context_of_alerts: what workflows and templates know of alerts; engine/workflow_context.py
SELECT a.id, a.number, a.status, a.summary, a.alertname, a.occurrence, a.request_count, a.member_count, a.firing_count,
    a.started_at, a.ended_at, a.acknowledged_at, a.resolved_at, a.snoozed_until, a.created_at, a.updated_at, a.source_id,
    a.urgency_id, a.delivery_id, s.type AS source_type, s.name AS source_name, d.labels, d.annotations, d.description,
    d.external_url, d.dedup_key, d.targets,
    (SELECT jsonb_build_object('id', u.id, 'name', u.name, 'description', u.description, 'position', u.position)
     FROM urgencies u WHERE u.id = a.urgency_id) AS urgency,
    (SELECT jsonb_agg(jsonb_build_object('id', v.id, 'name', v.name, 'slug', v.slug) ORDER BY v.name)
     FROM services v WHERE v.id = ANY(d.service_ids)) AS services,
    (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'slug', t.slug) ORDER BY t.name)
     FROM teams t WHERE t.id = ANY(d.team_ids)) AS groups,
    (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email) ORDER BY u.name) FROM users u
     WHERE u.id = a.acknowledged_by OR u.id IN (SELECT p.user_id FROM pages p
        WHERE p.alert_id = a.id AND p.occurrence = a.occurrence AND p.shadows_user_id IS NULL)) AS responders,
    (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email) ORDER BY u.name) FROM users u
     WHERE u.id IN (SELECT n.user_id FROM notifications n WHERE n.alert_id = a.id AND n.purpose = 'page'
        AND n.state IN ('sent', 'unknown') AND n.address IS NULL)) AS notified_users,
    (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'sequential_id', i.sequential_id, 'slug', i.slug, 'title', i.title,
        'status', i.status) ORDER BY i.sequential_id)
     FROM incident_alerts x JOIN incidents i ON i.id = x.incident_id WHERE x.alert_id = a.id) AS incidents
FROM alerts a LEFT JOIN alert_details d ON d.alert_id = a.id LEFT JOIN sources s ON s.id = a.source_id
WHERE a.id = ANY($1::uuid[]);

-- context_of_incident: what workflows and templates know of an incident, but its people, timeline and the like
SELECT i.*, s.name AS severity, s.slug AS severity_slug,
    (SELECT jsonb_build_object('id', s.id, 'name', s.name, 'slug', s.slug, 'severity', s.severity, 'color', s.color)
     WHERE s.id IS NOT NULL) AS raw_severity,
    (SELECT jsonb_build_object('id', b.id, 'name', b.name, 'slug', b.slug, 'parent_status', b.parent_status)
     FROM sub_statuses b WHERE b.id = i.sub_status_id) AS raw_sub_status
FROM incidents i LEFT JOIN severities s ON s.id = i.severity_id WHERE i.id = $1;

-- context_links: what an incident is about: kind, and the thing
SELECT 'services' AS kind, jsonb_build_object('id', v.id, 'name', v.name, 'slug', v.slug) AS thing, v.name
FROM incident_services x JOIN services v ON v.id = x.service_id WHERE x.incident_id = $1
UNION ALL
SELECT 'groups', jsonb_build_object('id', t.id, 'name', t.name, 'slug', t.slug), t.name
FROM incident_teams x JOIN teams t ON t.id = x.team_id WHERE x.incident_id = $1
UNION ALL
SELECT 'environments', jsonb_build_object('id', e.id, 'name', e.name, 'slug', e.slug), e.name
FROM incident_environments x JOIN environments e ON e.id = x.environment_id WHERE x.incident_id = $1
UNION ALL
SELECT 'functionalities', jsonb_build_object('id', f.id, 'name', f.name, 'slug', f.slug), f.name
FROM incident_functionalities x JOIN functionalities f ON f.id = x.functionality_id WHERE x.incident_id = $1
UNION ALL
SELECT 'types', jsonb_build_object('id', t.id, 'name', t.name, 'slug', t.slug), t.name
FROM incident_type_links x JOIN incident_types t ON t.id = x.incident_type_id WHERE x.incident_id = $1
ORDER BY 1, 3;

-- context_people: whoever stands in an incident, by id
SELECT u.id, u.name, u.email FROM users u WHERE u.id = ANY($1::int[]);

-- context_roles: who has which role in an incident
SELECT r.id, r.name, r.slug, u.id AS user_id, u.name AS user_name, u.email
FROM incident_role_assignments a JOIN incident_roles r ON r.id = a.incident_role_id JOIN users u ON u.id = a.user_id
WHERE a.incident_id = $1 ORDER BY r.position, r.name, a.id;

-- context_events: the timeline of an incident, oldest first; the newest where there are too many
SELECT * FROM (
    SELECT e.id, e.event, e.code, e.visibility, e.actor, e.occurred_at FROM incident_events e
    WHERE e.incident_id = $1 ORDER BY e.occurred_at DESC, e.id DESC LIMIT $2
) newest ORDER BY occurred_at, id;

-- context_items: the action items of incidents, or one of them, with who is to do them
SELECT a.*, u.name AS owner_name, u.email AS owner_email,
    (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'slug', t.slug) ORDER BY t.name)
     FROM teams t WHERE t.id = ANY(a.assigned_team_ids)) AS groups
FROM incident_action_items a LEFT JOIN users u ON u.id = a.assigned_to_user_id
WHERE a.incident_id = $1 OR a.id = $2 ORDER BY a.id LIMIT 500;

-- context_incident_alerts: the alerts of an incident
SELECT alert_id FROM incident_alerts WHERE incident_id = $1 ORDER BY created_at, alert_id LIMIT $2;

-- open_incident_for: an open incident that shares a service with this one's, or was made for the same label; newest first
SELECT i.id FROM incidents i
WHERE i.status IN ('in_triage', 'started', 'mitigated') AND i.parent_incident_id IS NULL AND i.duplicate_of_id IS NULL
    AND i.kind = 'normal' AND NOT i.private
    AND CASE WHEN $2::text IS NULL
        THEN EXISTS (SELECT 1 FROM incident_services x WHERE x.incident_id = i.id AND x.service_id = ANY($1::uuid[]))
        ELSE i.labels ->> $2 = $3 END
ORDER BY i.id DESC LIMIT 1;

-- alerts_lately: alerts that began since an instant, by label, source and service; engine/tasks/get_alerts.py
SELECT a.id FROM alerts a LEFT JOIN alert_details d ON d.alert_id = a.id LEFT JOIN sources s ON s.id = a.source_id
WHERE a.started_at >= $1
    AND (cardinality($2::text[]) = 0 OR coalesce(s.type, 'api') = ANY($2) OR s.name = ANY($2))
    AND (cardinality($3::uuid[]) = 0 OR d.service_ids && $3)
    AND (cardinality($4::bigint[]) = 0 OR a.tags @> $4)
ORDER BY a.started_at DESC, a.id DESC LIMIT $5;

-- note_is_there: whether a workflow wrote this note into the timeline of an alert since an instant; engine/tasks/alerts.py
SELECT EXISTS (SELECT 1 FROM alert_events
    WHERE alert_id = $1 AND code = 'note' AND source = 'workflow' AND details = $2 AND created_at >= $3);

-- incident_by_any: an incident by id, number or slug; engine/tasks
SELECT id FROM incidents WHERE id::text = lower($1) OR slug = lower($1) OR sequential_id::text = $1 LIMIT 1;

-- look_for_incident_alone: whether nobody else looks by this measure until this transaction is over
SELECT pg_try_advisory_xact_lock(hashtextextended($1, 5113));

-- teams_of_incident: which teams take part; engine/tasks/people.py
SELECT team_id FROM incident_teams WHERE incident_id = $1 ORDER BY created_at, team_id;

-- context_steps: what came of the tasks of a run that are over, in order
SELECT name, kind, status, why, output, started_at, ended_at FROM workflow_steps
WHERE run_id = $1 AND ended_at IS NOT NULL ORDER BY position;
