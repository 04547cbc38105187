"""Status pages, in Rootly's shape; what they show is public at /status/<slug> (web/status_site.py)."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Attribute, Kind, attribute, constant, times
from nightbell.api.resource import Action, Call, Resource
from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid
from nightbell.engine.status_edits import StatusPageEdit
from nightbell.store.read import status_pages
from nightbell.store.read.listing import Found, Record

#: What Rootly has and changes nothing here: kept and shown as it was sent. Name, kind, what stands there before.
_KEPT: tuple[tuple[str, Kind, Any], ...] = (
    ("header_color", Kind.TEXT, None),
    ("footer_color", Kind.TEXT, None),
    ("show_uptime", Kind.FLAG, False),
    ("show_uptime_last_days", Kind.NUMBER, 90),
    ("functionality_ids", Kind.LIST, []),
    ("external_domain_names", Kind.LIST, []),
)
_TYPES: dict[Kind, type[Any]] = {Kind.TEXT: str, Kind.FLAG: bool, Kind.NUMBER: int, Kind.LIST: list}


def _kept(name: str, kind: Kind, before: Any) -> Attribute:
    def shown(row: Record) -> Any:
        value = row["wire"].get(name)
        return before if value is None else value

    return attribute(name, kind, of=shown)


async def _find(call: Call) -> Found:
    found = await status_pages.status_pages(call.db, call.listing)
    for row in found.rows:
        _complete(call, row)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await status_pages.status_page(call.db, key)
    if row is not None:
        _complete(call, row)
    return row


def _complete(call: Call, row: Record) -> None:
    token = call.edge.configure.status_page_token(row)
    opens = may(call.visitor.role, Permission.CONFIGURE)
    row["public_url"] = f"{call.edge.base_url}/status/{row['slug']}"
    row["private_url"] = f"{row['public_url']}?token={token}" if token and opens else None


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    if sent.get("authentication_method", "none") not in ("none", None) or sent.get("authentication_enabled"):
        raise Invalid(
            "Only none: a page that is not public opens by the token in its address.",
            place="authentication_method",
        )
    fields = PAGES.taken(sent)
    wire: dict[str, Any] = {}
    for name, kind, _ in _KEPT:
        value = sent.get(name)
        if value is not None and (
            isinstance(value, bool) != (kind is Kind.FLAG) or not isinstance(value, _TYPES[kind])
        ):
            raise Invalid(f"Must be of type {kind.value}.", place=name)
        if name == "show_uptime_last_days" and value not in (None, 30, 60, 90):
            raise Invalid("Must be one of: 30, 60, 90.", place=name)
        if name in sent:
            wire[name] = value
    return {**fields, "wire": wire} if wire else fields


async def _create(call: Call, edit: StatusPageEdit) -> UUID:
    return await call.edge.configure.create_status_page(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: StatusPageEdit) -> None:
    await call.edge.configure.update_status_page(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_status_page(row["id"], by=call.actor, now=call.now)


async def _renew(call: Call) -> tuple[Any, int]:
    """Give a page that is not public a new address."""
    row = await PAGES.row(call, call.parent)
    await call.edge.configure.renew_status_page_token(row["id"], by=call.actor, now=call.now)
    return await PAGES.shown(call, await PAGES.row(call, str(row["id"]))), 200


PAGES = Resource(
    type="status_pages",
    collections=("/status-pages",),
    item="/status-pages/{id}",
    find=_find,
    get=_get,
    edit=StatusPageEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    actions=(
        Action(
            method="POST",
            path="/status-pages/{id}/renew_token",
            summary="Replace the token of a status page that is not public",
            permission=Permission.CONFIGURE,
            run=_renew,
        ),
    ),
    attributes=(
        attribute("title", edit="title"),
        attribute("slug", edit="slug"),
        attribute("public_title", edit="public_title"),
        attribute("description", edit="description"),
        attribute("public_description", edit="public_description"),
        attribute("success_message", edit="success_message"),
        attribute("failure_message", edit="failure_message"),
        attribute("footer", edit="footer"),
        attribute("website_url", edit="website_url"),
        attribute("website_support_url", of="support_url", edit="support_url"),
        attribute("website_privacy_url", of="privacy_url", edit="privacy_url"),
        attribute("section_order", Kind.LIST, edit="section_order"),
        attribute("time_zone", edit="time_zone"),
        attribute("service_ids", Kind.LIST, edit="service_ids"),
        attribute("public", Kind.FLAG, edit="public"),
        attribute("enabled", Kind.FLAG, edit="enabled"),
        attribute("allow_search_engine_index", Kind.FLAG, of="indexed", edit="indexed"),
        constant("authentication_method", "none"),
        constant("authentication_enabled", False, Kind.FLAG),
        *(_kept(*one) for one in _KEPT),
        attribute("public_url"),
        attribute("private_url"),
        *times(),
    ),
)
