"""Opens a chat room for an incident, for whoever works on it."""

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.web import incident_view as view
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action


@action("/incidents/{ref:str}/room", Permission.RESPOND)
async def opened(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Have a room, or try once more where it could not be made."""
    row = await view.find(request, ref)
    await request.site.inbound.rooms.open(row["id"], by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#room-card", "A room is being opened at Slack.")


ROUTES = [opened]
