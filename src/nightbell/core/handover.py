"""This file says when other people take over. It looks a day ahead, then a week, and only then further.

Rule 1: who is on call is asked of `core/oncall.py`; shifts only say at which instants it is worth asking.
"""

from datetime import UTC, datetime, timedelta

from nightbell.core.calendar import DAY, WEEK
from nightbell.core.oncall import on_call
from nightbell.core.schedule import Schedule
from nightbell.core.shifts import shifts

#: How far ahead somebody who asks "until when?" is told.
HORIZON = timedelta(days=35)
_STEPS = (DAY, WEEK, HORIZON)


def next_change(schedule: Schedule, at: datetime, *, within: timedelta = HORIZON) -> datetime | None:
    """Return when, after an instant, other people than then are on call, or nobody; None for not within a while."""
    people = on_call(schedule, at)
    start = begin = at.astimezone(UTC)
    for length in _STEPS:
        end = begin + min(length, within)
        # The end of one look is the beginning of the next, so it is asked about there.
        edges = {start} if start > begin else set()
        for shift in shifts(schedule, start=start, end=end) if start < end else ():
            edges |= {edge for edge in (shift.start, shift.end) if start < edge < end}
        for edge in sorted(edges):
            if on_call(schedule, edge) != people:
                return edge
        start = end
    return None
