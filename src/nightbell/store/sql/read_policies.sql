-- read_policy_links: the teams and services that policies page for
SELECT p.id,
    ARRAY(SELECT t.id FROM teams t WHERE t.escalation_policy_id = p.id ORDER BY t.id) AS team_ids,
    ARRAY(SELECT s.id FROM services s WHERE s.escalation_policy_id = p.id ORDER BY s.id) AS service_ids
FROM escalation_policies p WHERE p.id = ANY($1::uuid[]);

-- read_levels_of_policy: all levels of a policy's paths, default path first
SELECT l.*, a.policy_id FROM escalation_levels l JOIN escalation_paths a ON a.id = l.path_id
WHERE a.policy_id = $1 ORDER BY a.is_default DESC, a.position, l.position, l.id;

-- read_levels_of_path: the levels of one path, in order
SELECT l.*, a.policy_id FROM escalation_levels l JOIN escalation_paths a ON a.id = l.path_id
WHERE l.path_id = $1 ORDER BY l.position, l.id;

-- read_level: one level and the policy it belongs to
SELECT l.*, a.policy_id FROM escalation_levels l JOIN escalation_paths a ON a.id = l.path_id WHERE l.id = $1;

-- read_source_secrets: the secrets of sources that are valid, the newest first
SELECT source_id, id, sealed, last_four, expires_at, created_at FROM source_secrets
WHERE source_id = ANY($1::uuid[]) AND (expires_at IS NULL OR expires_at > $2)
ORDER BY expires_at IS NULL DESC, created_at DESC;
