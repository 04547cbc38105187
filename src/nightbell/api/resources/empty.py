"""Things Rootly has and we have not: lists that are empty, so that tools made from its description find no 404."""

from nightbell.api.attribute import times
from nightbell.api.resource import Call, Resource
from nightbell.store.read.listing import Found

#: Path and type (rootly.md 4f).
_TYPES = {
    "causes": "causes",
    "form_fields": "form_fields",
    "catalogs": "catalogs",
    "status-pages": "status_pages",
    "playbooks": "playbooks",
    "live_call_routers": "live_call_routers",
    "pulses": "pulses",
    "meeting_recordings": "meeting_recordings",
}


async def _nothing(call: Call) -> Found:
    return Found(rows=[], total=0)


EMPTY = tuple(
    Resource(type=kind, collections=(f"/{path}",), find=_nothing, attributes=times())
    for path, kind in _TYPES.items()
)
