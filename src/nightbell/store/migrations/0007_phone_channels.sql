-- Phone and Slack channels: receipts, replies, verification.
SELECT 1;
