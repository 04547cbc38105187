-- Alert grouping rules: leaders, members and the windows they share.
SELECT 1;
