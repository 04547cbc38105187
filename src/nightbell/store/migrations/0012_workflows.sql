-- Workflows: what starts them, their tasks, their runs.
SELECT 1;
