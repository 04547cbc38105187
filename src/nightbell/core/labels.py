"""Decides what label sets are: their text, their identity, their tags, and which of them a matcher accepts.

Identity is always taken from the whole label set; `capped` is for what is stored and shown, and comes after.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct

from nightbell.core import patterns
from nightbell.core.errors import Invalid

#: What is kept for display. Units: labels, then characters.
MAX_LABELS = 256
MAX_LABEL = 4096
MAX_ANNOTATION = 65536
CUT = "…"

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with NUL and lone surrogates replaced: PostgreSQL takes neither, UTF-8 not the latter."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub(REPLACEMENT, text)


# Identity ------------------------------------------------------------------------------------------------

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_64_BITS = 0xFFFFFFFFFFFFFFFF


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's own fingerprint of a label set, 16 hex digits.

    Empty values are no labels; code point order is UTF-8 byte order. About 0.03 ms, so only where none was sent.
    Source: prometheus/common model/signature.go (FNV-1a over name, 0xFF, value, 0xFF).
    """
    h = _FNV_OFFSET
    for byte in b"".join(_hashed(k) + _hashed(v) for k, v in sorted(labels.items()) if v):
        h = ((h ^ byte) * _FNV_PRIME) & _64_BITS
    return f"{h:016x}"


def _hashed(text: str) -> bytes:
    # Go has no lone surrogates: its JSON decoder has already put U+FFFD there. NUL it keeps, and hashes.
    return _SURROGATE.sub(REPLACEMENT, text).encode() + b"\xff"


# Tags: what an index over labels holds --------------------------------------------------------------------

#: Longer values are hashed anew each time, so that nobody can fill the cache with megabytes.
_CACHED_VALUE = 256


def tag(key: str, value: str) -> int:
    """Return the number that stands for key=value in an index: signed 64 bits, the same on every machine."""
    return int(_cached_tag(key, value) if len(value) <= _CACHED_VALUE else _tag(key, value))


def tags(labels: Mapping[str, str]) -> list[int]:
    """Return a tag for each label. Give it the capped labels, so that what is shown is what is found."""
    return [tag(key, value) for key, value in labels.items()]


def written_tags(labels: Mapping[str, str]) -> str:
    """Return the same as PostgreSQL writes an array."""
    # The two-way choice of `tag` is written out here: a call each would cost half as much again.
    texts = [
        _cached_tag(key, value) if len(value) <= _CACHED_VALUE else _tag(key, value)
        for key, value in labels.items()
    ]
    return "{" + ",".join(texts) + "}"


def _tag(key: str, value: str) -> str:
    digest = blake2b(f"{key}={value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return str(int.from_bytes(digest, "big", signed=True))


#: As text, because a dozen are written for each alert and few are looked for.
_cached_tag = lru_cache(maxsize=32768)(_tag)


# Caps -----------------------------------------------------------------------------------------------------


def capped(labels: dict[str, str]) -> dict[str, str]:
    """Return what is kept of labels: 256 of them, `alertname` always among them, 4096 characters each."""
    if len(labels) <= MAX_LABELS and len("".join([*labels, *labels.values()])) <= MAX_LABEL:
        return labels  # nearly always: what is short together is short alone
    if len(labels) > MAX_LABELS:
        chosen = sorted(labels, key=lambda name: name != "alertname")[:MAX_LABELS]
        labels = {name: labels[name] for name in chosen}
    return {shortened(k, MAX_LABEL): shortened(v, MAX_LABEL) for k, v in labels.items()}


def capped_annotations(annotations: dict[str, str]) -> dict[str, str]:
    """Return what is kept of annotations: 256 of them, 65536 characters each."""
    if len(annotations) <= MAX_LABELS and len("".join([*annotations, *annotations.values()])) <= MAX_LABEL:
        return annotations
    kept = list(annotations.items())[:MAX_LABELS]
    return {shortened(k, MAX_LABEL): shortened(v, MAX_ANNOTATION) for k, v in kept}


def shortened(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, the cut marked."""
    return text if len(text) <= limit else text[: limit - 1] + CUT


def common(sets: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the labels that all the sets have, with the same value; none of no sets."""
    listed = list(sets)
    shared = dict(listed[0]) if listed else {}
    for other in listed[1:]:
        shared = {k: v for k, v in shared.items() if other.get(k) == v}
    return shared


# Matchers -------------------------------------------------------------------------------------------------


class Op(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


#: What needs no quotes, in any version of Prometheus.
_PLAIN_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Matcher(Struct, frozen=True):
    """One condition on one label, as Prometheus means it: an absent label is an empty one, a regexp is anchored."""

    name: str
    op: Op
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` satisfy this. At most 4096 characters of a value are looked at by a regexp."""
        actual = labels.get(self.name, "")
        match self.op:
            case Op.EQUAL:
                return actual == self.value
            case Op.NOT_EQUAL:
                return actual != self.value
            case Op.MATCHES:
                return patterns.anchored(self.value, actual[:MAX_LABEL])
            case Op.MATCHES_NOT:
                return not patterns.anchored(self.value, actual[:MAX_LABEL])

    def __str__(self) -> str:
        name = self.name if _PLAIN_NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.op}{_quote(self.value)}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:.\-/]*)")
_OP = re.compile(r"\s*(=~|!~|!=|=)")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'\s*([^\s,{}"=!~][^\s,{}"]*)')
_OPEN, _CLOSE, _COMMA = re.compile(r"\s*({)"), re.compile(r"\s*(})"), re.compile(r"\s*(,)")
_END = re.compile(r"\s*()\Z")
#: Other escapes keep their backslash, so that `"web\.example"` and `"web\\.example"` both mean the dot.
_ESCAPE = re.compile(r'\\([\\"n])')


def parse_matchers(text: str) -> list[Matcher]:
    """Return the matchers of `{severity=~"warn.*",team="x"}`; the braces may be left out, and so may quotes.

    Raises: Invalid, whose place counts characters from 1.
    Source: Alertmanager's matcher syntax.
    """
    return _MatcherReader(text).read()


class _MatcherReader:
    """Walks once over the text; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> list[Matcher]:
        last = _CLOSE if self._take(_OPEN) is not None else _END
        found: list[Matcher] = []
        while self._take(last) is None:
            if found and self._take(_COMMA) is None:
                raise self._wrong("a comma or a closing brace" if last is _CLOSE else "a comma")
            if found and self._take(last) is not None:
                break  # a comma after the last matcher is allowed
            found.append(self._matcher())
        if self._take(_END) is None:
            raise self._wrong("nothing more")
        return found

    def _matcher(self) -> Matcher:
        name = self._string(_NAME, "a label name")
        op = self._take(_OP)
        if op is None:
            raise self._wrong("=, !=, =~ or !~")
        start = self.at
        value = self._string(_BARE, "a value in double quotes")
        if op in (Op.MATCHES, Op.MATCHES_NOT):
            self._check_regexp(value, start)
        return Matcher(name, Op(op), value)

    def _check_regexp(self, pattern: str, start: int) -> None:
        if why := patterns.fault(pattern):
            self.at = start
            raise self._wrong("a regular expression", detail=f" ({why})")

    def _string(self, bare: re.Pattern[str], wanted: str) -> str:
        quoted = self._take(_QUOTED)
        if quoted is not None:
            return clean(_ESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], quoted))
        plain = self._take(bare)
        if plain is None:
            raise self._wrong(wanted)
        return clean(plain)

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[1]

    def _wrong(self, wanted: str, *, detail: str = "") -> Invalid:
        rest = self.text[self.at :].lstrip()
        place = f"character {len(self.text) - len(rest) + 1}"
        where = f"{place}, before {rest[:20]!r}" if rest else f"{place}, the end"
        hint = 'write matchers like {severity=~"warn.*",team="x"}'
        return Invalid(f"expected {wanted} at {where}{detail}", place=place, hint=hint)
