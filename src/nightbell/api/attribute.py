"""What an attribute of a resource is: a name on the wire, how a row shows it, and which field of an Edit takes it."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from nightbell.api.jsonapi import stamp
from nightbell.core.errors import Invalid
from nightbell.store.read.listing import Record


class Kind(StrEnum):
    """What an attribute holds, for documents and for OpenAPI."""

    TEXT = "string"
    NUMBER = "integer"
    FLAG = "boolean"
    TIME = "date-time"
    ID = "uuid"
    LIST = "array"
    OBJECT = "object"


class Attribute(Struct, frozen=True, kw_only=True):
    """One attribute: its name on the wire, how a row shows it, and which field of the Edit takes what is sent."""

    name: str
    kind: Kind
    show: Callable[[Record], Any]
    edit: str = ""
    #: Left out of the document where there is no value: some clients cannot read null there (rootly.md 4a).
    omit_null: bool = False


def attribute(
    name: str,
    kind: Kind = Kind.TEXT,
    *,
    of: str | Callable[[Record], Any] = "",
    edit: str = "",
    omit_null: bool = False,
) -> Attribute:
    """Return an attribute shown from the column `of`, or by that function; from its own name when nothing is said."""
    show = of if callable(of) else _column(of or name, kind)
    return Attribute(name=name, kind=kind, show=show, edit=edit, omit_null=omit_null)


def constant(name: str, value: Any, kind: Kind = Kind.TEXT) -> Attribute:
    """Return an attribute that Rootly has and we have not: the same in every document."""
    return Attribute(name=name, kind=kind, show=lambda _: value)


def times() -> tuple[Attribute, ...]:
    """Return the two attributes every resource ends with."""
    return attribute("created_at", Kind.TIME), attribute("updated_at", Kind.TIME)


def _column(column: str, kind: Kind) -> Callable[[Record], Any]:
    if kind is Kind.TIME:
        return lambda row: stamp(row[column])
    return lambda row: row[column]


class Kept(Struct, frozen=True):
    """An attribute kept in a row's `settings` for later parts to act on, and shown as it was sent."""

    name: str
    kind: Kind
    default: Any = None
    choices: tuple[str, ...] = ()

    @property
    def attribute(self) -> Attribute:
        """Return how it is shown: its default until something was sent."""
        return attribute(self.name, self.kind, of=self._shown)

    def _shown(self, row: Record) -> Any:
        value = row["settings"].get(self.name)
        return self.default if value is None else value

    def read(self, value: Any) -> Any:
        """Return what was sent.

        Raises: Invalid naming the attribute for a value of another type.
        """
        if value is None or (value == "" and self.default is None):
            return None
        if self.choices and value not in self.choices:
            raise Invalid(f"Must be one of: {', '.join(self.choices)}.", place=self.name)
        if isinstance(value, bool) != (self.kind is Kind.FLAG) or not isinstance(value, _TYPES[self.kind]):
            raise Invalid(f"Must be of type {self.kind.value}.", place=self.name)
        return value


_TYPES: Mapping[Kind, type[Any]] = {
    Kind.TEXT: str,
    Kind.ID: str,
    Kind.NUMBER: int,
    Kind.FLAG: bool,
    Kind.LIST: list,
    Kind.OBJECT: dict,
}


def with_kept(fields: dict[str, Any], sent: dict[str, Any], kept: Sequence[Kept]) -> dict[str, Any]:
    """Return the fields of an Edit, and as its `settings` what was sent of the kept attributes."""
    settings = {one.name: one.read(sent[one.name]) for one in kept if one.name in sent}
    return {**fields, "settings": settings} if settings else fields
