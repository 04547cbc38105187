"""Tasks that act on the alert a run is about: take it, end it, keep it quiet, rewrite its urgency, remark on it."""

from datetime import timedelta

from msgspec import Struct

from nightbell.core.errors import Invalid, Stale
from nightbell.core.workflow import duration
from nightbell.engine.amend import amend
from nightbell.engine.edits import AlertEdit
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.naming import alert_of, id_of
from nightbell.store.tables import urgencies


class Nothing(Struct, frozen=True, kw_only=True):
    """Nothing is to be said."""


class Snooze(Struct, frozen=True, kw_only=True):
    """For how long."""

    #: "30 min", "2 hours".
    duration: str = "30 min"


class Urgency(Struct, frozen=True, kw_only=True):
    """Which urgency."""

    #: Its id or its name.
    alert_urgency_id: str


class Note(Struct, frozen=True, kw_only=True):
    """What is remarked."""

    note: str


async def acknowledge(hands: Hands, params: Nothing, step: Step) -> Result:
    """Take the alert in the name of the workflow."""
    try:
        decision = await hands.act.acknowledge(alert_of(step), by=step.by, now=step.now)
    except Stale as error:
        return Result(outcome="done", why=error.message)
    return done(status=decision.alert.status)


async def resolve(hands: Hands, params: Nothing, step: Step) -> Result:
    """End the alert."""
    decision = await hands.act.resolve(alert_of(step), by=step.by, now=step.now)
    return done(status=decision.alert.status)


async def snooze(hands: Hands, params: Snooze, step: Step) -> Result:
    """Keep the alert quiet, counted from when the step was begun."""
    until = step.began_at + duration(params.duration)
    if until <= step.now:
        until = step.now + timedelta(minutes=1)
    try:
        await hands.act.snooze(alert_of(step), until=until, by=step.by, now=step.now)
    except Stale as error:
        return Result(outcome="done", why=error.message)
    return done(until=until.isoformat())


async def set_urgency(hands: Hands, params: Urgency, step: Step) -> Result:
    """Give the alert another urgency."""
    found = await id_of(hands, urgencies, params.alert_urgency_id, "alert_urgency_id")
    if found is None:
        raise Invalid("Name an urgency.", place="alert_urgency_id")
    await amend(hands.db, alert_of(step), AlertEdit(urgency_id=found), by=step.by, now=step.now)
    return done(alert_urgency_id=str(found))


async def note(hands: Hands, params: Note, step: Step) -> Result:
    """Write into the timeline of the alert; a second attempt finds what the first one wrote."""
    alert_id = alert_of(step)
    if await hands.db.value("note_is_there", alert_id, params.note.strip(), step.began_at):
        return done()
    await hands.act.note(alert_id, params.note, by=step.by, now=step.now)
    return done()


TASKS = (
    Task(
        name="acknowledge_alert",
        label="Acknowledge the alert",
        group="alerts",
        params=Nothing,
        run=acknowledge,
        about=("alert",),
    ),
    Task(
        name="resolve_alert",
        label="Resolve the alert",
        group="alerts",
        params=Nothing,
        run=resolve,
        about=("alert",),
    ),
    Task(
        name="snooze_alert",
        label="Snooze the alert",
        group="alerts",
        params=Snooze,
        run=snooze,
        about=("alert",),
        fields={"duration": duration},
    ),
    Task(
        name="update_alert_urgency",
        label="Set the urgency of the alert",
        group="alerts",
        params=Urgency,
        run=set_urgency,
        about=("alert",),
    ),
    Task(
        name="add_note_to_alert",
        label="Add a note to the alert",
        group="alerts",
        params=Note,
        run=note,
        about=("alert",),
    ),
)
