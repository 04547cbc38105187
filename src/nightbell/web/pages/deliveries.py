"""Every webhook received, for whoever asks why nothing came: what became of it and why, refused ones too."""

from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.store.read import pages, sources
from nightbell.web import words
from nightbell.web.door import add_headers
from nightbell.web.pages.alert import pretty_body
from nightbell.web.render import render
from nightbell.web.site import WebRequest, page

PAGE = 50


@page("/deliveries", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show what was received, newest first."""
    asked = {name: str(request.query_params.get(name, "")) for name in ("outcome", "source", "before")}
    outcome = asked["outcome"] if asked["outcome"] in words.OUTCOME else None
    source_id, before = _uuid(asked["source"]), _uuid(asked["before"])
    found = await pages.deliveries(
        request.site.db, source_id=source_id, outcome=outcome, before=before, limit=PAGE + 1
    )
    older = (
        {k: v for k, v in {**asked, "before": str(found[PAGE - 1]["id"])}.items() if v}
        if len(found) > PAGE
        else {}
    )
    return await render(
        request,
        "deliveries.html",
        nav="deliveries",
        rows=found[:PAGE],
        outcome=outcome or "",
        source=str(source_id or ""),
        sources=await sources.all_sources(request.site.db),
        older=urlencode(older),
        first=before is None,
    )


@page("/deliveries/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one request with its body."""
    found = await pages.delivery(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such delivery.", hint="Raw requests are kept for some days only.")
    text = pretty_body(found["body"])
    return await render(request, "delivery.html", nav="deliveries", delivery=found, text=text)


@page("/deliveries/{ident:uuid}/raw", Permission.VIEW)
async def raw(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Send the bytes as they came. As plain text and a download: they are somebody else's."""
    found = await pages.delivery(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such delivery.")
    headers = {"Content-Disposition": f'attachment; filename="delivery-{ident}.json"'}
    response = Response(found["body"], media_type="application/octet-stream", headers=headers)
    add_headers(response)
    return response


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


ROUTES = [listed, shown, raw]
