"""Lists the channels there are. The one place that knows every kind of delivery."""

from collections.abc import Mapping
from types import MappingProxyType

from nightbell.channels.apprise import Apprise
from nightbell.channels.discord import Discord
from nightbell.channels.email import Email, SmtpSettings
from nightbell.channels.inbox import Inbox
from nightbell.channels.mattermost import Mattermost
from nightbell.channels.ntfy import Ntfy
from nightbell.channels.push import Push
from nightbell.channels.slack import Slack
from nightbell.channels.sms import Sms
from nightbell.channels.teams import Teams
from nightbell.channels.telegram import Telegram
from nightbell.channels.voice import Voice
from nightbell.channels.webhook import Webhook
from nightbell.core.delivery import Channel
from nightbell.net.http import Http


def build(smtp: SmtpSettings, http: Http, services: Http | None = None) -> Mapping[str, Channel]:
    """Return every channel by its kind. They share `http` and `services`; whoever made those closes them.

    Shape: `services` reaches the services an operator configured, wherever those are; None is `http` again.
    """
    out = services or http
    channels: tuple[Channel, ...] = (
        Email(smtp),
        Sms(out),
        Voice(out),
        Slack(out),
        Telegram(out),
        Push(http),
        Teams(http),
        Discord(http, out),
        Mattermost(http, out),
        Webhook(http),
        Ntfy(http),
        Apprise(http.guard),
        Inbox(),
    )
    return MappingProxyType({channel.kind: channel for channel in channels})
