"""Posts to a Teams channel or chat through a workflow's webhook, as an adaptive card.

Alert text goes only where Teams knows no Markdown (RichTextBlock), so it can be neither a link nor a mention.
"""

from typing import Any

import msgspec

from nightbell.channels import answers
from nightbell.channels.text import facts, lines, links, one_line, subject
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Retry, Sent
from nightbell.core.errors import Invalid
from nightbell.net.http import Answer, Http

# 28 KB by the documentation; others measured refusals from 21 KB on.
_LONGEST_CARD = 20_000
_LONGEST_BODY = 6_000
_LONGEST_VALUE = 500
_COLOURS = {"triggered": "attention", "acknowledged": "warning", "resolved": "good"}
#: Old webhooks answer 200 and say in the text that the message failed.
_FAILED = "message delivery failed"


class Teams:
    """Delivers to the webhook of a workflow: "Post to a channel when a webhook request is received"."""

    kind = "teams"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is not the address of a webhook."""
        hint = "in Teams: the channel's menu → Workflows → “Send webhook alerts to a channel”; copy its URL"
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address", hint=hint)

    async def send(self, message: Message) -> Outcome:
        """Post the card."""
        ask = answers.Ask(
            url=message.address, body=render(message), headers={"Content-Type": "application/json"}
        )
        return await answers.exchange(self._http, ask, lambda answer: _judged(answer, message))


def render(message: Message) -> bytes:
    """Return the card, its text cut until all of it fits; buttons are never cut."""
    room = _LONGEST_BODY
    while True:
        card = msgspec.json.encode(_posted(message, room))
        if len(card) <= _LONGEST_CARD or room <= 16:
            return card
        room //= 2


def _posted(message: Message, room: int) -> dict[str, Any]:
    heading = subject(message)
    body = lines(message.body, most=room)
    known = [{"title": name, "value": one_line(value, most=_LONGEST_VALUE)} for name, value in facts(message)]
    blocks: list[dict[str, Any]] = [_text(heading, weight="bolder", size="large", color=_colour(message))]
    blocks += [_text(f"{one['title']}: {one['value']}", isSubtle=True) for one in known]
    blocks += [_text(line) for line in body.split("\n") if line.strip()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        # What is read on a locked screen.
        "fallbackText": heading,
        "msteams": {"width": "Full"},
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in links(message)],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "summary": heading, "attachments": [attachment]}


def _text(text: str, **style: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _colour(message: Message) -> str:
    return _COLOURS.get(message.status, "default") if message.purpose is not Purpose.TEST else "accent"


def _judged(answer: Answer, message: Message) -> Outcome:
    if answers.accepted(answer):
        said = one_line(answer.body[:1000].decode("utf-8", "replace"), most=300)
        if said.startswith("<"):
            # A page to log in, of a proxy or of Microsoft; a workflow answers with nothing.
            return answers.unlike(answer)
        if _FAILED not in said.lower():
            return Sent(detail=f"HTTP {answer.status}")
        return Retry(why=said) if "429" in said else Refused(why=said)
    outcome = answers.rejected(answer, message.sent_at)
    if isinstance(outcome, Refused) and answer.status in (404, 410):
        return Refused(why=f"{outcome.why}; the workflow was deleted or its address changed", gone=True)
    return outcome
