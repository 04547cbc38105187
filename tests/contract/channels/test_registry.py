"""The channels there are."""

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.core.delivery import Sent


async def test_every_channel_is_listed_under_its_kind(http):
    channels = registry.build(SmtpSettings(), http)
    assert set(channels) == {
        "email", "sms", "voice", "slack", "telegram", "push", "teams", "discord", "mattermost", "webhook", "ntfy",
        "apprise", "inbox",
    }  # fmt: skip
    assert all(kind == channel.kind for kind, channel in channels.items())


async def test_the_inbox_always_delivers(http, make_message):
    inbox = registry.build(SmtpSettings(), http)["inbox"]
    inbox.check("", {})
    assert isinstance(await inbox.send(make_message(address="")), Sent)
