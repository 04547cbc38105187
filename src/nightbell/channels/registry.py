"""Lists the channels there are. The one place that knows every kind of delivery."""

from collections.abc import Mapping
from types import MappingProxyType

from nightbell.channels.email import Email, SmtpSettings
from nightbell.channels.inbox import Inbox
from nightbell.channels.ntfy import Ntfy
from nightbell.channels.webhook import Webhook
from nightbell.core.delivery import Channel
from nightbell.net.http import Http


def build(smtp: SmtpSettings, http: Http) -> Mapping[str, Channel]:
    """Return every channel by its kind. They share `http`; whoever made it closes it."""
    channels: tuple[Channel, ...] = (Email(smtp), Webhook(http), Ntfy(http), Inbox())
    return MappingProxyType({channel.kind: channel for channel in channels})
