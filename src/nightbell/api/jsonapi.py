"""This file speaks JSON:API as Rootly's clients expect it: documents, lists with links and meta, and errors.

Rule 1: HTTP statuses are chosen here and nowhere else in the API.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response
from msgspec import Struct

from nightbell.api.query import Query
from nightbell.core.errors import (
    BadPayload,
    Forbidden,
    Invalid,
    NightbellError,
    Overloaded,
    Stale,
    Unauthenticated,
    Unknown,
)
from nightbell.engine.checks import Problems

MEDIA_TYPE = "application/vnd.api+json"
#: Stale is 400 and not 409: Rootly answers 400 for an act that no longer fits, and its SDK knows no 409.
STATUS: Mapping[type[NightbellError], int] = {
    BadPayload: 400,
    Stale: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    Unknown: 404,
    Invalid: 422,
    Overloaded: 503,
}

_ENCODER = msgspec.json.Encoder()


class Document(Struct, frozen=True, kw_only=True):
    """One resource object. `more` stands beside id and type (`source` of alerts)."""

    type: str
    id: str
    attributes: dict[str, Any]
    relationships: dict[str, Any] | None = None
    more: dict[str, Any] = {}

    def wire(self, fields: Mapping[str, frozenset[str]]) -> dict[str, Any]:
        """Return the object as it is sent, with the fields that were asked for."""
        wanted = fields.get(self.type)
        shown = {k: v for k, v in self.attributes.items() if k in wanted} if wanted else self.attributes
        out = {"id": self.id, "type": self.type, **self.more, "attributes": shown}
        return out if self.relationships is None else {**out, "relationships": self.relationships}


def stamp(at: datetime | None) -> str | None:
    """Return an instant as `2026-11-23T02:00:05.000Z`, or None."""
    if at is None:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def refer(kind: str, ident: object | None) -> dict[str, Any]:
    """Return a to-one relationship."""
    return {"data": None if ident is None else {"id": str(ident), "type": kind}}


def refer_all(kind: str, idents: Iterable[object]) -> dict[str, Any]:
    """Return a to-many relationship."""
    return {"data": [{"id": str(ident), "type": kind} for ident in idents]}


#: Secrets of sources stand in some answers: no cache may keep them, and no browser may take them for a page.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(body: Any, status: int = 200, *, media_type: str = MEDIA_TYPE) -> Response[bytes]:
    """Return a response; the media type goes out without a charset."""
    return Response(_ENCODER.encode(body), status_code=status, media_type=media_type, headers=_HEADERS)


def one(document: Document, query: Query, included: Sequence[Document] = ()) -> dict[str, Any]:
    """Return the body that shows one resource."""
    body: dict[str, Any] = {"data": document.wire(query.fields)}
    if included:
        body["included"] = _distinct(included, query)
    return body


class Page(Struct, frozen=True, kw_only=True):
    """Which part of how many, for links and meta."""

    url: str
    total: int
    next_cursor: str = ""


def listed(
    documents: Sequence[Document], page: Page, query: Query, included: Sequence[Document] = ()
) -> dict[str, Any]:
    """Return the body that shows a part of a list; every key of links and meta is there, null where none."""
    pages = max(1, ceil(page.total / query.size))
    following = query.number + 1 if query.number < pages else None
    before = query.number - 1 if query.number > 1 else None
    return {
        "data": [document.wire(query.fields) for document in documents],
        "included": _distinct(included, query),
        "links": {
            "self": _link(page.url, query, query.number),
            "first": _link(page.url, query, 1),
            "prev": before and _link(page.url, query, before),
            "next": following and _link(page.url, query, following),
            "last": _link(page.url, query, pages),
        },
        "meta": {
            "current_page": query.number,
            "next_page": following,
            "prev_page": before,
            "total_count": page.total,
            "total_pages": pages,
            "next_cursor": page.next_cursor or None,
        },
    }


def _distinct(included: Sequence[Document], query: Query) -> list[dict[str, Any]]:
    seen = {(document.type, document.id): document for document in included}
    return [document.wire(query.fields) for document in seen.values()]


def _link(url: str, query: Query, number: int) -> str:
    pairs = [*query.rest, ("page[number]", str(number))]
    return f"{url}?" + "&".join(f"{quote(name, safe='[]')}={quote(value, safe=',')}" for name, value in pairs)


# ---------------------------------------------------------------- errors


def refused(error: NightbellError) -> Response[bytes]:
    """Return the answer to what cannot be carried out, every problem with its place."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
    problems: Sequence[NightbellError] = error.problems if isinstance(error, Problems) else (error,)
    return answer({"errors": [_problem(problem, status) for problem in problems]}, status)


def failed(title: str, status: int, detail: str | None = None) -> Response[bytes]:
    """Return an error that is no NightbellError: a path there is not, a fault of ours."""
    return answer(
        {"errors": [{"title": title, "status": str(status), "code": None, "detail": detail}]}, status
    )


def _problem(error: NightbellError, status: int) -> dict[str, Any]:
    problem = {
        "title": error.message,
        "status": str(status),
        "code": error.code,
        "detail": error.hint or None,
    }
    return {**problem, "source": _source(error.place)} if error.place else problem


def _source(place: str) -> dict[str, str]:
    if place.startswith(("filter[", "page[", "query")):
        return {"parameter": place}
    if place.startswith("/"):
        return {"pointer": place}
    return {
        "pointer": "/data/attributes/"
        + place.replace("].", "/").replace("[", "/").replace("]", "").replace(".", "/")
    }


def renamed(error: Invalid, names: Mapping[str, str]) -> Invalid:
    """Return the error with its places as the wire calls them: `targets[0].id` is `notification_target_params[0].id`."""
    if isinstance(error, Problems):
        return Problems([_renamed(problem, names) for problem in error.problems])
    return _renamed(error, names)


def _renamed(error: Invalid, names: Mapping[str, str]) -> Invalid:
    field = error.place.split(".", 1)[0].split("[", 1)[0]
    if field not in names:
        return error
    return Invalid(error.message, place=names[field] + error.place[len(field) :], hint=error.hint)
