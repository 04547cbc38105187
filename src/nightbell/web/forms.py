"""Reads what a form sent: text and choices, trimmed, bounded, and refused by the name of the field."""

from collections.abc import Collection, Iterable
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.labels import clean


class Form:
    """The fields of one request; a field may be repeated."""

    def __init__(self, fields: Iterable[tuple[str, object]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            if isinstance(value, str):
                self._fields.setdefault(name, []).append(clean(value))

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def raw(self, name: str) -> str:
        """Return a field untrimmed, "" when absent: passwords may begin with a space."""
        return self._fields.get(name, [""])[0]

    def text(self, name: str, *, longest: int = 500) -> str:
        """Return a field trimmed, "" when absent.

        Raises: Invalid when it is too long.
        """
        value = self.raw(name).strip()
        if len(value) > longest:
            raise Invalid(f"At most {longest} characters, please.", place=name)
        return value

    def needed(self, name: str, *, longest: int = 200) -> str:
        """Return a field that must not be empty.

        Raises: Invalid.
        """
        value = self.text(name, longest=longest)
        if not value:
            raise Invalid("This is needed.", place=name)
        return value

    def many(self, name: str) -> list[str]:
        """Return every value of a field, empty ones left out."""
        return [value.strip() for value in self._fields.get(name, []) if value.strip()]

    def aligned(self, name: str) -> list[str]:
        """Return every value of a field, empty ones kept, so that columns of a table stay side by side."""
        return [value.strip() for value in self._fields.get(name, [])]

    def choice(self, name: str, among: Collection[str], default: str | None = None) -> str:
        """Return a field whose values are given.

        Raises: Invalid for any other.
        """
        value = self.raw(name).strip() or default
        if value is None or value not in among:
            raise Invalid(f"Choose one of: {', '.join(sorted(among))}.", place=name)
        return value

    def number(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return a whole number within bounds.

        Raises: Invalid.
        """
        return whole(self.raw(name), name, least=least, most=most, default=default)

    def flag(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return bool(self.raw(name))

    def ident(self, name: str) -> UUID:
        """Return an id.

        Raises: Invalid when it cannot be one.
        """
        try:
            return UUID(self.raw(name).strip())
        except ValueError:
            raise Invalid("That is no id of ours.", place=name) from None


def whole(text: str, name: str, *, least: int, most: int, default: int | None = None) -> int:
    """Return a whole number within bounds.

    Raises: Invalid.
    """
    text = text.strip()
    if not text and default is not None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise Invalid(f"A whole number from {least} to {most}, please.", place=name)
    return int(text)
