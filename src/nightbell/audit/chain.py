"""Checks the ledger bit by bit, round after round: what was added, where it ended, and slice by slice all of it."""

from msgspec import Struct

from nightbell.audit.invariants import Finding
from nightbell.core.ledger import Broken, Head, disagreement, followed, unvouched, vouched
from nightbell.store.db import Row, Runner

#: Entries a round: hashing them holds the loop for some ten milliseconds.
SLICE = 2_000


class _Pass(Struct):
    """How far a walk over the whole came, and what it met."""

    at: Head
    found: dict[str, str]
    #: Ends of parts of which an entry said that they were put away.
    vouched: set[Head]


class Chain:
    """What the auditor knows of the ledger: where it ended, how far this walk came, what the last whole one met."""

    def __init__(self, end: Head) -> None:
        #: The end as it was seen last: whoever cuts entries off there, or writes others, is found at once.
        self.end = end
        self._pass = _Pass(Head(), {}, set())
        self._standing: dict[str, str] = {}
        #: Ends that are gone. Nothing brings them back, so they stand for as long as this process lives.
        self._lost: dict[str, str] = {}

    async def look(self, db: Runner) -> list[Finding]:
        """Return what is wrong with the ledger; a break stands until a whole walk does not meet it."""
        before = {**self._standing, **self._pass.found}
        row = await db.row("audit_beginning")
        beginning = Head(row["position"], bytes(row["digest"])) if row else Head()
        await self._still_ends(db, beginning)
        found = {**before, **await self._walk(db, beginning), **self._lost}
        return [Finding(subject=subject, told=told) for subject, told in found.items()]

    async def _still_ends(self, db: Runner, beginning: Head) -> None:
        if self.end.position <= beginning.position:
            return
        digest = await db.value("audit_entry", self.end.position)
        if digest is None or bytes(digest) != self.end.digest:
            why = "is gone" if digest is None else "is another"
            told = f"Entry {self.end.position} of the ledger, its end when it was looked at last, {why}."
            self._lost[f"end {self.end.position}"] = told

    async def _walk(self, db: Runner, beginning: Head) -> dict[str, str]:
        """Go a slice on; at the end begin anew, and forget what this walk did not meet again."""
        if self._pass.at.position < beginning.position:
            self._pass.at = beginning
        rows = await db.rows("audit_chain", self._pass.at.position, SLICE)
        for row in rows:
            self._step(row)
        if rows:
            for row in await db.rows("audit_untrue", rows[0]["position"] - 1, rows[-1]["position"]):
                told = (
                    f"Entry {row['position']} of the ledger ({row['step']}) is denied by the row it tells of."
                )
                self._pass.found[f"untrue {row['position']}"] = told
        if len(rows) < SLICE and beginning.position and beginning not in self._pass.vouched:
            gone = unvouched(beginning)
            self._pass.found["beginning"] = f"Entry {gone.position} of the ledger: {gone.why}."
        met = dict(self._pass.found)
        if len(rows) < SLICE:
            self.end = self._pass.at
            self._standing, self._pass = met, _Pass(Head(), {}, set())
        return met

    def _step(self, row: Row) -> None:
        before, digest = self._pass.at, bytes(row["digest"])
        after = followed(before, [(row["position"], row["entry"], digest)])
        if isinstance(after, Broken):
            told = f"The ledger breaks at entry {after.position}: {after.why}."
            self._pass.found[f"break {after.position}"] = told
            after = Head(row["position"], digest)
        said = disagreement(row["step"], row["subject"], row["alert_id"], row["at"], row["entry"])
        if said:
            self._pass.found[f"entry {row['position']}"] = f"Entry {row['position']} of the ledger: {said}."
        if (end := vouched(row["step"], row["entry"])) is not None:
            self._pass.vouched.add(end)
        self._pass.at = after
