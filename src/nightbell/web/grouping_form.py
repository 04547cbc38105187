"""A grouping rule while somebody edits it: what the form holds, as text, and the rule it stands for.

Rule 1: what the form cannot show comes back as it went; nothing that the API set is lost by a save.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.errors import Invalid
from nightbell.core.grouping import MATCHES_EXISTING
from nightbell.engine.configure_groupings import LONGEST, OPERATORS, SHORTEST
from nightbell.engine.edits import GroupingEdit
from nightbell.store.read.listing import Record
from nightbell.web.forms import Form

#: Of conditions. An urgency is one of a list; all others compare texts.
KINDS = (
    ("payload", "a value of its payload"),
    ("title", "its title"),
    ("description", "its description"),
    ("alert_urgency", "its urgency"),
)
WORDS = tuple(
    (one, "is that of the group" if one == MATCHES_EXISTING else one.replace("_", " ")) for one in OPERATORS
)
MOST = 20
_FIELDS = ("title", "description")
_ALONE = ("is_empty", MATCHES_EXISTING)


class Asked(Struct, frozen=True, kw_only=True):
    """One condition in the form; of its fields those count that its kind has."""

    kind: str
    path: str = "$.commonLabels.severity"
    operator: str = "is_one_of"
    #: Separated by commas.
    values: str = ""
    urgency_ids: tuple[str, ...] = ()
    #: The condition as it was sent, where the form cannot show it.
    kept: dict[str, Any] | None = None


class Draft(Struct, frozen=True, kw_only=True):
    """The form. Targets are "Service/<id>"; paths stand on a line each."""

    name: str = ""
    description: str = ""
    minutes: str = "10"
    match_any: bool = False
    by_title: bool = False
    by_urgency: bool = False
    paths: str = ""
    targets: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()


def stored(row: Record) -> Draft:
    """Return the form of a stored rule."""
    return Draft(
        name=row["name"],
        description=row["description"] or "",
        minutes=str(row["time_window"]),
        match_any=row["condition_type"] == "any",
        by_title=row["by_title"],
        by_urgency=row["by_urgency"],
        paths="\n".join(one["json_path"] for one in row["attributes"]),
        targets=tuple(f"{t['target_type']}/{t['target_id']}" for t in row["targets"]),
        asked=tuple(_of_stored(one) for one in row["conditions"]),
    )


def _of_stored(said: dict[str, Any]) -> Asked:
    values, urgencies = list(said.get("values") or ()), tuple(map(str, said.get("urgency_ids") or ()))
    plain = not any("," in value or value != value.strip() or not value for value in values)
    name, operator = str(said.get("field_name") or ""), str(said.get("operator"))
    shown = Asked(kind="payload", path=name, operator=operator, values=", ".join(values))
    match said.get("field_type"):
        case "payload" if plain and not urgencies:
            return shown
        case "alert_field" if plain and not urgencies and name in _FIELDS:
            return replace(shown, kind=name)
        case "attribute" if urgencies and not values and not name:
            return Asked(kind="alert_urgency", urgency_ids=urgencies)
    return Asked(kind="kept", kept=said)


def _stored(asked: Asked) -> dict[str, Any]:
    if asked.kept is not None:
        return asked.kept
    said: dict[str, Any] = {"field_type": "payload", "field_name": asked.path, "field_id": None}
    values = [] if asked.operator in _ALONE else [v.strip() for v in asked.values.split(",") if v.strip()]
    said |= {"operator": asked.operator, "values": values, "urgency_ids": []}
    if asked.kind in _FIELDS:
        return said | {"field_type": "alert_field", "field_name": asked.kind}
    if asked.kind == "alert_urgency":
        ids = list(asked.urgency_ids)
        return said | {
            "field_type": "attribute", "field_name": "", "operator": "is_one_of", "values": [], "urgency_ids": ids,
        }  # fmt: skip
    return said


def sent(form: Form) -> Draft:
    """Return the draft that was sent."""
    kinds = form.aligned("rule")[:MOST]
    chosen = (*form.many("target"), *form.many("add_target"))
    return Draft(
        name=form.text("name", longest=1_000),
        description=form.text("description", longest=10_000),
        minutes=form.text("minutes"),
        match_any=form.raw("match") == "any",
        by_title=form.flag("by_title"),
        by_urgency=form.flag("by_urgency"),
        paths=form.text("paths", longest=10_000),
        targets=tuple(dict.fromkeys(chosen)),
        asked=tuple(_of_form(form, n, kind) for n, kind in enumerate(kinds)),
    )


def _of_form(form: Form, n: int, kind: str) -> Asked:
    return Asked(
        kind=kind,
        path=form.text(f"rule-path-{n}"),
        operator=form.raw(f"rule-op-{n}") or "is_one_of",
        values=form.text(f"rule-values-{n}", longest=5_000),
        urgency_ids=tuple(form.many(f"rule-id-{n}")),
        kept=_kept(form.raw(f"rule-kept-{n}")) if kind == "kept" else None,
    )


def _kept(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid("A condition of the form cannot be read.", place="conditions") from error


def edit(draft: Draft) -> GroupingEdit:
    """Return the edit a draft stands for.

    Raises: Invalid for a window that is no number.
    """
    if not draft.minutes.isascii() or not draft.minutes.isdigit() or len(draft.minutes) > 9:
        raise Invalid(f"A whole number from {SHORTEST} to {LONGEST}, please.", place="time_window")
    pairs = [one.partition("/") for one in draft.targets]
    return GroupingEdit(
        name=draft.name,
        description=draft.description,
        condition_type="any" if draft.match_any else "all",
        time_window=int(draft.minutes),
        by_title=draft.by_title,
        by_urgency=draft.by_urgency,
        targets=[{"target_type": kind, "target_id": ident} for kind, _, ident in pairs],
        attributes=[{"json_path": line.strip()} for line in draft.paths.splitlines() if line.strip()],
        conditions=[_stored(one) for one in draft.asked],
    )


def pressed(draft: Draft, form: Form) -> Draft | None:
    """Return the draft after a button that changes the form only; None for the one that saves."""
    what, _, which = form.raw("do").partition(":")
    match what:
        case "rule":
            kind = form.raw("new_rule")
            known = kind if kind in dict(KINDS) else "payload"
            return replace(draft, asked=(*draft.asked, Asked(kind=known))[:MOST])
        case "unrule":
            return replace(draft, asked=tuple(a for n, a in enumerate(draft.asked) if str(n) != which))
        case "untarget":
            return replace(draft, targets=tuple(t for t in draft.targets if t != which))
        case "target":
            return draft
        case _:
            return None
