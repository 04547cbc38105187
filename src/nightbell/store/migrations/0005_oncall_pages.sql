-- Links to what may be read without an account: the public on-call page.
SELECT 1;
