-- notify: wake those who listen on a channel, when this transaction commits
SELECT pg_notify($1, $2);

-- answers: tell that the database answers
SELECT 1;
