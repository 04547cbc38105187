"""What a run keeps of its steps for people to read, without the secrets that were sent along.

Rule 1: masked before it is stored. What is stored is shown, exported and backed up.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "•••"
_WORDS = r"authorization|cookie|password|passwd|secret|token|api[-_]?key|credential|signature|private[-_]?key"
_SECRET = re.compile(_WORDS, re.IGNORECASE)
#: `"Authorization": "Bearer …"`, `X-Api-Key: …`, `token=…` inside of a text. It looks for the word, and not for the
#: name around it: that would go over a text without an end once for each of its characters.
_INSIDE = re.compile(
    rf"(?P<name>(?:{_WORDS})[\w.-]{{0,100}}[\"']?\s{{0,20}}[:=]\s{{0,20}})(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,&;}}\]\"']+(?: [^\s,&;}}\]\"']+)?)",
    re.IGNORECASE,
)
#: A line of a request that is a secret as a whole.
_LINE = re.compile(
    r"(?im)^(?P<name>[^\S\n]*(?:set-cookie|cookie|(?:proxy-)?authorization)[^\S\n]*:[^\S\n]*).+$"
)
#: `https://user:password@host`.
_USER = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}://)[^/\s@]{1,500}@", re.IGNORECASE)
#: Longer texts are cut: a run is not where bodies are kept.
LONGEST = 20_000
_DEEPEST = 20


def masked(value: Any, *, depth: int = 0) -> Any:
    """Return plain JSON with the values of secrets masked, and texts cut to what somebody would read."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(k): MASK if _hides(str(k), v) else masked(v, depth=depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [masked(one, depth=depth + 1) for one in value]
    return _text(value) if isinstance(value, str) else value


def _hides(key: str, value: Any) -> bool:
    return bool(value) and isinstance(value, str | int | float) and _SECRET.search(key) is not None


def _text(value: str) -> str:
    cut = value if len(value) <= LONGEST else value[:LONGEST] + "…"
    lines = _LINE.sub(rf"\g<name>{MASK}", cut)
    return _USER.sub(rf"\g<scheme>{MASK}@", _INSIDE.sub(rf"\g<name>{MASK}", lines))
