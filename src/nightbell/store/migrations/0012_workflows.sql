-- Workflows: what starts them, their tasks, their runs; and what happened, for whoever wants to hear of it.

-- ---------------------------------------------------------------- what happened

-- One row for each thing that happened to an alert, an incident or an action item, written in the transaction in which
-- it happened. kind: Rootly's name of the trigger, or of a plain fact (core/happening.py). matched_at: workflows have
-- looked at it; relayed_at: outgoing webhooks and rooms have. No foreign keys: what is deleted has happened all the same.
CREATE TABLE happenings (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    alert_id       uuid,
    incident_id    uuid,
    action_item_id uuid,
    run_id         uuid,
    occurrence     integer,
    data           jsonb NOT NULL DEFAULT '{}',
    cause_run_id   uuid,
    depth          integer NOT NULL DEFAULT 0 CHECK (depth >= 0),
    at             timestamptz NOT NULL,
    matched_at     timestamptz,
    relayed_at     timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX happenings_unmatched ON happenings (at, id) WHERE matched_at IS NULL; -- the lane of workflows
CREATE INDEX happenings_unrelayed ON happenings (at, id) WHERE relayed_at IS NULL; -- outgoing webhooks, rooms
CREATE INDEX happenings_done ON happenings (at) WHERE matched_at IS NOT NULL AND relayed_at IS NOT NULL; -- housekeeping

-- ---------------------------------------------------------------- workflows

CREATE TABLE workflow_groups (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL UNIQUE,
    description text,
    kind        text,
    icon        text NOT NULL DEFAULT '',
    expanded    boolean NOT NULL DEFAULT true,
    position    integer NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- trigger_params: Rootly's, with the keys that were sent (core/workflow.py reads them). kind and triggers are read out
-- of it, so that "who listens to this?" needs no JSON. Durations are kept as they were written: "10 min", "1h".
CREATE TABLE workflows (
    id                            uuid PRIMARY KEY,
    name                          text NOT NULL,
    slug                          text NOT NULL UNIQUE,
    description                   text,
    kind                          text NOT NULL CHECK (kind IN ('alert', 'incident', 'action_item', 'simple')),
    triggers                      text[] NOT NULL DEFAULT '{}',
    trigger_params                jsonb NOT NULL,
    command                       text,
    command_feedback_enabled      boolean NOT NULL DEFAULT false,
    wait                          text,
    repeat_every_duration         text,
    repeat_condition_duration_since_first_run text,
    repeat_condition_number_of_repeats integer NOT NULL DEFAULT 0
                                  CHECK (repeat_condition_number_of_repeats >= 0),
    continuously_repeat           boolean NOT NULL DEFAULT false,
    repeat_on                     text[] NOT NULL DEFAULT '{}',
    run_once_per_resource         boolean NOT NULL DEFAULT false,
    enabled                       boolean NOT NULL DEFAULT true,
    locked                        boolean NOT NULL DEFAULT false,
    position                      integer NOT NULL,
    workflow_group_id             uuid REFERENCES workflow_groups ON DELETE SET NULL,
    environment_ids               text[] NOT NULL DEFAULT '{}',
    severity_ids                  text[] NOT NULL DEFAULT '{}',
    incident_type_ids             text[] NOT NULL DEFAULT '{}',
    incident_role_ids             text[] NOT NULL DEFAULT '{}',
    service_ids                   text[] NOT NULL DEFAULT '{}',
    functionality_ids             text[] NOT NULL DEFAULT '{}',
    group_ids                     text[] NOT NULL DEFAULT '{}',
    cause_ids                     text[] NOT NULL DEFAULT '{}',
    sub_status_ids                text[] NOT NULL DEFAULT '{}',
    created_at                    timestamptz NOT NULL,
    updated_at                    timestamptz NOT NULL
);
CREATE INDEX workflows_of_group ON workflows (workflow_group_id) WHERE workflow_group_id IS NOT NULL;

-- kind: Rootly's task_type, also of vendors that are not configured here. params: task_params as they were sent.
CREATE TABLE workflow_tasks (
    id              uuid PRIMARY KEY,
    workflow_id     uuid NOT NULL REFERENCES workflows ON DELETE CASCADE,
    name            text NOT NULL DEFAULT '',
    kind            text NOT NULL,
    params          jsonb NOT NULL,
    position        integer NOT NULL CHECK (position > 0),
    skip_on_failure boolean NOT NULL DEFAULT false,
    enabled         boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (workflow_id, position) DEFERRABLE INITIALLY DEFERRED
);

-- ---------------------------------------------------------------- runs

-- One run of a workflow, a state machine: queued → started → completed, completed_with_errors, failed or canceled.
-- key: what it is the one run for; the second row for the same is refused. plan: the workflow and its tasks as they were
-- when it was queued. position: the next task of the plan, from 0. A run outlives its workflow, so no foreign key.
CREATE TABLE workflow_runs (
    id             uuid PRIMARY KEY,
    workflow_id    uuid NOT NULL,
    key            text NOT NULL,
    status         text NOT NULL DEFAULT 'queued' CHECK (status IN
                       ('queued', 'started', 'completed', 'completed_with_errors', 'failed', 'canceled')),
    status_message text,
    triggered_by   text NOT NULL CHECK (triggered_by IN ('system', 'user', 'workflow')),
    trigger        text NOT NULL DEFAULT '',
    user_id        integer,
    alert_id       uuid,
    incident_id    uuid,
    action_item_id uuid,
    occurrence     integer,
    happening_id   uuid,
    cause_run_id   uuid,
    depth          integer NOT NULL DEFAULT 0 CHECK (depth >= 0),
    plan           jsonb NOT NULL,
    position       integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    context        jsonb NOT NULL DEFAULT '{}',
    repeat_count   integer NOT NULL DEFAULT 0 CHECK (repeat_count >= 0),
    first_run_at   timestamptz,
    wake_at        timestamptz,
    lease_until    timestamptz,
    node           text NOT NULL DEFAULT '',
    started_at     timestamptz,
    completed_at   timestamptz,
    failed_at      timestamptz,
    canceled_at    timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    UNIQUE (workflow_id, key),
    -- Left alone, a run that is not over always knows when it goes on.
    CHECK ((status IN ('queued', 'started')) = (wake_at IS NOT NULL)),
    CHECK (lease_until IS NULL OR wake_at IS NOT NULL),
    CHECK ((status IN ('completed', 'completed_with_errors')) = (completed_at IS NOT NULL)),
    CHECK ((status = 'failed') = (failed_at IS NOT NULL)),
    CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CHECK (status IN ('queued', 'canceled') OR started_at IS NOT NULL)
);
CREATE INDEX workflow_runs_due ON workflow_runs (wake_at) WHERE wake_at IS NOT NULL; -- the lane of runs
CREATE INDEX workflow_runs_of_workflow ON workflow_runs (workflow_id, id); -- store/read/workflows.py, the runs' list
CREATE INDEX workflow_runs_of_alert ON workflow_runs (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX workflow_runs_of_incident ON workflow_runs (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX workflow_runs_over ON workflow_runs (updated_at) WHERE wake_at IS NULL; -- housekeeping

-- One task of one run. key goes along with whatever the task does outside: the same on every attempt. input: the
-- parameters as rendered; output: what the task said. waiting: looked at again at the run's wake_at.
CREATE TABLE workflow_steps (
    id              uuid PRIMARY KEY,
    run_id          uuid NOT NULL REFERENCES workflow_runs ON DELETE CASCADE,
    task_id         uuid,
    position        integer NOT NULL CHECK (position >= 0),
    name            text NOT NULL DEFAULT '',
    kind            text NOT NULL,
    status          text NOT NULL DEFAULT 'started' CHECK (status IN
                        ('started', 'waiting', 'completed', 'failed', 'skipped', 'not_configured', 'canceled')),
    why             text NOT NULL DEFAULT '',
    key             text NOT NULL UNIQUE,
    input           jsonb NOT NULL DEFAULT '{}',
    output          jsonb NOT NULL DEFAULT '{}',
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    skip_on_failure boolean NOT NULL DEFAULT false,
    wake_at         timestamptz,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (run_id, position),
    CHECK ((status IN ('started', 'waiting')) = (ended_at IS NULL))
);
-- Tasks of a run are done one after the other.
CREATE UNIQUE INDEX one_open_step ON workflow_steps (run_id) WHERE ended_at IS NULL;
