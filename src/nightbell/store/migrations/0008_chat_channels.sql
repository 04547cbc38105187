-- Chat and push channels: what a conversation or a browser subscription needs.
SELECT 1;
