-- Incidents: their timeline, people, action items and alerts.
SELECT 1;
