"""Reads what a sender's request says before its body: which sender the path is for, whom it names, which secret."""

from collections.abc import Container, Iterable
from urllib.parse import parse_qs, unquote

from litestar.types import HTTPScope

from nightbell.core.labels import clean, shortened
from nightbell.web.bodies import Refused

PREFIX = "/webhooks/incoming/"
#: Nobody else is below this: a sender that was given half an address reads why in JSON.
_MEANT = "/webhooks"
PUSH = "/api/v2/alerts"
#: What is kept of a path or a header: strangers write them. Units: characters.
_KEPT = 2048


def tidy(path: str) -> str:
    """Return a path as it is compared: senders double, drop and add slashes, and shout."""
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/").lower() if not path.lower().startswith(PREFIX) else path.lower()


def serves(path: str) -> bool:
    """Return whether a path is for senders, or was meant to be."""
    found = tidy(path)
    return found == PUSH or found == _MEANT or found.startswith(f"{_MEANT}/")


def route(scope: HTTPScope, known: Container[str]) -> tuple[str, tuple[str, str] | None]:
    """Return which sender a path is for and whom it names.

    The id may hold escaped slashes, so the raw path is read.
    Raises: Refused 404 for a path that is none of ours.
    """
    raw = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1").split("?", 1)[0]
    parts = [p for p in raw.split("/") if p]
    lowered = [p.lower() for p in parts]
    if lowered == ["api", "v2", "alerts"]:
        return "push", None
    name = lowered[2] if len(lowered) > 2 else ""
    kind = name.removesuffix("_webhooks")
    if not name.endswith("_webhooks") or kind not in known:
        raise Refused(404, "There is no such webhook: use /webhooks/incoming/alertmanager_webhooks.")
    if len(parts) == 3:
        return kind, None
    if lowered[3] != "notify":
        raise Refused(404, "After alertmanager_webhooks only /notify/<type>/<id> may follow.")
    target = parts[4] if len(parts) > 4 else ""
    return kind, (clean(unquote(target)), clean("/".join(unquote(p) for p in parts[5:])))


def _headers(scope: HTTPScope, name: bytes) -> Iterable[bytes]:
    return (value for key, value in scope["headers"] if key == name)


def header(scope: HTTPScope, name: bytes) -> str:
    """Return the first header of a name, "" without one, fit to be stored."""
    return storable(next((value for value in _headers(scope, name)), b"").decode("latin-1"))


def path(scope: HTTPScope) -> str:
    """Return the path of a request, fit to be stored."""
    return storable(scope["path"])


def storable(text: str) -> str:
    """Return what a stranger wrote as it is kept: what is escaped in a URL may be any byte, and any number of them."""
    return shortened(clean(text), _KEPT)


def token(scope: HTTPScope) -> str:
    """Return the secret of a request, "" without one: a bearer token, else `?secret=`.

    Raises: Refused when there are two.
    """
    given = list(_headers(scope, b"authorization"))
    if len(given) > 1:
        raise Refused(400, "There are two Authorization headers; send one.")
    if given:
        scheme, _, token = given[0].decode("latin-1").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return query.get("secret", [""])[0]


def remote(scope: HTTPScope) -> str:
    """Return the address a request comes from."""
    client = scope.get("client")
    return client[0] if client else ""
