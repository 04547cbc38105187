"""`nightbell throttle`: how many messages of a kind may go out in a while, from the command line."""

from uuid import UUID

from cyclopts import App

from nightbell.cli import opening, screen
from nightbell.cli.options import Where, settings
from nightbell.engine.edits import ThrottleEdit
from nightbell.settings import Settings
from nightbell.store.read.listing import Listing
from nightbell.store.read.throttles import throttles

app = App(
    name="throttle", help="Hold back messages that would flood somebody or somebody's provider; none is lost."
)
_COLUMNS = ("id", "kind", "scope", "most", "seconds")


@app.command
def add(kind: str, most: int, seconds: int, *, scope: str = "method", where: Where | None = None) -> None:
    """Let at most so many messages of a kind go out in so many seconds. Prints its id.

    Parameters
    ----------
    kind
        The kind of contact method: sms, voice, email…
    most
        How many messages; a bundle is one.
    seconds
        In how long a time.
    scope
        method: to each contact method; installation: to all of them together.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    edit = ThrottleEdit(kind=kind, most=most, seconds=seconds, scope=scope)
    screen.answer(str(opening.run(_add(chosen, edit))))


async def _add(settings: Settings, edit: ThrottleEdit) -> UUID:
    async with opening.opened(settings, "throttle add") as site:
        return await site.configure.create_throttle(edit, by=opening.OPERATOR, now=site.now())


@app.command(name="list")
def list_(*, where: Where | None = None) -> None:
    """List throttles."""
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_list(chosen))


async def _list(settings: Settings) -> None:
    async with opening.opened(settings, "throttle list") as site:
        found = await throttles(site.db, Listing(limit=200))
    screen.table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in found.rows])


@app.command
def remove(throttle_id: UUID, *, where: Where | None = None) -> None:
    """Drop a throttle: what it holds back goes at once."""
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_remove(chosen, throttle_id))


async def _remove(settings: Settings, throttle_id: UUID) -> None:
    async with opening.opened(settings, "throttle remove") as site:
        await site.configure.delete_throttle(throttle_id, by=opening.OPERATOR, now=site.now())
