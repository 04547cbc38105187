-- method_fails: nothing arrives at these addresses for good; the first reason stays
UPDATE contact_methods m SET failing_since = $3, failing_why = t.why, updated_at = $3
FROM unnest($1::uuid[], $2::text[]) AS t (id, why) WHERE m.id = t.id AND m.failing_since IS NULL

-- method_works: something arrived again
UPDATE contact_methods SET failing_since = NULL, failing_why = '', updated_at = $2
WHERE id = ANY($1::uuid[]) AND failing_since IS NOT NULL

-- insert_link_code: a code that links a chat to a person, once
INSERT INTO link_codes (id, user_id, kind, code_hash, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)

-- drop_link_codes: of a person and a kind only the newest code counts; old ones of everybody go too
DELETE FROM link_codes WHERE (user_id = $1 AND kind = $2 AND used_at IS NULL) OR expires_at < $3::timestamptz - interval '1 day'

-- use_link_code: spend a code; the row count is the lock
UPDATE link_codes SET used_at = $3, updated_at = $3
WHERE code_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id

-- method_at: whether a person has this address already
SELECT id FROM contact_methods WHERE user_id = $1 AND kind = $2 AND address = $3

-- insert_poller: the row of a service, once
INSERT INTO pollers (id, kind, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT (kind) DO NOTHING

-- lease_poller: one node at a time asks a service for news
UPDATE pollers SET holder = $2, lease_until = $4, updated_at = $3
WHERE kind = $1 AND (holder = $2 OR lease_until IS NULL OR lease_until <= $3)
RETURNING position, arranged, known_as, trouble

-- advance_poller: everything up to here was carried out; only whoever holds the lease may say so
UPDATE pollers SET position = greatest(position, $3), updated_at = $4 WHERE kind = $1 AND holder = $2

-- arrange_poller: what was agreed with the service
UPDATE pollers SET arranged = $3, known_as = $4, trouble = $5, updated_at = $6 WHERE kind = $1 AND holder = $2

-- release_poller: another node need not wait
UPDATE pollers SET lease_until = NULL WHERE kind = $1 AND holder = $2

-- poller: what is known of a service that is asked for news
SELECT known_as, trouble, arranged, holder, lease_until FROM pollers WHERE kind = $1

-- used_link_code: whom a spent code linked
SELECT user_id FROM link_codes WHERE code_hash = $1 AND kind = $2 AND used_at IS NOT NULL

-- user_named: a person's name, and whether they are still here
SELECT name, active FROM users WHERE id = $1

-- forget_position: another account counts from its own beginning
UPDATE pollers SET position = 0, updated_at = $3 WHERE kind = $1 AND holder = $2

-- insert_push_key: the key that signs push messages, kept if there is one
INSERT INTO providers AS p (id, name, settings, created_at, updated_at) VALUES ($1, 'push', $2, $3, $3)
ON CONFLICT (name) DO UPDATE SET settings = p.settings || excluded.settings, updated_at = excluded.updated_at
WHERE coalesce(p.settings ->> 'private_key', '') = ''

-- push_methods: the devices of a person
SELECT id, address, name, failing_since FROM contact_methods WHERE user_id = $1 AND kind = 'push' ORDER BY created_at, id
