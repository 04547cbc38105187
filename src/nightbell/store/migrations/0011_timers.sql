-- Timers: what makes due work cheap to find and to step.
SELECT 1;
