"""`nightbell why`: why was somebody paged by an alert, and why was nobody."""

from datetime import datetime
from uuid import UUID

from nightbell.cli import opening, screen
from nightbell.cli.options import Where, settings
from nightbell.cli.people import known as by_address
from nightbell.core import shortid
from nightbell.core.errors import Unknown
from nightbell.core.why import Answer, why_not
from nightbell.core.why import why as explained
from nightbell.settings import Settings
from nightbell.store.db import Runner
from nightbell.store.read import pages, people
from nightbell.store.read import why as recorded
from nightbell.store.read.listing import Record


def why(alert: str, *, person: str | None = None, where: Where | None = None) -> None:
    """Say why somebody was paged by an alert, or why nobody was. Times are UTC.

    Parameters
    ----------
    alert
        Its short id, like E89PYM, or its id.
    person
        Only this person, by name or e-mail address.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    answer = opening.run(_why(chosen, alert, person))
    screen.answer(answer.short)
    for line in answer.lines:
        screen.answer(f"{'✕' if line.bad else '·'} {line.text}")


async def _why(settings: Settings, alert: str, person: str | None) -> Answer:
    async with opening.opened(settings, "why") as site:
        found = await _found(site.db, alert)
        case = await recorded.case(site.db, found["id"], found["status"])
        if person is None:
            return explained(case, clock)
        user = await _person(site.db, person)
        return why_not(case, user["id"], user["name"], clock)


async def _found(runner: Runner, alert: str) -> Record:
    number, ident = shortid.decode(alert.strip()), None
    try:
        ident = UUID(alert.strip())
    except ValueError:
        pass
    found = await pages.alert(runner, number=number, ident=ident) if number or ident else None
    if found is None:
        raise Unknown(f"there is no alert {alert}", hint="give its short id, like E89PYM, or its id")
    return found


async def _person(runner: Runner, name: str) -> Record:
    wanted = name.strip().lower()
    known = await by_address(runner, name)
    for row in [known] if known else await people.named(runner, name.strip()):
        if wanted in (row["name"].lower(), row["email"].lower()):
            return row
    raise Unknown(f"there is no {name}", hint="nightbell user list shows who there is")


def clock(at: datetime) -> str:
    """Return an instant as the command line says it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
