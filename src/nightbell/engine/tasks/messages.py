"""Tasks that write to people and rooms, by the channels that page: e-mail, chats, text messages, calls.

Rule 1: every address has a key of its own, the same on every attempt; what may have arrived is not sent again.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from uuid import uuid5

from msgspec import Struct, field
from msgspec.structs import replace

from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Retry, Sent
from nightbell.core.errors import Invalid
from nightbell.core.providers import BY_KIND
from nightbell.engine.tasks.contract import PATIENCE, Hands, Result, Step, Task, failed, not_configured, retry
from nightbell.engine.tasks.naming import Named, one_of, texts

_MOST = 50
#: What can be seen of an address before a channel looks at it.
_MAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")
_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")


class Mail(Struct, frozen=True, kw_only=True):
    """To whom, and what."""

    to: list[str]
    subject: str
    body: str
    cc: list[str] = []
    bcc: list[str] = []
    from_: str | None = field(default=None, name="from")
    preheader: str | None = None
    include_header: bool = False
    include_footer: bool = False
    custom_logo_url: str | None = None


class Phone(Struct, frozen=True, kw_only=True):
    """Which telephones, and what they are told."""

    #: +15550100
    phone_numbers: list[str]
    content: str
    name: str | None = None


class Room(Struct, frozen=True, kw_only=True):
    """Which rooms, and what is written there: its first line becomes the heading."""

    #: The id of a channel, or the address of its webhook.
    channels: list[Named] = []
    text: str


class SlackText(Struct, frozen=True, kw_only=True):
    """Which channels and members, and what is written there: its first line becomes the heading."""

    text: str
    #: Ids like C0123ABCD; the bot must be in the channel.
    channels: list[Named] = []
    #: Ids like U0123ABCD, or e-mail addresses.
    slack_users: list[Named] = []
    slack_user_groups: list[Named] = []
    actionables: list[str] = []
    broadcast_thread_reply_to_channel: bool = False
    send_as_ephemeral: bool = False
    color: str | None = None
    pin_to_channel: bool = False
    update_parent_message: bool = False
    thread_ts: str | None = None
    parent_message_thread_task: Named | None = None
    send_only_as_threaded_message: bool = False


def _mails(addresses: list[str]) -> None:
    """Raise Invalid for what no mail server would take."""
    for address in texts(addresses):
        if not _MAIL.fullmatch(address):
            raise Invalid(f"{address[:60]!r} is no e-mail address.", hint="ana@example.org")


def _numbers(numbers: list[str]) -> None:
    """Raise Invalid for what nobody can call."""
    for number in texts(numbers):
        if not _NUMBER.fullmatch(number):
            raise Invalid(f"{number[:60]!r} is no telephone number.", hint="+15550100123")


async def mail(hands: Hands, params: Mail, step: Step) -> Result:
    """Send it to everybody, each a mail of their own."""
    everybody = texts(params.to) + texts(params.cc) + texts(params.bcc)
    return await send(hands, "email", everybody, (params.subject, params.body), step)


async def sms(hands: Hands, params: Phone, step: Step) -> Result:
    """Send text messages."""
    return await send(hands, "sms", texts(params.phone_numbers), (params.content, ""), step)


async def call(hands: Hands, params: Phone, step: Step) -> Result:
    """Call telephones and say it twice."""
    return await send(hands, "voice", texts(params.phone_numbers), (params.content, ""), step)


async def slack(hands: Hands, params: SlackText, step: Step) -> Result:
    """Write to channels and members of Slack."""
    rooms = [named.key for named in (*params.channels, *params.slack_users)]
    return await send(hands, "slack", rooms, headed(params.text), step)


async def teams(hands: Hands, params: Room, step: Step) -> Result:
    """Write to channels of Teams, by the webhooks of their workflows."""
    return await send(hands, "teams", [c.key for c in params.channels], headed(params.text), step)


async def discord(hands: Hands, params: Room, step: Step) -> Result:
    """Write to channels of Discord."""
    return await send(hands, "discord", [c.key for c in params.channels], headed(params.text), step)


async def mattermost(hands: Hands, params: Room, step: Step) -> Result:
    """Write to channels of Mattermost."""
    return await send(hands, "mattermost", [c.key for c in params.channels], headed(params.text), step)


async def telegram(hands: Hands, params: Room, step: Step) -> Result:
    """Write to chats of Telegram."""
    return await send(hands, "telegram", [c.key for c in params.channels], headed(params.text), step)


async def also_to_slack(
    hands: Hands, rooms: Sequence[Named], text: str, step: Step, result: Result
) -> Result:
    """Tell channels of Slack of a deed that is done; that they were not told undoes nothing, and is said."""
    keys = [room.key for room in rooms if room.key]
    if not keys or result.outcome != "done":
        return result
    told = await send(hands, "slack", keys, headed(text), step)
    why = "; ".join(part for part in (result.why, told.why) if part)
    return replace(result, output={**result.output, **told.output}, why=why)


def headed(text: str) -> tuple[str, str]:
    """Return the first line of a text as its heading, and the rest."""
    first, _, rest = text.strip().partition("\n")
    return first, rest.strip()


async def send(
    hands: Hands, kind: str, addresses: Iterable[str], said: tuple[str, str], step: Step
) -> Result:
    """Send a heading and a text to every address by a channel."""
    wanted = [address for address in dict.fromkeys(addresses) if address]
    if not wanted:
        raise Invalid("Name at least one address.")
    if len(wanted) > _MOST:
        raise Invalid(f"At most {_MOST} addresses.")
    channel = hands.channels.get(kind)
    if channel is None:
        return not_configured(f"There is no channel {kind} here.")
    settings: dict[str, str] = {}
    if service := BY_KIND.get(kind):
        settings = await hands.providers.of(hands.db, service.name)
        if missing := [name for name in service.needs if not settings.get(name)]:
            return not_configured(
                f"{service.label} is not set up: {', '.join(missing)} (Settings → Providers)."
            )
    every = await asyncio.gather(*(channel.send(_message(one, said, settings, step)) for one in wanted))
    return _summed(dict(zip(wanted, every, strict=True)), step)


def _message(address: str, said: tuple[str, str], settings: dict[str, str], step: Step) -> Message:
    key = f"{step.key}/{address}"
    return Message(
        notification_id=uuid5(step.step_id, address),
        idempotency_key=key,
        purpose=Purpose.NOTICE,
        address=address,
        settings={},
        recipient="",
        sent_at=step.now,
        title=said[0],
        body=said[1],
        status="",
        urgency="",
        short_id="",
        labels={},
        annotations={},
        started_at=None,
        level=None,
        alert_url="",
        acknowledge_url="",
        escalate_url="",
        snooze_url="",
        provider=settings,
    )


def _summed(outcomes: dict[str, Outcome], step: Step) -> Result:
    """Return one answer for all: again only where none of them may have arrived."""
    output = {"messages": [_told(address, outcome) for address, outcome in outcomes.items()]}
    every = list(outcomes.values())
    if all(isinstance(one, Retry) for one in every):
        waits = [one.after for one in every if isinstance(one, Retry) and one.after]
        at = step.now + max(waits, default=PATIENCE * 2**step.attempt)
        return retry(_why(outcomes), at, **output)
    if any(isinstance(one, Retry | Refused) for one in every):
        return failed(_why(outcomes), **output)
    return Result(outcome="done", output=output, why=_why(outcomes))


def _told(address: str, outcome: Outcome) -> dict[str, str]:
    word = "unknown" if type(outcome).__name__ == "Unsure" else type(outcome).__name__.lower()
    why = outcome.detail if isinstance(outcome, Sent) else outcome.why
    return {"to": address, "outcome": word, "why": why}


def _why(outcomes: dict[str, Outcome]) -> str:
    bad = {address: one.why for address, one in outcomes.items() if not isinstance(one, Sent)}
    return "; ".join(f"{address}: {why}" for address, why in list(bad.items())[:5])


_ROOM = one_of("channels", said="Name a room to write to.", hint="The id of a channel, or its webhook.")
TASKS = (
    Task(
        name="send_email",
        label="Send an e-mail",
        group="messages",
        params=Mail,
        run=mail,
        fields=dict.fromkeys(("to", "cc", "bcc"), _mails),
    ),
    Task(
        name="send_slack_message",
        label="Write to Slack",
        group="messages",
        params=SlackText,
        run=slack,
        check=one_of("channels", "slack_users", said="Name a channel or a member to write to."),
    ),
    Task(
        name="send_sms",
        label="Send a text message",
        group="messages",
        params=Phone,
        run=sms,
        fields={"phone_numbers": _numbers},
    ),
    Task(
        name="call_people",
        label="Call telephones",
        group="messages",
        params=Phone,
        run=call,
        fields={"phone_numbers": _numbers},
    ),
    Task(
        name="send_microsoft_teams_message",
        label="Write to Microsoft Teams",
        group="messages",
        params=Room,
        run=teams,
        check=_ROOM,
    ),
    Task(
        name="send_discord_message",
        label="Write to Discord",
        group="messages",
        params=Room,
        run=discord,
        check=_ROOM,
    ),
    Task(
        name="send_mattermost_message",
        label="Write to Mattermost",
        group="messages",
        params=Room,
        run=mattermost,
        check=_ROOM,
    ),
    Task(
        name="send_telegram_message",
        label="Write to Telegram",
        group="messages",
        params=Room,
        run=telegram,
        check=_ROOM,
    ),
)
