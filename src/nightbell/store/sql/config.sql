-- bump_configuration: tell every node that its directory is old
UPDATE configuration SET version = version + 1;

-- add_team_member: put somebody in a team
INSERT INTO team_members (team_id, user_id, is_admin, created_at, updated_at) VALUES ($1, $2, $3, $4, $4);

-- clear_team_members: empty a team before it is filled again
DELETE FROM team_members WHERE team_id = $1;

-- leave_all_teams: take a person out of every team
DELETE FROM team_members WHERE user_id = $1;

-- add_service_team: make a team own a service
INSERT INTO service_teams (service_id, team_id, created_at, updated_at) VALUES ($1, $2, $3, $3);

-- clear_service_teams: forget who owns a service before it is said again
DELETE FROM service_teams WHERE service_id = $1;

-- link_teams: let a policy page for exactly these teams
UPDATE teams SET escalation_policy_id = CASE WHEN id = ANY($2::uuid[]) THEN $1::uuid END, updated_at = $3
WHERE (id = ANY($2::uuid[])) <> (escalation_policy_id IS NOT DISTINCT FROM $1::uuid);

-- link_services: let a policy page for exactly these services
UPDATE services SET escalation_policy_id = CASE WHEN id = ANY($2::uuid[]) THEN $1::uuid END, updated_at = $3
WHERE (id = ANY($2::uuid[])) <> (escalation_policy_id IS NOT DISTINCT FROM $1::uuid);

-- make_room_for_level: move the levels from a position on one further, when that position is taken
UPDATE escalation_levels SET position = position + 1, updated_at = $4
WHERE path_id = $1 AND id <> $3 AND position >= $2
    AND EXISTS (SELECT 1 FROM escalation_levels WHERE path_id = $1 AND id <> $3 AND position = $2);

-- keep_turns: whose turn it is at a level that goes round by alert, from its first moment on
INSERT INTO round_robins (level_id, turn, created_at, updated_at) VALUES ($1, 0, $2, $2) ON CONFLICT DO NOTHING;

-- close_gap_of_level: move the levels behind a deleted one up
UPDATE escalation_levels SET position = position - 1, updated_at = $3 WHERE path_id = $1 AND position > $2;

-- one_primary_method: of the methods of one kind, only this one is a person's primary
UPDATE contact_methods SET is_primary = (id = $3), updated_at = $4
WHERE user_id = $1 AND kind = $2 AND is_primary <> (id = $3);

-- expire_secrets: let the older secrets of a source work until then and no longer
UPDATE source_secrets SET expires_at = $3, updated_at = $4
WHERE source_id = $1 AND id <> $2 AND (expires_at IS NULL OR expires_at > $3);

-- forget_expiring_secrets: two secrets are valid at most, so the one before the present one goes when a new one comes
DELETE FROM source_secrets WHERE source_id = $1 AND expires_at IS NOT NULL;

-- wake_pages_of_user: a rule that was changed while its person is paged counts if its minute is still to come; what was
-- due by now and not done yet still is
UPDATE pages SET wake_at = $2, updated_at = $2, progress = CASE WHEN wake_at <= $2 THEN progress
    ELSE greatest(progress, floor(extract(epoch FROM $2 - created_at) / 60)::integer) END
WHERE user_id = $1 AND phase = 'paging'

-- end_sessions_of_user: log a person out everywhere
DELETE FROM sessions WHERE user_id = $1;

-- end_tokens_of_user: take back every API token of a person
DELETE FROM api_keys WHERE user_id = $1;

-- count_owners: how many people could still repair everything
SELECT count(*) FROM users WHERE role = 'owner' AND active AND id <> $1;

-- slug_taken_team: whether another team has this slug
SELECT EXISTS (SELECT 1 FROM teams WHERE slug = $1 AND id <> $2);

-- slug_taken_service: whether another service has this slug
SELECT EXISTS (SELECT 1 FROM services WHERE slug = $1 AND id <> $2);

-- next_level_position: the position after the last level of a path
SELECT coalesce(max(position), 0) + 1 FROM escalation_levels WHERE path_id = $1;

-- next_path_position: the position after the last path of a policy
SELECT coalesce(max(position), 0) + 1 FROM escalation_paths WHERE policy_id = $1;

-- slug_taken_grouping_rule: whether another grouping rule has this slug
SELECT EXISTS (SELECT 1 FROM grouping_rules WHERE slug = $1 AND id <> $2);

-- next_grouping_position: the position after the last grouping rule
SELECT coalesce(max(position), 0) + 1 FROM grouping_rules;

-- next_route_position: the position after the last route
SELECT coalesce(max(position), 0) + 1 FROM routes;

-- next_rule_position: the position after a person's last rule of this loudness
SELECT coalesce(max(position), 0) + 1 FROM notification_rules WHERE user_id = $1 AND loudness = $2;

-- next_urgency_position: the position after the last urgency
SELECT coalesce(max(position), 0) + 1 FROM urgencies;

-- missing_users: which of these people do not exist or have left
SELECT asked FROM unnest($1::int[]) asked WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = asked AND u.active);

-- missing_teams: which of these teams do not exist
SELECT asked FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = asked);

-- missing_services: which of these services do not exist
SELECT asked FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT 1 FROM services s WHERE s.id = asked);

-- missing_policies: which of these policies do not exist
SELECT asked FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT 1 FROM escalation_policies p WHERE p.id = asked);

-- missing_sources: which of these sources do not exist
SELECT asked FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT 1 FROM sources s WHERE s.id = asked);

-- missing_urgencies: which of these urgencies do not exist
SELECT asked FROM unnest($1::uuid[]) asked WHERE NOT EXISTS (SELECT 1 FROM urgencies u WHERE u.id = asked);

-- seed_urgency: add one of the three urgencies every installation begins with, unless any exist
INSERT INTO urgencies (id, name, description, position, color, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $6 WHERE $7::boolean ON CONFLICT DO NOTHING;

-- any_urgency: whether there are urgencies at all
SELECT EXISTS (SELECT 1 FROM urgencies);

-- targets_of: whom an alert is for, for whoever starts it over
SELECT targets FROM alert_details WHERE alert_id = $1;

-- amend_details: rewrite what is shown of an alert; only what is named in $5
UPDATE alert_details SET
    description = CASE WHEN 'description' = ANY($5::text[]) THEN $2 ELSE description END,
    external_url = CASE WHEN 'external_url' = ANY($5::text[]) THEN $3 ELSE external_url END,
    labels = CASE WHEN 'labels' = ANY($5::text[]) THEN $4::jsonb ELSE labels END,
    service_ids = CASE WHEN 'service_ids' = ANY($5::text[]) THEN $6::uuid[] ELSE service_ids END,
    team_ids = CASE WHEN 'team_ids' = ANY($5::text[]) THEN $7::uuid[] ELSE team_ids END,
    updated_at = $8
WHERE alert_id = $1;

-- journal_amendment: say in an alert's journal that somebody rewrote what it says
INSERT INTO alert_events (id, alert_id, kind, action, code, source, user_id, details, because, created_at, updated_at)
VALUES ($1, $2, 'informational', 'updated', 'alert.amended', 'web', $3, $4, $5, $6, $6);

-- wake_muted: let the climbs that planned work holds look again now: it ended, or is another
UPDATE escalations SET wake_at = $2, token = $3, updated_at = $2 WHERE muted_by = $1 AND wake_at > $2;
