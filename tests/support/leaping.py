"""`python -m support.leaping FILE serve …`: the program on a machine whose clock somebody sets, by the seconds in a file.

The whole program runs as it is; only what reads the wall clock adds what the file says, as a wrong time server would.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nightbell import clock
from support.programs import Nightbell


def main() -> None:
    """Set the clock, then run the program that would have been run."""
    file = Path(sys.argv.pop(1))
    clock.now = lambda: datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))
    # Only now: whoever imports it keeps the clock it finds.
    from nightbell.cli.main import main as run  # noqa: PLC0415

    run()


class Leaping(Nightbell):
    """A Nightbell whose clock is wrong by as much as one says."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, settings=settings)
        self._off = folder / "off"
        self.leap(timedelta())
        self.command = [sys.executable, "-m", "support.leaping", str(self._off), "serve"]
        assert self._env is not None
        paths = [str(Path(__file__).parents[1]), self._env.get("PYTHONPATH", "")]
        self._env = {**self._env, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def leap(self, off: timedelta) -> None:
        """Set the clock to the right time and this much more."""
        self._off.parent.mkdir(parents=True, exist_ok=True)
        # Replaced, not written into: nobody shall read half a number.
        new = self._off.with_suffix(".new")
        new.write_text(str(off.total_seconds()))
        new.replace(self._off)


if __name__ == "__main__":
    main()
