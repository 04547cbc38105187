-- read_people_teams: which teams people are in
SELECT user_id, array_agg(team_id ORDER BY team_id) AS team_ids FROM team_members WHERE user_id = ANY($1::int[]) GROUP BY 1;

-- read_people_methods: the contact methods of people, the oldest first
SELECT id, user_id, kind, is_primary FROM contact_methods WHERE user_id = ANY($1::int[]) ORDER BY id;

-- read_rules_of_user: the notification rules of one person, with the method each uses
SELECT r.*, m.kind, m.name AS method_name, m.address, m.verified_at
FROM notification_rules r JOIN contact_methods m ON m.id = r.contact_method_id
WHERE r.user_id = $1 ORDER BY r.loudness, r.delay_minutes, r.position, r.id;

-- read_rule: one notification rule, with the method it uses
SELECT r.*, m.kind, m.name AS method_name, m.address, m.verified_at
FROM notification_rules r JOIN contact_methods m ON m.id = r.contact_method_id
WHERE r.id = $1;

-- read_team_members: who is in teams
SELECT m.team_id, m.user_id, m.is_admin FROM team_members m JOIN users u ON u.id = m.user_id AND u.active
WHERE m.team_id = ANY($1::uuid[]) ORDER BY m.user_id;

-- read_service_teams: which teams own services
SELECT service_id, array_agg(team_id ORDER BY team_id) AS team_ids FROM service_teams
WHERE service_id = ANY($1::uuid[]) GROUP BY 1;
