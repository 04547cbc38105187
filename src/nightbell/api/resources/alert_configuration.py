"""What holds for all alerts of the installation: how long an acknowledgement does, where nothing nearer says so."""

from typing import Any

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.edits import Edit, Flag, MaybeNumber
from nightbell.store.read.listing import Record

#: Shown while nothing is set: Rootly's clients cannot read null here.
_USUAL = 60


class SentConfiguration(Edit, frozen=True, kw_only=True):
    """What may be sent: the object as a whole, as Rootly has it."""

    timeout_enabled: Flag = False
    timeout_minutes: MaybeNumber = None


async def _get(call: Call, key: str) -> Record | None:
    row = await call.db.row("instance_row", "acknowledge_minutes")
    minutes = row["value"] if row else None
    set_at = row["updated_at"] if row else None
    return {"id": "1", "minutes": minutes, "created_at": set_at or call.now, "updated_at": set_at or call.now}


def _shown(row: Record) -> dict[str, Any]:
    holds = row["minutes"] is not None and row["minutes"] > 0
    return {
        "timeout_enabled": holds,
        "timeout_minutes": row["minutes"] if holds else _USUAL,
        "retrigger_manual_alerts": True,
    }


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    given = sent.get("alert_acknowledgment")
    if not isinstance(given, dict):
        raise Invalid("Must be an object.", place="alert_acknowledgment", hint='{"timeout_enabled": false}')
    if given.get("retrigger_manual_alerts") is False:
        place = "alert_acknowledgment.retrigger_manual_alerts"
        raise Invalid("Alerts made by hand are paged again like all others.", place=place)
    return {name: given[name] for name in ("timeout_enabled", "timeout_minutes") if name in given}


async def _change(call: Call, row: Record, edit: SentConfiguration) -> None:
    sent = edit.sent()
    minutes = (
        sent["timeout_minutes"] if sent["timeout_minutes"] is not None else _shown(row)["timeout_minutes"]
    )
    asked = minutes if sent["timeout_enabled"] else None
    await call.edge.configure.set_acknowledge_minutes(asked, by=call.actor, now=call.now)


CONFIGURATION = Resource(
    type="alert_configurations",
    item="/alert_configuration",
    get=_get,
    edit=SentConfiguration,
    accept=_accept,
    change=_change,
    write=Permission.OPERATE,
    attributes=(
        attribute("alert_acknowledgment", Kind.OBJECT, of=_shown, edit="alert_acknowledgment"),
        *times(),
    ),
)
