"""Routes: rules from what an alert says to whom it is for. Wire names on one side, the schema's on the other."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources import conditions
from nightbell.api.sent import list_at, object_at, uuid_of
from nightbell.core.access import Permission
from nightbell.engine.edits import RouteEdit
from nightbell.store.read import sources
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    found = await sources.routes(call.db, call.listing)
    return Found(rows=[_shown(call, row) for row in found.rows], total=found.total)


async def _get(call: Call, key: str) -> Record | None:
    row = await sources.route(call.db, uuid_of(key))
    return row and _shown(call, row)


def _shown(call: Call, row: Record) -> Record:
    with_ids = "show_nested_ids" in call.query.flags
    row["shown_rules"] = [_wire_rule(rule, i, with_ids=with_ids) for i, rule in enumerate(row["rules"], 1)]
    return row


def _wire_rule(rule: Record, position: int, *, with_ids: bool) -> dict[str, Any]:
    shown = {
        "name": rule["name"],
        "position": position,
        "fallback_rule": rule["fallback"],
        "destinations": rule["destinations"],
        "condition_groups": [
            {"position": number, "conditions": [conditions.shown(c) for c in group["conditions"]]}
            for number, group in enumerate(rule["condition_groups"], 1)
        ],
    }
    return {"id": rule["id"], **shown} if with_ids else shown


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = ROUTES.taken(sent)
    if "rules" in sent:
        rules = [object_at(rule, f"rules[{i}]") for i, rule in enumerate(list_at(sent["rules"], "rules"))]
        ordered = sorted(rules, key=_position)
        fields["rules"] = [_rule(rule, f"rules[{rules.index(rule)}]") for rule in ordered]
    return fields


def _position(rule: dict[str, Any]) -> float:
    # Rules without a position keep their place behind those with one; sorting is stable.
    position = rule.get("position")
    return position if isinstance(position, int) else float("inf")


def _rule(rule: dict[str, Any], place: str) -> dict[str, Any]:
    groups = list_at(rule.get("condition_groups"), f"{place}.condition_groups")
    destinations = list_at(rule.get("destinations"), f"{place}.destinations")
    return {
        "id": rule.get("id"),
        "destroy": bool(rule.get("_destroy")),
        "name": rule.get("name"),
        "fallback": bool(rule.get("fallback_rule")),
        "destinations": [_destination(d, f"{place}.destinations[{i}]") for i, d in enumerate(destinations)],
        "condition_groups": [_group(g, f"{place}.condition_groups[{i}]") for i, g in enumerate(groups)],
    }


def _destination(value: Any, place: str) -> dict[str, Any]:
    destination = object_at(value, place)
    return {name: destination.get(name) for name in ("target_type", "target_id")}


def _group(value: Any, place: str) -> dict[str, Any]:
    asked = list_at(object_at(value, place).get("conditions"), f"{place}.conditions")
    return {"conditions": [conditions.sent(c, f"{place}.conditions[{i}]") for i, c in enumerate(asked)]}


async def _create(call: Call, edit: RouteEdit) -> UUID:
    with conditions.in_wire_words():
        return await call.edge.configure.create_route(_whole(edit), by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: RouteEdit) -> None:
    sent = edit.sent()
    if any(rule["id"] or rule["destroy"] for rule in sent.get("rules") or []):
        edit = RouteEdit(**{**sent, "rules": _merged(row["rules"], sent["rules"])})
    with conditions.in_wire_words():
        await call.edge.configure.update_route(row["id"], _whole(edit), by=call.actor, now=call.now)


def _merged(before: list[Record], sent: list[Record]) -> list[Record]:
    """Rules sent by id change or drop just those; the others stay, new ones follow (rootly.md 3, nested ids)."""
    named = {rule["id"]: rule for rule in sent if rule["id"]}
    kept = [_over(rule, named.get(rule["id"])) for rule in before]
    return [rule for rule in [*kept, *(rule for rule in sent if not rule["id"])] if not rule.get("destroy")]


def _over(rule: Record, change: Record | None) -> Record:
    if change is None:
        return rule
    return {**rule, **{name: value for name, value in change.items() if value not in (None, [])}}


def _whole(edit: RouteEdit) -> RouteEdit:
    """Drop the marks that only this file understands."""
    sent = edit.sent()
    if sent.get("rules"):
        sent["rules"] = [{k: v for k, v in rule.items() if k != "destroy"} for rule in sent["rules"]]
    return RouteEdit(**sent)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_route(row["id"], by=call.actor, now=call.now)


async def _rules_status(call: Call) -> tuple[Any, int]:
    """Say that the rules are in place: Terraform always asks, and ours are written in the request itself."""
    await ROUTES.row(call, call.parent)
    return {"status": "success", "error": ""}, 200


ROUTES = Resource(
    type="alert_routes",
    collections=("/alert_routes",),
    item="/alert_routes/{id}",
    find=_find,
    get=_get,
    edit=RouteEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    actions=(
        Action(
            method="GET",
            path="/alert_routes/{id}/async_rule_creation_status/{request_id}",
            summary="Say whether the rules of a route are in place",
            permission=Permission.VIEW,
            run=_rules_status,
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("enabled", Kind.FLAG, edit="enabled"),
        attribute("alerts_source_ids", Kind.LIST, of="source_ids", edit="source_ids"),
        attribute("owning_team_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        attribute("rules", Kind.LIST, of="shown_rules"),
        *times(),
    ),
)
