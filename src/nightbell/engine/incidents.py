"""The one writer of incidents, whoever asks: API, page, workflow or chat.

Rule 1: every change is one transaction: rows, a line in the timeline, and what happened for whoever listens.
"""

from nightbell.engine.incident_work import NOBODY, Cause
from nightbell.engine.incidents_alerts import IncidentAlerts
from nightbell.engine.incidents_change import IncidentChanges
from nightbell.engine.incidents_create import IncidentMaking
from nightbell.engine.incidents_family import IncidentFamily
from nightbell.engine.incidents_items import IncidentItems
from nightbell.engine.incidents_people import IncidentPeople
from nightbell.engine.incidents_timeline import IncidentTimeline

__all__ = ["NOBODY", "Cause", "Incidents"]


class Incidents(
    IncidentMaking,
    IncidentChanges,
    IncidentFamily,
    IncidentAlerts,
    IncidentPeople,
    IncidentTimeline,
    IncidentItems,
):
    """Changes incidents: one method for each change."""
