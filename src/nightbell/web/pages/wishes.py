"""What one wants of notifications: when each way is used, when to be left alone, what to hear of alerts and shifts."""

from collections import defaultdict
from typing import Any

from litestar import Response

from nightbell.core import readiness
from nightbell.core.access import Permission
from nightbell.core.calendar import DAY_LETTERS, DAY_NAMES
from nightbell.core.errors import Invalid
from nightbell.core.noticing import MOST_HOURS
from nightbell.engine.configure_people import UPDATES
from nightbell.engine.edits import UserEdit
from nightbell.engine.notices import failing_methods
from nightbell.store.read import people
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action

_LETTERS = tuple(zip(DAY_LETTERS, DAY_NAMES, strict=True))
_SAID = {
    "all": "when somebody takes it, and when it is over",
    "resolved": "only when it is over",
    "none": "nothing",
}


async def shown(request: WebRequest) -> dict[str, Any]:
    """Return what the page of one's own shows of this."""
    db, visitor = request.site.db, request.visitor
    directory = await request.site.directory()
    row = await people.user(db, visitor.user_id) or {}
    failing = await failing_methods(db)
    return {
        "wishes": row,
        "quiet": (row.get("quiet_hours") or {}).get("blocks", [{}])[0],
        "quiet_many": len((row.get("quiet_hours") or {}).get("blocks", [])) > 1,
        "days": _LETTERS,
        "updates": [(one, _SAID[one]) for one in UPDATES],
        "hours_before": ", ".join(map(str, row.get("notice_hours", []))),
        "problems": readiness.problems(directory.users.get(visitor.user_id), failing),
        "rungs": rungs,
        "said": await db.rows("notices_of", visitor.user_id),
    }


def rungs(rules: list[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return rules as a ladder of minutes: what happens at each."""
    at: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for rule in rules:
        at[rule["delay_minutes"]].append(rule)
    return sorted(at.items())


@action("/me/quiet", Permission.SELF)
async def set_quiet(request: WebRequest) -> Response[bytes]:
    """Set one's quiet hours, or have none."""
    form = await request.fields()
    days = [day for day in form.many("days") if day in DAY_LETTERS]
    start, end = form.text("start_time"), form.text("end_time")
    hours: dict[str, Any] = {}
    if days and start and end and not form.text("none"):
        block = {"days": days, "start_time": start, "end_time": end}
        hours = {"blocks": [block], "audible": form.text("audible") == "yes"}
    await _save(request, UserEdit(quiet_hours=hours))
    return go(request, "/me#quiet", "Saved." if hours else "You keep no quiet hours.")


@action("/me/notices", Permission.SELF)
async def set_notices(request: WebRequest) -> Response[bytes]:
    """Say what one wants to hear of alerts and shifts."""
    form = await request.fields()
    parts = [part.strip() for part in form.text("notice_hours").replace(";", ",").split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise Invalid(f"Hours are numbers from 1 to {MOST_HOURS}, such as 24, 1.", place="notice_hours")
    edit = UserEdit(
        updates=form.choice("updates", UPDATES),
        notice_hours=[int(part) for part in parts],
        handoff_notices=form.text("handoff_notices") == "yes",
    )
    await _save(request, edit)
    return go(request, "/me#notices", "Saved.")


async def _save(request: WebRequest, edit: UserEdit) -> None:
    visitor = request.visitor
    await request.site.configure.update_user(visitor.user_id, edit, by=visitor.actor, now=request.now)


ROUTES = [set_quiet, set_notices]
