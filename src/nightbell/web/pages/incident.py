"""One incident, for those who work on it: where it stands, what may come next, who does what, and all that happened."""

from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.incident import Status
from nightbell.engine.incident_edits import EntryEdit
from nightbell.engine.incident_reports import who
from nightbell.engine.incident_work import read
from nightbell.store.read import incident_pages as reads
from nightbell.web import incident_view as view
from nightbell.web import lanes, publishing, rooming, words
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import Times, zone

_MESSAGES = (
    ("mitigation_message", "Mitigation"),
    ("resolution_message", "Resolution"),
    ("cancellation_message", "Why it was cancelled"),
)


@page(["/incidents/{ref:str}", "/account/incidents/{ref:str}", "/i/{ref:str}"], Permission.VIEW)
async def shown(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show one incident."""
    row = await view.find(request, ref)
    db, who, ident = request.site.db, view.viewer(request), row["id"]
    incident = read(row)
    alerts = await reads.alerts(db, ident)
    most = reads.ALL_EVENTS if "all" in request.query_params else reads.EVENTS
    events = await reads.events(db, ident, most=most)
    subscribers = await reads.subscribers(db, ident)
    return await render(
        request,
        "incident.html",
        nav="incidents",
        part="incident",
        incident=row,
        steps=view.steps(incident),
        phases=view.phases(incident, request.now),
        figures=view.figures(incident),
        summary=view.summary(row),
        messages=[(name, row[column]) for column, name in _MESSAGES if row[column]],
        moments=view.moments(row),
        timeline=view.timeline(events, Times(request.now, request.visitor.time_zone)),
        older=len(events) == most == reads.EVENTS,
        links=await reads.links(db, ident),
        roles=(roles := await reads.roles(db, ident)),
        roles_to_give=[(one["id"], one["name"]) for one in roles if one["enabled"]],
        alerts=alerts,
        firing=sum(one["status"] != "resolved" for one in alerts),
        items=await reads.items(db, ident),
        today=request.now.astimezone(zone(request.visitor.time_zone)).date(),
        subscribers=subscribers,
        subscribed=any(one["user_id"] == who.user_id for one in subscribers),
        family=await reads.family(db, who, ident),
        others=await reads.choices(db, who, but=ident),
        public=await publishing.facts(request, row),
        chat=await rooming.facts(request, row),
        **await people(request),
    )


async def people(request: WebRequest) -> dict[str, Any]:
    """Return whom work can be given to: `people` by id, and `assignees` with whoever is on call."""
    directory = await request.site.directory()
    users = sorted((u.name, u.id) for u in directory.users.values() if u.active)
    on_call = sorted({(s.name, str(s.id)) for s in directory.schedules.values()})
    assignees = [
        ("Whoever is on call for", [(f"Schedule/{ident}", name) for name, ident in on_call]),
        ("People", [(f"User/{ident}", name) for name, ident in users]),
    ]
    return {
        "people": [(ident, name) for name, ident in users],
        "assignees": [group for group in assignees if group[1]],
    }


# ---------------------------------------------------------------- where it stands


@action("/incidents/{ref:str}/status", Permission.RESPOND)
async def moved(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Move an incident on, with the message that goes with it."""
    row, form = await view.find(request, ref), await request.fields()
    to = form.choice("to", words.INCIDENT)
    message = form.text("message", longest=10_000)
    step = next((one for one in view.steps(read(row)) if one.to == to), None)
    if step and step.needed and not message:
        raise Invalid(f"{step.asks} A sentence is enough.", place="message")
    await request.site.incidents.move(
        row["id"], Status(to), message=message or None, by=request.visitor.actor, now=request.now
    )
    return go(request, view.url(row), f"{words.INCIDENT[to].word}: #{row['sequential_id']}.")


# ---------------------------------------------------------------- the timeline


@action("/incidents/{ref:str}/notes", Permission.RESPOND)
async def noted(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Write into the timeline."""
    row, form = await view.find(request, ref), await request.fields()
    edit = _entry(form, _at(request, form, "at"))
    await request.site.incidents.note(row["id"], edit, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#timeline-card", "It stands in the timeline.")


def _entry(form: Form, at: datetime | None) -> EntryEdit:
    """Return what a form says of an entry that a person writes.

    Raises: Invalid.
    """
    links = zip_longest(form.aligned("link"), form.aligned("link_title"), fillvalue="")
    return EntryEdit(
        event=form.text("text", longest=50_000),
        visibility=form.choice("visibility", words.VISIBILITY, "internal"),
        attachments=[{"url": url, "title": title} for url, title in links if url],
        occurred_at=at,
    )


def _at(request: WebRequest, form: Form, name: str) -> datetime | None:
    text = form.text(name)
    at = lanes.local(text, zone(request.visitor.time_zone)) if text else None
    if text and at is None:
        raise Invalid("A date and a time, please.", place="occurred_at")
    return at


def _changed_at(request: WebRequest, form: Form, event: dict[str, Any]) -> datetime | None:
    """Return another time of an entry, None while the field says what it said: it shows no fractions of a second."""
    return _at(request, form, "at") if form.text("at") != _local(request, event) else None


def _local(request: WebRequest, event: dict[str, Any]) -> str:
    return f"{event['occurred_at'].astimezone(zone(request.visitor.time_zone)):%Y-%m-%dT%H:%M:%S}"


async def _event(request: WebRequest, row: dict[str, Any], ident: UUID) -> dict[str, Any]:
    found = next((one for one in await reads.events(request.site.db, row["id"]) if one["id"] == ident), None)
    if found is None:
        raise Unknown("There is no such entry.")
    return found


@page("/incidents/{ref:str}/events/{ident:uuid}", Permission.RESPOND)
async def entry(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Show one entry of the timeline, to be changed."""
    row = await view.find(request, ref)
    return await _entry_page(request, row, await _event(request, row, ident), {})


async def _entry_page(
    request: WebRequest, row: dict[str, Any], event: dict[str, Any], errors: dict[str, str]
) -> Response[bytes]:
    return await render(
        request,
        "incident_event.html",
        code=422 if errors else 200,
        nav="incidents",
        incident=row,
        event=event,
        by_hand=view.by_hand(event),
        by=who(event),
        at=_local(request, event),
        errors={"at" if place == "occurred_at" else place: text for place, text in errors.items()},
    )


@action("/incidents/{ref:str}/events/{ident:uuid}", Permission.RESPOND)
async def entry_changed(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Change who sees an entry; of one that a person wrote also its words, time and links."""
    row, form = await view.find(request, ref), await request.fields()
    event = await _event(request, row, ident)
    try:
        if view.by_hand(event):
            edit = _entry(form, _changed_at(request, form, event))
        else:
            edit = EntryEdit(visibility=form.choice("visibility", words.VISIBILITY))
        await request.site.incidents.change_entry(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        said = {
            "event": form.raw("text") or event["event"],
            "visibility": form.raw("visibility") or event["visibility"],
        }
        return await _entry_page(request, row, event | said, told(error))
    return go(request, f"{view.url(row)}#timeline-card", "Saved.")


@action("/incidents/{ref:str}/events/{ident:uuid}/delete", Permission.RESPOND)
async def entry_deleted(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Delete an entry that somebody wrote."""
    row = await view.find(request, ref)
    await _event(request, row, ident)
    await request.site.incidents.delete_entry(ident, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#timeline-card", "The entry is gone.")


# ---------------------------------------------------------------- other incidents


@action("/incidents/{ref:str}/merge", Permission.RESPOND)
async def merged(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Say that an incident is the same as another, which gets its alerts and goes on."""
    row, form = await view.find(request, ref), await request.fields()
    other = await view.find(request, form.needed("other"))
    await request.site.incidents.merge(row["id"], other["id"], by=request.visitor.actor, now=request.now)
    return go(request, view.url(other), f"#{row['sequential_id']} was merged into this one.")


@action("/incidents/{ref:str}/unmerge", Permission.RESPOND)
async def unmerged(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Say that an incident is not the same as another after all."""
    row = await view.find(request, ref)
    await request.site.incidents.unmerge(row["id"], by=request.visitor.actor, now=request.now)
    return go(request, view.url(row), "It stands for itself again. Start it again where work goes on.")


ROUTES = [shown, moved, noted, entry, entry_changed, entry_deleted, merged, unmerged]
