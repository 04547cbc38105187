-- claim_happenings: the oldest that workflows have not looked at; another node passes them by
SELECT id, kind, alert_id, incident_id, action_item_id, run_id, occurrence, data, cause_run_id, depth, at FROM happenings
WHERE matched_at IS NULL ORDER BY at, id LIMIT $1 FOR UPDATE SKIP LOCKED

-- match_happenings: workflows have looked at these
UPDATE happenings SET matched_at = $2, updated_at = $2 WHERE id = ANY($1::uuid[])

-- forget_happenings: what everybody heard of long ago
DELETE FROM happenings WHERE id IN (
    SELECT id FROM happenings WHERE matched_at IS NOT NULL AND relayed_at IS NOT NULL AND at < $1 LIMIT 10000)

-- forget_runs: runs that were over long ago, with their steps
DELETE FROM workflow_runs WHERE id IN (
    SELECT id FROM workflow_runs WHERE wake_at IS NULL AND updated_at < $1 LIMIT 10000)

-- insert_runs: runs that begin as soon as their time has come; the second one for the same is not made
INSERT INTO workflow_runs (id, workflow_id, key, status, status_message, triggered_by, trigger, user_id, alert_id,
    incident_id, action_item_id, occurrence, happening_id, cause_run_id, depth, plan, context, repeat_count,
    first_run_at, wake_at, canceled_at, created_at, updated_at)
SELECT n.id, n.workflow_id, n.key, n.status, n.why, n.triggered_by, n.trigger, n.user_id, n.alert_id,
    n.incident_id, n.action_item_id, n.occurrence, n.happening_id, n.cause_run_id, n.depth, n.plan::jsonb,
    n.context::jsonb, n.repeat_count, n.first_run_at, n.wake_at, CASE n.status WHEN 'canceled' THEN $21::timestamptz END, $21::timestamptz,
    $21::timestamptz
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::uuid[],
    $10::uuid[], $11::uuid[], $12::int[], $13::uuid[], $14::uuid[], $15::int[], $16::text[], $17::text[], $18::int[],
    $19::timestamptz[], $20::timestamptz[])
    AS n (id, workflow_id, key, status, why, triggered_by, trigger, user_id, alert_id, incident_id, action_item_id,
    occurrence, happening_id, cause_run_id, depth, plan, context, repeat_count, first_run_at, wake_at)
ON CONFLICT (workflow_id, key) DO NOTHING
RETURNING id

-- run_of_key: the run there is for something already
SELECT id FROM workflow_runs WHERE workflow_id = $1 AND key = $2

-- cause_chain: which workflows led to a run, itself first, and what each was about
WITH RECURSIVE chain AS (
    SELECT id, workflow_id, alert_id, incident_id, action_item_id, cause_run_id, 1 AS far
    FROM workflow_runs WHERE id = $1
    UNION ALL
    SELECT r.id, r.workflow_id, r.alert_id, r.incident_id, r.action_item_id, r.cause_run_id, c.far + 1
    FROM chain c JOIN workflow_runs r ON r.id = c.cause_run_id WHERE c.far < 50
)
SELECT workflow_id, alert_id, incident_id, action_item_id FROM chain ORDER BY far

-- free_runs: what a process that is gone had in its hands
UPDATE workflow_runs SET lease_until = NULL WHERE lease_until IS NOT NULL AND node = ANY($1::text[])

-- let_go_runs: what stands in a node's name and is in none of its hands
UPDATE workflow_runs SET lease_until = NULL WHERE lease_until IS NOT NULL AND node = $1 AND id <> ALL($2::uuid[])

-- claim_runs: lease runs whose time has come to one node, with the task each is at
WITH due AS (
    SELECT id FROM workflow_runs WHERE wake_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
    -- By the index alone: of thousands that are due at once, sorting them would cost each claim milliseconds.
    ORDER BY wake_at LIMIT $4 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE workflow_runs r SET node = $1, lease_until = $3, updated_at = $2 FROM due WHERE r.id = due.id RETURNING r.*
)
SELECT c.*, to_jsonb(s) AS step,
    EXISTS (SELECT 1 FROM workflow_steps x WHERE x.run_id = c.id AND x.status IN ('failed', 'not_configured')) AS troubled
FROM claimed c LEFT JOIN workflow_steps s ON s.run_id = c.id AND s.ended_at IS NULL
ORDER BY c.wake_at, c.id

-- hold_run: lock a run that is still in our hands
SELECT id FROM workflow_runs
WHERE id = $1 AND node = $2 AND lease_until = $3 AND status IN ('queued', 'started') FOR UPDATE

-- move_run: where a run stands from now on
UPDATE workflow_runs SET status = $2::text, status_message = $3, position = $4, wake_at = $5, lease_until = $6,
    incident_id = coalesce(incident_id, $7), started_at = CASE WHEN $2 <> 'canceled' THEN coalesce(started_at, $8::timestamptz)
        ELSE started_at END,
    first_run_at = coalesce(first_run_at, $8),
    completed_at = CASE WHEN $2 IN ('completed', 'completed_with_errors') THEN $8 END,
    failed_at = CASE WHEN $2 = 'failed' THEN $8 END, canceled_at = CASE WHEN $2 = 'canceled' THEN $8 END, updated_at = $8
WHERE id = $1

-- keep_step: where one task of a run stands
INSERT INTO workflow_steps (id, run_id, task_id, position, name, kind, status, why, key, input, output, attempts,
    skip_on_failure, wake_at, started_at, ended_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, '{}'::jsonb), coalesce($11, '{}'::jsonb), $12, $13, $14, $15,
    $16, $17, $17)
ON CONFLICT (run_id, position) DO UPDATE SET status = excluded.status, why = excluded.why,
    attempts = excluded.attempts, input = coalesce($10, workflow_steps.input),
    output = coalesce($11, workflow_steps.output), wake_at = excluded.wake_at, ended_at = excluded.ended_at,
    updated_at = excluded.updated_at

-- cancel_steps: the task that a run was at is not done any more
UPDATE workflow_steps SET status = 'canceled', why = $2, wake_at = NULL, ended_at = $3, updated_at = $3
WHERE run_id = $1 AND ended_at IS NULL

-- lock_run: one run, whoever has it in hands
SELECT * FROM workflow_runs WHERE id = $1 FOR UPDATE

-- runs_overdue: since when the most overdue run, or happening, waits
SELECT least((SELECT min(wake_at) FROM workflow_runs WHERE wake_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)),
    (SELECT min(at) FROM happenings WHERE matched_at IS NULL))

-- tasks_done: what a run did, in the words of people; $2 and $3 are kinds of tasks and how they are called
SELECT string_agg(CASE WHEN s.name <> '' THEN s.name ELSE coalesce(l.label, s.kind) END, ', ' ORDER BY s.position)
FROM workflow_steps s LEFT JOIN unnest($2::text[], $3::text[]) AS l (kind, label) ON l.kind = s.kind
WHERE s.run_id = $1 AND s.status = 'completed'

-- one_run: one run as it stands
SELECT * FROM workflow_runs WHERE id = $1

-- number_of_alert: by what people call an alert
SELECT number FROM alerts WHERE id = $1
