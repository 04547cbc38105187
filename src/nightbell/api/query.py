"""This file reads what a URL asks of a list: filters, order, page, what to include and which fields to show.

Rule 1: an unknown filter, sort or include is ignored, as the clients expect (rootly.md 3); a wrong value is refused.
"""

import re
from urllib.parse import parse_qsl

from msgspec import Struct

from nightbell.core.errors import BadPayload
from nightbell.store.read.listing import Condition, Listing

PAGE_SIZE = 25
LARGEST_PAGE = 100
_MOST_PARAMETERS = 200

_FILTER = re.compile(r"filter\[([\w.]+)\](?:\[(\w+)\])?(?:\[\])?")
_PAGE = re.compile(r"page\[(number|size|after)\]")
_FIELDS = re.compile(r"fields\[(\w+)\]")
_TIMES = ("gt", "gte", "lt", "lte")
_OPS = ("eq", "not_eq", "in", "not_in", *_TIMES)


class Query(Struct, frozen=True, kw_only=True):
    """A URL's question. `rest` is the query without its page number, for links."""

    listing: Listing = Listing()
    number: int = 1
    size: int = PAGE_SIZE
    include: frozenset[str] = frozenset()
    #: Fields wanted of a type; a type that is absent is shown whole.
    fields: dict[str, frozenset[str]] = {}
    flags: frozenset[str] = frozenset()
    rest: tuple[tuple[str, str], ...] = ()


def parse(raw: bytes, *, largest: int = LARGEST_PAGE, usual: int = PAGE_SIZE) -> Query:
    """Return the question of a query string, brackets escaped or not.

    Raises: BadPayload naming the parameter.
    """
    try:
        pairs = parse_qsl(
            raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise BadPayload(f"More than {_MOST_PARAMETERS} parameters.", place="query") from None
    pairs = [(name, value.replace("\0", "")) for name, value in pairs]
    page = {match[1]: value for name, value in pairs if (match := _PAGE.fullmatch(name)) and value}
    number = _number(page.get("number", "1"), "page[number]")
    size = min(_number(page.get("size", str(usual)), "page[size]"), largest)
    single = dict(pairs)
    return Query(
        listing=Listing(
            where=tuple(condition for name, value in pairs for condition in _conditions(name, value)),
            search=single.get("filter[search]", "").strip(),
            order=_words(single.get("sort", "")),
            limit=size,
            offset=(number - 1) * size,
            after=page.get("after", ""),
        ),
        number=number,
        size=size,
        include=frozenset(_words(single.get("include", ""))),
        fields={m[1]: frozenset(_words(value)) for name, value in pairs if (m := _FIELDS.fullmatch(name))},
        flags=frozenset(name for name, value in pairs if value.lower() == "true"),
        rest=tuple((name, value) for name, value in pairs if name not in ("page[number]", "page[after]")),
    )


def _number(text: str, place: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise BadPayload(f"not a number: {text[:40]!r}", place=place)
    return max(1, int(text))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _conditions(name: str, value: str) -> list[Condition]:
    match = _FILTER.fullmatch(name)
    if not match or not value or match[1] == "search" or (match[2] and match[2] not in _OPS):
        return []
    field, op = match[1], match[2] or "eq"
    if op in _TIMES or (match[2] and op in ("eq", "not_eq") and field != "labels"):
        return [Condition(field, op, (value,), name)]
    # A name may hold a comma of its own; both readings are tried.
    whole = (value,) if field == "name" and "," in value else ()
    return [Condition(field, op, (*whole, *_words(value)), name)]
