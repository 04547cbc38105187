"""A whole path while somebody edits it: when it is taken, how it rings, its levels; the default path has no conditions."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.calendar import DAY_NAMES
from nightbell.core.directory import Path
from nightbell.core.errors import Invalid
from nightbell.engine.checking_paths import conditions
from nightbell.engine.checks import Checks
from nightbell.engine.configure_installation import ACKNOWLEDGE_MINUTES
from nightbell.engine.edits import PathEdit
from nightbell.web import conditions as asking
from nightbell.web import ladder
from nightbell.web.conditions import Asked
from nightbell.web.forms import Form

#: A path that is not stored yet.
NEW = UUID(int=0)
HOLDS = (
    ("", "as long as its source, urgency or the installation says"),
    *((str(n), f"{n} minutes" if n < 120 else f"{n // 60} hours") for n in ACKNOWLEDGE_MINUTES),
    ("-1", "for ever"),
)
DAYS = tuple((name.lower(), name) for name in DAY_NAMES)
_MOST_STRETCHES = 20
_LONGEST_DELAY = 10_080


class Stretch(Struct, frozen=True, kw_only=True):
    """From a day and time to another, as it was typed."""

    start_day: str = "friday"
    start_time: str = "18:00"
    end_day: str = "monday"
    end_time: str = "08:00"


class Draft(Struct, frozen=True, kw_only=True):
    """A path in the form. `steps` holds its levels and its rounds; `own_rounds` False leaves those to the policy."""

    ident: UUID
    name: str
    is_default: bool
    steps: ladder.Draft
    own_rounds: bool = True
    quiet: bool = False
    initial_delay: int = 0
    holds: str = ""
    deferral: bool = False
    match_any: bool = False
    asked: tuple[Asked, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    zone: str = "Etc/UTC"
    #: "" chooses again; otherwise the path to take after a deferral.
    after: str = ""


def from_rows(policy: dict[str, Any], path: dict[str, Any], levels: list[dict[str, Any]]) -> Draft:
    """Return the form of a stored path."""
    said = path["settings"]
    own = path["repeat"] is not None
    count = path["repeat_count"] if path["repeat_count"] is not None else policy["repeat_count"]
    rounds = (count if path["repeat"] else 0) if own else policy["repeat_count"]
    steps = ladder.from_rows({**policy, "repeat_count": rounds}, levels)
    holds = said.get("retrigger_timeout_minutes")
    executes = said.get("after_deferral_behavior") == "execute_path"
    return Draft(
        ident=path["id"],
        name=path["name"],
        is_default=path["is_default"],
        steps=steps,
        own_rounds=own or path["is_default"],
        quiet=path["loudness"] == "quiet",
        initial_delay=path["initial_delay_minutes"],
        holds="" if holds is None else str(holds),
        deferral=said.get("path_type") == "deferral",
        match_any=said.get("match_mode") == "match-any-rule",
        asked=tuple(asking.from_rule(rule) for rule in said.get("rules") or ()),
        stretches=tuple(_stretch(one) for one in said.get("time_restrictions") or ()),
        zone=said.get("time_restriction_time_zone") or "Etc/UTC",
        after=str(said.get("after_deferral_path_id") or "") if executes else "",
    )


def _stretch(one: dict[str, Any]) -> Stretch:
    return Stretch(**{name: str(one.get(name, ""))[:9] for name in Stretch.__struct_fields__})


def new(*, deferral: bool, zone: str) -> Draft:
    """Return the form of a path that is yet to be made."""
    empty = ladder.Draft(name="", repeat_count=0, rungs=(ladder.Rung(targets=(), delay=5),))
    night = Asked(kind="deferral_window", zone=zone)
    return Draft(
        ident=NEW,
        name="Night" if deferral else "",
        is_default=False,
        steps=empty,
        own_rounds=False,
        deferral=deferral,
        asked=(night,) if deferral else (),
        zone=zone,
    )


def from_form(form: Form, ident: UUID, *, is_default: bool) -> Draft:
    """Return what the form holds.

    Raises: Invalid naming the field.
    """
    starts = [form.aligned(f"stretch-{name}")[:_MOST_STRETCHES] for name in Stretch.__struct_fields__]
    stretches = [
        Stretch(**dict(zip(Stretch.__struct_fields__, one, strict=True)))
        for one in zip(*starts, strict=False)
    ]
    return Draft(
        ident=ident,
        name=form.text("path_name") or ("Default" if is_default else ""),
        is_default=is_default,
        steps=ladder.from_form(form),
        own_rounds=is_default or form.raw("rounds") == "own",
        quiet=form.raw("loudness") == "quiet",
        initial_delay=form.number("initial_delay", least=0, most=_LONGEST_DELAY, default=0),
        holds=_holds(form.text("holds")),
        deferral=form.raw("path_type") == "deferral" and not is_default,
        match_any=form.raw("match") == "any",
        asked=asking.from_form(form),
        stretches=tuple(stretches),
        zone=form.text("stretch_zone") or "Etc/UTC",
        after=form.text("after"),
    )


def _holds(text: str) -> str:
    if text and not (text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 7):
        raise Invalid("Choose from the list.", place="holds")
    return text


def settings_of(draft: Draft) -> dict[str, Any]:
    """Return the settings that a path of the form has, as on the wire."""
    said: dict[str, Any] = {"retrigger_timeout_minutes": int(draft.holds) if draft.holds else None}
    if draft.is_default:
        return said
    stretches = [{name: getattr(one, name) for name in Stretch.__struct_fields__} for one in draft.stretches]
    said |= {
        "path_type": "deferral" if draft.deferral else "escalation",
        "match_mode": "match-any-rule" if draft.match_any else "match-all-rules",
        "rules": [asking.rule_of(one) for one in draft.asked],
        "time_restriction_time_zone": draft.zone if stretches else None,
        "time_restrictions": stretches,
        "after_deferral_behavior": None,
        "after_deferral_path_id": None,
    }
    if draft.deferral:
        said["after_deferral_behavior"] = "execute_path" if draft.after else "re_evaluate"
        said["after_deferral_path_id"] = draft.after or None
    return said


def edit_of(draft: Draft) -> PathEdit:
    """Return the edit that the form stands for."""
    own = draft.own_rounds and not draft.is_default
    return PathEdit(
        name=draft.name,
        loudness="quiet" if draft.quiet else "audible",
        initial_delay_minutes=draft.initial_delay,
        # The rounds of the default path are those of its policy.
        repeat=draft.steps.repeat_count != 0 if own else None,
        repeat_count=draft.steps.repeat_count if own and draft.steps.repeat_count else None,
        settings=settings_of(draft),
    )


def core_path(draft: Draft) -> Path:
    """Return the path as a decision would read it; what cannot be read never holds."""
    said = settings_of(draft)
    read = conditions(Checks({}), said)
    own = draft.own_rounds and not draft.is_default
    return Path(
        id=draft.ident,
        name=draft.name or "this path",
        is_default=draft.is_default,
        loudness="quiet" if draft.quiet else "audible",
        repeat=True if own else None,
        repeat_count=draft.steps.repeat_count if own else None,
        initial_delay_minutes=draft.initial_delay,
        levels=() if draft.deferral else ladder.levels_of(draft.steps),
        kind=read.kind,
        match_any=read.match_any,
        rules=read.rules,
        windows=read.windows,
        after=said.get("after_deferral_behavior") or "re_evaluate",
        after_path_id=UUID(draft.after) if _is_id(draft.after) else None,
    )


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def edited(draft: Draft, what: str, form: Form) -> Draft:
    """Return the draft after one of the form's own buttons: those of its levels, and rule, unrule:1, hours, unhours:0."""
    verb, _, rest = what.partition(":")
    at = int(rest) if rest.isdecimal() and len(rest) < 4 else -1
    match verb:
        case "rule" if len(draft.asked) < asking.MOST:
            kind = form.choice("new_rule", [value for value, _ in asking.KINDS])
            return replace(draft, asked=(*draft.asked, Asked(kind=kind, zone=form.text("here") or "Etc/UTC")))
        case "unrule" if 0 <= at < len(draft.asked):
            return replace(draft, asked=draft.asked[:at] + draft.asked[at + 1 :])
        case "unservice":
            return _without_service(draft, rest)
        case "hours" if len(draft.stretches) < _MOST_STRETCHES:
            return replace(draft, stretches=(*draft.stretches, Stretch()))
        case "unhours" if 0 <= at < len(draft.stretches):
            return replace(draft, stretches=draft.stretches[:at] + draft.stretches[at + 1 :])
        case _:
            return replace(draft, steps=ladder.edited(draft.steps, what))


def _without_service(draft: Draft, rest: str) -> Draft:
    number, _, ident = rest.partition(":")
    asked = [
        replace(one, ids=tuple(i for i in one.ids if i != ident)) if str(n) == number else one
        for n, one in enumerate(draft.asked)
    ]
    return replace(draft, asked=tuple(asked))


def holds_options(draft: Draft) -> list[tuple[str, str]]:
    """Return how long an acknowledgement may hold, a time that was set through the API among them."""
    known = [*HOLDS]
    if all(value != draft.holds for value, _ in known):
        known.insert(-1, (draft.holds, f"{draft.holds} minutes"))
    return known
