"""Reads the ids that strangers write."""

from uuid import UUID


def as_uuid(text: str) -> UUID | None:
    """Return a UUID, or None when the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
