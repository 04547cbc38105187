-- Notifying: bundles, throttles, quiet hours, notices, verification codes.
SELECT 1;
