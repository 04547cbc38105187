"""What the forms for contact methods ask, by kind: data, so that a new kind is a line here.

A form asks for an address and, where a service needs it, a few settings. Errors come from the channel itself.
"""

from typing import NamedTuple
from urllib.parse import urlsplit

from nightbell.engine.sealed import MASK


class Setting(NamedTuple):
    """A field beside the address."""

    name: str
    label: str
    type: str
    hint: str


class Way(NamedTuple):
    """The form of one kind. `where` says how to come by an address."""

    label: str
    placeholder: str
    type: str = "text"
    where: str = ""
    settings: tuple[Setting, ...] = ()


FORMS: dict[str, Way] = {
    "email": Way("Address", "you@example.org", "email"),
    "sms": Way("Number", "+44 7700 900123", "tel", "With the country's code. You get a code to prove it."),
    "voice": Way("Number", "+44 7700 900123", "tel", "With the country's code. You get a code to prove it."),
    "slack": Way(
        "Member or channel",
        "you@example.org, U0123ABCD or C0123ABCD",
        where="Direct messages by your e-mail address.",
    ),
    "telegram": Way(
        "Chat", "123456789", where="The number of a chat the bot is in; it tells it when you write /id there."
    ),
    "teams": Way(
        "Webhook of a workflow",
        "https://",
        "url",
        "In Teams: the channel's … → Workflows → “Send webhook alerts to a channel”. Copy the URL it ends with.",
    ),
    "discord": Way(
        "Webhook, channel or user",
        "https://discord.com/api/webhooks/…",
        where="Channel settings → Integrations → Webhooks. With a bot: a channel's number, or user: and your number; "
        "those have buttons.",
    ),
    "mattermost": Way(
        "Webhook or channel",
        "https://chat.example.org/hooks/…",
        where="Menu → Integrations → Incoming Webhooks. With a bot: a channel's id, under View Info.",
    ),
    "ntfy": Way(
        "Topic",
        "a name nobody guesses",
        settings=(
            Setting("server", "Server", "url", "empty for the public one"),
            Setting("token", "Access token", "password", "optional"),
        ),
    ),
    "webhook": Way(
        "URL",
        "https://",
        "url",
        settings=(Setting("secret", "Signing secret", "password", "optional; signs every request"),),
    ),
    "apprise": Way(
        "Apprise URL",
        "pover://user@token",
        where="For over a hundred other services; each has a form of URL of its own, listed in Apprise's wiki.",
    ),
}


def shown(kind: str, name: str, address: str) -> str:
    """Return an address for its owner's eyes: enough to tell it from others, and no key."""
    if kind == "push":
        return name
    if "://" not in address:
        return address
    if kind == "apprise":
        return f"{address.partition('://')[0]}://{MASK}"
    if kind in ("discord", "teams", "mattermost"):
        return f"{urlsplit(address).hostname or ''}/…{address[-4:]}"
    return address
