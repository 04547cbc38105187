-- Outgoing webhooks: who hears of what happens, and what became of it.
SELECT 1;
