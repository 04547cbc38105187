"""Puts into words what a message says: one line, a few more, and links that work for this alert and person only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import links, shortid
from nightbell.core.delivery import Message, Purpose
from nightbell.core.paging import NOBODY
from nightbell.engine.bundles import bundled
from nightbell.engine.particulars import Clerk
from nightbell.engine.providers import Providers
from nightbell.engine.vault import Vault
from nightbell.store.db import Row
from nightbell.store.write.outbox import Claimed

_TITLE = 200


class Desk:
    """Writes messages. Knows where we are reached and which key signs links."""

    def __init__(self, vault: Vault, base_url: str, providers: Providers | None = None) -> None:
        self.clerk = Clerk(vault, base_url, providers or Providers(vault))
        self._vault = vault
        self._base = base_url.rstrip("/")

    def message(self, claimed: Claimed, row: Row, now: datetime) -> Message:
        """Return the message of a claimed notification; `row` is what `addressed` read for it."""
        test = claimed.purpose == Purpose.TEST or claimed.alert_id is None
        token = "" if test else self._token(claimed, row["cycle"] or 0, now)
        # Who only shadows takes nothing from anybody by a tap: what they press, they press on the alert's page. So does
        # whoever reads a channel: a link would act in nobody's name.
        own = claimed.user_id != NOBODY and not row["shadows"]
        link = f"{self._base}/a/{token}" if token and own else ""
        short = "" if test else shortid.encode(row["number"])
        return Message(
            notification_id=claimed.id,
            idempotency_key=claimed.idempotency_key,
            purpose=Purpose(claimed.purpose),
            address=self._vault.open_text(row["address"]),
            settings=self._opened(row["settings"]) | _ending(row),
            recipient=row["recipient"],
            sent_at=now,
            title=_plain_title(row) if test else _title(row),
            body=_plain_body(row) if test else _body(row),
            status="" if test else row["status"],
            urgency=(row["urgency"] or "") if not test else "",
            short_id=short,
            labels=(row["labels"] or {}) if not test else {},
            annotations=(row["annotations"] or {}) if not test else {},
            started_at=None if test else row["started_at"],
            level=claimed.level,
            alert_url=f"{self._base}/account/alerts/{short}"
            if short
            else row["because"].get("url", self._base),
            acknowledge_url=f"{link}/acknowledge" if link else "",
            escalate_url=f"{link}/escalate" if link else "",
            snooze_url=f"{link}/snooze" if link else "",
        )

    def bundle(self, parts: Sequence[tuple[Claimed, Row]], now: datetime) -> Message:
        """Return the one message that stands for several claimed notifications."""
        first, row = parts[0]
        return bundled(self.message(first, row, now), [(c, r) for c, r in parts])

    def _token(self, claimed: Claimed, cycle: int, now: datetime) -> str:
        expires = int((now + links.LIFE).timestamp())
        alert = claimed.alert_id or UUID(int=0)
        return links.sign(
            self._vault.link_key, links.Link(alert, claimed.user_id, claimed.id, cycle, expires)
        )

    def _opened(self, settings: dict[str, Any]) -> dict[str, str]:
        return {k: self._vault.open_text(v) if isinstance(v, str) else str(v) for k, v in settings.items()}


def _title(row: Row) -> str:
    firing = row["firing_count"]
    count = f" ({firing} firing)" if row["status"] != "resolved" and row["member_count"] > 1 else ""
    count += f" +{row['followers']} in its group" if row["followers"] else ""
    what = "resolved" if row["status"] == "resolved" else row["because"].get("what", "")
    state = f"{what.capitalize()}: " if what else ""
    return f"{state}{row['summary'][:_TITLE]}{count}"


def _body(row: Row) -> str:
    labels = row["labels"] or {}
    annotations = row["annotations"] or {}
    listening = f"You shadow {row['shadows']}, whose alert this is." if row["shadows"] else ""
    lines = [
        listening,
        row["because"].get("said", ""),
        row["description"] or annotations.get("summary") or "",
    ]
    lines += [
        f"{name}: {labels[name]}" for name in ("severity", "instance", "job", "namespace") if name in labels
    ]
    if row["followers"]:
        more = f"{row['followers']} more alerts follow" if row["followers"] != 1 else "1 more alert follows"
        lines.append(f"{more} this one and page nobody else")
    lines.append(f"since {row['started_at']:%Y-%m-%d %H:%M:%S} UTC")
    runbook = annotations.get("runbook_url", "")
    if runbook.startswith(("http://", "https://")):
        lines.append(f"runbook: {runbook}")
    return "\n".join(line for line in lines if line)


def _ending(row: Row) -> dict[str, str]:
    """Return where somebody outside ends what they are told, for mail programs that offer that by themselves."""
    url = row["because"].get("unsubscribe", "")
    return {"unsubscribe": url} if url else {}


def _plain_title(row: Row) -> str:
    """Return the line of a message about no alert: what was said of an incident, a notice of a shift, or a test."""
    if title := row["because"].get("title"):
        return str(title)
    said: str = row["notice"] or "Nightbell test message"
    return said.partition(". ")[0].rstrip(".")


def _plain_body(row: Row) -> str:
    if row["because"].get("title"):
        return str(row["because"].get("body", ""))
    if row["notice"]:
        said: str = row["notice"].partition(". ")[2]
        return said or "Times are where you live."
    return "If you can read this, a page would reach you here."
