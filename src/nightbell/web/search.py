"""Reads the search box of the alert list: matchers as Prometheus writes them, and words of the summary."""

import re

from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.labels import Matcher, clean, parse_matchers

# A run of quoted text, braces' content and anything else without a space or comma; `a = "b c"` stays one term.
_TERM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s,"])+')
_SPACED = re.compile(r"(?<!\s)\s*(=~|!~|!=|=)\s*")
#: What somebody types; to read more of it would cost its square.
_LONGEST = 2_000
_HAS_OP = re.compile(r'^[^"]*?(=~|!~|!=|=)')


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; `error` says what could not be read, "" when all could."""

    text: str = ""
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()
    error: str = ""


def parse(text: str) -> Search:
    """Return what a search box asks for: `severity=~"crit.*" team=payments disk` is two matchers and a word."""
    text = clean(text)
    if len(text) > _LONGEST:
        return Search(error=f"Too long to look for: {_LONGEST:,} characters at most.")
    terms = _TERM.findall(_SPACED.sub(r"\1", text.strip().removeprefix("{").removesuffix("}")))
    asked = [term for term in terms if _HAS_OP.match(term)]
    words = tuple(term.strip('"') for term in terms if not _HAS_OP.match(term))
    try:
        return Search(text=text, matchers=tuple(parse_matchers(",".join(asked))), words=words)
    except Invalid as error:
        return Search(text=text, error=f"{error.message}. {error.hint}".strip())


def with_matcher(search: Search, name: str, value: str) -> str:
    """Return the text of a search with one more label required; unchanged when it is already."""
    extra = parse_matchers(f"{_quoted(name)}={_quoted(value)}")[0]
    if extra in search.matchers:
        return search.text
    return f"{search.text} {extra}".strip()


def without_matcher(search: Search, matcher: Matcher) -> str:
    """Return the text of a search with one condition dropped."""
    kept = [str(m) for m in search.matchers if m != matcher]
    return " ".join([*kept, *search.words])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
