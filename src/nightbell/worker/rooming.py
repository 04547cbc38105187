"""Looks once a second whether a chat room of an incident is to be brought up to date; most looks are one small question."""

from nightbell.engine.rooms import Rooms
from nightbell.worker.loop import Chore

#: How often somebody looks. Units: seconds.
EVERY = 1.0


def chore(rooms: Rooms) -> Chore:
    """Return what a worker does about rooms."""

    async def look() -> None:
        await rooms.look()

    return Chore("rooms", EVERY, look)
