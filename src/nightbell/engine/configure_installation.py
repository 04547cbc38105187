"""This file changes what belongs to the whole installation: the people of last resort, how long an acknowledgement holds,
what a retrospective begins with.
"""

from datetime import datetime

from nightbell.core import retrospective
from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.engine.changing import Writer, must_exist
from nightbell.engine.checks import Checks

#: More than these would be a company woken by one typo.
MOST_FALLBACK = 20


#: How long an acknowledgement may hold by default: Rootly's clients read no other numbers. Units: minutes.
ACKNOWLEDGE_MINUTES = (10, 20, 30, 40, 50, 60, 90, 120, 180, 240, 300, 360, 720, 1440)


class Installation(Writer):
    """Changes settings of the installation that are not a node's."""

    async def set_fallback(self, user_ids: list[int], *, by: Actor, now: datetime) -> None:
        """Choose the people of last resort; none leaves it to the owners.

        Raises: Invalid naming who does not exist, or when there are too many.
        """
        chosen = list(dict.fromkeys(user_ids))
        if len(chosen) > MOST_FALLBACK:
            raise Invalid(f"At most {MOST_FALLBACK} people can be the last resort.", place="user_ids")
        async with self.changing(by, now) as change:
            await must_exist(change, "users", "user_ids", chosen)
            await change.tx.execute("set_instance", "fallback_user_ids", chosen, now)
            await change.note("installation.fallback_chosen", "installation", 0, user_ids=chosen)

    async def set_acknowledge_minutes(self, minutes: int | None, *, by: Actor, now: datetime) -> None:
        """Say how long an acknowledgement holds where nothing nearer says so; None and -1 are for ever.

        Raises: Problems naming the field.
        """
        checks = Checks({})
        if minutes is not None and minutes != -1 and minutes not in ACKNOWLEDGE_MINUTES:
            known = ", ".join(map(str, ACKNOWLEDGE_MINUTES))
            checks.wrong("timeout_minutes", f"Must be one of: {known}; or -1 for never.")
        checks.done()
        async with self.changing(by, now) as change:
            await change.tx.execute(
                "set_instance", "acknowledge_minutes", -1 if minutes is None else minutes, now
            )
            await change.note("installation.acknowledgement_set", "installation", 0, minutes=minutes)

    async def set_retrospective_template(self, template: str, *, by: Actor, now: datetime) -> None:
        """Say what a retrospective begins with; "" puts back the one that comes with us.

        Raises: Invalid naming the line that cannot be filled.
        """
        retrospective.check(template)
        async with self.changing(by, now) as change:
            await change.tx.execute("set_instance", "retrospective_template", template, now)
            await change.note("installation.retrospective_template_set", "installation", 0)
