"""The inbox rings in the browser: the notification's own row is what the pages show, so sending does nothing."""

from nightbell.core.delivery import Message, Outcome, Sent


class Inbox:
    """Delivers to Nightbell's own web pages."""

    kind = "inbox"

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Accept any address: the inbox belongs to the user, not to an address."""

    async def send(self, message: Message) -> Outcome:
        """Report success; live pages show the row as soon as it is committed."""
        return Sent(detail="shown in the browser")
