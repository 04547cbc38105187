"""Keeps Slack's socket mode open: buttons without a public address. Slack's own client does the talking.

Imported late: the client's dependencies take a quarter of a second.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from nightbell.channels import slack_calls
from nightbell.engine.pressing import Button, Pressing
from nightbell.engine.rooms import Rooms
from nightbell.store.db import DATABASE_TROUBLE

#: To open a line. Units: seconds.
_PATIENCE = 15.0
#: Its tracebacks say nothing that `slack.no_socket` does not.
_SILENT = logging.getLogger("nightbell.slack_sdk")
_SILENT.setLevel(logging.CRITICAL)
_log = structlog.get_logger(__name__)
#: What goes wrong when there is no line to Slack.
FAULTS = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError)


class Socket:
    """One connection to Slack, for one pair of tokens."""

    def __init__(
        self, pressing: Pressing, rooms: Rooms, provider: dict[str, str], clock: Callable[[], datetime]
    ) -> None:
        self._pressing = pressing
        self._rooms = rooms
        self._clock = clock
        base = provider["base_url"].rstrip("/") + "/"
        web = AsyncWebClient(token=provider["bot_token"], base_url=base, timeout=10)
        self._client = SocketModeClient(app_token=provider["app_token"], web_client=web, logger=_SILENT)
        self._client.socket_mode_request_listeners.append(self._heard)

    async def open(self) -> None:
        """Connect; from here on the client comes back by itself.

        Raises: SlackClientError, aiohttp.ClientError, OSError.
        """
        # Left to itself the client asks for ever, also with a token that was revoked.
        async with asyncio.timeout(_PATIENCE):
            self._client.wss_uri = await self._client.issue_new_wss_url()
            await self._client.connect()  # type: ignore[no-untyped-call]  # slack_sdk is half typed  # slack-sdk types most, not all

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def alive(self) -> bool:
        """Return whether the line is open."""
        return bool(await self._client.is_connected())

    async def _heard(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        try:
            presses = slack_calls.presses(request.payload) if request.type == "interactive" else []
            for one in presses:
                await self._pressing.press(_button(one), self._clock())
            if request.type == "events_api" and (mark := slack_calls.mark(request.payload)):
                await self._rooms.marked(mark, self._clock())
        except DATABASE_TROUBLE as fault:
            # Not confirmed, so Slack sends it again.
            _log.warning("slack.not_recorded", why=str(fault))
            return
        # After it is carried out: what Slack hears no answer to, it sends again.
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


def _button(one: slack_calls.Press) -> Button:
    return Button(
        reference=one.reference, user=one.user, channel=one.channel, action=one.action, value=one.value
    )
