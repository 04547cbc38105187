"""Notes, when messages were handed over, which of them want looking after (engine/aftercare.py)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from nightbell.core.attempting import Next
from nightbell.core.delivery import Channel, Editing, Purpose, Traceable
from nightbell.store.db import Tx
from nightbell.store.write.outbox import Claimed

#: What nobody reported of is asked for after this; what is in doubt, sooner.
FIRST = timedelta(minutes=1)
IN_DOUBT = timedelta(seconds=10)


class Arming:
    """Knows which kinds can be asked, and which can change what they sent."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        #: Kinds whose providers can be asked what became of a message.
        self.traceable = frozenset(k for k, c in channels.items() if isinstance(c, Traceable))
        self._editing = frozenset(k for k, c in channels.items() if isinstance(c, Editing))
        self._kinds = self.traceable | self._editing

    def concerns(self, kind: str) -> bool:
        """Return whether anything is to be done for a kind."""
        return kind in self._kinds

    async def arm(self, tx: Tx, done: Sequence[tuple[Claimed, Next]], now: datetime) -> None:
        """Note when to ask what became of messages, and which can be changed where they stand."""
        asked = [
            (c.id, now + (IN_DOUBT if n.state == "unknown" else FIRST))
            for c, n in done
            if c.kind in self.traceable and n.state in ("sent", "unknown")
        ]
        stand = [
            (c.id, c.alert_id, "triggered")
            for c, n in done
            if c.kind in self._editing and n.state == "sent" and c.alert_id and c.purpose == Purpose.PAGE
        ]
        # A report may have been faster than the answer: what it proves outweighs a doubt, and spares another try.
        early = [c.id for c, n in done if c.kind in self.traceable and n.state in ("unknown", "waiting")]
        if early:
            await tx.execute("settle_early", early, now)
        if asked:
            await tx.execute("arm_traces", *zip(*asked, strict=True), now)
        if stand:
            await tx.execute("insert_posts", *zip(*stand, strict=True), now)
