-- read_people_teams: which teams people are in
SELECT user_id, array_agg(team_id ORDER BY team_id) AS team_ids FROM team_members WHERE user_id = ANY($1::int[]) GROUP BY 1;

-- read_people_methods: the contact methods of people, the oldest first
SELECT id, user_id, kind, address, is_primary FROM contact_methods WHERE user_id = ANY($1::int[]) ORDER BY id;

-- read_rules_of_user: the notification rules of one person, with the method each uses; phone_id names its number
SELECT r.*, m.kind, m.name AS method_name, m.address, m.verified_at,
    (SELECT o.id FROM contact_methods o WHERE o.user_id = m.user_id AND o.address = m.address
     AND o.kind IN ('sms', 'voice') ORDER BY o.id LIMIT 1) AS phone_id
FROM notification_rules r JOIN contact_methods m ON m.id = r.contact_method_id
WHERE r.user_id = $1 ORDER BY r.loudness, r.delay_minutes, r.position, r.id;

-- read_rule: one notification rule, with the method it uses
SELECT r.*, m.kind, m.name AS method_name, m.address, m.verified_at,
    (SELECT o.id FROM contact_methods o WHERE o.user_id = m.user_id AND o.address = m.address
     AND o.kind IN ('sms', 'voice') ORDER BY o.id LIMIT 1) AS phone_id
FROM notification_rules r JOIN contact_methods m ON m.id = r.contact_method_id
WHERE r.id = $1;

-- read_team_members: who is in teams
SELECT m.team_id, m.user_id, m.is_admin FROM team_members m JOIN users u ON u.id = m.user_id AND u.active
WHERE m.team_id = ANY($1::uuid[]) ORDER BY m.user_id;

-- read_service_teams: which teams own services
SELECT service_id, array_agg(team_id ORDER BY team_id) AS team_ids FROM service_teams
WHERE service_id = ANY($1::uuid[]) GROUP BY 1;

-- read_phones: a person's telephone numbers: methods that text and call the same one are one, named by the oldest
SELECT * FROM (
    SELECT DISTINCT ON (m.address) m.*, CASE WHEN v.day_began > $2 THEN v.sent_today ELSE 0 END AS attempts
    FROM contact_methods m LEFT JOIN verifications v ON v.contact_method_id = m.id
    WHERE m.user_id = $1 AND m.kind IN ('sms', 'voice') ORDER BY m.address, m.id
) t ORDER BY id

-- read_phone: the telephone number that a contact method is
SELECT m.*, CASE WHEN v.day_began > $2 THEN v.sent_today ELSE 0 END AS attempts
FROM contact_methods asked
JOIN contact_methods m ON m.user_id = asked.user_id AND m.address = asked.address AND m.kind IN ('sms', 'voice')
LEFT JOIN verifications v ON v.contact_method_id = m.id
WHERE asked.id = $1 AND asked.kind IN ('sms', 'voice') ORDER BY m.id LIMIT 1

-- read_ways_of_phone: every contact method that a telephone number is
SELECT o.id, o.kind FROM contact_methods m JOIN contact_methods o ON o.user_id = m.user_id AND o.address = m.address
WHERE m.id = $1 AND m.kind IN ('sms', 'voice') AND o.kind IN ('sms', 'voice') ORDER BY o.id
