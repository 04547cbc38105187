"""The one writer of the configuration, whoever asks: API, page or command line.

Rule 1: every change is checked field by field, audited, and moves `configuration.version`, in one transaction.
"""

from nightbell.engine.checks import Problems
from nightbell.engine.configure_absences import Absences
from nightbell.engine.configure_calendars import Calendars
from nightbell.engine.configure_contacts import Contacts
from nightbell.engine.configure_groupings import Groupings
from nightbell.engine.configure_heartbeats import Heartbeats
from nightbell.engine.configure_incidents import IncidentCatalogs
from nightbell.engine.configure_installation import Installation
from nightbell.engine.configure_levels import Levels
from nightbell.engine.configure_maintenance import Maintenances
from nightbell.engine.configure_overrides import Overrides
from nightbell.engine.configure_people import People
from nightbell.engine.configure_policies import Policies
from nightbell.engine.configure_providers import ProviderSettings
from nightbell.engine.configure_routes import Routes
from nightbell.engine.configure_schedules import Schedules
from nightbell.engine.configure_sources import Sources
from nightbell.engine.configure_status_pages import StatusPages
from nightbell.engine.configure_teams import Teams, seed
from nightbell.engine.configure_throttles import Throttles
from nightbell.engine.configure_verifying import Verifying
from nightbell.engine.configure_webhooks import Webhooks
from nightbell.engine.configure_workflows import Workflows

__all__ = ["Configure", "Problems", "seed"]


class Configure(
    Installation,
    People,
    Contacts,
    Verifying,
    ProviderSettings,
    Throttles,
    Teams,
    Policies,
    Levels,
    Sources,
    Routes,
    Groupings,
    Maintenances,
    Schedules,
    Overrides,
    Absences,
    Calendars,
    Heartbeats,
    IncidentCatalogs,
    StatusPages,
    Webhooks,
    Workflows,
):
    """Changes everything that people configure: one method for each change, the same for API, page and command line."""
