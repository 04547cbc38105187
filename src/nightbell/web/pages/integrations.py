"""Where alerts come from, for whoever wires up Alertmanager: sources, and the Configure page of each."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, may
from nightbell.core.directory import TEMPLATES
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import SourceEdit
from nightbell.engine.wording import PARTS
from nightbell.store.read import pages, sources
from nightbell.web import future
from nightbell.web.acts import target as read_target
from nightbell.web.faults import told
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.snippets import snippets
from nightbell.web.targets import options

MASK = "•" * 24
IDENTITIES = (
    ("group", "Group: one alert for each Alertmanager group and alert name"),
    ("fingerprint", "Fingerprint: one alert for each label set"),
    ("alertname", "Alert name: one alert for each alert name"),
    ("key", "Key: one alert for each value a JSONPath finds"),
)
GRACES = (("1440", "24 hours"), ("60", "1 hour"), ("10080", "7 days"), ("0", "not at all"))
_LONGEST_GRACE = 30 * 24 * 60
_LAST = 5


@page("/integrations", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the sources and what can be connected."""
    found = await sources.all_sources(request.site.db)
    return await render(
        request, "integrations.html", nav="integrations", sources=found, errors={}, name="Alertmanager"
    )


@action("/integrations", Permission.CONNECT)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a source and go to its Configure page."""
    form = await request.fields()
    name = form.text("name")
    edit = SourceEdit(name=name, type="alertmanager")
    try:
        ident, _ = await request.site.configure.create_source(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        found = await sources.all_sources(request.site.db)
        facts: dict[str, Any] = {"sources": found, "errors": told(error), "name": name}
        return await render(request, "integrations.html", code=422, nav="integrations", **facts)
    return go(request, f"/integrations/{ident}")


@page("/integrations/{ident:uuid}", Permission.VIEW)
async def configured(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show everything needed to connect one source, and whether it has been heard."""
    return await _configure(request, ident, {})


async def _configure(
    request: WebRequest, ident: UUID, errors: dict[str, str], typed: dict[str, Any] | None = None
) -> Response[bytes]:
    """Show a source; `typed` is what a form said instead that was not saved."""
    site, now = request.site, request.now
    source = {**await _source(request, ident), **(typed or {})}
    directory = await site.directory()
    chosen = str(request.query_params.get("target", ""))
    known = {value for _, things in options(directory) for value, _ in things}
    chosen = chosen if chosen in known else ""
    allowed = may(request.visitor.role, Permission.CONNECT)
    secret = await site.configure.reveal_secret(ident, now=now) if allowed else ""
    default = source["default_target"]
    return await render(
        request,
        "configure.html",
        code=422 if errors else 200,
        nav="integrations",
        source=source,
        errors=errors,
        targets=options(directory),
        target=chosen,
        target_name=_target_name(chosen, directory),
        default_name=future.named(default["type"], str(default["id"]), directory) if default else "",
        default=f"{default['type']}/{default['id']}" if default else "",
        secret=secret,
        mask=MASK + source["secrets"][0]["last_four"] if source["secrets"] else MASK,
        old_secrets=source["secrets"][1:],
        snippets=snippets(site.base_url, secret or "<secret>", chosen),
        masked=snippets(site.base_url, MASK, chosen),
        deliveries=await pages.deliveries(site.db, source_id=ident, outcome=None, before=None, limit=_LAST),
        identities=IDENTITIES,
        graces=GRACES,
        public=not site.base_url.startswith(("http://127.", "http://localhost", "http://0.0.0.0")),
    )


def _target_name(chosen: str, directory: Any) -> str:
    kind, _, ident = chosen.partition("/")
    return future.named(kind, ident, directory) if chosen else ""


async def _source(request: WebRequest, ident: UUID) -> dict[str, Any]:
    found = await sources.source(request.site.db, ident, request.now)
    if found is None:
        raise Unknown("There is no such source.", hint="It may have been deleted.")
    return found


@action("/integrations/{ident:uuid}", Permission.CONNECT)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change how a source tells its alerts apart, and whom they are for."""
    form = await request.fields()
    default = form.raw("default_target")
    words = {TEMPLATES: {part: form.text(f"{TEMPLATES}.{part}") or None for part in PARTS}}
    typed = {field: form.text(field) for field in ("name", "identity", "dedup_path", "dedup_regexp")}
    try:
        named = read_target(default) if default else None
        edit = SourceEdit(
            name=form.text("name"),
            enabled=form.flag("enabled"),
            identity=form.choice("identity", [name for name, _ in IDENTITIES]),
            dedup_path=form.text("dedup_path") or None,
            dedup_regexp=form.text("dedup_regexp") or None,
            default_target={"type": named.type, "id": named.id} if named else None,
            repage_new_members=form.flag("repage_new_members"),
            settings=words,
        )
        await request.site.configure.update_source(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _configure(request, ident, told(error), {**typed, "settings": words})
    return go(request, f"/integrations/{ident}", "Saved.")


@action("/integrations/{ident:uuid}/rotate", Permission.CONNECT)
async def rotated(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Make a new secret; the old one works for the grace that was chosen."""
    form = await request.fields()
    grace = timedelta(minutes=form.number("grace", least=0, most=_LONGEST_GRACE, default=1440))
    await request.site.configure.rotate_secret(ident, by=request.visitor.actor, now=request.now, grace=grace)
    said = "There is a new secret. Copy it into alertmanager.yml"
    return go(
        request,
        f"/integrations/{ident}",
        f"{said}; the old one still works for a while." if grace else f"{said}.",
    )


@action("/integrations/{ident:uuid}/delete", Permission.CONNECT)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a source; what it sent stays."""
    await request.site.configure.delete_source(ident, by=request.visitor.actor, now=request.now)
    return go(
        request, "/integrations", "The source is gone; whoever sends with its secret gets 401 from now on."
    )


ROUTES = [listed, created, configured, changed, rotated, deleted]
