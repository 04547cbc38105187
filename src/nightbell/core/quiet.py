"""A person's quiet hours: what they hold back, what they pass over, and what they never touch (ADR 0024).

Rule 1: the last resort is never silenced: on the last level of a policy, where a person is paged directly, and of the
people of last resort, an audible page goes out whatever the hour.
"""

from datetime import datetime

from nightbell.core.directory import User

AUDIBLE = "audible"


def holds_until(user: User, loudness: str, now: datetime) -> datetime | None:
    """Return until when a quiet page waits; None where it may go. It is late, never lost."""
    if loudness == AUDIBLE or user.quiet is None:
        return None
    return user.quiet.end(now)


def asleep(user: User | None, loudness: str, now: datetime) -> bool:
    """Return whether somebody wants no audible page now, if anybody else is left to be paged."""
    if user is None or user.quiet is None or loudness != AUDIBLE or not user.quiet_audible:
        return False
    return user.quiet.holds(now)
