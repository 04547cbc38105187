"""The small shapes that stand inside other resources: a person, a team, a service, an urgency, without wrapping."""

from typing import Any
from uuid import UUID

from nightbell.api.jsonapi import stamp
from nightbell.store.read.listing import Record

#: Rootly shows people as "[Organisation] Name"; an installation is one organisation.
ORGANISATION = "Nightbell"
DEFAULT_COLOR = "#047BF8"


def full_name_with_team(row: Record) -> str:
    """Return a person's name as Rootly's wizard reads it."""
    return f"[{ORGANISATION}] {row['name']}"


def first_name(row: Record) -> str:
    """Return all of a name but its last word."""
    return str(row["name"]).rpartition(" ")[0] or str(row["name"])


def last_name(row: Record) -> str | None:
    """Return the last word of a name that has several."""
    before, _, last = str(row["name"]).rpartition(" ")
    return last if before else None


def user(row: Record) -> dict[str, Any]:
    """Return a person as they stand in alerts and events; here the id is a number."""
    return {
        "id": row["id"],
        "name": row["name"],
        "email": row["email"],
        "phone": None,
        "phone_2": None,
        "first_name": first_name(row),
        "last_name": last_name(row),
        "full_name": row["name"],
        "full_name_with_team": full_name_with_team(row),
        "slack_id": None,
        "time_zone": row["time_zone"],
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }


def former_user(user_id: int, row: Record) -> dict[str, Any]:
    """Return somebody of whom only the number is left."""
    name = f"User {user_id}"
    return user({**row, "id": user_id, "name": name, "email": "", "time_zone": "Etc/UTC"})


def noun(row: Record) -> dict[str, Any]:
    """Return a team or a service as it stands in an alert."""
    return {
        "id": row["id"],
        "name": row["name"],
        "slug": row["slug"],
        "description": row["description"],
        "color": row["color"] or DEFAULT_COLOR,
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }


def urgency(row: Record) -> dict[str, Any]:
    """Return an urgency as it stands in an alert."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "position": row["position"],
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }


def present(ids: list[UUID], rows: dict[UUID, Record]) -> list[dict[str, Any]]:
    """Return the teams or services of these ids that still exist."""
    return [noun(rows[key]) for key in ids if key in rows]
