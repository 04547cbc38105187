"""The filters that rewrite a text: names of things in other spellings, and HTML as plain text or Markdown."""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Any

from liquid.exceptions import FilterArgumentError
from liquid.filter import string_filter

_ALIKE = (("y", "ies"), ("s", "ses"), ("x", "xes"), ("z", "zes"), ("ch", "ches"), ("sh", "shes"))
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART = re.compile(r"[\s_\-]+")
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9_]+")
#: HTML is read this far.
_LONGEST_HTML = 50_000


@string_filter
def dasherize(text: str) -> str:
    """Return a text with dashes for underscores."""
    return text.replace("_", "-")


@string_filter
def parameterize(text: str, between: Any = "-") -> str:
    """Return a text as part of an address: "API is down" becomes "api-is-down"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return str(between).join(part for part in _NOT_IN_SLUGS.split(plain) if part)


@string_filter
def camelize(text: str, first: Any = "upper") -> str:
    """Return a text as one word of capitals: "api_server" becomes "ApiServer", "apiServer" with `lower`."""
    words = [word[:1].upper() + word[1:] for word in _APART.split(text.strip()) if word]
    joined = "".join(words)
    return joined[:1].lower() + joined[1:] if first == "lower" else joined


@string_filter
def humanize(text: str) -> str:
    """Return a name as people write it: "service_id" becomes "Service"."""
    words = " ".join(_APART.split(text.strip().removesuffix("_id"))).lower()
    return words[:1].upper() + words[1:]


@string_filter
def titleize(text: str) -> str:
    """Return a text with every word capital: "api_server" becomes "Api Server"."""
    words = _APART.split(_CAPITAL.sub(" ", text.strip().removesuffix("_id")))
    return " ".join(word[:1].upper() + word[1:].lower() for word in words)


@string_filter
def pluralize(text: str, count: Any = None, many: Any = None) -> str:
    """Return the plural of an English word; with a number only where it is not one."""
    if count is not None:
        try:
            one = float(count) == 1
        except (TypeError, ValueError) as error:
            raise FilterArgumentError(f"'{count}' is not a number", token=None) from error
        if one:
            return text
    if many:
        return str(many)
    if text.endswith(("ay", "ey", "oy", "uy")) or not text:
        return text and text + "s"
    for end, plural in _ALIKE:
        if text.endswith(end):
            return text.removesuffix(end) + plural
    return text + "s"


@string_filter
def shortener(text: str) -> str:
    """Return an address as it is: no service that shortens is asked."""
    return text


@string_filter
def strip_html(text: str) -> str:
    """Return a text without HTML tags, and without what stands in scripts and styles."""
    return "".join(piece for tag, piece in _pieces(text) if tag is None)


@string_filter
def html_to_markdown(text: str) -> str:
    """Return HTML as Markdown: headings, lists, links, emphasis, code and quotes."""
    out: list[str] = []
    links: list[str] = []
    for tag, piece in _pieces(text):
        if tag is None:
            out.append(unescape(piece))
        elif tag == "a":
            links.append(_address(piece))
            out.append("[")
        elif tag == "/a":
            out.append(f"]({links.pop() if links else ''})")
        else:
            out.append(_MARKS.get(tag, ""))
    return _GAPS.sub("\n\n", _SPACED_ENDS.sub("\n", "".join(out))).strip()


_MARKS = {
    "br": "\n",
    "hr": "\n\n---\n\n",
    "p": "\n\n",
    "/p": "\n\n",
    "div": "\n",
    "/div": "\n",
    "li": "\n- ",
    "ul": "\n",
    "/ul": "\n\n",
    "ol": "\n",
    "/ol": "\n\n",
    "blockquote": "\n\n> ",
    "/blockquote": "\n\n",
    "pre": "\n\n```\n",
    "/pre": "\n```\n\n",
    "tr": "\n",
    "td": " ",
    "th": " ",
    **{
        name: mark
        for tag, mark in (("strong", "**"), ("b", "**"), ("em", "_"), ("i", "_"), ("code", "`"))
        for name in (tag, f"/{tag}")
    },
    **{f"h{n}": "\n\n" + "#" * n + " " for n in range(1, 7)},
    **{f"/h{n}": "\n\n" for n in range(1, 7)},
}
_GAPS = re.compile(r"\n{3,}")
_SPACED_ENDS = re.compile(r"(?<![ \t])[ \t]++\n")
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
_UNSEEN = ("script", "style")


def _pieces(html: str) -> Iterator[tuple[str | None, str]]:
    """Yield texts, and tags by name with all that stands in them. One look at each character: what has no end is text."""
    html, at = html[:_LONGEST_HTML], 0
    while (start := html.find("<", at)) >= 0:
        comment = html.startswith("<!--", start)
        mark = "-->" if comment else ">"
        end = html.find(mark, start)
        if end < 0:
            break
        if start > at:
            yield None, html[at:start]
        at = end + len(mark)
        inner = html[start + 1 : end]
        name = inner.split(None, 1)[0].rstrip("/").lower() if inner.strip() else ""
        if name in _UNSEEN:
            closing = html.lower().find(f"</{name}", at)
            at = closing if closing >= 0 else len(html)
        elif name and not comment:
            yield name, inner
    if at < len(html):
        yield None, html[at:]


def _address(inner: str) -> str:
    found = _HREF.search(inner[:2_000])
    return unescape(next((group for group in found.groups() if group), "")) if found else ""
