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
    for press in slack_calls.presses(slack_calls.payload(body)):
        button = Button(
            reference=press.reference,
            user=press.user,
            channel=press.channel,
            action=press.action,
            value=press.value,
        )
        await inbound.slack.press(button, request.now)
    return nothing()


ROUTES = [interacted]
