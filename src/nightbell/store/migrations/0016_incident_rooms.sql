-- Chat rooms of incidents.
SELECT 1;
