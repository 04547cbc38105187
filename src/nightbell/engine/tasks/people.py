"""Tasks about people: roles in an incident, by name or by who is on call, teams, and who is told of it."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from nightbell.core import routing
from nightbell.core.errors import Invalid
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.oncalls import Question, on_calls
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.naming import Named, id_of, ids_of, incident_of, one_of, person_of, texts
from nightbell.store.incident_tables import incident_roles
from nightbell.store.schedule_tables import schedules
from nightbell.store.tables import teams


class Role(Struct, frozen=True, kw_only=True):
    """Which role, and who has it."""

    incident_role_id: str
    #: A number, an e-mail address or a name.
    assigned_to_user: Named | None = None
    assigned_to_user_id: str | None = None


class OnCallRole(Struct, frozen=True, kw_only=True):
    """Which role, and whoever is on call for one of these."""

    incident_role_id: str
    schedule_target: Named | None = None
    escalation_policy_target: Named | None = None
    service_target: Named | None = None
    group_target: Named | None = None
    user_target: Named | None = None


class Team(Struct, frozen=True, kw_only=True):
    """Which team takes part."""

    group_id: str


class Subscribers(Struct, frozen=True, kw_only=True):
    """Who is told of the incident."""

    #: Numbers, e-mail addresses or names of people.
    user_ids: list[str] = []
    #: Addresses of others.
    emails: list[str] = []


async def add_role(hands: Hands, params: Role, step: Step) -> Result:
    """Give a role to a person."""
    key = params.assigned_to_user.key if params.assigned_to_user else (params.assigned_to_user_id or "")
    if not key:
        raise Invalid("Name a person.", place="assigned_to_user")
    role = await _role(hands, params.incident_role_id)
    user_id = await person_of(hands, key, "assigned_to_user")
    who = await hands.incidents.assign(
        incident_of(step), role, by=step.by, now=step.now, cause=step.cause, user_id=user_id
    )
    return done(user_ids=who)


async def assign_on_call(hands: Hands, params: OnCallRole, step: Step) -> Result:
    """Give a role to whoever is on call now."""
    role, incident = await _role(hands, params.incident_role_id), incident_of(step)
    if params.schedule_target and params.schedule_target.key:
        schedule = await id_of(hands, schedules, params.schedule_target.key, "schedule_target")
        if schedule is not None:
            who = await hands.incidents.assign(
                incident, role, by=step.by, now=step.now, cause=step.cause, schedule_id=schedule
            )
            return done(user_ids=who)
    if params.user_target and params.user_target.key:
        user_id = await person_of(hands, params.user_target.key, "user_target")
    else:
        user_id = await _first_on_call(hands, params, step)
    who = await hands.incidents.assign(
        incident, role, by=step.by, now=step.now, cause=step.cause, user_id=user_id
    )
    return done(user_ids=who)


async def add_team(hands: Hands, params: Team, step: Step) -> Result:
    """Add a team beside those there are."""
    incident = incident_of(step)
    new = await ids_of(hands, teams, texts(params.group_id), "group_id")
    known = [r["team_id"] for r in await hands.db.rows("teams_of_incident", incident)]
    edit = IncidentEdit(team_ids=list(dict.fromkeys([*known, *new])))
    await hands.incidents.update(incident, edit, by=step.by, now=step.now, cause=step.cause)
    return done(group_ids=[str(one) for one in new])


async def subscribe(hands: Hands, params: Subscribers, step: Step) -> Result:
    """Let people be told of the incident."""
    people = [await person_of(hands, key, "user_ids") for key in texts(params.user_ids)]
    if not people and not texts(params.emails):
        raise Invalid("Name somebody.", place="user_ids")
    await hands.incidents.subscribe(
        incident_of(step), people, emails=texts(params.emails), by=step.by, now=step.now, cause=step.cause
    )
    return done(user_ids=people)


async def _role(hands: Hands, key: str) -> UUID:
    found = await id_of(hands, incident_roles, key, "incident_role_id")
    if found is None:
        raise Invalid("Name a role.", place="incident_role_id")
    return found


async def _first_on_call(hands: Hands, params: OnCallRole, step: Step) -> int:
    """Return who the first level pages now, of a policy or of the one a service or a team is paged by."""
    directory = await hands.directories.current(hands.db)
    asked = (
        ("EscalationPolicy", params.escalation_policy_target, "escalation_policy_target"),
        ("Service", params.service_target, "service_target"),
        ("Group", params.group_target, "group_target"),
    )
    kind, named, place = next((one for one in asked if one[1] and one[1].key), ("", None, "schedule_target"))
    if named is None:
        raise Invalid("Name a schedule, a policy, a service, a team or a person.", place=place)
    target, why = routing.existing(kind, named.key, directory)
    if target is None:
        raise Invalid(why, place=place)
    policy: UUID | None = UUID(target.id) if kind == "EscalationPolicy" else None
    if kind != "EscalationPolicy":
        policy = (directory.services if kind == "Service" else directory.teams)[target.id].policy_id
    if policy is None:
        raise Invalid(f"{named.name or named.key} has no escalation policy.", place=place)
    question = Question(since=step.now, until=step.now, policies=frozenset({str(policy)}))
    serving = await on_calls(hands.db, directory, question)
    return _lowest((one.level, one.user) for one in serving)


def _lowest(serving: Iterable[tuple[int, int]]) -> int:
    found = min(serving, default=None)
    if found is None:
        raise Invalid("Nobody is on call now.", hint="Name a person.")
    return found[1]


TASKS = (
    Task(
        name="add_role",
        label="Give a role to a person",
        group="people",
        params=Role,
        run=add_role,
        about=("incident", "alert"),
        check=one_of("assigned_to_user", "assigned_to_user_id", said="Name a person."),
    ),
    Task(
        name="auto_assign_role_rootly",
        label="Give a role to whoever is on call",
        group="people",
        params=OnCallRole,
        run=assign_on_call,
        about=("incident", "alert"),
        check=one_of(
            "schedule_target",
            "escalation_policy_target",
            "service_target",
            "group_target",
            "user_target",
            said="Name a schedule, a policy, a service, a team or a person.",
        ),
    ),
    Task(
        name="add_team",
        label="Add a team to the incident",
        group="people",
        params=Team,
        run=add_team,
        about=("incident", "alert"),
    ),
    Task(
        name="add_subscribers",
        label="Let people be told of the incident",
        group="people",
        params=Subscribers,
        run=subscribe,
        about=("incident", "alert"),
        check=one_of("user_ids", "emails", said="Name somebody."),
    ),
)
