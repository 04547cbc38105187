-- read_findings: what the auditor found, what still stands first
SELECT id, invariant, subject, told, rounds, created_at, last_seen_at, paged_at, gone_at FROM findings
ORDER BY gone_at IS NOT NULL, last_seen_at DESC, id DESC LIMIT $1

-- read_audited_at: when the auditor of any node went round last
SELECT updated_at FROM instance WHERE key = 'audited'
