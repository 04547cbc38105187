"""Publishes what somebody says of an incident, by choice only, and tells those who follow it.

Rule 1: nothing is published because something happened. A private incident is never published, whoever asks.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.core import status_page
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.incident import Incident
from nightbell.core.incident_timeline import Line
from nightbell.core.journal import Actor
from nightbell.core.labels import clean
from nightbell.engine.act import Act
from nightbell.engine.changing import Change
from nightbell.engine.checks import Checks
from nightbell.engine.directory import Directories
from nightbell.engine.ids import new_id
from nightbell.engine.incident_updates import BODY, TITLE, Herald, Said, ask, queue
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work
from nightbell.engine.ingest import Committed
from nightbell.engine.status_edits import StatusPageEventEdit, UpdateEdit
from nightbell.store.db import Db, Tx
from nightbell.store.status_tables import status_page_events, status_pages
from nightbell.store.write import config

#: Clocks of those who write may be ahead of ours by this much.
_AHEAD = timedelta(minutes=5)
# ASCII only: what channels/email.py sends to.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LONGEST_ADDRESS = 254
_SENT = Committed(outcomes=(), pages=True, decisions=())


class Publishing(IncidentWriter):
    """Publishes, changes and takes back what status pages say; writes to those who follow."""

    def __init__(
        self, db: Db, act: Act, woken: Callable[[Committed], None], directories: Directories, herald: Herald
    ) -> None:
        super().__init__(db, act, woken)
        self._directories = directories
        self._herald = herald

    # ------------------------------------------------------------ status pages

    async def publish(
        self,
        incident_id: UUID,
        edit: StatusPageEventEdit,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> UUID:
        """Publish something of an incident on a page; return its id. Raises: Problems naming the fields."""
        fields = edit.sent()
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            _may_be_published(work.incident)
            page = await _page(work.tx, fields.get("status_page_id"))
            values = _checked(
                {
                    "status": status_page.suggested(work.incident.status, planned=work.incident.planned),
                    "event": "",
                    "started_at": now,
                    **{name: value for name, value in fields.items() if value is not None},
                },
                work.incident,
                now,
            )
            row = {
                **values,
                "id": work.mint(),
                "incident_id": incident_id,
                "status_page_id": page["id"],
                "created_by": by.user_id,
            }
            key: UUID = await config.add(work.tx, status_page_events, row, now)
            work.say(_line("published", page, values), visibility="external")
            work.happened(
                "incident_status_page_event_created",
                "status_page_timeline_updated",
                status_page_event_id=str(key),
            )
            if values.get("notify_subscribers"):
                work.committed += await self._tell_page(work, page, key, values)
        return key

    async def change_published(
        self, event_id: UUID, edit: StatusPageEventEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change what was published; nobody is told again. Raises: Problems naming the fields."""
        fields = {name: value for name, value in edit.sent().items() if value is not None or name == "impact"}
        incident_id = await self._incident_of(event_id)
        async with self.working(incident_id, by=by, now=now) as work:
            before = await _event(work.tx, event_id)
            if fields.get("status_page_id", before["status_page_id"]) != before["status_page_id"]:
                raise Invalid(
                    "It stays on the page it was published on.",
                    place="status_page_id",
                    hint="Delete it there and publish it on the other page.",
                )
            _may_be_published(work.incident)
            merged = _checked({**_fields_of(before), **fields}, work.incident, now)
            changed = {name: value for name, value in merged.items() if before[name] != value}
            if not changed:
                return
            await config.change(work.tx, status_page_events, event_id, changed, now)
            page = await _page(work.tx, before["status_page_id"])
            work.say(_line("changed", page, merged), visibility="external")
            work.happened(
                "incident_status_page_event_updated",
                "status_page_timeline_updated",
                status_page_event_id=str(event_id),
            )

    async def unpublish(self, event_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take back what was published."""
        incident_id = await self._incident_of(event_id)
        async with self.working(incident_id, by=by, now=now) as work:
            before = await _event(work.tx, event_id)
            page = await _page(work.tx, before["status_page_id"])
            await config.remove(work.tx, status_page_events, event_id)
            work.say(_line("taken_back", page, before))
            work.happened(
                "incident_status_page_event_deleted",
                "status_page_timeline_updated",
                status_page_event_id=str(event_id),
            )

    async def _incident_of(self, event_id: UUID) -> UUID:
        found: UUID | None = await self.db.value("incident_of_published", event_id)
        if found is None:
            raise Unknown("There is no such status page event.")
        return found

    async def _tell_page(
        self, work: Work, page: dict[str, Any], event_id: UUID, values: dict[str, Any]
    ) -> list[Committed]:
        """Write to the addresses that follow the page."""
        title = work.incident.public_title or work.incident.title
        name = page["public_title"] or page["title"]
        status = values["status"].replace("_", " ").capitalize()
        rule = f"what {name} publishes"
        said = Said(title=f"{name}: {status}: {title}"[:TITLE], body=values["event"], url="", rule=rule)
        told = self._herald.outside(await work.tx.rows("page_addresses", page["id"]), said)
        await queue(work.tx, told, f"status/{event_id}", None, work.now)
        return [_SENT] if told else []

    # ------------------------------------------------------------ those who follow

    async def tell(
        self, incident_id: UUID, edit: UpdateEdit, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> UUID:
        """Write once to everybody who follows an incident; the same key again is the same update.

        Raises: Problems naming the fields.
        """
        sent = edit.sent()
        checks = Checks({name: clean(sent.get(name) or "") for name in ("title", "body", "key")})
        checks.sent["key"] = checks.sent["key"] or str(new_id(now))
        checks.required("body")
        checks.text("title", longest=TITLE, empty=True)
        checks.text("body", longest=BODY)
        checks.text("key")
        checks.done()
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            before = await work.tx.value("same_incident_update", incident_id, checks.sent["key"])
            if before is not None:
                return UUID(str(before))
            return await self._tell(work, **checks.sent)

    async def _tell(self, work: Work, title: str, body: str, key: str) -> UUID:
        incident, tx = work.incident, work.tx
        named = title or f"{incident.number}: {incident.public_title or incident.title}"[:TITLE]
        url = f"{self._herald.base_url}/incidents/{incident.sequential_id}"
        said = Said(title=named, body=body, url=url, rule=f"an update of {incident.number}")
        directory = await self._directories.current(tx)
        told = await self._herald.tell_followers(tx, directory, incident.id, said)
        ident, many = work.mint(), len({one.method_id for one in told})
        if not told:
            raise Invalid(
                "Nobody follows this incident.",
                place="body",
                hint="Subscribe people, or ask an address first.",
            )
        await tx.execute(
            "insert_incident_update", ident, incident.id, key, named, body, many, work.user_id, work.now
        )
        await queue(tx, told, f"update/{ident}", ident, work.now)
        to = f"{many} address" + ("" if many == 1 else "es")
        because = {"update_id": str(ident)}
        work.say(
            Line(
                code="incident.told",
                event=f"Update to {to}: {named}\n{body}",
                kinds=("timeline_updated",),
                because=because,
            )
        )
        work.committed.append(_SENT)
        return ident

    async def ask(self, now: datetime) -> int:
        """Ask every address that nobody asked yet whether it wants to be told."""

        async def work(tx: Tx) -> int:
            return await ask(tx, self._herald, now)

        asked = await self.db.in_tx(work)
        if asked:
            self._woken(_SENT)
        return asked

    async def invite_to_page(self, page_id: UUID, address: str, *, by: Actor, now: datetime) -> None:
        """Ask an address whether it wants what a page publishes; one that is there stays as it is.

        Raises: Unknown, Invalid for what is no address.
        """
        email = checked_address(address)
        async with config.changing(self.db) as tx:
            change = Change(tx, by, now)
            await change.locked("status_page", status_pages, page_id)
            if await tx.rows("add_page_subscriber", new_id(now), page_id, email, now):
                await change.note("status_page.address_added", "status_page", page_id, email=email)

    async def drop_from_page(self, page_id: UUID, subscriber_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget an address of a page."""
        async with config.changing(self.db) as tx:
            if await tx.execute("remove_page_subscriber", subscriber_id, page_id):
                await Change(tx, by, now).note("status_page.address_dropped", "status_page", page_id)
            await tx.execute("call_off_told", str(subscriber_id), now)

    async def want(self, subscriber_id: UUID, *, now: datetime) -> None:
        """Keep that an address wants to be told."""
        async with self.db.tx() as tx:
            await tx.execute("confirm_incident_subscriber", subscriber_id, now)
            await tx.execute("confirm_page_subscriber", subscriber_id, now)

    async def stop(self, subscriber_id: UUID, *, now: datetime) -> None:
        """Tell an address nothing more; what waits for it is called off."""
        async with self.db.tx() as tx:
            await tx.execute("end_incident_subscriber", subscriber_id, now)
            await tx.execute("end_page_subscriber", subscriber_id, now)
            await tx.execute("call_off_told", str(subscriber_id), now)


def checked_address(text: str) -> str:
    """Return an e-mail address. Raises: Invalid for what is none."""
    address = text.strip()
    if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Invalid("This is no e-mail address.", place="email", hint="For example ana@example.org.")
    return address


def _may_be_published(incident: Incident) -> None:
    if incident.private:
        raise Invalid(
            "A private incident is never published.",
            place="incident_id",
            hint="Make it public first, if everybody here may know of it.",
        )


async def _page(tx: Tx, page_id: UUID | None) -> dict[str, Any]:
    """Return the page that is meant: the one that is named, or the only one there is."""
    if page_id is None:
        known = [r["id"] for r in await tx.rows("status_page_ids")]
        if len(known) != 1:
            hint = "Make one first." if not known else "There are several."
            raise Invalid("Name the status page.", place="status_page_id", hint=hint)
        page_id = known[0]
    row = await config.locked(tx, status_pages, page_id)
    if row is None:
        raise Invalid(f"There is no status page {page_id}.", place="status_page_id")
    return row


async def _event(tx: Tx, event_id: UUID) -> dict[str, Any]:
    row = await config.locked(tx, status_page_events, event_id)
    if row is None:
        raise Unknown("There is no such status page event.")
    return row


_FIELDS = ("event", "status", "impact", "started_at", "notify_subscribers", "should_tweet")


def _fields_of(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _FIELDS}


def _checked(fields: dict[str, Any], incident: Incident, now: datetime) -> dict[str, Any]:
    """Return what is stored of what was sent. Raises: Problems naming the fields."""
    checks = Checks({name: fields[name] for name in _FIELDS if name in fields})
    checks.sent["event"] = clean(checks.sent["event"])
    checks.required("event")
    checks.text("event", longest=BODY)
    checks.choice("status", status_page.statuses(planned=incident.planned))
    if checks.sent.get("impact") is not None:
        checks.choice("impact", tuple(status_page.STATES))
    checks.that("started_at", lambda at: "It lies ahead." if at > now + _AHEAD else "")
    checks.done()
    return checks.sent


def _line(what: str, page: dict[str, Any], values: dict[str, Any]) -> Line:
    said = {"published": "Published on", "changed": "Changed on", "taken_back": "Taken back from"}[what]
    status = values["status"].replace("_", " ")
    text = f"{said} the status page {page['title']}, {status}: {values['event']}"
    return Line(
        code=f"status_page.{what}",
        event=text,
        because={"status_page": page["title"], "status_page_id": str(page["id"])},
    )
