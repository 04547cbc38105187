"""What the ledger of a running program says of its pages: read as an operator would, from an export."""

import json
from collections import defaultdict

from support.programs import Nightbell, eventually

#: How an attempt can end.
ENDS = ("accepted", "retry", "refused", "unknown")


class Paper:
    """An export of the ledger, its chain checked."""

    def __init__(self, program: Nightbell) -> None:
        self.end = program.run("ledger", "verify")
        text = program.run("ledger", "export")
        self.entries = [json.loads(line)["entry"] for line in text.splitlines()]

    def messages(self, channel: str = "email") -> dict[str, list[str]]:
        """Return the steps of each message by one channel, in the order of the chain."""
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self.entries:
            if entry["notification"] and entry["told"].get("channel") == channel:
                found[entry["notification"]].append(entry["step"])
        return found

    def pages(self) -> set[str]:
        """Return every page that was decided."""
        return {entry["page"] for entry in self.entries if entry["step"] == "decided"}

    def pages_taken(self) -> set[str]:
        """Return every page of which some message was taken by its provider."""
        return {entry["page"] for entry in self.entries if entry["step"] == "accepted"}

    def taken(self, channel: str = "email") -> set[str]:
        """Return every alert of which somebody was told by this channel."""
        accepted = (e for e in self.entries if e["step"] == "accepted")
        return {e["alert"] for e in accepted if e["told"]["channel"] == channel}

    def wrong(self, channel: str = "email") -> list[str]:
        """Return what does not add up: attempts without an end, messages sent again after they were taken."""
        said = []
        for ident, steps in self.messages(channel).items():
            ended = [step for step in steps if step in ENDS]
            if steps.count("handed_over") != len(ended):
                said.append(f"{ident}: {steps}")
            if "accepted" in ended[:-1]:
                said.append(f"{ident} was sent again after it was taken: {steps}")
        return said

    def doubts(self, channel: str = "email") -> int:
        """Return how many attempts nobody knows the end of."""
        return sum(steps.count("unknown") for steps in self.messages(channel).values())


def settled(program: Nightbell, *, within: float = 30) -> Paper:
    """Return the ledger once every page is in it and every message has come to an end."""

    def look() -> Paper | None:
        paper = Paper(program)
        open_ends = [s for s in paper.messages().values() if s[-1] not in (*ENDS, "canceled", "delivered")]
        return None if open_ends or paper.wrong() else paper

    return eventually(look, within=within, what="a ledger in which all adds up")  # type: ignore[return-value]
