-- directory_workflows: everything that is switched on, with its tasks in order; engine/workflows.py
SELECT w.*, coalesce(t.tasks, '[]') AS tasks
FROM workflows AS w
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', t.id, 'kind', t.kind, 'name', t.name, 'position', t.position, 'params', t.params,
        'skip_on_failure', t.skip_on_failure, 'enabled', t.enabled
    ) ORDER BY t.position) AS tasks
    FROM workflow_tasks AS t WHERE t.workflow_id = w.id
) AS t ON true
WHERE w.enabled
ORDER BY w.position, w.id

-- one_workflow: one of them, also when it is switched off; engine/workflows.py
SELECT w.*, coalesce(t.tasks, '[]') AS tasks
FROM workflows AS w
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'id', t.id, 'kind', t.kind, 'name', t.name, 'position', t.position, 'params', t.params,
        'skip_on_failure', t.skip_on_failure, 'enabled', t.enabled
    ) ORDER BY t.position) AS tasks
    FROM workflow_tasks AS t WHERE t.workflow_id = w.id
) AS t ON true
WHERE w.id::text = $1 OR w.slug = $1
ORDER BY (w.id::text = $1) DESC
LIMIT 1

-- slug_taken_workflow: whether another workflow has this slug; engine/configure_teams.free_slug
SELECT EXISTS (SELECT 1 FROM workflows WHERE slug = $1 AND id <> $2)

-- slug_taken_workflow_group: the same of their groups
SELECT EXISTS (SELECT 1 FROM workflow_groups WHERE slug = $1 AND id <> $2)

-- next_workflow_position: behind all others
SELECT coalesce(max(position), 0) + 1 FROM workflows

-- next_workflow_group_position: behind all others
SELECT coalesce(max(position), 0) + 1 FROM workflow_groups

-- next_task_position: behind all others of its workflow
SELECT coalesce(max(position), 0) + 1 FROM workflow_tasks WHERE workflow_id = $1

-- lock_tasks: the tasks of a workflow in order, so that two who move them wait for each other
SELECT id, position FROM workflow_tasks WHERE workflow_id = $1 ORDER BY position FOR UPDATE

-- place_tasks: their new order; one statement, because positions are compared when it commits
UPDATE workflow_tasks AS t SET position = p.position, updated_at = $3
FROM unnest($1::uuid[], $2::integer[]) AS p (id, position)
WHERE t.id = p.id AND t.position <> p.position

-- workflow_calls: which workflow starts which by a task of its own; `called` is an id or a slug
SELECT t.workflow_id, t.id AS task_id, w.name, t.params -> 'workflow' ->> 'id' AS called
FROM workflow_tasks AS t JOIN workflows AS w ON w.id = t.workflow_id
WHERE t.kind = 'trigger_workflow'

-- lock_workflow_calls: whoever adds a call waits for whoever is adding one; engine/configure_workflows.py
SELECT pg_advisory_xact_lock(hashtext('nightbell workflow calls'))

-- workflow_names: every workflow by what it may be called
SELECT id, slug, name FROM workflows

-- last_runs: the last run of each of these workflows; store/read/workflows.py
SELECT DISTINCT ON (r.workflow_id) r.workflow_id, r.id, r.status, r.status_message, r.created_at
FROM workflow_runs AS r
WHERE r.workflow_id = ANY($1::uuid[])
ORDER BY r.workflow_id, r.id DESC
