-- timetable_since: what ended before the last change of the configuration cannot matter to what comes after it
SELECT coalesce((SELECT created_at FROM audit_log ORDER BY id DESC LIMIT 1), 'epoch'::timestamptz);

-- timetable_schedules: these schedules, or without $1 all that live, and what absences do in each
SELECT id, name, time_off, holidays FROM schedules
WHERE CASE WHEN $1::uuid[] IS NULL THEN deleted_at IS NULL ELSE id = ANY($1) END;

-- timetable_versions: what rotations of some schedules meant in [$2, $3)
SELECT v.rotation_id, v.schedule_id, r.name, v.starts_at, least(v.ends_at, s.deleted_at) AS ends_at, v.spec
FROM schedule_versions v JOIN schedule_rotations r ON r.id = v.rotation_id JOIN schedules s ON s.id = v.schedule_id
WHERE v.schedule_id = ANY($1::uuid[]) AND (v.ends_at IS NULL OR v.ends_at > $2) AND ($3::timestamptz IS NULL OR v.starts_at < $3)
    AND (s.deleted_at IS NULL OR v.starts_at < s.deleted_at)
ORDER BY r.position, v.rotation_id, v.starts_at;

-- timetable_overrides: the overrides of some schedules that touch [$2, $3)
SELECT o.id, o.schedule_id, o.change, o.starts_at, least(o.ends_at, s.deleted_at) AS ends_at,
    o.user_id, o.replaces_user_id, o.reason
FROM schedule_overrides o JOIN schedules s ON s.id = o.schedule_id
WHERE o.schedule_id = ANY($1::uuid[]) AND o.ends_at > $2 AND ($3::timestamptz IS NULL OR o.starts_at < $3)
    AND (s.deleted_at IS NULL OR o.starts_at < s.deleted_at)
ORDER BY o.starts_at, o.id;

-- timetable_swaps: the agreed swaps of some schedules of which either half touches [$2, $3)
SELECT id, schedule_id, starts_at, ends_at, user_id, taken_by_user_id, return_starts_at, return_ends_at, reason
FROM schedule_swaps
WHERE schedule_id = ANY($1::uuid[]) AND state = 'accepted' AND greatest(ends_at, return_ends_at) > $2
    AND ($3::timestamptz IS NULL OR least(starts_at, return_starts_at) < $3)
ORDER BY starts_at, id;

-- timetable_shadows: who listens in some schedules in [$2, $3)
SELECT id, schedule_id, user_id, of_user_id, starts_at, ends_at FROM schedule_shadows
WHERE schedule_id = ANY($1::uuid[]) AND ends_at > $2 AND ($3::timestamptz IS NULL OR starts_at < $3)
ORDER BY starts_at, id;

-- timetable_feeds: the calendars elsewhere that are layers of some schedules, those taken off too
SELECT id, schedule_id, name, position FROM schedule_feeds WHERE schedule_id = ANY($1::uuid[]) ORDER BY position, id;

-- timetable_bookings: what those calendars said of [$2, $3)
SELECT b.feed_id, b.user_id, b.starts_at, least(b.ends_at, s.deleted_at) AS ends_at
FROM schedule_bookings b JOIN schedule_feeds f ON f.id = b.feed_id JOIN schedules s ON s.id = f.schedule_id
WHERE f.schedule_id = ANY($1::uuid[]) AND b.ends_at > $2 AND ($3::timestamptz IS NULL OR b.starts_at < $3)
    AND (s.deleted_at IS NULL OR b.starts_at < s.deleted_at)
ORDER BY b.feed_id, b.starts_at, b.id;

-- timetable_time_off: who is away in [$2, $3), of these people
SELECT user_id, starts_at, ends_at, reason FROM time_off
WHERE user_id = ANY($1::int[]) AND ends_at > $2 AND ($3::timestamptz IS NULL OR starts_at < $3)
ORDER BY user_id, starts_at, id;

-- timetable_holidays: whose public holidays count for these people
SELECT h.user_id, h.country, h.subdivision, u.time_zone
FROM holiday_calendars h JOIN users u ON u.id = h.user_id WHERE h.user_id = ANY($1::int[]) ORDER BY h.user_id;

-- habits_of_users: where people live and when they work
SELECT u.id, u.time_zone, w.days, w.windows
FROM users u LEFT JOIN working_hours w ON w.user_id = u.id WHERE u.id = ANY($1::int[]) ORDER BY u.id;

-- versions_of_rotation: every version of one rotation, the oldest first
SELECT v.rotation_id, v.schedule_id, r.name, v.starts_at, v.ends_at, v.spec
FROM schedule_versions v JOIN schedule_rotations r ON r.id = v.rotation_id
WHERE v.rotation_id = $1 ORDER BY v.starts_at;

-- forget_versions: before all versions of a rotation are written again, the closed ones as they were
DELETE FROM schedule_versions WHERE rotation_id = $1;

-- next_rotation_position: the layer above all others of a schedule
SELECT coalesce(max(position), 0) + 1 FROM (
    SELECT position FROM schedule_rotations WHERE schedule_id = $1 AND deleted_at IS NULL
    UNION ALL SELECT position FROM schedule_feeds WHERE schedule_id = $1 AND deleted_at IS NULL
) layers;

-- next_member_position: the place after a rotation's last member
SELECT coalesce(max(position), 0) + 1 FROM schedule_members WHERE rotation_id = $1;

-- clear_members: empty a rotation before it is filled again
DELETE FROM schedule_members WHERE rotation_id = $1;

-- clear_active_days: forget the hours of single days before they are written again
DELETE FROM schedule_active_days WHERE rotation_id = $1;

-- missing_schedules: which of these schedules do not exist
SELECT asked FROM unnest($1::uuid[]) asked
WHERE NOT EXISTS (SELECT 1 FROM schedules s WHERE s.id = asked AND s.deleted_at IS NULL);

-- hold_configuration: let two who nest schedules into each other come one after the other
SELECT version FROM configuration FOR UPDATE;

-- schedule_reaches: whether a schedule is found below some others, however deep: nesting it would make a circle
WITH RECURSIVE below (id) AS (
    SELECT asked FROM unnest($1::uuid[]) asked
    UNION
    SELECT m.nested_schedule_id FROM below
    JOIN schedule_rotations r ON r.schedule_id = below.id AND r.deleted_at IS NULL
    JOIN schedule_members m ON m.rotation_id = r.id AND m.skipped_at IS NULL
    WHERE m.nested_schedule_id IS NOT NULL
)
SELECT EXISTS (SELECT 1 FROM below WHERE id = $2);

-- members_who_leave: where a person, or a schedule that goes, has turns
SELECT m.id, m.rotation_id, r.name, r.schedule_id
FROM schedule_members m JOIN schedule_rotations r ON r.id = m.rotation_id
WHERE r.deleted_at IS NULL AND m.skipped_at IS NULL AND (m.user_id = $1 OR m.nested_schedule_id = $2)
ORDER BY m.id;

-- overrides_of_leaver: what is still to come of overrides that put a person on call
SELECT id, starts_at FROM schedule_overrides WHERE user_id = $1 AND ends_at > $2 ORDER BY id;

-- swaps_of_leaver: what is still open, or to come, of swaps that somebody who leaves has a part in
SELECT id, state, starts_at FROM schedule_swaps
WHERE ((state = 'open' AND $1 IN (user_id, asked_user_id)) OR (state = 'accepted' AND taken_by_user_id = $1))
    AND ends_at > $2
ORDER BY id;

-- shadows_of_leaver: what is still to come of somebody's listening
SELECT id, starts_at FROM schedule_shadows WHERE user_id = $1 AND ends_at > $2 ORDER BY id;

-- links_of_leaver: the secret addresses of somebody who leaves
SELECT id FROM calendar_links WHERE (user_id = $1 OR created_by = $1) AND cancelled_at IS NULL ORDER BY id;

-- read_rotation_members: members of some rotations, in order; what they are called, and whether they are still there
SELECT m.*, r.schedule_id FROM schedule_members m JOIN schedule_rotations r ON r.id = m.rotation_id
WHERE m.rotation_id = ANY($1::uuid[]) AND r.deleted_at IS NULL ORDER BY m.position, m.id;

-- read_schedules_of_teams: the schedules that some teams own
SELECT t.id AS team_id, ARRAY(
    SELECT s.id FROM schedules s WHERE t.id = ANY(s.owner_team_ids) AND s.deleted_at IS NULL ORDER BY s.id
) AS schedule_ids
FROM unnest($1::uuid[]) AS t (id);

-- read_rotation_ids: the rotations of some schedules, the lowest layer first
SELECT id, schedule_id FROM schedule_rotations
WHERE schedule_id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY position, id;

-- flags_of_schedules: what people should look at: members who are gone, calendars that fail
SELECT r.schedule_id, r.name AS lane, 'member_skipped' AS code, m.skipped_why AS why, m.skipped_at AS since
FROM schedule_members m JOIN schedule_rotations r ON r.id = m.rotation_id
WHERE r.schedule_id = ANY($1::uuid[]) AND r.deleted_at IS NULL AND m.skipped_at IS NOT NULL
UNION ALL
SELECT schedule_id, name, 'calendar_failed', error, tried_at FROM schedule_feeds
WHERE schedule_id = ANY($1::uuid[]) AND deleted_at IS NULL AND error IS NOT NULL
UNION ALL
SELECT schedule_id, name, 'people_unknown', array_to_string(unknown_people, ', '), good_at FROM schedule_feeds
WHERE schedule_id = ANY($1::uuid[]) AND deleted_at IS NULL AND unknown_people <> '{}'
ORDER BY since;

-- claim_feeds: take calendars that are due, so that no other node fetches them while this one does
UPDATE schedule_feeds SET next_fetch_at = $2, updated_at = $1
WHERE id IN (
    SELECT f.id FROM schedule_feeds f
    WHERE f.deleted_at IS NULL AND (f.next_fetch_at IS NULL OR f.next_fetch_at <= $1)
        AND EXISTS (SELECT 1 FROM schedules s WHERE s.id = f.schedule_id AND s.deleted_at IS NULL)
    ORDER BY next_fetch_at NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING id, schedule_id, name, url, refresh_minutes, good_at, created_at,
    (SELECT s.time_zone FROM schedules s WHERE s.id = schedule_id) AS time_zone;

-- feed_due: look at a calendar again before its time
UPDATE schedule_feeds SET next_fetch_at = NULL, updated_at = $2 WHERE id = $1;

-- feeds_failing: how many calendars could not be read the last time
SELECT count(*) FROM schedule_feeds f JOIN schedules s ON s.id = f.schedule_id
WHERE f.deleted_at IS NULL AND s.deleted_at IS NULL AND f.error IS NOT NULL;

-- feed_failed: say why the last look found nothing; the last good copy stays
UPDATE schedule_feeds SET tried_at = $2, next_fetch_at = $3, error = $4, updated_at = $2 WHERE id = $1;

-- feed_read: a calendar was read
UPDATE schedule_feeds SET tried_at = $2, good_at = $2, next_fetch_at = $3, error = NULL, unknown_people = $4, updated_at = $2
WHERE id = $1 AND deleted_at IS NULL;

-- bookings_of_feed: the copy there is of one calendar
SELECT user_id, starts_at, ends_at FROM schedule_bookings WHERE feed_id = $1 ORDER BY starts_at, user_id, ends_at;

-- forget_bookings: before the copy is written again
DELETE FROM schedule_bookings WHERE feed_id = $1;

-- add_booking: one entry of a calendar's copy
INSERT INTO schedule_bookings (id, feed_id, user_id, starts_at, ends_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6);

-- people_by_address: everybody a calendar may name
SELECT id, lower(email) AS email, lower(name) AS name FROM users WHERE active;

-- link_by_token: the secret address that a token opens
SELECT id, kind, name, user_id, schedule_id, schedule_ids, created_at FROM calendar_links
WHERE token_hash = $1 AND cancelled_at IS NULL;
