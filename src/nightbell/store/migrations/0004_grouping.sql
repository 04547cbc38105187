-- Alert grouping rules: leaders, members and the windows they share.

-- The rule an alert was grouped by, gone or not; until when its group takes others in, how many it took, and when it
-- pages in the place of a leader that is over.
ALTER TABLE alerts ADD COLUMN group_rule_id uuid, ADD COLUMN group_until timestamptz, ADD COLUMN group_size integer,
    ADD COLUMN group_handed_at timestamptz;

-- A bucket stands on the one alert that takes others in; two that come at one moment cannot both.
ALTER TABLE alerts ADD CHECK (bucket IS NULL OR (leader_id IS NULL AND status <> 'resolved'));
DROP INDEX alerts_that_lead;
CREATE UNIQUE INDEX alerts_that_lead ON alerts (bucket) WHERE bucket IS NOT NULL; -- store/sql/facts.sql
CREATE INDEX open_groups ON alerts (group_rule_id)
    WHERE group_rule_id IS NOT NULL AND leader_id IS NULL AND status <> 'resolved'; -- web/pages/groupings.py
CREATE INDEX alerts_of_rules ON alerts (id) WHERE group_rule_id IS NOT NULL AND leader_id IS NULL; -- store/read/alerts.py

-- time_window: minutes.
ALTER TABLE grouping_rules DROP CONSTRAINT grouping_rules_time_window_check;
ALTER TABLE grouping_rules ADD CHECK (time_window BETWEEN 1 AND 10080);
ALTER TABLE grouping_rules ADD COLUMN owner_team_ids uuid[] NOT NULL DEFAULT '{}';
