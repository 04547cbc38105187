-- status_stamp: another text whenever a status page may read otherwise; xmin moves with every change of a row
SELECT concat_ws(' ', (SELECT version FROM configuration),
    (SELECT concat(count(*), '/', sum(xmin::text::bigint)) FROM status_page_events),
    (SELECT concat(count(*), '/', sum(i.xmin::text::bigint)) FROM incidents i
     WHERE EXISTS (SELECT FROM status_page_events e WHERE e.incident_id = i.id)),
    (SELECT concat(count(*), '/', sum(s.xmin::text::bigint)) FROM incident_services s
     WHERE EXISTS (SELECT FROM status_page_events e WHERE e.incident_id = s.incident_id)))

-- any_status_page: whether there is anything to show at all
SELECT EXISTS (SELECT FROM status_pages WHERE enabled)

-- status_faces: every page that is shown
SELECT id, slug, title, public_title, description, public_description, success_message, failure_message, footer,
    website_url, support_url, privacy_url, section_order, time_zone, service_ids, public, indexed, token_round
FROM status_pages WHERE enabled

-- status_face: one page, shown or not
SELECT id, slug, title, public_title, description, public_description, success_message, failure_message, footer,
    website_url, support_url, privacy_url, section_order, time_zone, service_ids, public, indexed, token_round
FROM status_pages WHERE id = $1

-- status_services: the names of what pages show
SELECT id, name FROM services WHERE id = ANY($1::uuid[])

-- status_said: what was published of incidents that go on, or of which something was said since $1, at most $2 of each page $3
WITH spoken AS (
    SELECT e.status_page_id, e.incident_id, max(e.started_at) AS last_at,
        (array_agg(e.status ORDER BY e.started_at DESC, e.id DESC))[1] IN ('resolved', 'completed') AS over
    FROM status_page_events e
    JOIN incidents i ON i.id = e.incident_id AND NOT i.private
    WHERE e.status_page_id = ANY($3::uuid[])
    GROUP BY 1, 2
), chosen AS (
    SELECT status_page_id, incident_id,
        row_number() OVER (PARTITION BY status_page_id ORDER BY over, last_at DESC) AS place
    FROM spoken WHERE last_at >= $1 OR NOT over
)
SELECT e.status_page_id, e.incident_id, e.id, e.event, e.status, e.impact, e.started_at, e.updated_at,
    coalesce(nullif(i.public_title, ''), i.title) AS title, i.kind, v.severity, i.scheduled_for, i.scheduled_until,
    ARRAY(SELECT x.service_id FROM incident_services x WHERE x.incident_id = i.id) || i.muted_service_ids AS service_ids
FROM chosen c
JOIN status_page_events e ON e.status_page_id = c.status_page_id AND e.incident_id = c.incident_id
JOIN incidents i ON i.id = c.incident_id
LEFT JOIN severities v ON v.id = i.severity_id
WHERE c.place <= $2
ORDER BY e.started_at, e.id

-- slug_taken_status_page: whether another status page has this slug
SELECT EXISTS (SELECT 1 FROM status_pages WHERE slug = $1 AND id <> $2)

-- status_page_ids: the pages there are, two at most: one is the only one, two are several
SELECT id FROM status_pages LIMIT 2

-- incident_of_published: of which incident something was published
SELECT incident_id FROM status_page_events WHERE id = $1
