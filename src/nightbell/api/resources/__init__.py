"""Every resource of the API, each declared once in its own file; a new one is added here."""

from nightbell.api.resource import Resource
from nightbell.api.resources.absences import HOLIDAYS, TIME_OFF, WORKING_HOURS
from nightbell.api.resources.action_items import ACTION_ITEMS, ALL_ACTION_ITEMS
from nightbell.api.resources.alert_configuration import CONFIGURATION
from nightbell.api.resources.alert_events import EVENTS, FEED
from nightbell.api.resources.alert_fields import FIELDS
from nightbell.api.resources.alert_groups import GROUPS
from nightbell.api.resources.alert_routes import ROUTES
from nightbell.api.resources.alert_sources import SOURCES
from nightbell.api.resources.alert_urgencies import URGENCIES
from nightbell.api.resources.alerts import ALERTS
from nightbell.api.resources.contact_methods import CONTACT_METHODS, EMAIL_ADDRESSES
from nightbell.api.resources.deliveries import DELIVERIES, NOTIFICATIONS
from nightbell.api.resources.empty import EMPTY
from nightbell.api.resources.escalation_levels import LEVELS
from nightbell.api.resources.escalation_paths import PATHS
from nightbell.api.resources.escalation_policies import POLICIES
from nightbell.api.resources.heartbeats import HEARTBEATS
from nightbell.api.resources.incident_alerts import LINKED
from nightbell.api.resources.incident_catalogs import INCIDENT_CATALOGS
from nightbell.api.resources.incident_events import INCIDENT_EVENTS
from nightbell.api.resources.incidents import INCIDENTS
from nightbell.api.resources.ledger_entries import LEDGER
from nightbell.api.resources.maintenances import MAINTENANCES
from nightbell.api.resources.notification_rules import RULES
from nightbell.api.resources.on_call_shadows import SHADOWS
from nightbell.api.resources.oncalls import ON_CALLS
from nightbell.api.resources.override_shifts import OVERRIDES
from nightbell.api.resources.phone_numbers import PHONE_NUMBERS
from nightbell.api.resources.retrospectives import RETROSPECTIVES
from nightbell.api.resources.schedule_calendars import FEEDS, LINKS
from nightbell.api.resources.schedule_members import ACTIVE_DAYS, MEMBERS, PEOPLE
from nightbell.api.resources.schedule_rotations import ROTATIONS
from nightbell.api.resources.schedules import ON_CALL_SCHEDULES, SCHEDULES
from nightbell.api.resources.services import SERVICES
from nightbell.api.resources.shift_coverage_requests import SWAPS
from nightbell.api.resources.shifts import SCHEDULE_SHIFTS, SHIFTS
from nightbell.api.resources.status_page_events import INCIDENT_UPDATES, STATUS_PAGE_EVENTS
from nightbell.api.resources.status_pages import PAGES as STATUS_PAGES
from nightbell.api.resources.teams import TEAMS
from nightbell.api.resources.throttles import THROTTLES
from nightbell.api.resources.users import USERS
from nightbell.api.resources.webhooks import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS
from nightbell.api.resources.workflow_runs import RUNS
from nightbell.api.resources.workflows import TASKS, WORKFLOW_GROUPS, WORKFLOWS

RESOURCES: tuple[Resource, ...] = (
    ALERTS,
    EVENTS,
    FEED,
    SOURCES,
    URGENCIES,
    FIELDS,
    CONFIGURATION,
    ROUTES,
    GROUPS,
    USERS,
    CONTACT_METHODS,
    EMAIL_ADDRESSES,
    PHONE_NUMBERS,
    RULES,
    THROTTLES,
    TEAMS,
    SERVICES,
    POLICIES,
    PATHS,
    LEVELS,
    MAINTENANCES,
    HEARTBEATS,
    STATUS_PAGES,
    STATUS_PAGE_EVENTS,
    INCIDENT_UPDATES,
    LEDGER,
    SCHEDULES,
    ON_CALL_SCHEDULES,
    ROTATIONS,
    MEMBERS,
    PEOPLE,
    ACTIVE_DAYS,
    OVERRIDES,
    SHADOWS,
    SWAPS,
    SHIFTS,
    SCHEDULE_SHIFTS,
    ON_CALLS,
    TIME_OFF,
    HOLIDAYS,
    WORKING_HOURS,
    FEEDS,
    LINKS,
    DELIVERIES,
    NOTIFICATIONS,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_DELIVERIES,
    WORKFLOWS,
    RUNS,
    TASKS,
    WORKFLOW_GROUPS,
    INCIDENTS,
    LINKED,
    INCIDENT_EVENTS,
    ACTION_ITEMS,
    ALL_ACTION_ITEMS,
    RETROSPECTIVES,
    *INCIDENT_CATALOGS,
    *EMPTY,
)
