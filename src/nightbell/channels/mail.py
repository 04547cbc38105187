"""Writes a notification as an e-mail: headers that thread, a plain part and an HTML part with three big buttons.

Pure. Every piece of alert text passes `text` before a header and `escape` before HTML.
"""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from nightbell.channels.text import clipped, facts, lines, links, one_line, subject
from nightbell.core import bundling
from nightbell.core.delivery import Message, Purpose

# Seven bits reach every server, whatever it announces.
_POLICY = SMTP.clone(cte_type="7bit")

_LONGEST_BODY = 16 * 1024
#: How many alerts one mail names.
_MOST_NAMED = 500
_LONGEST_VALUE = 2 * 1024
_MOST_PAIRS = 60

_COLOURS = {"Acknowledge": "#15803d", "Escalate": "#b91c1c", "Snooze": "#1d4ed8", "Open alert": "#374151"}
_CELL = "padding:4px 12px 4px 0;vertical-align:top;font-size:14px;line-height:20px"
_PAGE = "margin:0;padding:16px;background:#ffffff;color:#111827;font-family:system-ui,-apple-system,'Segoe UI',sans-serif"


def compose(message: Message, sender: str) -> EmailMessage:
    """Return the mail for one notification. `sender` is an address, with or without a display name."""
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2] or "localhost"
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(display_name=one_line(name, most=100), addr_spec=address)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = subject(message)
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = f"<{_digest(message.idempotency_key)}@{domain}>"
    _relate(mail, message, domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if unsubscribe := message.settings.get("unsubscribe", ""):
        # One press in the mail program posts there (RFC 8058).
        mail["List-Unsubscribe"] = f"<{one_line(unsubscribe, most=400)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.purpose is Purpose.PAGE:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(plain(message))
    mail.add_alternative(html(message), subtype="html")
    # By default it is random; another attempt shall be the same mail, byte for byte.
    mail.set_boundary(_digest("boundary", message.idempotency_key))
    return mail


def _said(message: Message) -> str:
    """Return what a mail says: there is room to name what other channels only count."""
    return bundling.body(message.bundle, most=_MOST_NAMED) if message.bundle else message.body


def plain(message: Message) -> str:
    """Return the text part."""
    parts = [
        one_line(message.title, most=400),
        "\n".join(f"{name}: {value}" for name, value in facts(message)),
        lines(_said(message), most=_LONGEST_BODY),
        "\n".join(f"{label}: {url}" for label, url in links(message)),
        *(_plain_pairs(title, pairs) for title, pairs in _tables(message)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def html(message: Message) -> str:
    """Return the HTML part: inline styles only, nothing to load, no link that is not ours."""
    paragraphs = escape(lines(_said(message), most=_LONGEST_BODY)).replace("\n", "<br>\n")
    parts = [
        f'<h1 dir="auto" style="margin:0 0 8px;font-size:20px;line-height:28px">{escape(one_line(message.title, most=400))}</h1>',
        _table(facts(message)),
        "".join(_button(label, url) for label, url in links(message)),
        f'<p dir="auto" style="font-size:14px;line-height:20px">{paragraphs}</p>' if paragraphs else "",
        *(f"{_heading(title)}{_table(pairs)}" for title, pairs in _tables(message)),
    ]
    body = "\n".join(part for part in parts if part)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f'<!doctype html>\n<html><head>{head}</head><body style="{_PAGE}">\n{body}\n</body></html>\n'


def _relate(mail: EmailMessage, message: Message, domain: str) -> None:
    """Thread all mail of one alert below an id that no mail has, so that order of arrival does not matter."""
    if not message.short_id:
        return
    root = f"<{_digest('alert', message.short_id)}@{domain}>"
    mail["In-Reply-To"] = root
    mail["References"] = root
    named = ", ".join(one.short_id for one in message.bundle[:_MOST_NAMED])
    mail["X-Nightbell-Alert"] = named or one_line(message.short_id, most=100)


def _digest(*parts: str) -> str:
    # Short enough that no header is folded: older Pythons break a folded Message-ID.
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _tables(message: Message) -> list[tuple[str, list[tuple[str, str]]]]:
    tables = [("Labels", message.labels), ("Annotations", message.annotations)]
    return [(title, _shortened(pairs)) for title, pairs in tables if pairs]


def _shortened(pairs: dict[str, str]) -> list[tuple[str, str]]:
    kept = [
        (one_line(name, most=200), lines(value, most=_LONGEST_VALUE))
        for name, value in list(pairs.items())[:_MOST_PAIRS]
    ]
    return kept + ([("", f"{len(pairs) - _MOST_PAIRS} more")] if len(pairs) > _MOST_PAIRS else [])


def _plain_pairs(title: str, pairs: list[tuple[str, str]]) -> str:
    return "\n".join([f"{title}:", *(f"  {name} = {value}" for name, value in pairs)])


def _heading(title: str) -> str:
    return f'<h2 style="margin:16px 0 4px;font-size:14px">{escape(title)}</h2>'


def _table(pairs: list[tuple[str, str]]) -> str:
    rows = "\n".join(
        f'<tr><td style="{_CELL};color:#6b7280"><bdi>{escape(name)}</bdi></td>'
        f'<td style="{_CELL}"><bdi>{escape(value)}</bdi></td></tr>'
        for name, value in pairs
    )
    return f'<table role="presentation" cellspacing="0" cellpadding="0">\n{rows}\n</table>'


def _button(label: str, url: str) -> str:
    style = (
        f"display:inline-block;margin:12px 8px 4px 0;padding:14px 24px;border-radius:8px;background:{_COLOURS[label]};"
        "color:#ffffff;font-size:16px;font-weight:600;text-decoration:none"
    )
    return f'<a href="{escape(clipped(url, most=2000))}" style="{style}">{label}</a>\n'
