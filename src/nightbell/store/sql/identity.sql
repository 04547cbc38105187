-- user_by_email: who claims to log in
SELECT id, email, name, role, time_zone, password_hash, active FROM users WHERE lower(email) = lower($1);

-- user_by_id: one person
SELECT id, email, name, role, time_zone, password_hash, active FROM users WHERE id = $1;

-- insert_user: add a person and return the id
INSERT INTO users (email, name, role, time_zone, password_hash, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
RETURNING id;

-- set_password: replace a password
UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1;

-- count_people: whether anybody has been set up
SELECT count(*) FROM users WHERE active AND role = 'owner';

-- insert_session: remember a log-in
INSERT INTO sessions (id, user_id, token_hash, csrf, user_agent, remote_ip, expires_at, last_seen_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8);

-- session_by_token: who a browser is, if it still may be
SELECT s.id, s.user_id, s.csrf, s.last_seen_at, s.expires_at, u.email, u.name, u.role, u.time_zone
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.active;

-- touch_session: note that a browser is in use, and let it stay
UPDATE sessions SET last_seen_at = $2, expires_at = $3, updated_at = $2 WHERE id = $1;

-- sessions_of_user: the browsers of one person
SELECT id, user_agent, remote_ip, last_seen_at, expires_at, created_at FROM sessions
WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC;

-- delete_session: log one browser out
DELETE FROM sessions WHERE id = $1 AND user_id = $2;

-- delete_sessions: log a person out everywhere, but for one browser
DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2;

-- delete_stale_sessions: forget what expired
DELETE FROM sessions WHERE expires_at <= $1;

-- insert_invitation: keep a link that may be used once
INSERT INTO invitations (id, token_hash, role, email, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6);

-- invitation_by_token: what a link offers, while it does
SELECT id, role, email, expires_at FROM invitations WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2;

-- use_invitation: spend a link; one row means it was ours to spend
UPDATE invitations SET used_at = $2, updated_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2;

-- delete_setup_invitations: only the last link for the first administrator is good
DELETE FROM invitations WHERE used_at IS NULL AND role = 'owner' AND email IS NULL;

-- insert_api_key: keep a token's hash
INSERT INTO api_keys (id, user_id, name, role, token_hash, last_four, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- api_key_by_token: whose token this is, if it still is
SELECT k.id, k.user_id, k.name AS key_name, k.role, k.last_used_at, u.email, u.name, u.role AS user_role, u.time_zone
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.token_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > $2) AND u.active;

-- touch_api_key: note that a token is in use
UPDATE api_keys SET last_used_at = $2 WHERE id = $1;

-- api_keys_of_user: the tokens of one person
SELECT id, name, role, last_four, expires_at, last_used_at, created_at FROM api_keys
WHERE user_id = $1 ORDER BY created_at DESC;

-- delete_api_key: take a token back
DELETE FROM api_keys WHERE id = $1 AND user_id = $2;

-- insert_identity_audit: say who invited, joined, made or took back a token, or changed a password
INSERT INTO audit_log (id, user_id, actor, action, item_type, item_id, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7);
