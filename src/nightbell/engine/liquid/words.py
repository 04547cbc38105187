"""How a value reads in a text: what `{{ value }}` writes, and what filters of texts are given."""

from typing import Any

from liquid.undefined import is_undefined
from msgspec import json


def written(value: Any) -> str:
    """Return a value as text: nothing for nothing, JSON for tables, one after the other for a plain list."""
    if isinstance(value, str):
        return value
    if value is None or is_undefined(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, (list, tuple)) and not any(isinstance(one, (dict, list, tuple)) for one in value):
        return "".join(written(one) for one in value)
    if isinstance(value, (dict, list, tuple)):
        return as_json(value)
    return str(value)


def as_json(value: Any, *, pretty: bool = False) -> str:
    """Return a value as JSON; what JSON has no word for is written as text."""
    encoded = json.encode(_plain(value), order=None)
    return (json.format(encoded, indent=2) if pretty else encoded).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {written(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return None if is_undefined(value) else str(value)
