"""What Slack calls when a button is pressed and the app is set up with a request URL; socket mode needs none of this."""

from litestar import Response

from nightbell.channels import slack_calls
from nightbell.core.access import Permission
from nightbell.engine.pressing import Button
from nightbell.web.callbacks import nothing, turn_away
from nightbell.web.site import WebRequest, action


@action("/callbacks/slack", Permission.PUBLIC, signed=True)
async def interacted(request: WebRequest) -> Response[bytes]:
    """Carry out the buttons that somebody pressed."""
    body = await _proven(request)
    for press in slack_calls.presses(slack_calls.payload(body)):
        button = Button(
            reference=press.reference,
            user=press.user,
            channel=press.channel,
            action=press.action,
            value=press.value,
        )
        await request.site.inbound.slack.press(button, request.now)
    return nothing()


@action("/callbacks/slack/events", Permission.PUBLIC, signed=True)
async def happened(request: WebRequest) -> Response[bytes]:
    """Keep a sign that somebody put on a message in a room; what it becomes is not waited for."""
    found = slack_calls.event(await _proven(request))
    if asked := slack_calls.challenge(found):
        return Response(asked.encode(), media_type="text/plain")
    if mark := slack_calls.mark(found):
        await request.site.inbound.rooms.marked(mark, request.now)
    return nothing()


async def _proven(request: WebRequest) -> bytes:
    """Return the body of a request that bears Slack's signature.

    Raises: Forbidden for any other.
    """
    inbound = request.site.inbound
    body = await request.body()
    known = await inbound.clerk.providers.of(request.site.db, "slack")
    genuine = slack_calls.genuine(
        known["signing_secret"],
        stamp=request.headers.get("x-slack-request-timestamp", ""),
        signature=request.headers.get("x-slack-signature", ""),
        body=body,
        now=request.now,
    )
    if not genuine:
        raise turn_away(request, inbound, "This request does not bear Slack's signature, or is an old one")
    return body


ROUTES = [interacted, happened]
