"""Conditions of routes and grouping rules: wire names on one side, the schema's on the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nightbell.api.sent import list_at, object_at
from nightbell.core.errors import Invalid
from nightbell.engine.configure import Problems
from nightbell.store.read.listing import Record


def shown(condition: Record) -> dict[str, Any]:
    """Return a stored condition as the wire says it."""
    return {
        "property_field_condition_type": condition["operator"],
        "property_field_name": condition["field_name"],
        "property_field_type": condition["field_type"],
        "property_field_value": condition.get("value"),
        "property_field_values": [] if condition.get("value") is not None else condition["values"],
        "alert_urgency_ids": condition.get("urgency_ids", []),
        "conditionable_type": "AlertField" if condition.get("field_id") else None,
        "conditionable_id": condition.get("field_id"),
    }


def sent(value: Any, place: str) -> dict[str, Any]:
    """Return a condition as it will be stored.

    Raises: Invalid naming the place for what is no condition at all.
    """
    said = object_at(value, place)
    single = said.get("property_field_value")
    values = list_at(said.get("property_field_values"), f"{place}.property_field_values")
    condition = {
        "field_type": said.get("property_field_type"),
        "field_name": said.get("property_field_name"),
        "field_id": said.get("conditionable_id"),
        "operator": said.get("property_field_condition_type"),
        "values": values or ([single] if single is not None else []),
        "urgency_ids": list_at(said.get("alert_urgency_ids"), f"{place}.alert_urgency_ids"),
    }
    return condition if values or single is None else {**condition, "value": single}


#: The schema's words at the end of a place, and the wire's.
_WIRE = {
    "values": "property_field_values",
    "operator": "property_field_condition_type",
    "field_name": "property_field_name",
    "field_type": "property_field_type",
    "field_id": "conditionable_id",
    "urgency_ids": "alert_urgency_ids",
}


@contextmanager
def in_wire_words() -> Iterator[None]:
    """Name the places of what is refused as the wire does."""
    try:
        yield
    except Invalid as error:
        problems = error.problems if isinstance(error, Problems) else (error,)
        raise Problems(map(_reworded, problems)) from error


def _reworded(problem: Invalid) -> Invalid:
    before, dot, last = problem.place.rpartition(".")
    return Invalid(problem.message, place=f"{before}{dot}{_WIRE.get(last, last)}", hint=problem.hint)
