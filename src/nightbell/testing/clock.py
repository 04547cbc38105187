"""A clock that stands still until a test moves it; hand it to whatever asks for a Clock."""

from datetime import UTC, datetime, timedelta

from nightbell.clock import Standing

#: The night on which scenarios happen unless a test says otherwise; the captured webhooks are of it.
NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class FrozenClock(Standing):
    """Time that passes only when told to, and knows how tests say when."""

    def __init__(self, start: datetime = NIGHT) -> None:
        super().__init__(start)

    def at(self, when: str | timedelta) -> datetime:
        """Return the instant a test means: "02:05" or "02:05:30" is the next such time, a timedelta is from now."""
        if isinstance(when, timedelta):
            return self.instant + when
        hour, minute, second = (*map(int, when.split(":")), 0)[:3]
        today = self.instant.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return today if today >= self.instant else today + timedelta(days=1)
