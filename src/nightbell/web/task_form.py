"""The form of a task, made from the schema of its parameters; of another vendor's, its parameters as JSON.

Rule 1: an empty field is one that is not set; what the schema does not know is kept as it was stored.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.engine.tasks.contract import Task
from nightbell.web.forms import Form

#: The one field of a task that nothing here carries out.
WHOLE = "task_params"
_LONGEST = 50_000
#: What a parameter may name, by its own name: (value, name).
Pickers = Mapping[str, Sequence[tuple[str, str]]]
_YES_OR_NO = ("true", "false")
_CALLED = {
    "url": "Address (URL)",
    "succeed_on_status": "Which status is a success",
    "retry_count": "Tries again so often",
    "retry_wait_time": "Seconds between tries",
    "group_target": "Team",
    "group_ids": "Teams",
    "group_id": "Team",
    "service_ids": "Services",
    "environment_ids": "Environments",
    "incident_type_ids": "Types",
    "attach_to_open": "Take an incident that is open already, by its",
    "resolve_with_alerts": "Resolve it when all of its alerts are resolved",
    "create_new_alert": "As an alert of its own, not the one that started this",
}
#: Texts that are more than a line.
_LONG = frozenset(
    {"body", "content", "description", "summary", "message", "text", "headers", "note", "event"}
)
#: What few ever set; folded away while it is empty.
_RARE = frozenset(
    """attribute_to_query_by query_value custom_fields_mapping post_to_slack_channels parent_message_thread_task
    thread_ts slack_user_groups actionables color custom_logo_url preheader include_header include_footer
    post_to_incident_timeline event_message event_url params inactivity_timeout attach_label assigned_to_user_id
    update_parent_message pin_to_channel broadcast_thread_reply_to_channel send_as_ephemeral cc bcc from
    send_only_as_threaded_message functionality_ids functionality_target escalation_note resource url
    started_at detected_at acknowledged_at mitigated_at resolved_at""".split()
)


class Field(Struct, frozen=True, kw_only=True):
    """One field. `kind`: text, long, number, flag, choice, lines, nameds, json; pick, picks, named choose from a list.

    Shape: `options` are (value, name), with whatever is chosen and not among them; `chosen` for picks.
    """

    name: str
    label: str
    kind: str
    needed: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()
    #: As it is shown, and as it came from the form.
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    chosen: tuple[str, ...] = ()
    #: A box that is ticked when nothing is said.
    ticked: bool = False
    rare: bool = False

    @property
    def place(self) -> str:
        """Return its name in the form: parameters may be called like anything else there."""
        return f"p-{self.name}"


def fields(task: Task | None, params: Mapping[str, Any], pickers: Pickers) -> tuple[Field, ...]:
    """Return the fields of a task, with what they hold."""
    own = {name: value for name, value in params.items() if name != "task_type"}
    if task is None:
        text = json.dumps(own, indent=2, ensure_ascii=False) if own else "{}"
        return (Field(name=WHOLE, label="Parameters", kind="json", hint="As Rootly has them.", value=text),)
    schema = msgspec.json.schema(task.params)
    shape = _resolved({"$ref": schema["$ref"]}, schema)
    needed = shape.get("required", ())
    return tuple(
        _field(name, _resolved(part, schema), needed=name in needed, held=own.get(name), pickers=pickers)
        for name, part in shape.get("properties", {}).items()
    )


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a schema without references, and without the null that "not set" is."""
    found = dict(part)
    if "anyOf" in found:
        parts = found.pop("anyOf")
        real = [one for one in parts if one.get("type") != "null"]
        found |= _resolved(real[0], schema)
        if len(real) < len(parts) and found.get("type") == "boolean":
            found["enum"] = list(_YES_OR_NO)
    if "$ref" in found:
        name = found.pop("$ref").rpartition("/")[2]
        # What a definition is called says nothing of the parameter.
        own = {k: v for k, v in schema["$defs"][name].items() if k not in ("title", "description")}
        found = {**own, **found}
    if found.get("type") == "array":
        found["items"] = _resolved(found.get("items") or {}, schema)
    return found


def _field(name: str, part: Mapping[str, Any], *, needed: bool, held: Any, pickers: Pickers) -> Field:
    kind = _kind(name, part, listed=name in pickers)
    if held is None and kind in ("choice", "flag", "number"):
        held = part.get("default")
    chosen = tuple(map(str, held)) if kind == "picks" and isinstance(held, list) else ()
    value = _shown(kind, held)
    return Field(
        name=name,
        label=str(part.get("title") or _label(name)),
        kind=kind,
        needed=needed,
        hint=str(part.get("description") or "") if kind != "named" else "",
        choices=tuple(str(one) for one in part.get("enum", ()) if one is not None),
        value=value,
        options=_options(pickers.get(name, ()), (*chosen, value) if kind in ("pick", "named") else chosen),
        chosen=chosen,
        ticked=part.get("default") is True,
        rare=name in _RARE and not needed and (held is None or held in (part.get("default"), [], "")),
    )


def _label(name: str) -> str:
    words = (
        name.replace("_", " ").removesuffix(" id").removesuffix(" ids").removesuffix(" target").capitalize()
    )
    return _CALLED.get(name, words)


def _options(known: Sequence[tuple[str, str]], held: Sequence[str]) -> tuple[tuple[str, str], ...]:
    values = {value for value, _ in known}
    return (*known, *((one, one) for one in held if one and one not in values))


def _kind(name: str, part: Mapping[str, Any], *, listed: bool) -> str:  # noqa: C901  a table
    if "enum" in part:
        return "choice"
    names, items = part.get("properties") or {}, part.get("items") or {}
    match part.get("type"):
        case "string" if listed:
            return "pick"
        case "string":
            return "long" if name in _LONG else "text"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "flag"
        case "array" if items.get("type") == "string":
            return "picks" if listed else "lines"
        case "array" if {"id", "name"} == set(items.get("properties") or {}):
            return "nameds"
        case "object" if {"id", "name"} == set(names) and listed:
            return "named"
        case _:
            return "json"


def _shown(kind: str, held: Any) -> str:
    if held is None:
        return ""
    if kind == "lines" and isinstance(held, list):
        return "\n".join(map(str, held))
    if kind == "nameds" and isinstance(held, list):
        return "\n".join(_shown("named", one) for one in held)
    if kind == "named":
        return str((held.get("id") or held.get("name") or "") if isinstance(held, dict) else held)
    if kind == "flag":
        return "1" if held is True or held == "true" else ""
    return held if isinstance(held, str) else json.dumps(held, indent=2, ensure_ascii=False)


def read(
    task: Task | None, kind: str, form: Form, stored: Mapping[str, Any], pickers: Pickers
) -> dict[str, Any]:
    """Return the parameters that a form stands for; what it does not show is as it was.

    Raises: Invalid naming the field for JSON that is none.
    """
    shown = fields(task, {}, pickers)
    if task is None:
        return {"task_type": kind, **_object(form.text(shown[0].place, longest=_LONGEST))}
    params = {**stored, "task_type": kind}
    for field in shown:
        value = _value(field, form, stored.get(field.name))
        if value is None:
            params.pop(field.name, None)
        else:
            params[field.name] = value
    return params


def _object(text: str) -> dict[str, Any]:
    held = _json(WHOLE, text or "{}")
    if not isinstance(held, dict):
        raise Invalid('Parameters are an object: {"title": "…"}.', place=WHOLE)
    return held


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"This is no JSON: {error}", place=name) from error


def _value(field: Field, form: Form, stored: Any) -> Any:
    """Return what a field holds, None where it is not set; a name that is stored with an id stays with it."""
    text = form.text(field.place, longest=_LONGEST)
    match field.kind:
        case "flag":
            return text == "1" if text == "1" or field.ticked else None
        case "choice" if field.choices == _YES_OR_NO:
            return text == "true" if text else None
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()] or None
        case "nameds":
            known = {str(one.get("id")): one for one in stored or () if isinstance(one, dict)}
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            return [known.get(line, {"id": line, "name": line}) for line in lines] or None
        case "picks":
            return form.many(field.place) or None
        case "named":
            name = next((name for value, name in field.options if value == text), text)
            return {"id": text, "name": name} if text else None
        case "number":
            return int(text) if text.lstrip("-").isdecimal() and len(text) < 12 else (text or None)
        case "json":
            return _json(field.name, text) if text else None
        case _:
            return text or None


def with_text(shown: tuple[Field, ...], form: Form) -> tuple[Field, ...]:
    """Return the fields with what the form holds, right or wrong."""
    return tuple(
        msgspec.structs.replace(
            one,
            value=form.raw(one.place)[:_LONGEST],
            chosen=tuple(form.many(one.place)) if one.kind == "picks" else (),
        )
        for one in shown
    )
