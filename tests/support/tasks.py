"""Carries out single tasks over a real database, real channels and strict doubles, as a run would."""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.channels import registry as channels
from nightbell.channels.email import SmtpSettings, Tls
from nightbell.core.errors import Unknown
from nightbell.engine.ids import new_id
from nightbell.engine.incidents import Incidents
from nightbell.engine.providers import Providers
from nightbell.engine.tasks import registry
from nightbell.engine.tasks.contract import Hands, Result, Step, Triggering
from nightbell.engine.vault import Vault
from nightbell.engine.workflow_context import context
from nightbell.net.exchange import asking
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.doubles import SmtpSink

URL = "http://nightbell.example"


class Tasks:
    """A workflow's hands, and one step after the other."""

    def __init__(self, scene: Any, *, allowed: tuple[str, ...] = ("127.0.0.0/8",)) -> None:
        self.scene = scene
        self.providers: dict[str, dict[str, str]] = {}
        self.triggered: list[Triggering] = []
        self.mail = SmtpSink()
        self.workflow_id = UUID(int=7)
        self._web = Http(Guard(allowed), total=timedelta(seconds=2))
        self._services = Http(Guard(("0.0.0.0/0",)), total=timedelta(seconds=2))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Tasks":
        await self._stack.enter_async_context(self.mail)
        self._stack.push_async_callback(self._web.aclose)
        self._stack.push_async_callback(self._services.aclose)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self._stack.aclose()

    @property
    def hands(self) -> Hands:
        engine = self.scene.engine
        smtp = SmtpSettings(host=self.mail.host, port=self.mail.port, tls=Tls.NONE)
        return Hands(
            db=self.scene.db,
            act=engine.act,
            incidents=Incidents(self.scene.db, engine.act, engine.committed.append),
            directories=engine.directories,
            channels=channels.build(smtp, self._web, self._services),
            providers=Providers(Vault(b"test"), self.providers),
            web=asking(self._web),
            services=asking(self._services),
            trigger=self._trigger,
            base_url=URL,
        )

    async def _trigger(self, wish: Triggering, *, now: Any) -> tuple[UUID | None, str]:
        if wish.workflow == "none":
            raise Unknown("There is no such workflow.", place="workflow")
        self.triggered.append(wish)
        return new_id(now), ""

    async def step(self, *, alert: UUID | None = None, incident: UUID | None = None, **more: Any) -> Step:
        """Return a step of a run about these."""
        now = self.scene.clock()
        known = await context(self.scene.db, alert_id=alert, incident_id=incident, base_url=URL)
        usual = {
            "key": f"run-1/{len(self.triggered)}",
            "run_id": new_id(now),
            "step_id": new_id(now),
            "began_at": now,
        }
        return Step(
            **{**usual, **more},
            context=known,
            workflow_id=self.workflow_id,
            workflow="Night shift",
            now=now,
            alert_id=alert,
            incident_id=incident,
            occurrence=(known.get("alert") or {}).get("occurrence", 1),
        )

    async def do(self, kind: str, params: dict[str, Any], **about: Any) -> Result:
        """Check parameters as a form would, fill them in, and carry out the task."""
        raw = {"task_type": kind, **params}
        wrong = registry.problems(kind, raw)
        assert not wrong, [(one.place, one.message) for one in wrong]
        return await self.again(kind, raw, await self.step(**about))

    async def again(self, kind: str, params: dict[str, Any], step: Step) -> Result:
        """Carry out a task once more for the same step."""
        given = await registry.filled(params, step.context, now=step.now)
        return await registry.perform(kind, given, self.hands, step)
