-- What leads to other people without their being on call: shadows, who hear what somebody is told, and secret
-- addresses that open a page.

-- shadows_user_id: who is listened to. Such a page is nobody's duty: it is never waited for and never counts as reached.
ALTER TABLE pages ADD COLUMN shadows_user_id integer;

-- A page of who is on call now and next, for whoever has the address. schedule_ids: in this order; none: of all.
ALTER TABLE calendar_links ADD COLUMN schedule_ids uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE calendar_links DROP CONSTRAINT calendar_links_kind_check;
ALTER TABLE calendar_links ADD CONSTRAINT calendar_links_kind_check
    CHECK (kind IN ('person', 'schedule', 'on_call', 'board'));
