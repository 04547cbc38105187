"""Measures the load generator itself, against a server that reads a request and says 200: no figure can exceed it.

Run as `python -m bench.ceiling PORT` it is that server.
"""

import asyncio
import sys

import uvloop

from bench.figures import Throughput
from bench.ingest import figure, generate
from bench.load import Job
from bench.program import Machine, Used

_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"status":"ok"}'


async def ceiling(port: int, *, per_webhook: int, seconds: float) -> Throughput:
    """How many alerts a second the generator can build and send."""
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.ceiling", str(port))
    try:
        await _answering(port)
        machine = Machine()
        job = Job(port=port, token="none", per_webhook=per_webhook, seconds=seconds, connections=64)
        result = await generate(job)
        made = figure(f"ceiling of the generator, {per_webhook} per webhook", job, result, Used(0, 0), 0.0)
        made_others = machine.others(result.cpu + result.seconds)
        return Throughput(**{**{n: getattr(made, n) for n in Throughput.__slots__}, "others": made_others})
    finally:
        server.terminate()
        await server.wait()


async def _answering(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


class _Stub(asyncio.Protocol):
    def __init__(self) -> None:
        self._left = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP transport

    def data_received(self, data: bytes) -> None:
        if not self._left:
            head, _, rest = data.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._left = length - len(rest)
        else:
            self._left -= len(data)
        if self._left <= 0 and self._transport:
            self._left = 0
            self._transport.write(_ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Stub, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
