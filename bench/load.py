"""The load generator, a process of its own: closed loop (as fast as answers come) or open loop (a fixed rate).

Rule 1: at a fixed rate a request's time counts from when it was due, not from when a connection was free.
Run as `python -m bench.load`: a Job as JSON on stdin, a Result as JSON on stdout.
"""

import asyncio
import gc
import sys
from collections import deque
from time import monotonic, process_time

import msgspec
import uvloop
from msgspec import Struct

from bench.payloads import Series


class Job(Struct, kw_only=True):
    """What to send. `rate` 0 is a closed loop; `distinct` 0 never repeats a request."""

    port: int
    token: str
    per_webhook: int
    seconds: float
    connections: int = 32
    salt: int = 0
    first: int = 0
    most: int = 0
    distinct: int = 0
    rate: float = 0.0
    path: str = "/webhooks/incoming/alertmanager_webhooks"
    #: Keep when each request was sent, by number: for what happens to it later.
    stamps: bool = False


class Result(Struct, kw_only=True):
    """What became of it. Units: seconds; `latencies` sorted."""

    sent: int
    answered: int
    refused: dict[str, int]
    seconds: float
    cpu: float
    latencies: list[float]
    stamps: dict[int, float]


class _Run:
    """The state that the connections of a run share."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.series = Series(job.per_webhook, job.salt)
        self.head = (
            f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nUser-Agent: Alertmanager/0.28.1\r\n"
            f"Authorization: Bearer {job.token}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self.number = job.first
        self.until = 0.0
        self.refused: dict[str, int] = {}
        self.latencies: list[float] = []
        self.stamps: dict[int, float] = {}
        self.last = 0.0
        self.free: deque[_Connection] = deque()
        self.due: deque[float] = deque()

    @property
    def sent(self) -> int:
        """How many requests were begun."""
        return self.number - self.job.first

    def over(self) -> bool:
        """Whether no more requests are to be begun."""
        return monotonic() >= self.until or bool(self.job.most and self.sent >= self.job.most)

    def request(self) -> tuple[int, bytes]:
        """Return the next request."""
        number, self.number = self.number, self.number + 1
        wanted = number % self.job.distinct if self.job.distinct else number
        body = self.series.body(wanted)
        return number, b"%b%d\r\n\r\n%b" % (self.head, len(body), body)

    def answered(self, status: bytes, began: float) -> None:
        """Take down one answer."""
        self.last = monotonic()
        self.latencies.append(self.last - began)
        if status != b"200":
            self.refused[status.decode()] = self.refused.get(status.decode(), 0) + 1


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at most."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.idle = asyncio.Event()
        self._began = 0.0
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP transport
        self.idle.set()

    def send(self, began: float | None = None) -> None:
        """Send the next request; `began` is when it was due."""
        number, request = self.run.request()
        self.idle.clear()
        self._began = monotonic() if began is None else began
        if self.run.job.stamps:
            self.run.stamps[number] = self._began
        if self._transport:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, rest = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        self._got = b""
        self.run.answered(head[9:12], self._began)
        if self.run.job.rate and self.run.due:
            self.send(self.run.due.popleft())
        elif not self.run.job.rate and not self.run.over():
            self.send()
        else:
            # Set only here: who waits is woken by a set even when it is cleared at once.
            self.idle.set()
            self.run.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.idle.is_set():
            self.run.refused["lost"] = self.run.refused.get("lost", 0) + 1
            self.idle.set()


async def _paced(run: _Run) -> None:
    """Begin requests at a fixed rate, whatever becomes of the ones before."""
    start, begun = monotonic(), 0
    while not run.over():
        due = start + begun / run.job.rate
        wait = due - monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        begun += 1
        if run.free:
            run.free.popleft().send(due)
        else:
            run.due.append(due)
    while run.due:
        await asyncio.sleep(0.001)


async def sent(job: Job) -> Result:
    """Carry out a job."""
    loop = asyncio.get_running_loop()
    run = _Run(job)
    made = [
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", job.port)
        for _ in range(job.connections)
    ]
    lines = [protocol for _, protocol in made]
    gc.disable()
    began, cpu = monotonic(), process_time()
    run.until = began + job.seconds
    if job.rate:
        run.free.extend(lines)
        await _paced(run)
    else:
        for line in lines:
            if not run.over():
                line.send()
    for line in lines:
        await line.idle.wait()
    result = Result(
        sent=run.sent,
        answered=len(run.latencies) - sum(run.refused.values()),
        refused=run.refused,
        seconds=run.last - began,
        cpu=process_time() - cpu,
        latencies=sorted(run.latencies),
        stamps=run.stamps,
    )
    for transport, _ in made:
        transport.close()
    return result


def main() -> None:
    """Read a job, do it, say what became of it."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(sent(job))))


if __name__ == "__main__":
    main()
