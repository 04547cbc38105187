"""What an operator tells Nightbell about the services that deliver for it: which accounts, which secrets.

One description serves the settings page, the command line, the environment and the file; only `secret` ones are sealed.
"""

from msgspec import Struct


class Field(Struct, frozen=True, kw_only=True):
    """One thing a service must be told."""

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    default: str = ""
    #: Set on the machine only (environment, file): it decides where requests with our secrets go.
    machine: bool = False
    #: What it may be; empty for any text.
    choices: tuple[str, ...] = ()


class Provider(Struct, frozen=True, kw_only=True):
    """A service outside. `needs` names the fields without which its channels cannot send."""

    name: str
    label: str
    kinds: tuple[str, ...]
    fields: tuple[Field, ...]
    needs: tuple[str, ...] = ()


def _base(url: str) -> Field:
    return Field(name="base_url", label="Address of the service", default=url, machine=True)


TWILIO = Provider(
    name="twilio",
    label="Twilio",
    kinds=("sms", "voice"),
    needs=("account_sid", "auth_token"),
    fields=(
        Field(name="account_sid", label="Account SID", hint="begins with AC"),
        Field(
            name="auth_token", label="Auth token", secret=True, hint="also proves that callbacks are theirs"
        ),
        Field(
            name="sms_from",
            label="Text messages come from",
            hint="a number like +15550100, or a messaging service (MG…)",
        ),
        Field(name="voice_from", label="Calls come from", hint="a number like +15550100"),
        Field(
            name="callbacks",
            label="Callbacks",
            default="on",
            choices=("on", "off"),
            hint="off where Twilio cannot reach this address: no replies, no keypad, delivery is asked for instead",
        ),
        _base("https://api.twilio.com"),
    ),
)
SLACK = Provider(
    name="slack",
    label="Slack",
    kinds=("slack",),
    needs=("bot_token",),
    fields=(
        Field(name="bot_token", label="Bot token", secret=True, hint="begins with xoxb-"),
        Field(
            name="signing_secret",
            label="Signing secret",
            secret=True,
            hint="for buttons by URL; proves that requests are theirs",
        ),
        Field(
            name="app_token",
            label="App token",
            secret=True,
            hint="begins with xapp-; for buttons by socket mode, without a public address",
        ),
        Field(
            name="rooms",
            label="Incidents get a room",
            default="by_hand",
            choices=("by_hand", "critical", "high", "medium", "low", "always"),
            hint="from this severity on; by_hand leaves it to the button on the incident",
        ),
        Field(
            name="room_mark",
            label="Sign that puts a message into the timeline",
            default="pushpin",
            hint="the name of a reaction, without colons",
        ),
        Field(
            name="room_end",
            label="When the incident is closed",
            default="archive",
            choices=("archive", "keep"),
            hint="what becomes of its room",
        ),
        _base("https://slack.com/api"),
    ),
)
TELEGRAM = Provider(
    name="telegram",
    label="Telegram",
    kinds=("telegram",),
    needs=("bot_token",),
    fields=(
        Field(name="bot_token", label="Bot token", secret=True, hint="@BotFather gives it: 123456:ABC…"),
        Field(
            name="updates",
            label="Buttons arrive by",
            default="poll",
            choices=("poll", "webhook", "off"),
            hint="poll asks Telegram and needs no public address; webhook is called by it; off leaves links",
        ),
        _base("https://api.telegram.org"),
    ),
)
DISCORD = Provider(
    name="discord",
    label="Discord",
    kinds=("discord",),
    fields=(
        Field(name="bot_token", label="Bot token", secret=True, hint="for buttons; a webhook needs none"),
        Field(
            name="public_key",
            label="Public key",
            hint="of the application, for buttons; its interactions endpoint is /callbacks/discord here",
        ),
        _base("https://discord.com/api/v10"),
    ),
)
MATTERMOST = Provider(
    name="mattermost",
    label="Mattermost",
    kinds=("mattermost",),
    fields=(
        Field(name="bot_token", label="Bot token", secret=True, hint="to edit posts; a webhook needs none"),
        Field(
            name="callbacks",
            label="Buttons",
            default="on",
            choices=("on", "off"),
            hint="off where Mattermost cannot reach this address: messages then have links",
        ),
        Field(
            name="base_url", label="Address of the server", machine=True, hint="like https://chat.example.org"
        ),
    ),
)
PUSH = Provider(
    name="push",
    label="Web push",
    kinds=("push",),
    needs=("private_key",),
    fields=(
        Field(
            name="private_key",
            label="Private key",
            secret=True,
            hint="made at the first start; another one ends every subscription",
        ),
        Field(
            name="contact",
            label="Contact",
            hint="mailto: or https:, where push services write when we misbehave; this installation's address if empty",
        ),
    ),
)
ALERTMANAGER = Provider(
    name="alertmanager",
    label="Alertmanager",
    # It delivers nothing; workflows ask it for silences.
    kinds=(),
    fields=(
        Field(name="token", label="Bearer token", secret=True, hint="where a proxy before it asks for one"),
        Field(
            name="base_url",
            label="Address",
            machine=True,
            hint="like http://alertmanager:9093; workflows make silences there",
        ),
    ),
)
#: Every service, by name; its name is also the prefix of its variables and its table in the file.
PROVIDERS: dict[str, Provider] = {
    one.name: one for one in (TWILIO, SLACK, TELEGRAM, DISCORD, MATTERMOST, PUSH, ALERTMANAGER)
}
#: Which service delivers a kind of message.
BY_KIND: dict[str, Provider] = {kind: one for one in PROVIDERS.values() for kind in one.kinds}
