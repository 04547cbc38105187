"""Whom an alert is for. Stages, most specific first: annotation, receiver URL, routes, default of the source.

Rule 1: a typo never means silence. What cannot be used is ignored with a reason, and the next stage is asked.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import alert_fields, identity
from nightbell.core.comparing import compared
from nightbell.core.directory import (
    Condition,
    Directory,
    Policy,
    Route,
    RouteRule,
    Service,
    Source,
    Target,
    Team,
)
from nightbell.core.identity import Unit
from nightbell.core.labels import clean
from nightbell.core.signal import Envelope, State

#: Wire names and the aliases people write, lower case.
TYPES = {
    "user": "User",
    "group": "Group",
    "team": "Group",
    "escalationpolicy": "EscalationPolicy",
    "escalation_policy": "EscalationPolicy",
    "service": "Service",
    "functionality": "Functionality",
}
#: A rule may not page the whole company by accident or by malice (alertmanager.md 7.27).
MOST_TARGETS = 50


class Matched(Struct, frozen=True, kw_only=True):
    """A route rule that matched, and whom it named."""

    rule_id: str
    name: str
    route: str
    targets: tuple[Target, ...]


class Routing(Struct, frozen=True, kw_only=True):
    """Whom to page and why; `stage` is annotation, url, route, default or "" for nobody."""

    targets: tuple[Target, ...]
    stage: str
    reason: str
    matched: tuple[Matched, ...]
    #: What was asked for and could not be used: one sentence each.
    problems: tuple[str, ...]
    #: Services and teams that it concerns though nobody is paged through them.
    attached: tuple[Target, ...] = ()


class Asked(Struct, frozen=True):
    """What an annotation or a URL asks for, before anybody looked whether it exists."""

    targets: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    alert_status: str | None = None


_NOTHING = Asked()


def route(
    unit: Unit,
    envelope: Envelope,
    source: Source,
    url_target: tuple[str, str] | None,
    directory: Directory,
    urgency_id: UUID | None = None,
) -> Routing:
    """Return the targets of a unit: the first stage that names somebody who exists.

    Shape: `urgency_id` is what the source alone says, for rules that ask for it.
    """
    asked = annotations(unit, envelope)
    named, unknown = _existing(asked.targets, directory, "annotation")
    problems = [*asked.problems, *unknown]
    by_url, url_problems = _existing((url_target,) if url_target else (), directory, "receiver URL")
    if named:
        if by_url:
            problems.append(f"The receiver URL names {_shown(by_url)}; the rule's annotation wins over it.")
        return _routing(named, "annotation", "the rule's annotation names them", problems)
    problems += url_problems
    if by_url:
        return _routing(by_url, "url", "the receiver URL names them", problems)
    matched = tuple(_matched(unit, envelope, source, directory, urgency_id))
    by_route, route_problems = _existing(
        [(t.type, t.id) for m in matched for t in m.targets], directory, "route"
    )
    problems += route_problems
    if by_route:
        names = ", ".join(f"{m.route} / {m.name}" for m in matched)
        return _routing(by_route, "route", f"route {names} matched", problems, matched)
    default = source.default_target
    fallen, default_problems = _existing(
        [(default.type, default.id)] if default else [], directory, "source default"
    )
    reason = f"the default of source {source.name} names them" if fallen else ""
    return _routing(fallen, "default" if fallen else "", reason, [*problems, *default_problems], matched)


def unpaged(attached: tuple[Target, ...]) -> Routing:
    """Return the routing of what pages nobody and concerns these."""
    return replace(_routing((), "", "", []), attached=attached)


def _routing(
    targets: tuple[Target, ...],
    stage: str,
    reason: str,
    problems: list[str],
    matched: tuple[Matched, ...] = (),
) -> Routing:
    return Routing(targets=targets, stage=stage, reason=reason, matched=matched, problems=tuple(problems))


def _shown(targets: Iterable[Target]) -> str:
    return ", ".join(f"{t.type} {t.id}" for t in targets)


# ---------------------------------------------------------------- annotations


def annotations(unit: Unit, envelope: Envelope) -> Asked:
    """Return what the `rootly` annotations of the firing members ask for, together (rootly.md 7.3 A11)."""
    found = [
        s.annotations["rootly"] for s in unit.signals if "rootly" in s.annotations and s.state is State.FIRING
    ]
    texts: list[Any] = list(dict.fromkeys(found)) if found else []
    if not texts and "rootly" in envelope.common_annotations:
        texts = [envelope.common_annotations["rootly"]]
    if not texts and envelope.rootly is not None:
        texts = [envelope.rootly]
    if not texts:
        return _NOTHING
    asked = [_asked_by_text(text) if isinstance(text, str) else asked_by(text) for text in texts]
    return Asked(
        tuple(dict.fromkeys(target for one in asked for target in one.targets)),
        tuple(dict.fromkeys(problem for one in asked for problem in one.problems)),
        next((one.alert_status for one in asked if one.alert_status), None),
    )


@lru_cache(maxsize=1024)
def _asked_by_text(text: str) -> Asked:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as fault:
        return Asked(problems=(f"Annotation `rootly` is invalid JSON at char {fault.pos + 1}: {fault.msg}.",))
    except (ValueError, RecursionError) as fault:
        return Asked(problems=(f"Annotation `rootly` cannot be read: {type(fault).__name__}.",))
    return asked_by(value)


def asked_by(value: Any) -> Asked:
    """Return what a decoded `rootly` value asks for; `alerting_targets` wins over `notification_target`."""
    if not isinstance(value, dict):
        return Asked(problems=(f"Annotation `rootly` must be a JSON object, not {_kind(value)}.",))
    problems: list[str] = []
    many, one = value.get("alerting_targets"), value.get("notification_target")
    if many and one is not None:
        problems.append("Annotation `rootly` has both; alerting_targets wins over notification_target.")
    if many is not None and not isinstance(many, list):
        problems.append(f"alerting_targets must be a list, not {_kind(many)}.")
        many = None
    # A list of nobody wins over nothing: a template that found no target must not silence the one that is named.
    wanted = many or ([one] if one is not None else [])
    if len(wanted) > MOST_TARGETS:
        problems.append(f"{len(wanted)} targets; only the first {MOST_TARGETS} are used.")
    if "heartbeat" in value:
        # One that exists would have taken the alert before anybody asked whom it is for.
        problems.append(
            f"Annotation `rootly` names the heartbeat {str(value['heartbeat'])[:60]!r}, which does not exist."
        )
    pairs = [_pair(target, problems) for target in wanted[:MOST_TARGETS]]
    status = value.get("alert_status", value.get("rootly_alert_status"))
    return Asked(
        tuple(pair for pair in pairs if pair), tuple(problems), status if isinstance(status, str) else None
    )


def _pair(target: Any, problems: list[str]) -> tuple[str, str] | None:
    if not isinstance(target, dict):
        problems.append(f"A target must be an object with type and id, not {_kind(target)}.")
        return None
    kind, ident = target.get("type"), target.get("id")
    if (
        not isinstance(kind, str)
        or isinstance(ident, bool)
        or not isinstance(ident, str | int)
        or ident == ""
    ):
        problems.append('A target needs a "type" and an "id".')
        return None
    return clean(kind), clean(str(ident))


def _kind(value: Any) -> str:
    names = {"dict": "an object", "list": "an array", "str": "text", "NoneType": "null", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")


# ---------------------------------------------------------------- who exists


def _existing(
    asked: Sequence[tuple[str, str]], directory: Directory, where: str
) -> tuple[tuple[Target, ...], Sequence[str]]:
    if not asked:
        return (), ()
    targets: dict[Target, None] = {}
    problems: list[str] = []
    for kind, ident in asked:
        target, problem = existing(kind, ident, directory)
        if target:
            targets[target] = None
        else:
            problems.append(f"Target of the {where} ignored: {problem}")
    return tuple(targets), problems


def existing(kind: str, ident: str, directory: Directory) -> tuple[Target | None, str]:
    """Return the target if there is such a thing, else why not; type names in any case, ids trimmed."""
    wire = TYPES.get(kind.strip().lower())
    if wire is None or wire == "Functionality":
        return None, f"unknown type {kind[:60]!r} (User, Group, EscalationPolicy or Service)."
    ident = ident.strip()
    if wire == "User":
        number = ident.isascii() and ident.isdecimal() and len(ident) < 10
        user = directory.users.get(int(ident)) if number else None
        if user is None or not user.active:
            return None, f"there is no User {ident[:60]!r}."
        return Target(type=wire, id=str(user.id)), ""
    thing: Team | Service | Policy | None
    match wire:
        case "Group":
            thing = directory.teams.get(ident.lower())
        case "Service":
            thing = directory.services.get(ident.lower())
        case _:
            thing = directory.policies.get(ident.lower())
    if thing is None:
        return None, f"there is no {wire} {ident[:60]!r}."
    return Target(type=wire, id=str(thing.id)), ""


# ---------------------------------------------------------------- routes


def _matched(
    unit: Unit, envelope: Envelope, source: Source, directory: Directory, urgency_id: UUID | None
) -> Iterable[Matched]:
    bound = [r for r in directory.routes if source.id in r.source_ids]
    if not bound:
        return
    payload = identity.document(envelope, unit.signals)
    for one in bound:
        rule = first_match(one, payload, urgency_id)
        if rule:
            yield Matched(rule_id=rule.id, name=rule.name, route=one.name, targets=rule.destinations)


def first_match(one: Route, payload: dict[str, Any], urgency_id: UUID | None = None) -> RouteRule | None:
    """Return the first rule that matches; fallback rules stand last in a Directory."""
    for rule in one.rules:
        if rule.fallback or not rule.groups:
            return rule
        for group in rule.groups:
            if all(holds(condition, payload, urgency_id) for condition in group):
                return rule
    return None


def holds(condition: Condition, payload: dict[str, Any], urgency_id: UUID | None = None) -> bool:
    """Return whether a condition holds for a payload; an attribute or path that is absent counts as empty."""
    if condition.urgency_ids and str(urgency_id) not in condition.urgency_ids:
        return False
    if condition.matchers:
        return all(matcher.matches(payload["commonLabels"]) for matcher in condition.matchers)
    if condition.urgency_ids and not condition.name:
        return True
    return compared(condition.operator, values(condition, payload), condition.values)


def values(condition: Condition, payload: dict[str, Any]) -> list[Any]:
    """Return what a condition looks at in a payload."""
    return condition.find(payload) if condition.find else [_attribute(payload, condition.name)]


def _attribute(payload: dict[str, Any], name: str) -> Any:
    labels = payload["commonLabels"]
    known = {"summary": labels.get("alertname"), "source": "alertmanager", "status": payload["status"]}
    if name in alert_fields.BUILT_IN:
        return labels.get(name) or alert_fields.value(payload, name)
    return known[name] if name in known else labels.get(name.removeprefix("labels."))
