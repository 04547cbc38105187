"""Scenarios: build a cast, then tell what happens in a night and who is woken by it.

    scene = Scene(db)
    await scene.start()
    ana = await scene.cast.person("Ana", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms").acknowledged(ana).quiet_until("09:00")

Rule 1: what nobody expected fails the test.
"""

from datetime import timedelta

from nightbell.testing.stage import Stage
from nightbell.testing.story import Story


class Scene(Stage):
    """A stage on which stories are told."""

    def at(self, when: str | timedelta) -> Story:
        """Begin a story at an instant."""
        return Story(self).at(when)

    @property
    def now(self) -> Story:
        """Begin a story at the present instant."""
        return Story(self)
