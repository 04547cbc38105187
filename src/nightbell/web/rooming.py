"""The chat room of an incident, on its page: where it is, what is in the way, or the button that opens one."""

from typing import Any

from nightbell.web.site import WebRequest


async def facts(request: WebRequest, incident: dict[str, Any]) -> dict[str, Any]:
    """Return what `incident_room.html` shows, as its `chat`."""
    site = request.site
    row = await site.db.row("room_of_incident", incident["id"])
    room = dict(row.items()) if row else None
    if room and room["channel_id"]:
        room["url"] = f"https://slack.com/app_redirect?channel={room['channel_id']}"
    return {"room": room, "possible": room is not None or await site.inbound.rooms.ready()}
