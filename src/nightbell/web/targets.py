"""Lists whom an alert can be for, by name, for every picker."""

from collections.abc import Iterable

from nightbell.core.directory import Directory

Options = list[tuple[str, list[tuple[str, str]]]]


def options(directory: Directory, *, policies: bool = True) -> Options:
    """Return policies, services, teams and people as (heading, [(value, name)]); values are "Group/<id>"."""
    people = [(f"User/{u.id}", u.name) for u in directory.users.values() if u.active]
    groups: Options = [
        (
            "Policies",
            [(f"EscalationPolicy/{p.id}", p.name) for p in directory.policies.values()] if policies else [],
        ),
        ("Services", _named("Service", directory.services.values())),
        ("Teams", _named("Group", directory.teams.values())),
        ("People", people),
    ]
    return [(heading, sorted(things, key=lambda t: t[1].lower())) for heading, things in groups if things]


def _named(kind: str, things: Iterable[object]) -> list[tuple[str, str]]:
    # The directory finds things by id and by slug; each is listed once.
    return [(f"{kind}/{ident}", name) for ident, name in {(str(t.id), t.name) for t in things}]  # type: ignore[attr-defined]  # each kind of thing has an id and a name
