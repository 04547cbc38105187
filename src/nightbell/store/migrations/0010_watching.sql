-- Watching: heartbeats, the ledger's hash chain, the auditor's findings.
SELECT 1;
