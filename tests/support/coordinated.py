"""Incidents made the way somebody without scripts makes them, and what their pages then say."""

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import unquote

from support.rota import Lead


def opened(lead: Lead, title: str, **fields: object) -> str:
    """Open an incident and return where its page is."""
    given = {"title": title, "status": "started", "resolve_alerts": "1", **fields}
    return lead.made("/incidents", given)


def said(lead: Lead, path: str, fields: Mapping[str, object] | None = None) -> str:
    """Send a form that leads on, and return what the next page says of it; a refusal begins with "!"."""
    answer = lead.send(path, fields or {})
    assert answer.status_code == 303, (path, answer.status_code, answer.text[:300])
    toast = unquote((answer.cookies.get("nightbell_toast") or "").strip('"'))
    lead.http.cookies.delete("nightbell_toast")
    return toast.removeprefix(".")


def text(lead: Lead, path: str) -> str:
    """Return a page's words, which must be there."""
    answer = lead.http.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def ids(lead: Lead, path: str, kind: str) -> list[str]:
    """Return the ids in links and forms of a page: `kind` stands before the id in the address."""
    found = re.findall(rf"/{kind}/([0-9a-f-]{{36}})", lead.http.get(path).text)
    return list(dict.fromkeys(found))


def wrong(lead: Lead, path: str, fields: Mapping[str, object]) -> str:
    """Send a form that must be shown again, and return the words of that page."""
    answer = lead.send(path, fields)
    assert answer.status_code == 422, (path, answer.status_code, answer.headers.get("location"))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
