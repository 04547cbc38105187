"""Shows a status page as the public would read it, to whoever is about to publish something."""

from typing import Any
from uuid import UUID

from litestar import Response
from msgspec.structs import replace

from nightbell.core import status_page
from nightbell.core.errors import Unknown
from nightbell.core.incident import PLANNED
from nightbell.core.status_page import Board, Published, Said
from nightbell.engine.showing import any_board
from nightbell.store.read import incident_pages as incidents
from nightbell.web import status_render
from nightbell.web.door import add_headers
from nightbell.web.render import HTML
from nightbell.web.site import WebRequest


async def page(
    request: WebRequest, page_id: UUID, row: dict[str, Any] | None = None, said: Said | None = None
) -> Response[bytes]:
    """Return a status page as it would read, with one thing more said of an incident."""
    site = request.site
    board = await any_board(site.db, page_id, site.link_key, request.now)
    if board is None:
        raise Unknown("There is no such status page.")
    if row is not None and said is not None:
        links = await incidents.links(site.db, row["id"])
        touched = frozenset(ident for ident, _ in links["service"]) | frozenset(row["muted_service_ids"])
        board = _with(board, _published(board, row, touched, said))
    view = status_render.View(board=board, base_url=site.base_url, seen=request.now)
    response = Response(
        status_render.page(view),
        media_type=HTML,
        status_code=200,
        headers={"Content-Security-Policy": status_render.CSP},
    )
    add_headers(response)
    return response


def _published(board: Board, row: dict[str, Any], touched: frozenset[UUID], said: Said) -> Published:
    known = board.incident(row["id"])
    if known is not None:
        return replace(known, title=row["public_title"] or row["title"], said=(*known.said, said))
    return Published(
        id=row["id"],
        title=row["public_title"] or row["title"],
        planned=row["kind"] in PLANNED,
        severity=row["severity_rank"],
        service_ids=touched,
        said=(said,),
        starts_at=row["scheduled_for"],
        ends_at=row["scheduled_until"],
    )


def _with(board: Board, one: Published) -> Board:
    others = [other for other in board.incidents if other.id != one.id]
    services = [(c.id, c.name) for c in board.components]
    return status_page.board(board.face, services, [one, *others])
