"""Posts a notification as JSON to any URL, signed, in our shape or in the receiver's own.

A template is a JSON document in which strings may hold `{{ field }}`. It is parsed before anything is filled in, so
the text of an alert can become a value and never structure, and is never looked at for placeholders itself.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Any

import msgspec

from nightbell.channels import answers
from nightbell.channels.text import CUT, clipped
from nightbell.core.delivery import Message, Outcome, Refused
from nightbell.core.errors import Invalid
from nightbell.net.http import Http

#: What leaves of a Message, and the names a template may use; the address and the settings hold secrets.
FIELDS = (
    "notification_id", "idempotency_key", "purpose", "recipient", "sent_at", "title", "body", "status", "urgency",
    "short_id", "labels", "annotations", "started_at", "level", "alert_url", "acknowledge_url", "escalate_url",
    "snooze_url",
)  # fmt: skip
_MAPPINGS = ("labels", "annotations")

# Receivers limit what they read, so no value may crowd out the others.
_LONGEST_TEXT = 16 * 1024
_LONGEST_VALUE = 4 * 1024
_MOST_PAIRS = 100
_LONGEST_TEMPLATE = 64 * 1024
_DEEPEST_TEMPLATE = 20

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z_]+)(?:\.([^{}\s]+))?\s*\}\}")


class Webhook:
    """Delivers to a URL of the user's own choosing."""

    kind = "webhook"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for an address that cannot be called or a template that cannot be filled."""
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address", hint="for example https://hooks.example.org/nightbell")
        if template := settings.get("template", ""):
            _inspect(parsed_template(template))

    async def send(self, message: Message) -> Outcome:
        """Post the message and report what the receiver said."""
        try:
            body = render(message)
        except Invalid as error:
            return Refused(why=f"template: {error.message}")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.idempotency_key,
            "X-Nightbell-Event": f"notification.{message.purpose}",
        }
        if secret := message.settings.get("secret", ""):
            headers["X-Nightbell-Signature"] = signature(secret, body, message.sent_at)
        return await answers.post(
            self._http, message.address, body=body, headers=headers, now=message.sent_at
        )


def render(message: Message) -> bytes:
    """Return the body to post.

    Raises: Invalid when the template is not usable.
    """
    data = fields(message)
    if template := message.settings.get("template", ""):
        return msgspec.json.encode(filled(parsed_template(template), data))
    event = {
        "id": message.notification_id,
        "type": f"notification.{message.purpose}",
        "issued_at": message.sent_at,
    }
    return msgspec.json.encode({"event": event, "data": data})


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the value of `X-Nightbell-Signature`: HMAC-SHA256 over the Unix time and the raw body.

    Source: the form of Rootly's outgoing webhooks (`t=…,v1=…`).
    """
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def fields(message: Message) -> dict[str, Any]:
    """Return what may leave of a message, as JSON values, long texts cut."""
    data: dict[str, Any] = msgspec.to_builtins({name: getattr(message, name) for name in FIELDS})
    for name, value in data.items():
        if isinstance(value, str):
            data[name] = clipped(value, most=_LONGEST_TEXT)
    return data | {name: _cut_pairs(data[name]) for name in _MAPPINGS}


def parsed_template(template: str) -> Any:
    """Return the JSON document a template is.

    Raises: Invalid.
    """
    if len(template) > _LONGEST_TEMPLATE:
        raise Invalid("the template is longer than 64 kB", place="settings.template")
    try:
        return msgspec.json.decode(template)
    except (msgspec.DecodeError, RecursionError) as error:
        hint = 'a JSON document with placeholders inside strings: {"text": "{{ title }}"}'
        raise Invalid(f"the template is not JSON: {error}", place="settings.template", hint=hint) from error


def filled(node: Any, data: dict[str, Any]) -> Any:
    """Return the template with every placeholder replaced; a string that is one placeholder keeps the value's type."""
    match node:
        case str():
            whole = _PLACEHOLDER.fullmatch(node)
            return _value(whole, data) if whole else _PLACEHOLDER.sub(lambda found: _text(found, data), node)
        case list():
            return [filled(item, data) for item in node]
        case dict():
            return {key: filled(value, data) for key, value in node.items()}
        case _:
            return node


def _value(found: re.Match[str], data: dict[str, Any]) -> Any:
    name, key = found.groups()
    value = data.get(name)
    return value if key is None else (value or {}).get(key, "")


def _text(found: re.Match[str], data: dict[str, Any]) -> str:
    match _value(found, data):
        case None:
            return ""
        case str() as text:
            return text
        case other:
            return msgspec.json.encode(other).decode()


def _inspect(node: Any, depth: int = 0) -> None:
    """Raise Invalid for nesting without end and for placeholders that name nothing."""
    if depth > _DEEPEST_TEMPLATE:
        raise Invalid(f"the template nests deeper than {_DEEPEST_TEMPLATE}", place="settings.template")
    match node:
        case str():
            _inspect_text(node)
        case list():
            for item in node:
                _inspect(item, depth + 1)
        case dict():
            for value in node.values():
                _inspect(value, depth + 1)


def _inspect_text(text: str) -> None:
    for name, key in _PLACEHOLDER.findall(text):
        if name not in FIELDS or (key and name not in _MAPPINGS):
            unknown = f"{name}.{key}" if key else name
            raise Invalid(
                f"no field {unknown!r}", place="settings.template", hint=f"fields: {', '.join(FIELDS)}"
            )
    if "{{" in _PLACEHOLDER.sub("", text):
        raise Invalid(
            "'{{' without a field", place="settings.template", hint="{{ title }} or {{ labels.severity }}"
        )


def _cut_pairs(pairs: dict[str, str]) -> dict[str, str]:
    kept = list(pairs.items())[:_MOST_PAIRS]
    cut = {clipped(key, most=_LONGEST_VALUE): clipped(value, most=_LONGEST_VALUE) for key, value in kept}
    return cut | ({CUT: f"{len(pairs) - _MOST_PAIRS} more"} if len(pairs) > _MOST_PAIRS else {})
