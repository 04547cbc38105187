-- Escalation: people added by hand, acknowledgement settings.
SELECT 1;
