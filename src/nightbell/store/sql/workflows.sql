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
