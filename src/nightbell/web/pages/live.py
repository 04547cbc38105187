"""What pages fetch by themselves: the stream of changes, the ringing banner, scripts and styles."""

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from nightbell.core.access import Permission
from nightbell.web.door import add_headers
from nightbell.web.render import render
from nightbell.web.site import WebRequest, page
from nightbell.web.sse import MOST_STREAMS, stream

_FOREVER = "public, max-age=31536000, immutable"


@page("/live", Permission.VIEW)
async def live(request: WebRequest) -> Response[bytes] | Stream:
    """Stream the topics that changed, until the browser leaves."""
    if len(request.site.hub) >= MOST_STREAMS:
        return Response(b"", status_code=503, media_type="text/plain", headers={"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(stream(request.site.hub), media_type="text/event-stream", headers=headers)


@page("/ring", Permission.VIEW)
async def ring(request: WebRequest) -> Response[bytes]:
    """Show the frame's own live parts, for pages that have no others."""
    return await render(request, "ring_only.html")


@page("/static/{name:str}", Permission.PUBLIC)
async def static(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """Send a script, a style or a picture."""
    asset = request.site.assets.files.get(name)
    if asset is None:
        raise NotFoundException("There is no such file.")
    headers = {
        "Cache-Control": _FOREVER if asset.immutable else "public, max-age=3600",
        "Vary": "Accept-Encoding",
    }
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = asset.gzipped, "gzip"
    response = Response(body, media_type=asset.media_type, headers=headers)
    add_headers(response)
    return response


ROUTES = [live, ring, static]
