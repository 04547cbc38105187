"""Looks at calendars elsewhere that are layers of schedules, through the guarded way out."""

from collections.abc import Callable
from datetime import datetime

from nightbell.engine import feeds
from nightbell.engine.feeds import Fetch, Unreadable
from nightbell.engine.vault import Vault
from nightbell.net.http import Http, NetError
from nightbell.store.db import Db
from nightbell.worker.loop import Chore

#: Ten people's shifts of ten years are 2 MB. Units: bytes.
LARGEST = 4 * 1024 * 1024
#: How often somebody asks which are due. Units: seconds.
EVERY = 5.0


def chore(db: Db, vault: Vault, http: Http, clock: Callable[[], datetime]) -> Chore:
    """Return what a worker does about calendars elsewhere."""
    fetch = fetching(http)

    async def look() -> None:
        while await feeds.refresh(db, vault, fetch, clock()) >= feeds.BATCH:
            pass

    return Chore("calendars", EVERY, look)


def fetching(http: Http) -> Fetch:
    """Return what reads an address, and says in words what went wrong."""

    async def fetch(url: str) -> bytes:
        try:
            answer = await http.get(url, headers={"Accept": "text/calendar, */*"}, most=LARGEST + 1)
        except NetError as fault:
            raise Unreadable(str(fault)) from fault
        if answer.status in (301, 302, 303, 307, 308):
            raise Unreadable(f"it has moved ({answer.status}): give the address it moved to")
        if answer.status != 200:
            raise Unreadable(f"its server answered {answer.status}")
        if len(answer.body) > LARGEST:
            raise Unreadable(f"it is larger than {LARGEST // 1024 // 1024} MB")
        return answer.body

    return fetch
