-- insert_happenings: what happened, for whoever listens; jsonb goes as text, an array of documents is no array of rows
INSERT INTO happenings (id, kind, alert_id, incident_id, action_item_id, run_id, occurrence, data, cause_run_id, depth,
    at, matched_at, created_at, updated_at)
SELECT id, kind, alert_id, incident_id, action_item_id, run_id, occurrence, data::jsonb, cause_run_id, depth,
    at, matched_at, $13::timestamptz, $13::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::int[], $8::text[], $9::uuid[],
    $10::int[], $11::timestamptz[], $12::timestamptz[]) AS new (id, kind, alert_id, incident_id, action_item_id, run_id,
    occurrence, data, cause_run_id, depth, at, matched_at)

-- listened_kinds: kinds of happenings that start a workflow which is switched on
SELECT DISTINCT unnest(triggers) AS kind FROM workflows WHERE enabled
