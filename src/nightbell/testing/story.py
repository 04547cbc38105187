"""The scenario language: a timetable of what happens and who is paged, read from top to bottom.

    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="sms")
        .at("02:03").acknowledged(ana)
        .quiet_until("09:00")
    )

Rule 1: a message that nobody expected by the time the clock moves on, or the story ends, is an error.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import timedelta
from typing import Any, Self

from nightbell.core.delivery import Purpose
from nightbell.core.directory import Target
from nightbell.core.receipt import Receipt
from nightbell.core.receipt import Stage as Progress
from nightbell.testing import payloads
from nightbell.testing.cast import Channel, Person, Source, Whom
from nightbell.testing.phones import Answer
from nightbell.testing.stage import Stage

_HOSTS = ("host-1",)


class Story:
    """Steps that happen when the story is awaited."""

    def __init__(self, scene: Stage) -> None:
        self._scene = scene
        self._steps: list[Callable[[], Awaitable[Any]]] = []

    def __await__(self) -> Generator[Any, None, Stage]:
        """Let everything happen, in order."""
        return self._told().__await__()

    async def _told(self) -> Stage:
        for step in self._steps:
            await step()
        self._scene.phones.verify()
        return self._scene

    def then(self, step: Callable[[], Awaitable[Any]]) -> Self:
        """Add a step of one's own."""
        self._steps.append(step)
        return self

    # ------------------------------------------------------------ time

    def at(self, when: str | timedelta) -> Self:
        """Go on to an instant; whatever is said after it happens then, and nothing may happen before."""

        async def step() -> None:
            self._scene.phones.verify()
            await self._scene.go(self._scene.clock.at(when), strict=True)

        return self.then(step)

    def until(self, when: str | timedelta) -> Self:
        """Go on to an instant; what is expected after it may have happened on the way."""

        async def step() -> None:
            self._scene.phones.verify()
            await self._scene.go(self._scene.clock.at(when), strict=False)

        return self.then(step)

    def quiet_until(self, when: str | timedelta) -> Self:
        """Go on to an instant, and nothing happens by then."""
        return self.at(when).quiet()

    def quiet(self) -> Self:
        """Expect that nobody hears anything."""

        async def step() -> None:
            self._scene.phones.verify()

        return self.then(step)

    # ------------------------------------------------------------ what senders do

    def firing(
        self,
        alertname: str,
        *hosts: str,
        source: Source | None = None,
        url: Whom | None = None,
        rootly: str | None = None,
        labels: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Self:
        """Let an alert fire on hosts; its group also lists those that fire already.

        Shape: `url` is the target of the receiver's URL, `rootly` the annotation; `more` stands at the top of the body.
        """

        async def step() -> None:
            sender = source or await self._scene.sender()
            group = self._scene.group(sender, alertname, labels or {})
            group.annotations = group.annotations if rootly is None else {"rootly": rootly}
            group.fires(*(hosts or _HOSTS), at=self._scene.clock())
            await self._post(group, sender, url, more)

        return self.then(step)

    def resolved(self, alertname: str, *hosts: str, source: Source | None = None, **more: Any) -> Self:
        """Let an alert be over on hosts, everywhere when none is named."""

        async def step() -> None:
            sender = source or await self._scene.sender()
            group = self._scene.group(sender, alertname, {})
            group.ends(*hosts, at=self._scene.clock())
            await self._post(group, sender, None, more)

        return self.then(step)

    def repeated(self, alertname: str, *, source: Source | None = None, node: int = 0) -> Self:
        """Let Alertmanager say the same again."""

        async def step() -> None:
            sender = source or await self._scene.sender()
            document = self._scene.group(sender, alertname, {}).document()
            await self._scene.post(payloads.body(document), source=sender, node=node)

        return self.then(step)

    async def _post(
        self, group: payloads.Group, sender: Source, url: Whom | None, more: dict[str, Any]
    ) -> None:
        target = url.target if isinstance(url, Person) else url
        pair = (target.type, target.id) if target else None
        await self._scene.post(payloads.body(group.document(**more)), source=sender, url=pair)

    def posted(
        self, body: bytes, *, source: Source | None = None, url: tuple[str, str] | None = None
    ) -> Self:
        """Let a body arrive as it is."""
        return self.then(lambda: self._scene.post(body, source=source, url=url))

    # ------------------------------------------------------------ what people do

    def acknowledged(self, by: Person, alertname: str | None = None) -> Self:
        """Let somebody take the alert."""
        return self._acted(alertname, by, "acknowledge")

    def resolved_by(self, by: Person, alertname: str | None = None) -> Self:
        """Let somebody resolve the alert."""
        return self._acted(alertname, by, "resolve")

    def snoozed(self, minutes: int, by: Person, alertname: str | None = None) -> Self:
        """Let somebody snooze the alert."""

        async def step() -> None:
            until = self._scene.clock() + timedelta(minutes=minutes)
            await self._act(alertname, by, "snooze", until=until)

        return self.then(step)

    def escalated(
        self,
        by: Person,
        alertname: str | None = None,
        *,
        to: Target | None = None,
        level: int | None = None,
        as_of: int | None = None,
    ) -> Self:
        """Let somebody escalate the alert; `as_of` is the cycle of the page they answer."""
        policy = to.id if to else None
        return self._acted(alertname, by, "escalate", policy=policy, level=level, as_of=as_of)

    def reassigned(self, *whom: Whom, by: Person, alertname: str | None = None) -> Self:
        """Let somebody hand the alert to others."""
        targets = tuple(one.target if isinstance(one, Person) else one for one in whom)

        async def step() -> None:
            alert = await self._scene.alert(alertname)
            now = self._scene.clock()
            await self._scene.engine.act.reassign(alert["id"], targets, by=by.actor, now=now)
            await self._scene.settle()

        return self.then(step)

    def asked(self, *whom: Whom, by: Person, alertname: str | None = None) -> Self:
        """Let somebody ask others for help, beside whoever is paged."""
        targets = tuple(one.target if isinstance(one, Person) else one for one in whom)
        return self.then(lambda: self._act(alertname, by, "respond", targets=targets))

    def started_over(self, by: Person, alertname: str | None = None) -> Self:
        """Let somebody start the escalation over, by the policies as they are now."""
        return self._acted(alertname, by, "restart")

    def _acted(self, alertname: str | None, by: Person, what: str, **more: Any) -> Self:
        return self.then(lambda: self._act(alertname, by, what, **more))

    async def _act(self, alertname: str | None, by: Person, what: str, **more: Any) -> None:
        alert = await self._scene.alert(alertname)
        act = getattr(self._scene.engine.act, what)
        await act(alert["id"], by=by.actor, now=self._scene.clock(), **more)
        await self._scene.settle()

    def answers(self, by: Person, text: str, *, kind: str = "sms", told: str = "") -> Self:
        """Answer by text; "{code}" is the code of the last message, `told` what must be said back."""

        async def step() -> None:
            pages = [h.message for h in self._scene.phones.heard if h.message.purpose is Purpose.PAGE]
            code = next((m.reply_code for m in reversed(pages) if m.recipient == by.name), "")
            answer = await self._scene.answer(kind, by.name, text.format(code=code))
            if told not in answer.text:
                raise AssertionError(f"{by.name} was told: {answer.text}")
            await self._scene.settle()

        return self.then(step)

    def presses(self, by: Person, action: str, *, kind: str = "voice") -> Self:
        """Press a key or button of the last message of a kind."""

        async def step() -> None:
            last = next(
                h
                for h in reversed(self._scene.phones.heard)
                if (h.message.recipient, h.kind) == (by.name, kind)
            )
            await self._scene.press(kind, last.message.notification_id, action)
            await self._scene.settle()

        return self.then(step)

    # ------------------------------------------------------------ what machines do

    def reported(self, by: Person, kind: str, *stages: Progress) -> Self:
        """Let the provider of a kind report of its last message to somebody, stage by stage."""

        async def step() -> None:
            last = next(
                h
                for h in reversed(self._scene.phones.heard)
                if (h.message.recipient, h.kind) == (by.name, kind)
            )
            for stage in stages:
                report = Receipt(notification_id=last.message.notification_id, stage=stage, why=str(stage))
                await self._scene.engine.receive.receipt(report, self._scene.clock())
            await self._scene.settle()

        return self.then(step)

    def answering(self, kind: str, *answers: Answer) -> Self:
        """Say how the next messages of a kind fare."""

        async def step() -> None:
            self._scene.phones[kind].will(*answers)

        return self.then(step)

    def asleep(self) -> Self:
        """Stop time and delivery; requests are still taken."""

        async def step() -> None:
            self._scene.awake = False

        return self.then(step)

    def awake(self) -> Self:
        """Go on where sleep began, everything due meanwhile at once."""

        async def step() -> None:
            self._scene.awake = True
            await self._scene.settle()

        return self.then(step)

    def killed(self) -> Self:
        """Kill every node in the middle of whatever it does, and start anew."""

        async def step() -> None:
            await self._scene.restart()
            await self._scene.settle()

        return self.then(step)

    # ------------------------------------------------------------ what is expected

    def pages(self, *people: Person | Channel, by: str = "sms", times: int = 1, alerts: int = 1) -> Self:
        """Expect that each of these people was paged, this often; each message names so many alerts."""
        return self._heard(people * times, by, alerts, Purpose.PAGE)

    def told(self, *people: Person, by: str = "sms", alerts: int = 1) -> Self:
        """Expect that each of these people was told of a change, in a message about so many alerts."""
        return self._heard(people, by, alerts, Purpose.UPDATE)

    def noticed(self, *people: Person, by: str = "sms") -> Self:
        """Expect that each of these people got a notice about a shift."""
        return self._heard(people, by, 1, Purpose.NOTICE)

    def _heard(self, people: tuple[Person | Channel, ...], by: str, alerts: int, purpose: Purpose) -> Self:
        async def step() -> None:
            for one in people:
                heard = self._scene.phones.claim(one.name, by, purpose)
                named = len(heard.message.bundle) or 1
                if named != alerts:
                    raise AssertionError(f"{heard} names {named} alerts, not {alerts}")

        return self.then(step)

    def status(self, expected: str, alertname: str | None = None) -> Self:
        """Expect where the alert stands."""

        async def step() -> None:
            found = (await self._scene.alert(alertname))["status"]
            if found != expected:
                raise AssertionError(f"the alert is {found}, not {expected}")

        return self.then(step)

    def says(self, code: str, alertname: str | None = None, *, times: int | None = None) -> Self:
        """Expect lines of this code in the timeline: this many, or any."""

        async def step() -> None:
            codes = [row["code"] for row in await self._scene.journal(alertname)]
            found = codes.count(code)
            if found != times if times is not None else not found:
                raise AssertionError(f"the timeline says {code} {found} times: {codes}")

        return self.then(step)
