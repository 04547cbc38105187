"""Two PostgreSQLs of one's own, the second streaming from the first: what an operator's cluster is, in small."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

from nightbell.store import embedded, postmaster, unroot
from nightbell.store.db import connect_one
from nightbell.store.embedded import USER, Server
from support.programs import Background, eventually

#: What an embedded server leaves out.
#: Three nodes may ask for more connections than the embedded server gives its one.
STREAMING = {
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
    "wal_sender_timeout": "2s",
    "max_connections": "200",
}


class Pair:
    """A primary, and a standby that has every commit before the primary answers."""

    def __init__(self, folder: Path) -> None:
        self._background = Background()
        self._folder = folder
        self.primary: Server = self._background.do(
            embedded.start(folder / "a", purpose="test", options=STREAMING), within=30
        )
        self._standby: subprocess.Popen[bytes] | None = None
        self.sockets = folder / "s"
        self._copy()
        self._follow()
        self._sql(self.primary.dsn, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._sql(self.primary.dsn, "SELECT pg_reload_conf()")
        eventually(self.in_step, within=20, what="the standby")

    @property
    def url(self) -> str:
        """Where both are, for a program that writes."""
        hosts = f"{self.primary.sockets},{self.sockets}"
        ports = f"{postmaster.PORT},{postmaster.PORT}"
        return (
            f"postgresql://{USER}@/postgres?host={hosts}&port={ports}"
            "&sslmode=disable&target_session_attrs=read-write"
        )

    @property
    def standby_url(self) -> str:
        """Where the standby alone is."""
        return embedded.dsn(self.sockets)

    def _copy(self) -> None:
        target = self._folder / "b" / "postgres"
        target.parent.mkdir(parents=True)
        target.mkdir(mode=0o700)
        command: list[str | Path] = [
            *unroot.prefix(target, self.primary.binaries),
            self.primary.binaries / "pg_basebackup",
            "-h", self.primary.sockets, "-p", str(postmaster.PORT), "-U", USER,
            "-D", target, "-R", "-X", "stream", "--checkpoint=fast",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/", check=False)
        assert done.returncode == 0, done.stderr

    def _follow(self) -> None:
        target = self._folder / "b" / "postgres"
        self.sockets.mkdir(mode=0o700)
        os.chown(self.sockets, target.stat().st_uid, -1)
        options = [f"--{name}={value}" for name, value in {**embedded.TUNING, **STREAMING}.items()]
        with (self._folder / "standby.log").open("wb") as out:
            self._standby = subprocess.Popen(
                [*unroot.prefix(target, self.primary.binaries), self.primary.binaries / "postgres",
                 "-D", target, "-k", self.sockets, *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True,
            )  # fmt: skip

    def in_step(self) -> bool:
        """Tell whether every commit waits for the standby."""
        sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        return bool(self._sql(self.primary.dsn, sql))

    def restart(self) -> None:
        """End the primary without a warning and bring it back."""
        assert self.primary.pid is not None
        os.kill(self.primary.pid, signal.SIGKILL)
        eventually(lambda: not self.primary.alive())
        self._background.do(self.primary.ensure(), within=30)
        eventually(self.in_step, within=30, what="the standby, again")

    def fail_over(self) -> float:
        """End the primary for good and promote the standby; return how long that took."""
        began = time.monotonic()
        assert self.primary.pid is not None
        os.kill(self.primary.pid, signal.SIGKILL)
        eventually(lambda: not self.primary.alive())
        eventually(lambda: self._sql(self.standby_url, "SELECT pg_promote(true, 30)"), within=40)
        return time.monotonic() - began

    def _sql(self, dsn: str, text: str) -> object:
        async def run() -> object:
            connection = await connect_one(dsn)
            try:
                return await connection.fetchval(text)
            finally:
                await connection.close()

        try:
            return self._background.do(asyncio.wait_for(run(), 35), within=40)
        except (OSError, Exception) as error:  # noqa: BLE001  a server that is starting refuses in many ways
            raise AssertionError(f"{text}: {error}") from error

    def close(self) -> None:
        """End both."""
        if self._standby is not None and self._standby.poll() is None:
            self._standby.send_signal(signal.SIGINT)
            try:
                self._standby.wait(20)
            except subprocess.TimeoutExpired:
                self._standby.kill()
        self._background.do(self.primary.stop(), within=30)
        self._background.close()
