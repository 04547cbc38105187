"""`nightbell source`: where alerts come from, and the secrets they are let in by."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from nightbell.cli import opening, screen
from nightbell.cli.options import Where, settings
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.routing import TYPES
from nightbell.engine.edits import SourceEdit
from nightbell.settings import Settings
from nightbell.store.db import Runner
from nightbell.store.read.listing import Listing, Record
from nightbell.store.read.sources import all_sources, sources

_MOST = 1_000

app = App(name="source", help="Make sources and their secrets.")


@app.command
def create(
    name: str,
    *,
    type_: Annotated[Literal["alertmanager", "grafana"], Parameter(name="--type")] = "alertmanager",
    identity: Literal["group", "alertname", "fingerprint", "key"] = "group",
    dedup_path: str | None = None,
    target: str | None = None,
    where: Where | None = None,
) -> None:
    """Make a source. Prints its secret, 64 hex digits, this once.

    Parameters
    ----------
    name
        What people call it.
    type_
        What posts to it.
    identity
        What makes two notifications one alert: Alertmanager's group, the alert's name, each label set for itself,
        or a key found in the payload.
    dedup_path
        For --identity key: the JSONPath of the key, like $.commonLabels.service.
    target
        Whom its alerts are for when nothing else says so: User:7, Group:<id>, EscalationPolicy:<id>, Service:<id>.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    edit = SourceEdit(name=name, type=type_, identity=identity)
    if dedup_path is not None:
        edit = msgspec.structs.replace(edit, dedup_path=dedup_path)
    if target is not None:
        kind, ident = parsed_target(target)
        edit = msgspec.structs.replace(edit, default_target={"type": kind, "id": ident})
    screen.answer(opening.run(_create(chosen, edit)))
    screen.hint(
        f"Post to {opening.url_of(chosen)}/webhooks/incoming/{type_}_webhooks with it as bearer token."
    )


async def _create(settings: Settings, edit: SourceEdit) -> str:
    async with opening.opened(settings, "source create") as site:
        await site.same_key()
        _, secret = await site.configure.create_source(edit, by=opening.OPERATOR, now=site.now())
    return secret


@app.command(name="list")
def list_(*, where: Where | None = None) -> None:
    """List sources: how they tell alerts apart, how their secrets end, when they were last heard."""
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_list(chosen))


async def _list(settings: Settings) -> None:
    async with opening.opened(settings, "source list") as site:
        page = await sources(site.db, Listing(limit=_MOST), site.now())
    columns = ("id", "name", "type", "identity", "secrets", "last_delivery_at")
    rows = [{**row, "secrets": " ".join(f"…{s['last_four']}" for s in row["secrets"])} for row in page.rows]
    screen.table(columns, [[row[name] for name in columns] for row in rows])


@app.command
def rotate(name: str, *, grace_hours: float = 24, where: Where | None = None) -> None:
    """Give a source a new secret. Prints it, this once; the present one works on for a while.

    Parameters
    ----------
    name
        The source's name, or its id.
    grace_hours
        How long the present secret still works; 0 ends it now.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    screen.answer(opening.run(_rotate(chosen, name, timedelta(hours=grace_hours))))
    screen.hint(f"The former secret ends in {grace_hours:g} hours.")


async def _rotate(settings: Settings, name: str, grace: timedelta) -> str:
    async with opening.opened(settings, "source rotate") as site:
        await site.same_key()
        row = await source_named(site.db, name)
        return await site.configure.rotate_secret(row["id"], by=opening.OPERATOR, now=site.now(), grace=grace)


async def source_named(runner: Runner, name: str) -> Record:
    """Return a source by its name or id. Raises: Unknown."""
    for row in await all_sources(runner):
        if name in (row["name"], str(row["id"])):
            return row
    raise Unknown(f"there is no source {name}", hint="nightbell source list shows what there is")


def parsed_target(text: str) -> tuple[str, str]:
    """Return the type and id of a target written like User:27854. Raises: Invalid."""
    kind, _, ident = text.partition(":")
    known = TYPES.get(kind.strip().lower())
    if known in (None, "Functionality") or not ident.strip():
        raise Invalid(
            f"{text!r} names nobody",
            place="--target",
            hint="write User:7, Group:<id>, EscalationPolicy:<id> or Service:<id>",
        )
    return str(known), ident.strip()
