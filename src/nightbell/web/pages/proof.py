"""What proves that pages went out: the ledger with its end, its exports, and what the auditor found."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Response
from litestar.params import FromPath
from litestar.response import Stream

from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.store.db import Db
from nightbell.store.read import findings, ledger
from nightbell.store.read.ledger_export import csv_header, csv_line, json_line
from nightbell.store.read.people import users_by_id
from nightbell.web.forms import whole
from nightbell.web.render import render
from nightbell.web.site import WebRequest, page

_LAST = 100
_FORMATS = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


@page("/ledger", Permission.OPERATE)
async def shown(request: WebRequest) -> Response[bytes]:
    """Show the end of the ledger and its latest entries."""
    db = request.site.db
    last = 999_999_999
    before = whole(request.query_params.get("before", ""), "before", least=1, most=last, default=last)
    found = await ledger.latest(db, limit=_LAST, before=before)
    entries = [findings.decoded(one) for one in found]
    people = await users_by_id(db, sorted({e["person"] for e in entries if e["person"]}))
    return await render(
        request,
        "ledger.html",
        nav="ledger",
        head=await ledger.head(db),
        beginning=await ledger.beginning(db),
        entries=entries,
        names={key: person["name"] for key, person in people.items()},
        older=found[-1].position if len(found) == _LAST else None,
    )


@page("/ledger/export/{style:str}", Permission.OPERATE)
async def exported(request: WebRequest, style: FromPath[str]) -> Stream:
    """Stream the whole ledger."""
    if style not in _FORMATS:
        raise Unknown("Export as jsonl or as csv.")
    name = f"nightbell-ledger-{request.now:%Y%m%d-%H%M}.{style}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Stream(_lines(request.site.db, style), media_type=_FORMATS[style], headers=headers)


async def _lines(db: Db, style: str) -> AsyncIterator[bytes]:
    line = csv_line if style == "csv" else json_line
    if style == "csv":
        yield csv_header()
    async for one, previous in ledger.linked(db):
        yield line(one, previous)


@page("/auditor", Permission.VIEW)
async def audited(request: WebRequest) -> Response[Any]:
    """Show each promise, whether it holds, and what was found lately."""
    found = await findings.lately(request.site.db)
    standing = [f for f in found if f["gone_at"] is None]
    return await render(
        request,
        "auditor.html",
        nav="auditor",
        promises=request.site.promises,
        standing=standing,
        broken={f["invariant"] for f in standing},
        over=[f for f in found if f["gone_at"] is not None],
        at=await findings.audited_at(request.site.db),
    )


ROUTES = [shown, exported, audited]
