"""Holds the built scripts and styles in memory, plain and compressed, under names that change with their content."""

import gzip
import hashlib
import json
from base64 import b64encode
from pathlib import Path

from msgspec import Struct

STATIC = Path(__file__).parent / "static"
DIST = STATIC / "dist"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


class Asset(Struct, frozen=True, kw_only=True):
    """One file as it is sent."""

    body: bytes
    gzipped: bytes
    media_type: str
    #: A name with a hash never changes its content.
    immutable: bool


class Assets(Struct, frozen=True, kw_only=True):
    """All files by the name in their URL, and the present name of each."""

    files: dict[str, Asset]
    names: dict[str, str]

    def url(self, name: str) -> str:
        """Return where a file is now; "" when the assets were never built."""
        built = self.names.get(name)
        return f"/static/{built}" if built else ""

    def text(self, name: str) -> str:
        """Return a file's text; "" when the assets were never built."""
        built = self.names.get(name)
        return self.files[built].body.decode() if built else ""

    def csp_hash(self, name: str) -> str:
        """Return the source expression that lets this very text stand inside a page."""
        return f"'sha256-{b64encode(hashlib.sha256(self.text(name).encode()).digest()).decode()}'"


def load(static: Path = STATIC) -> Assets:
    """Read the assets; without a build the pages work, unstyled, and say how to build."""
    manifest = static / "dist" / "manifest.json"
    built: dict[str, str] = json.loads(manifest.read_text()) if manifest.is_file() else {}
    files = {name: _asset(static / "dist" / name, immutable=True) for name in built.values()}
    plain = {
        path.name: _asset(path, immutable=False) for kind in ("*.svg", "*.png") for path in static.glob(kind)
    }
    return Assets(files={**files, **plain}, names={**built, **{name: name for name in plain}})


def _asset(path: Path, *, immutable: bool) -> Asset:
    body = path.read_bytes()
    return Asset(
        body=body,
        gzipped=gzip.compress(body, 9, mtime=0),
        media_type=_TYPES[path.suffix],
        immutable=immutable,
    )
