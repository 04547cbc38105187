"""What the routes that services call have in common: which URL was signed, and how a forged request is turned away.

Rule 1: nothing is believed before its signature is checked over the bytes as they came.
"""

from litestar import Response

from nightbell.core.errors import Forbidden
from nightbell.engine.ids import new_id
from nightbell.engine.ingest import Rejected
from nightbell.telemetry import metrics
from nightbell.web.inbound import Inbound
from nightbell.web.site import WebRequest


def called_url(request: WebRequest) -> str:
    """Return the URL as the service was given it, for what signs the URL, too: a proxy may have changed it."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1").split("?", 1)[0]
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.site.base_url}{path}{'?' + query if query else ''}"


def turn_away(request: WebRequest, inbound: Inbound, why: str, *, status: int = 403) -> Forbidden:
    """Write down that a request was not believed, and return the refusal."""
    metrics.REJECTED.labels(reason="callback").inc()
    inbound.rejects.note(
        Rejected(
            id=new_id(request.now),
            at=request.now,
            source_id=None,
            path=request.scope["path"][:500],
            remote_ip=request.browser.remote_ip,
            user_agent=request.browser.user_agent[:500].replace("\0", "\ufffd"),
            status=status,
            reason=why,
            body=b"",
        )
    )
    return Forbidden(f"{why}.")


def xml(text: str) -> Response[bytes]:
    """Return TwiML."""
    return Response(text.encode(), media_type="text/xml; charset=utf-8")


def nothing() -> Response[bytes]:
    """Return an empty answer: heard."""
    return Response(b"", status_code=204)
