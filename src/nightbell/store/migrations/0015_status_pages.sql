-- Status pages: what the public may see.
SELECT 1;
