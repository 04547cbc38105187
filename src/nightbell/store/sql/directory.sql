-- directory_users: people and how they are reached, inactive ones too so that old pages have a name
SELECT id, name, role, active, time_zone, quiet_hours, updates FROM users

-- directory_throttles: how many messages of a kind may go out in a while
SELECT kind, scope, most, seconds FROM throttles ORDER BY kind, scope, seconds

-- directory_methods: contact methods
SELECT id, user_id, kind, verified_at IS NOT NULL AS verified FROM contact_methods ORDER BY is_primary DESC, created_at, id

-- directory_rules: when each method is used
SELECT user_id, contact_method_id, loudness, delay_minutes FROM notification_rules ORDER BY delay_minutes, position, id

-- directory_teams: teams with their members
SELECT t.id, t.name, t.slug, t.escalation_policy_id,
    coalesce(array_agg(m.user_id ORDER BY m.user_id) FILTER (WHERE m.user_id IS NOT NULL), '{}') AS members,
    coalesce(array_agg(m.user_id ORDER BY m.user_id) FILTER (WHERE m.is_admin), '{}') AS admins
FROM teams t LEFT JOIN team_members m ON m.team_id = t.id GROUP BY t.id

-- directory_services: services with their teams
SELECT s.id, s.name, s.slug, s.escalation_policy_id, s.urgency_id,
    coalesce(array_agg(x.team_id ORDER BY x.created_at) FILTER (WHERE x.team_id IS NOT NULL), '{}') AS teams
FROM services s LEFT JOIN service_teams x ON x.service_id = s.id GROUP BY s.id

-- directory_policies: policies
SELECT id, name, repeat_count, business_hours FROM escalation_policies

-- directory_paths: paths, the default last
SELECT id, policy_id, name, is_default, loudness, repeat, repeat_count, initial_delay_minutes, settings
FROM escalation_paths ORDER BY is_default, position, id

-- directory_levels: levels in order
SELECT id, path_id, position, delay_minutes, targets, settings FROM escalation_levels ORDER BY path_id, position

-- directory_sources: sources
SELECT id, name, type, enabled, identity, dedup_path, dedup_regexp, urgency_id, urgency_rules, default_target,
    repage_new_members, settings FROM sources

-- directory_secrets: hashes of the secrets that are valid, for the door
SELECT secret_hash, source_id, expires_at FROM source_secrets

-- directory_routes: routes in order
SELECT id, name, source_ids, rules FROM routes WHERE enabled ORDER BY position, id

-- directory_groupings: rules that say which alerts are one problem, in the order they are asked
SELECT id, name, time_window, condition_type, by_title, by_urgency, targets, attributes, conditions
FROM grouping_rules ORDER BY position, id

-- directory_urgencies: urgencies, loudest first
SELECT id, retrigger_timeout_minutes FROM urgencies ORDER BY position, id

-- directory_maintenances: planned work; of more than a thousand, those that ended longest ago are over for good
SELECT id, name, service_ids, source_ids, starts_at, ends_at, hours FROM maintenances
ORDER BY ends_at DESC NULLS FIRST, id LIMIT 1000

-- directory_heartbeats: whom an alert may be a beat of, by age
SELECT id, name, matchers FROM heartbeats ORDER BY id
