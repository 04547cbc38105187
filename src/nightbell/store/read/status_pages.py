"""This file reads status pages, and what was published on them."""

from uuid import UUID

from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.incident_tables import incidents
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.status_tables import status_page_events as events
from nightbell.store.status_tables import status_pages as pages

PAGES = Shelf(
    table=pages,
    filters={**by_names(pages, "title", "slug", "public", "enabled", "created_at"), "name": pages.c.title},
    search=(pages.c.title, pages.c.slug),
    orders=by_names(pages, "title", "slug", "created_at", "updated_at"),
    default="title",
)
EVENTS = Shelf(
    table=events,
    filters=by_names(events, "status", "status_page_id", "incident_id", "started_at", "created_at"),
    search=(events.c.event,),
    orders=by_names(events, "started_at", "created_at", "updated_at"),
    default="started_at",
)


async def status_pages(runner: Runner, listing: Listing) -> Found:
    """Return status pages by title."""
    return await found(runner, PAGES, listing)


async def status_page(runner: Runner, key: str | UUID) -> Record | None:
    """Return one status page by id or slug."""
    ident = key if isinstance(key, UUID) else as_uuid(key)
    return await one(runner, pages, pages.c.id == ident if ident else pages.c.slug == key)


async def published(runner: Runner, listing: Listing, incident_id: UUID) -> Found:
    """Return what was published of an incident, on whichever page, the first first."""
    return await found(runner, EVENTS, listing, events.c.incident_id == incident_id)


async def published_event(runner: Runner, event_id: UUID) -> Record | None:
    """Return one thing that was published."""
    return await one(runner, events, events.c.id == event_id)


async def published_of(runner: Runner, incident_id: UUID) -> list[Record]:
    """Return everything that was published of an incident, the newest first, with the title of its page."""
    titles = {row["id"]: row["title"] for row in await many(runner, pages, pages.c.id.is_not(None))}
    rows = await many(
        runner, events, events.c.incident_id == incident_id, events.c.started_at.desc(), events.c.id.desc()
    )
    return [{**row, "page": titles.get(row["status_page_id"], "")} for row in rows]


async def published_incident(runner: Runner, incident_id: UUID) -> Record | None:
    """Return an incident with what the public would read of it."""
    return await one(runner, incidents, incidents.c.id == incident_id)
