"""This file reads what a request sends: a JSON:API document, or less; never more than a JSON value is trusted."""

from typing import Any
from uuid import UUID

import msgspec

from nightbell.core.errors import BadPayload, Invalid, Unknown

#: Deeper than anything that is meant.
_DEEPEST = 64


def attributes(body: bytes) -> dict[str, Any]:
    """Return `data.attributes` of a request; a body may be absent, and its type is not looked at (rootly.md 3).

    Raises: BadPayload for what is not JSON, or not an object.
    """
    if not body.strip():
        return {}
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload(f"The body is not JSON: {error}", place="/") from error
    if not isinstance(document, dict):
        raise BadPayload("The body must be an object.", place="/")
    data = document.get("data", document)
    found = data.get("attributes", {} if "data" in document else data) if isinstance(data, dict) else data
    if not isinstance(found, dict | None):
        raise BadPayload("data.attributes must be an object.", place="/data/attributes")
    cleaned: dict[str, Any] = _cleaned(found or {}, _DEEPEST)
    return cleaned


def _cleaned(value: Any, room: int) -> Any:
    """Return a JSON value without NUL, which PostgreSQL does not take.

    Raises: BadPayload when it is nested more than `room` deep; whoever walks through it later need not ask.
    """
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    if not isinstance(value, list | dict):
        return value
    if not room:
        raise BadPayload(f"The body is nested more than {_DEEPEST} deep.", place="/data/attributes")
    if isinstance(value, list):
        return [_cleaned(item, room - 1) for item in value]
    return {_cleaned(key, room): _cleaned(item, room - 1) for key, item in value.items()}


def list_at(value: Any, place: str) -> list[Any]:
    """Return a list that was sent, empty for null.

    Raises: Invalid naming the place for anything else.
    """
    if not isinstance(value, list | None):
        raise Invalid("This must be a list.", place=place)
    return value or []


def object_at(value: Any, place: str) -> dict[str, Any]:
    """Return an object that was sent.

    Raises: Invalid naming the place for anything else.
    """
    if not isinstance(value, dict):
        raise Invalid("This must be an object.", place=place)
    return value


def uuid_of(text: str) -> UUID:
    """Return an id of a path.

    Raises: Unknown for what can be none: nothing has such an id.
    """
    try:
        return UUID(text)
    except ValueError:
        raise Unknown("There is no such thing.") from None
