"""This file lets root run PostgreSQL, which refuses to be root.

A user namespace is the first choice: inside it root's own files belong to "nobody", so nothing on disk changes hands.
Where namespaces are closed (some containers), the data goes to the real "nobody" and setpriv becomes that user.
"""

import os
import shutil
import subprocess
from pathlib import Path

from nightbell.core.errors import NightbellError

NOBODY = 65534


class CannotUnroot(NightbellError):
    """Root can neither open a user namespace nor become somebody else here."""

    code = "cannot_unroot"


def prefix(data: Path, programs: Path) -> list[str]:
    """Return what to put before a PostgreSQL command, and give `data` to whom it will run as.

    Shape: empty for an ordinary user.
    Raises: CannotUnroot, with a way out.
    """
    if os.geteuid() != 0:
        return []
    if unshare := _unshare():
        _give(data, 0)
        return unshare
    return _setpriv(data, programs)


def _unshare() -> list[str] | None:
    program = shutil.which("unshare")
    if program is None:
        return None
    command = [program, "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    tried = subprocess.run([*command, "true"], capture_output=True, timeout=10)
    return command if tried.returncode == 0 else None


def _setpriv(data: Path, programs: Path) -> list[str]:
    program = shutil.which("setpriv")
    if program is None:
        raise CannotUnroot(
            "PostgreSQL refuses to run as root, and neither user namespaces nor setpriv are to be had here",
            hint="run nightbell as an ordinary user, or use a server of your own with NIGHTBELL_DATABASE_URL",
        )
    # --pdeathsig: becoming another user clears what the launcher asked the kernel for.
    command = [program, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT", "--"]
    _give(data, NOBODY)
    # Nobody has to pass through our folder to reach its own; it still cannot look around there.
    data.parent.chmod(0o711)
    for place, option in ((data, "NIGHTBELL_DATA"), (programs, "NIGHTBELL_POSTGRES_BIN")):
        if subprocess.run([*command, "test", "-x", place], capture_output=True, timeout=10).returncode:
            raise CannotUnroot(
                f"PostgreSQL cannot run as root, and the user nobody cannot reach {place}",
                place=option,
                hint=f"choose a place under folders that everyone may enter with {option}, "
                "or run nightbell as an ordinary user",
            )
    return command


def _give(data: Path, user: int) -> None:
    """Hand over a tree, when its top is not that user's already."""
    if data.stat().st_uid == user:
        return
    for folder, _, files in os.walk(data):
        os.chown(folder, user, user)
        for name in files:
            os.chown(os.path.join(folder, name), user, user, follow_symlinks=False)
