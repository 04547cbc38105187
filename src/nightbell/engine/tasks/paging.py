"""The task that pages: beside whoever is paged for the alert already, or by a new alert.

Rule 1: whoever is being paged at this moment is not paged again, so a second attempt wakes nobody twice.
"""

from uuid import UUID

from msgspec import Struct, structs

from nightbell.core.directory import Target
from nightbell.core.errors import Invalid, Stale, Unknown
from nightbell.engine.act import NewAlert
from nightbell.engine.amend import amend
from nightbell.engine.edits import AlertEdit
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.naming import Named, id_of, one_of, person_of
from nightbell.store.tables import urgencies


class Params(Struct, frozen=True, kw_only=True):
    """Whom, and what they are told. At least one target."""

    summary: str
    #: An id or a name; empty leaves the alert's own.
    alert_urgency_id: str | None = None
    escalation_policy_target: Named | None = None
    service_target: Named | None = None
    user_target: Named | None = None
    group_target: Named | None = None
    functionality_target: Named | None = None
    description: str | None = None
    #: Goes into the timeline of the alert.
    escalation_note: str | None = None
    #: Page by an alert of its own, though the run is about one.
    create_new_alert: bool = False


_TARGETS = (
    ("EscalationPolicy", "escalation_policy_target"),
    ("Service", "service_target"),
    ("User", "user_target"),
    ("Group", "group_target"),
)


check = one_of(
    *(name for _, name in _TARGETS),
    said="Name whom to page.",
    hint="A policy, a service, a team or a person.",
)


async def run(hands: Hands, params: Params, step: Step) -> Result:
    """Page them."""
    check(structs.asdict(params))
    targets = await _targets(hands, params)
    urgency = await id_of(hands, urgencies, params.alert_urgency_id, "alert_urgency_id")
    if step.alert_id is None or params.create_new_alert:
        return await _by_new_alert(hands, params, targets, urgency, step)
    if urgency and str(urgency) != (step.context.get("alert") or {}).get("alert_urgency_id"):
        await amend(hands.db, step.alert_id, AlertEdit(urgency_id=urgency), by=step.by, now=step.now)
    try:
        decision = await hands.act.respond(step.alert_id, targets, by=step.by, now=step.now)
    except Stale as error:
        return Result(outcome="done", why=error.message)
    except Unknown as error:
        raise Invalid(error.message, place="target") from error
    if params.escalation_note and decision.what == "responders_added":
        await hands.act.note(step.alert_id, params.escalation_note, by=step.by, now=step.now)
    return done(
        alert_id=str(step.alert_id), what=decision.what, targets=[f"{t.type} {t.id}" for t in targets]
    )


async def _by_new_alert(
    hands: Hands, params: Params, targets: tuple[Target, ...], urgency: UUID | None, step: Step
) -> Result:
    new = NewAlert(
        summary=params.summary,
        description=params.description,
        # The same step again is the same alert.
        deduplication_key=f"workflow:{step.key}",
        targets=targets,
        urgency_id=urgency,
        started_at=step.began_at,
    )
    try:
        made = await hands.act.create(new, by=step.by, now=step.now)
    except Unknown as error:
        raise Invalid(error.message, place="target") from error
    if params.escalation_note and step.attempt == 1:
        await hands.act.note(made.id, params.escalation_note, by=step.by, now=step.now)
    if step.incident_id is not None:
        await hands.incidents.attach(step.incident_id, [made.id], by=step.by, now=step.now, cause=step.cause)
    return done(alert_id=str(made.id), what="created", targets=[f"{t.type} {t.id}" for t in targets])


async def _targets(hands: Hands, params: Params) -> tuple[Target, ...]:
    directory = await hands.directories.current(hands.db)
    found: list[Target] = []
    for kind, name in _TARGETS:
        named: Named | None = getattr(params, name)
        if named is None or not named.key:
            continue
        key = named.key
        if kind == "User":
            key = str(await person_of(hands, key, name))
        elif kind == "EscalationPolicy" and key.lower() not in directory.policies:
            # Policies have no slug, and people write their names.
            known = {policy.name.lower(): ident for ident, policy in directory.policies.items()}
            key = known.get(key.lower(), key)
        found.append(Target(type=kind, id=key))
    return tuple(found)


TASKS = (
    Task(
        name="page_rootly_on_call_responders",
        label="Page people",
        group="people",
        params=Params,
        run=run,
        check=check,
    ),
)
