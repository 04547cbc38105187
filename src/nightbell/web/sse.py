"""Tells open pages that something changed. A message is only a topic: what changed, the page asks for itself.

Rule 1: a slow reader never makes a writer wait, and misses nothing: what it has not heard yet is said once.
"""

import asyncio
from collections.abc import AsyncIterator

#: Proxies cut silent connections after a minute or so.
BREATH_SECONDS = 20.0
#: A stream costs about 27 KB; beyond this a page falls back to being loaded by hand.
MOST_STREAMS = 5_000


class _Reader:
    """One open stream: the topics it has not heard yet, in the order they first came."""

    def __init__(self) -> None:
        self.topics: dict[str, None] = {}
        self.woken = asyncio.Event()


class Hub:
    """Everybody who listens, in this process."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._readers)

    def publish(self, topic: str) -> None:
        """Say a topic to everybody who listens; call it from the event loop."""
        for reader in self._readers:
            reader.topics[topic] = None
            reader.woken.set()

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closed = True
        for reader in self._readers:
            reader.woken.set()

    async def subscribe(self) -> AsyncIterator[str]:
        """Yield topics as they come, and "" when nothing came for a while."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            while not self._closed:
                async for topic in _heard(reader):
                    yield topic
        finally:
            self._readers.discard(reader)


async def _heard(reader: _Reader) -> AsyncIterator[str]:
    try:
        async with asyncio.timeout(BREATH_SECONDS):
            await reader.woken.wait()
    except TimeoutError:
        yield ""
        return
    reader.woken.clear()
    topics, reader.topics = reader.topics, {}
    for topic in topics:
        yield topic


async def stream(hub: Hub) -> AsyncIterator[bytes]:
    """Yield the hub as server-sent events. The first comment opens the stream at once behind any proxy."""
    yield b"retry: 2000\n: hello\n\n"
    async for topic in hub.subscribe():
        yield f"data: {topic}\n\n".encode() if topic else b": still here\n\n"
