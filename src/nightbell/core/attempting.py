"""What follows from one attempt to deliver a message: is it done, tried again, given up or in doubt.

waiting --claimed--> sending --Sent--> sent
                             --Retry--> waiting, until too many --> refused
                             --Refused--> refused
                             --Unsure--> unknown: never sent again by itself, the next method is used at once
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from nightbell.core.delivery import Outcome, Refused, Retry, Sent, Unsure

#: Seconds before each next try; after the last the message is given up.
WAITS = (2, 5, 15, 30, 60, 120, 300)
#: A provider may ask for more patience than an alert has.
LONGEST_WAIT = timedelta(minutes=10)


class Next(Struct, frozen=True, kw_only=True):
    """What becomes of a message. `fail_over` asks for the person's next contact method at once."""

    state: str
    outcome: str
    send_at: datetime | None
    provider_id: str
    why: str
    fail_over: bool
    doubtful: bool = False
    #: The address is dead, whatever else is sent there.
    gone: bool = False


def after_attempt(outcome: Outcome, *, attempt: int, ident: UUID, now: datetime) -> Next:
    """Return what follows. `attempt` counts from 1; jitter comes from the id, so replays agree."""
    match outcome:
        case Sent():
            return Next(
                state="sent",
                outcome="sent",
                send_at=None,
                provider_id=outcome.provider_id,
                why=outcome.detail,
                fail_over=False,
            )
        case Retry():
            return _retried(outcome, attempt, ident, now)
        case Refused():
            return _ended("refused", outcome.why, gone=outcome.gone)
        case Unsure():
            return _ended("unknown", outcome.why)
        case _:
            assert_never(outcome)


def _ended(state: str, why: str, *, gone: bool = False) -> Next:
    return Next(
        state=state,
        outcome=state,
        send_at=None,
        provider_id="",
        why=why,
        fail_over=True,
        doubtful=state == "unknown",
        gone=gone,
    )


def _retried(outcome: Retry, attempt: int, ident: UUID, now: datetime) -> Next:
    if attempt > len(WAITS):
        return _ended("refused", f"given up after {attempt} tries: {outcome.why}")
    jitter = 0.8 + (ident.int % 400) / 1000
    wait = outcome.after or timedelta(seconds=WAITS[attempt - 1] * jitter)
    return Next(
        state="waiting",
        outcome="retry",
        send_at=now + min(wait, LONGEST_WAIT),
        provider_id="",
        why=outcome.why,
        # Twice unlucky, or asked to be patient: somebody is asleep meanwhile.
        fail_over=attempt == 2 or (attempt == 1 and wait > timedelta(seconds=WAITS[1])),
    )
