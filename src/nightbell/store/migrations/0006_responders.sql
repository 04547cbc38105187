-- Escalation: channels that a level tells beside its people.

-- The address of a post to a channel, which is nobody's (user 0) and of no page; NULL where a contact method has it.
ALTER TABLE notifications ADD COLUMN address text;
ALTER TABLE notifications ADD CONSTRAINT notifications_of_channels
    CHECK ((address IS NOT NULL) = (user_id = 0) AND (address IS NULL OR page_id IS NULL));
