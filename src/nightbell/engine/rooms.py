"""Keeps the chat rooms of incidents: wanted when something happens, then brought step by step to what they should be.

Rule 1: each step asks what is there before it does anything twice: a name that is taken by ourselves is our room, and
what we wrote bears a key. So a node may die between any two steps, and another goes on.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from msgspec import Struct

from nightbell.core import room as rules
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.journal import Actor
from nightbell.core.room import Header, Incident, Mark, Marked, Told
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import new_id
from nightbell.engine.incident_edits import EntryEdit
from nightbell.engine.incidents import Cause, Incidents
from nightbell.engine.node import Node
from nightbell.engine.providers import Providers
from nightbell.store.db import Db, Row, Runner, Tx

LEASE = timedelta(seconds=90)
#: Rooms looked after at once, and lines told in one look: a chat limits how fast one may write.
ABREAST = 3
LINES = 15
SLACK = Actor(kind="slack", name="Slack")
_OPENING = frozenset({"incident_created", "severity_updated"})
_KIND = "slack"
Provider = dict[str, str]
_log = structlog.get_logger(__name__)


class Chat(Protocol):
    """What makes rooms. Each call returns what was said; none raises for what the chat does."""

    async def make(self, provider: Provider, name: str, *, private: bool) -> Told:
        """Make a room and return its id; "name_taken" where there is one."""
        ...

    async def find(self, provider: Provider, name: str) -> Told:
        """Return the id of a room of this name that we made ourselves, "" where there is none."""
        ...

    async def invite(self, provider: Provider, channel: str, user: str) -> Told:
        """Ask somebody in."""
        ...

    async def account(self, provider: Provider, email: str) -> Told:
        """Return whose account an e-mail address is, "" for nobody's."""
        ...

    async def set_topic(self, provider: Provider, channel: str, topic: str) -> Told:
        """Write the topic."""
        ...

    async def write(self, provider: Provider, channel: str, what: Header | str, key: str) -> Told:
        """Post a message and return its `ts`; the key finds it again."""
        ...

    async def rewrite(self, provider: Provider, channel: str, ts: str, what: Header, key: str) -> Told:
        """Make a message say what is true now."""
        ...

    async def written(self, provider: Provider, channel: str) -> dict[str, str] | Told:
        """Return the last messages that bear a key of ours: their `ts` by key."""
        ...

    async def archive(self, provider: Provider, channel: str) -> Told:
        """Close a room."""
        ...

    async def unarchive(self, provider: Provider, channel: str) -> Told:
        """Open a room again."""
        ...

    async def read(self, provider: Provider, channel: str, ts: str) -> Marked | Told:
        """Return what a message says, and where it can be seen."""
        ...


class Look(Struct, kw_only=True):
    """One look after one room: what is stored of it, what its incident is, and which account we have."""

    room: dict[str, Any]
    incident: Incident
    provider: dict[str, str]
    now: datetime
    #: What bears a key of ours there, asked for when an earlier try may have written something.
    written: dict[str, str] = {}

    @property
    def channel(self) -> str:
        """Return where the room is."""
        return str(self.room["channel_id"])


class Rooms:
    """The rooms of this installation, looked after by one node or several."""

    def __init__(
        self, db: Db, providers: Providers, chat: Chat, incidents: Incidents, node: Node, base_url: str
    ) -> None:
        self._db = db
        self._providers = providers
        self._chat = chat
        self._incidents = incidents
        self._node = node
        self._base_url = base_url
        self._forgot = False

    # ------------------------------------------------------------ what wants a room

    async def ready(self) -> bool:
        """Return whether there is a chat to have rooms in."""
        return bool((await self._providers.of(self._db, _KIND))["bot_token"])

    async def open(self, incident_id: UUID, *, by: Actor, now: datetime) -> None:
        """Have a room for an incident; asked for twice it is one, and one that could not be made is tried anew.

        Raises: Unknown, Invalid where no chat is set up.
        """
        if not await self.ready():
            raise Invalid(
                "Slack is not set up.", place="room", hint="Enter a bot token under Settings → Providers."
            )
        row = await self._db.row("room_incident", incident_id)
        if row is None:
            raise Unknown("There is no such incident.")
        await _want(self._db, row, by.user_id, now)

    async def happened(self, tx: Tx, rows: Sequence[Row], now: datetime) -> None:
        """Want rooms for incidents that get one by themselves, and have those looked after that something happened to."""
        about = list({row["incident_id"] for row in rows if row["incident_id"]})
        if not about:
            return
        await tx.execute("wake_rooms", about, now)
        fresh = list({row["incident_id"] for row in rows if row["incident_id"] and row["kind"] in _OPENING})
        provider = await self._providers.of(tx, _KIND) if fresh else {}
        if not provider.get("bot_token") or provider["rooms"] == rules.BY_HAND:
            return
        for row in await tx.rows("incidents_for_rooms", fresh):
            if rules.wanted(provider["rooms"], kind=row["kind"], severity=row["severity"]):
                await _want(tx, row, None, now)

    async def marked(self, mark: Mark, now: datetime) -> bool:
        """Keep that somebody marked a message in a room of ours; return whether there is something to do."""
        provider = await self._providers.of(self._db, _KIND)
        if mark.sign.partition("::")[0] != provider["room_mark"].strip(": "):
            return False
        row = await self._db.row("mark_in_room", new_id(now), mark.channel, mark.ts, mark.by, now)
        if row is not None:
            await self._db.execute("wake_room", row["room_id"], now)
        return row is not None

    # ------------------------------------------------------------ looking after them

    async def look(self) -> int:
        """Look after every room that waits for it, and return how many there were."""
        if not self._forgot:
            await self._db.execute("forget_room_leases", self._node.name)
            self._forgot = True
        seen = 0
        while claimed := await self._claim():
            await asyncio.gather(*(self._after(room) for room in claimed))
            seen += len(claimed)
        return seen

    async def _claim(self) -> list[dict[str, Any]]:
        now = self._node.clock()
        out: list[dict[str, Any]] = []
        while len(out) < ABREAST:
            row = await self._db.row("claim_room", now, now + LEASE, self._node.name)
            if row is None:
                break
            out.append(dict(row.items()))
        return out

    async def _after(self, room: dict[str, Any]) -> None:
        try:
            trouble = await self._bring(room)
        except FAULTS as fault:
            _log.error("room.fault", room=str(room["id"]), why=str(fault), exc_info=fault)
            trouble = Told(ok=False, error=f"{type(fault).__name__}: {fault}")
        now = self._node.clock()
        ended = trouble is not None and (
            trouble.hopeless or (room["channel_id"] is None and room["attempts"] >= rules.MOST_TRIES)
        )
        wake = None if trouble is None else now + (trouble.after or rules.wait(room["attempts"]))
        why = "" if trouble is None else trouble.error[:500] or "no reason given"
        if why:
            _log.warning("room.trouble", room=str(room["id"]), why=why, failed=ended)
        await self._db.execute(
            "release_room", room["id"], room["asks"], wake, why, now, ended, self._node.name
        )

    async def _bring(self, room: dict[str, Any]) -> Told | None:
        """Bring a room to what it should be; return what was in the way."""
        provider = await self._providers.of(self._db, _KIND)
        if not provider["bot_token"]:
            return Told(ok=False, error="Slack is not set up", hopeless=True)
        incident = await self._incident(room["incident_id"])
        if incident is None:
            return None
        look = Look(room=room, incident=incident, provider=provider, now=self._node.clock())
        for step in (self._opened, self._topped, self._invited, self._marks, self._lines, self._ended):
            if look.room["state"] == "archived" and rules.over(incident.status):
                return None
            trouble = await step(look)
            if trouble is not None:
                return trouble
        return None

    async def _incident(self, incident_id: UUID) -> Incident | None:
        row = await self._db.row("room_incident", incident_id)
        if row is None:
            return None
        roles = tuple((r["role"], r["person"]) for r in await self._db.rows("room_roles", incident_id))
        values = {**dict(row.items()), "services": tuple(row["services"])}
        return Incident(**values, roles=roles, url=f"{self._base_url}/incidents/{row['number']}")

    # ------------------------------------------------------------ the steps

    async def _opened(self, look: Look) -> Told | None:
        """Make the room, or find the one that was made before somebody stopped; open one that was archived."""
        if look.room["state"] == "archived":
            told = await self._chat.unarchive(look.provider, look.channel)
            if not told.ok:
                return told
            await self._state(look, "open")
        if look.room["channel_id"] is None:
            told = await self._made(look)
            if not told.ok:
                return told
        if look.incident.private and not look.room["private"]:
            return Told(ok=False, error="the incident became private, and this room is not", hopeless=True)
        if look.room["attempts"] > 1:
            written = await self._chat.written(look.provider, look.channel)
            if isinstance(written, Told):
                return written
            look.written = written
        return None

    async def _made(self, look: Look) -> Told:
        told = Told(ok=False, error="name_taken")
        for name in rules.variants(look.room["name"]):
            told = await self._chat.make(look.provider, name, private=look.room["private"])
            if told.error == "name_taken":
                told = await self._ours(look, name)
            if told.ok and told.value:
                look.room.update(channel_id=told.value, name=name, state="open")
                await self._db.execute("room_made", look.room["id"], told.value, name, look.now)
                await self._note(look, f"The room #{name} was opened in Slack", "made", _url(told.value))
                return told
            if not told.ok:
                return told
        return Told(ok=False, error=f"every name like {look.room['name']} is taken", hopeless=True)

    async def _ours(self, look: Look, name: str) -> Told:
        """Return the channel of this name if we made it and no other incident has it."""
        told = await self._chat.find(look.provider, name)
        if told.ok and told.value and await self._db.row("room_of_channel", told.value) is not None:
            return Told(ok=True)
        return told

    async def _topped(self, look: Look) -> Told | None:
        """Keep topic and the message on top true."""
        topic = rules.topic(look.incident)
        if topic != look.room["topic"]:
            told = await self._chat.set_topic(look.provider, look.channel, topic)
            if not told.ok:
                return told
            await self._db.execute("room_topic", look.room["id"], topic, look.now)
        header, key = rules.header(look.incident), f"header/{look.room['id']}"
        said = f"{header.title}\n{header.facts}\n{header.summary}"
        ts = look.room["header_ts"] or look.written.get(key)
        if ts and said == look.room["header"]:
            return None
        told = (
            await self._chat.rewrite(look.provider, look.channel, ts, header, key)
            if ts
            else await self._chat.write(look.provider, look.channel, header, key)
        )
        if not told.ok:
            return told
        await self._db.execute("room_header", look.room["id"], said, ts or told.value, look.now)
        return None

    async def _invited(self, look: Look) -> Told | None:
        """Ask in whoever works on it and was not asked yet. One who cannot be asked in stops nobody."""
        invited, absent = set(look.room["invited"]), set(look.room["absent"])
        before = (set(invited), set(absent))
        trouble = None
        for row in await self._db.rows("room_people", look.room["incident_id"]):
            told = await self._account(look, row, absent)
            if not told.ok:
                trouble = told
                break
            if not told.value:
                absent.add(row["id"])
            elif told.value not in invited:
                asked = await self._chat.invite(look.provider, look.channel, told.value)
                if asked.ok or asked.hopeless:
                    invited.add(told.value)
                else:
                    trouble = asked
                    break
        if (invited, absent) != before:
            await self._db.execute("room_invited", look.room["id"], sorted(invited), sorted(absent), look.now)
        return trouble

    async def _account(self, look: Look, row: Row, absent: Iterable[int]) -> Told:
        if row["address"]:
            return Told(ok=True, value=row["address"])
        if row["id"] in absent:
            return Told(ok=True)
        return await self._chat.account(look.provider, row["email"])

    async def _marks(self, look: Look) -> Told | None:
        """Put marked messages into the timeline, each once."""
        for mark in await self._db.rows("waiting_marks", look.room["id"]):
            found = await self._chat.read(look.provider, look.channel, mark["ts"])
            if isinstance(found, Told):
                if not found.hopeless:
                    return found
                await self._db.execute("mark_done", mark["id"], None, found.error, look.now)
                continue
            text = (
                f"{found.name}: {found.text}" if found.text else f"{found.name} wrote something without words"
            )
            at = min(rules.at(mark["ts"]) or look.now, look.now)
            event = await self._note(look, text, mark["ts"], found.link, occurred_at=at)
            await self._db.execute("mark_done", mark["id"], event, "", look.now)
        return None

    async def _lines(self, look: Look) -> Told | None:
        """Tell in the room what the timeline says since it is there."""
        since = look.room["created_at"] - rules.BEFORE
        rows = await self._db.rows("room_lines", look.room["incident_id"], look.room["id"], since)
        told = frozenset(row["id"] for row in rows if row["ts"])
        waiting = rules.unseen([dict(row.items()) for row in rows], told)
        for line in waiting[:LINES]:
            key, ts = str(line["id"]), look.written.get(str(line["id"]))
            if ts is None:
                text = f"{line['actor']}: {line['event']}"
                written = await self._chat.write(look.provider, look.channel, text, key)
                if not written.ok:
                    return written
                ts = written.value
            await self._db.execute(
                "add_room_line", new_id(look.now), look.room["id"], line["id"], ts, look.now
            )
        if len(waiting) > LINES:
            return Told(ok=False, error="more lines wait", after=timedelta(seconds=2))
        return None

    async def _ended(self, look: Look) -> Told | None:
        """Archive a room whose incident is over, where that is wanted."""
        if not rules.over(look.incident.status) or look.provider["room_end"] != "archive":
            return None
        told = await self._chat.archive(look.provider, look.channel)
        if not told.ok:
            return told
        await self._state(look, "archived")
        return None

    async def _state(self, look: Look, state: str) -> None:
        look.room["state"] = state
        await self._db.execute("room_state", look.room["id"], state, look.now)

    async def _note(
        self, look: Look, text: str, key: str, link: str, *, occurred_at: datetime | None = None
    ) -> UUID:
        """Write into the timeline, once for each key; what comes from the room is not told there again."""
        title = f"#{look.room['name']}"
        edit = EntryEdit(
            event=text, attachments=[{"url": link, "title": title}], occurred_at=occurred_at or look.now
        )
        cause = Cause(key=f"slack/{look.channel}/{key}", because={"room": look.room["name"]})
        return await self._incidents.note(look.incident.id, edit, by=SLACK, now=look.now, cause=cause)


async def _want(runner: Runner, about: Row, by: int | None, now: datetime) -> None:
    called = rules.name(about["number"], about["slug"])
    await runner.execute("want_room", new_id(now), about["id"], about["private"], called, by, now)


def _url(channel: str) -> str:
    """Return where a channel opens, in whichever workspace the reader is logged in to."""
    return f"https://slack.com/app_redirect?channel={channel}"
