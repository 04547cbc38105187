"""This file changes throttles: how many messages of a kind may go out in a while. They delay and never lose."""

from datetime import datetime
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.throttling import LONGEST, SCOPES
from nightbell.engine.changing import Change, Writer
from nightbell.engine.checks import Checks
from nightbell.engine.edits import ThrottleEdit
from nightbell.store.tables import throttles

_MOST = 100_000


class Throttles(Writer):
    """Changes throttles."""

    async def create_throttle(self, edit: ThrottleEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a throttle. Raises: Problems naming the fields."""
        checks = Checks({"scope": SCOPES[0], **edit.sent()})
        checks.required("kind", "most", "seconds")
        self._checked(checks)
        async with self.changing(by, now) as change:
            await _alone(change, checks.sent)
            key: UUID = await change.add("throttle", throttles, checks.sent)
        return key

    async def update_throttle(
        self, throttle_id: UUID, edit: ThrottleEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a throttle; what it holds back now is looked at again at once."""
        checks = Checks(edit.sent())
        self._checked(checks)
        async with self.changing(by, now) as change:
            before = await change.locked("throttle", throttles, throttle_id)
            await _alone(change, {**before, **checks.sent}, throttle_id)
            await change.change("throttle", throttles, throttle_id, checks.sent)
            await change.tx.execute("release_held", now)

    async def delete_throttle(self, throttle_id: UUID, *, by: Actor, now: datetime) -> None:
        """Drop a throttle; what it holds back goes now."""
        async with self.changing(by, now) as change:
            await change.remove("throttle", throttles, throttle_id)
            await change.tx.execute("release_held", now)

    def _checked(self, checks: Checks) -> None:
        checks.text("kind", longest=40)
        if self.channels:
            # The command line knows none of them; a throttle of a kind that does not exist holds nothing.
            checks.choice("kind", self.channels)
        checks.choice("scope", SCOPES)
        checks.number("most", 1, _MOST)
        checks.number("seconds", 1, LONGEST)
        checks.done()


async def _alone(change: Change, fields: dict[str, object], but: UUID | None = None) -> None:
    """Raise Invalid where the same kind, scope and time have a number already."""
    asked = (fields["kind"], fields["scope"], fields["seconds"], but)
    if await change.tx.value("same_throttle", *asked):
        raise Invalid(
            "There is a throttle for this kind, scope and time already.",
            place="seconds",
            hint="Change it instead.",
        )
