"""What is learned from an incident: its retrospective, the template it begins with, and everything on paper."""

import asyncio
from typing import Any

from litestar import Response
from litestar.params import FromPath
from markupsafe import Markup

from nightbell.core import incident_export, retrospective
from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_work import read
from nightbell.store.read import incident_pages as reads
from nightbell.store.read.incident_pages import Wanted
from nightbell.web import incident_view as view
from nightbell.web import words
from nightbell.web.door import add_headers
from nightbell.web.faults import told
from nightbell.web.markdown import shown as as_html
from nightbell.web.render import HTML, compressed, go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import zone

_LONGEST_FORM = 400_000


@page("/incidents/{ref:str}/retrospective", Permission.VIEW)
async def shown(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show a retrospective, or the form that writes it: `edit=new` begins with the template."""
    row = await view.find(request, ref)
    edit = str(request.query_params.get("edit", "")) if may(request.visitor.role, Permission.RESPOND) else ""
    text = row["retrospective"]
    if edit == "new" or (edit and not text):
        text = await _filled(request, row, await template(request))
    return await _shown(request, row, text, editing=bool(edit), errors={})


async def _shown(
    request: WebRequest, row: dict[str, Any], text: str, *, editing: bool, errors: dict[str, str]
) -> Response[bytes]:
    incident = read(row)
    status = row["retrospective_status"]
    return await render(
        request,
        "retrospective.html",
        code=422 if errors else 200,
        nav="incidents",
        part="retrospective",
        incident=row,
        steps=view.steps(incident),
        phases=view.phases(incident, request.now),
        items=await reads.items(request.site.db, row["id"]),
        today=request.now.astimezone(zone(request.visitor.time_zone)).date(),
        saved=bool(row["retrospective"]),
        status="active" if editing and status == "not_started" else status,
        text=text,
        html=await _html(text),
        editing=editing,
        errors=errors,
    )


async def _html(text: str) -> Markup:
    # A long one takes a while to parse; nobody else waits for it.
    return await asyncio.to_thread(as_html, text)


async def template(request: WebRequest) -> str:
    """Return the template of this installation: its own, or the one that comes with us."""
    return str(
        await request.site.db.value("instance_value", "retrospective_template") or retrospective.TEMPLATE
    )


async def _filled(request: WebRequest, row: dict[str, Any], text: str) -> str:
    return retrospective.fill(text, await view.report(request, row), zone(request.visitor.time_zone))


@action("/incidents/{ref:str}/retrospective", Permission.RESPOND)
async def saved(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Save a retrospective."""
    row, form = await view.find(request, ref), await request.fields()
    text = form.raw("text").replace("\r\n", "\n")
    try:
        status = form.choice("status", words.RETROSPECTIVE)
        if len(text) > retrospective.LONGEST_TEXT:
            raise Invalid(f"At most {retrospective.LONGEST_TEXT:,} characters, please.", place="text")
        edit = IncidentEdit(retrospective=text, retrospective_status=status)
        await request.site.incidents.update(row["id"], edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        said = {"text" if place == "retrospective" else place: what for place, what in told(error).items()}
        return await _shown(request, row, text[:_LONGEST_FORM], editing=True, errors=said)
    return go(request, f"{view.url(row)}/retrospective", "Saved.")


@action("/incidents/{ref:str}/retrospective/skip", Permission.RESPOND)
async def skipped(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Say that none is needed."""
    row = await view.find(request, ref)
    edit = IncidentEdit(retrospective_status="skipped")
    await request.site.incidents.update(row["id"], edit, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}/retrospective", "None is needed.")


@action("/incidents/{ref:str}/retrospective/preview", Permission.RESPOND)
async def previewed(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show how a text would read, while it is written."""
    await view.find(request, ref)
    text = (await request.fields()).raw("text")
    return compressed(request, str(await _html(text)).encode(), HTML)


# ---------------------------------------------------------------- on paper


@page("/incidents/{ref:str}/retrospective.md", Permission.VIEW)
async def retrospective_file(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Send the retrospective as it is written; where nothing is, what the template gives."""
    row = await view.find(request, ref)
    text = row["retrospective"] or await _filled(request, row, await template(request))
    return _file(row, "retrospective.md", text.encode(), "text/markdown")


@page("/incidents/{ref:str}/export.md", Permission.VIEW)
async def markdown_file(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Send everything of an incident as Markdown."""
    row = await view.find(request, ref)
    report = await view.report(request, row)
    text = incident_export.markdown(report, row["retrospective"], zone(request.visitor.time_zone))
    return _file(row, "md", text.encode(), "text/markdown")


@page("/incidents/{ref:str}/export.json", Permission.VIEW)
async def json_file(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Send everything of an incident as JSON."""
    row = await view.find(request, ref)
    body = incident_export.as_json(await view.report(request, row), row["retrospective"])
    return _file(row, "json", body, "application/json")


def _file(row: dict[str, Any], ending: str, body: bytes, media_type: str) -> Response[bytes]:
    name = f"incident-{row['sequential_id']}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = Response(body, media_type=f"{media_type}; charset=utf-8", headers=headers)
    add_headers(response)
    return response


# ---------------------------------------------------------------- the template


@page("/retrospective-template", Permission.VIEW)
async def template_shown(request: WebRequest) -> Response[bytes]:
    """Show the template, and how it would read for the latest incident."""
    return await _template(request, await template(request), {})


async def _template(request: WebRequest, text: str, errors: dict[str, str]) -> Response[bytes]:
    sample = await _sample(request)
    return await render(
        request,
        "retrospective_template.html",
        code=422 if errors else 200,
        nav="incidents",
        text=text,
        is_ours=text == retrospective.TEMPLATE,
        places=list(retrospective.PARTS),
        sample=sample,
        html=await _read(request, sample, text),
        errors=errors,
    )


async def _sample(request: WebRequest) -> dict[str, Any] | None:
    found = await reads.screen(request.site.db, view.viewer(request), Wanted(limit=1))
    return await view.find(request, str(found.rows[0]["sequential_id"])) if found.rows else None


async def _read(request: WebRequest, sample: dict[str, Any] | None, text: str) -> Markup:
    return await _html(await _filled(request, sample, text) if sample else text)


@action("/retrospective-template", Permission.CONFIGURE)
async def template_saved(request: WebRequest) -> Response[bytes]:
    """Save the template, or put back ours."""
    form = await request.fields()
    text = "" if form.flag("ours") else form.raw("template").replace("\r\n", "\n")
    try:
        await request.site.configure.set_retrospective_template(
            text, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await _template(request, text, told(error))
    return go(request, "/retrospective-template", "Saved. Retrospectives that are written stay as they are.")


@action("/retrospective-template/preview", Permission.CONFIGURE)
async def template_previewed(request: WebRequest) -> Response[bytes]:
    """Show how a template would read, or why it cannot be filled."""
    text = (await request.fields()).raw("template")
    try:
        retrospective.check(text)
    except Invalid as error:
        said = Markup('<p class="error">{} {}</p>').format(error.message, error.hint)
        return compressed(request, str(said).encode(), HTML)
    html = await _read(request, await _sample(request), text)
    return compressed(request, str(html).encode(), HTML)


ROUTES = [
    shown, saved, skipped, previewed, retrospective_file, markdown_file, json_file, template_shown, template_saved,
    template_previewed,
]  # fmt: skip
