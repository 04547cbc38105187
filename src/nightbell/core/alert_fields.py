"""The fields every alert has, as rules of routes and paths name them: by an id that is the same everywhere.

Rule 1: they read the payload as JSONPath sees it, so that a rule means the same before and after an alert is stored.
"""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

#: Kind, and what people call it.
BUILT_IN = {"title": "Title", "description": "Description", "external_url": "External URL"}


def field_id(kind: str) -> UUID:
    """Return the id of a built-in field."""
    return uuid5(NAMESPACE_URL, f"nightbell:alert_field:{kind}")


#: Kinds by the text of their id.
KINDS = {str(field_id(kind)): kind for kind in BUILT_IN}


def named(condition: Mapping[str, Any]) -> str | None:
    """Return which field a stored condition names, by id or by kind; None for none."""
    ident, name = condition.get("field_id"), condition.get("field_name")
    return KINDS.get(str(ident)) or (str(name) if name in BUILT_IN else None)


def value(payload: Mapping[str, Any], kind: str) -> Any:
    """Return what a field holds in a payload; None where it holds nothing."""
    labels, notes = payload.get("commonLabels", {}), payload.get("commonAnnotations", {})
    first: dict[str, Any] = next(iter(payload.get("alerts", ())), {})
    match kind:
        case "title":
            return labels.get("alertname")
        case "description":
            told = (notes, first.get("annotations", {}))
            names = ("description", "message", "summary")
            return next((said[name] for said in told for name in names if said.get(name)), None)
        case _:
            return first.get("generatorURL") or payload.get("externalURL")
