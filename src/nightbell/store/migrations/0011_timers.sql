-- Timers: what makes due work cheap to find and to step.

-- The frozen policies of climbs. Thousands of climbs hold the same one, so it is kept once: a climb that moves on does
-- not write it again, and climbs that stand alike are found by its id (a hash of it). Rows are only ever added.
CREATE TABLE plans (
    id         uuid PRIMARY KEY,
    plan       jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO plans (id, plan, created_at, updated_at)
SELECT md5(plan::text)::uuid, plan, min(created_at), min(created_at) FROM escalations GROUP BY plan;
ALTER TABLE escalations ADD COLUMN plan_id uuid;
UPDATE escalations SET plan_id = md5(plan::text)::uuid;
-- No foreign key: each new climb would lock the one row of its plan, and all writers would meet there.
ALTER TABLE escalations ALTER COLUMN plan_id SET NOT NULL, DROP COLUMN plan;

-- What hangs on an alert is written under the lock of its row and goes when it goes. A foreign key would look the alert
-- up once more for each row written, 4 us of it: a third of what a page costs. So the one thing that the keys did for us
-- is done for a whole statement at once.
ALTER TABLE alert_details DROP CONSTRAINT alert_details_alert_id_fkey;
ALTER TABLE alert_members DROP CONSTRAINT alert_members_alert_id_fkey;
ALTER TABLE alert_events DROP CONSTRAINT alert_events_alert_id_fkey;
ALTER TABLE escalations DROP CONSTRAINT escalations_alert_id_fkey;
ALTER TABLE pages DROP CONSTRAINT pages_alert_id_fkey, DROP CONSTRAINT pages_escalation_id_fkey;
ALTER TABLE notifications DROP CONSTRAINT notifications_alert_id_fkey, DROP CONSTRAINT notifications_page_id_fkey;

CREATE FUNCTION forget_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notifications WHERE alert_id IN (SELECT id FROM gone);
    DELETE FROM pages WHERE alert_id IN (SELECT id FROM gone);
    DELETE FROM escalations WHERE alert_id IN (SELECT id FROM gone);
    DELETE FROM alert_events WHERE alert_id IN (SELECT id FROM gone);
    DELETE FROM alert_members WHERE alert_id IN (SELECT id FROM gone);
    DELETE FROM alert_details WHERE alert_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_forgotten AFTER DELETE ON alerts REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_alerts();

-- An idempotency key ends with the id of its message, so it is as unique as that: a second index of long texts said
-- nothing more, and cost more than any other of this table.
ALTER TABLE notifications DROP CONSTRAINT notifications_idempotency_key_key;

-- Whatever wakes a climb changes an indexed column, so each step writes an entry into every index of the row. Leaves that
-- are left half empty take them where they are; full ones were searched for entries to drop, and split, by every storm.
ALTER INDEX escalations_pkey SET (fillfactor = 50);
ALTER INDEX escalations_of_alert SET (fillfactor = 50);
ALTER INDEX one_live_escalation SET (fillfactor = 50);
