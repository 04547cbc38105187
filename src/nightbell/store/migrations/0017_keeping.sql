-- How long the ledger and the auditor's findings are kept.
SELECT 1;
