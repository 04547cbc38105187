"""Measures how long a sender waits for its 200, and how long until the message about its alert is handed over.

Rule 1: a fixed rate, and the time counts from when the request was due (see load.py).
"""

import asyncio
from time import monotonic

import msgspec

from bench.figures import Plain, milliseconds
from bench.ingest import Run, generate
from bench.load import Job
from bench.payloads import number_in
from bench.program import Machine, Program, Setup, running


async def acknowledged(run: Run, *, rate: int) -> Plain:
    """How long the answer takes at so many webhooks a second, every one a new alert."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            token = await setup.source("group")
        job = Job(port=run.port, token=token, per_webhook=1, seconds=1, rate=rate, connections=64, salt=6)
        await generate(job)
        before, machine = program.used(), Machine()
        result = await generate(msgspec.structs.replace(job, seconds=run.seconds, salt=7))
        used = program.used().since(before)
        return Plain(
            name=f"ack p50 / p99 at {rate} webhooks/s, 1 new alert each",
            value=milliseconds(result.latencies),
            others=machine.others(used.program + used.database + result.cpu),
            note=f"{result.answered:,} answered" + (f"; refused {result.refused}" if result.refused else ""),
        )


async def handed_over(run: Run, *, rate: int) -> Plain:
    """How long until the person's webhook is called, from when the sender's request was due."""
    sink = Sink()
    async with sink.listening() as address, running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            user = await setup.person("Bell", webhook=address)
            token = await setup.source("group", page=("User", str(user)))
        job = Job(port=run.port, token=token, per_webhook=1, seconds=1, rate=rate, connections=64, salt=8)
        await _settled(sink, (await generate(job)).answered)
        return await measured(
            program, sink, msgspec.structs.replace(job, seconds=run.seconds, salt=9, stamps=True)
        )


async def measured(program: Program, sink: "Sink", job: Job, *, what: str = "") -> Plain:
    """How long a job's webhooks take until the sink has heard of each; `what` says what else goes on."""
    sink.arrived.clear()
    before, machine = program.used(), Machine()
    result = await generate(job)
    await _settled(sink, result.answered)
    used = program.used().since(before)
    waits = sorted(sink.arrived[n] - began for n, began in result.stamps.items() if n in sink.arrived)
    return Plain(
        name=f"webhook to notification handed over, p50 / p99 at {job.rate:.0f}/s"
        + (f", {what}" if what else ""),
        value=milliseconds(waits),
        others=machine.others(used.program + used.database + result.cpu),
        note=f"{result.answered:,} answered, {len(waits):,} handed over; CPU us each: "
        f"{used.program * 1e6 / len(waits):.0f} + {used.database * 1e6 / len(waits):.0f} of PostgreSQL",
    )


async def _settled(sink: "Sink", expected: int) -> None:
    until = monotonic() + 30
    while len(sink.arrived) < expected and monotonic() < until:
        await asyncio.sleep(0.02)


class Sink:
    """Somebody's webhook: takes down when each alert arrives."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}

    def listening(self) -> "_Listening":
        """Listen for as long as the block lasts; the block gets the address."""
        return _Listening(self)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                self._take(body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _take(self, body: bytes) -> None:
        at = monotonic()
        labels = msgspec.json.decode(body)["data"]["labels"]
        self.arrived.setdefault(number_in(labels["namespace"]), at)


class _Listening:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._sink.serve, "127.0.0.1", 0, backlog=1024)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/bell"

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
