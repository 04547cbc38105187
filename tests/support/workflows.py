"""Workflows of a scene, driven by hand: what happened is matched, runs are carried out, at the time of the scene."""

import asyncio
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from msgspec import Struct

from nightbell.core.exchange import Unanswered
from nightbell.core.journal import SYSTEM
from nightbell.engine.incidents import Incidents
from nightbell.engine.node import Node
from nightbell.engine.providers import Providers
from nightbell.engine.tasks import contract
from nightbell.engine.tasks.registry import TASKS
from nightbell.engine.vault import Vault
from nightbell.engine.workflow_edits import TaskEdit, WorkflowEdit
from nightbell.engine.workflow_matching import Matching
from nightbell.engine.workflow_running import Running
from nightbell.engine.workflow_runs import Runs

URL = "http://nightbell.example"


class Killed(BaseException):
    """The process is gone: nothing after this happens, and nothing catches it."""


class Anything(Struct, frozen=True, kw_only=True):
    """Parameters of a task of a test."""

    message: str = ""


async def nobody() -> None:
    """Let nobody go first."""


async def _no_web(method: str, url: str, *, body: bytes, headers: Any) -> Any:
    return Unanswered(why="nothing is out there")


class Automation:
    """The workflows of a scene."""

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self.db = scene.db
        self.clock = scene.clock
        self.start()

    def start(self) -> None:
        """Begin, or begin anew after the process was killed."""
        engine = self.scene.engine
        node = Node(name="node", clock=self.clock, woken=engine.committed.append)
        runs = Runs(self.db, engine.directories, URL, lambda: None)
        self.incidents = Incidents(self.db, engine.act, engine.committed.append, lambda: None)
        hands = contract.Hands(
            db=self.db,
            act=engine.act,
            incidents=self.incidents,
            directories=engine.directories,
            channels={},
            providers=Providers(Vault(b"test"), {}),
            web=_no_web,
            services=_no_web,
            trigger=runs.trigger,
            base_url=URL,
        )
        self.runs = runs
        self.matching = Matching(self.db, engine.directories, URL)
        self.running = Running(self.db, engine.directories, hands, node)

    async def workflow(self, name: str, *tasks: Any, **more: Any) -> Any:
        """Make a workflow of alerts with tasks: ("print", {"message": "…"}) or with a dict of more behind."""
        trigger = more.pop("trigger_params", {})
        triggers = more.pop("triggers", ["alert_created"])
        kind = more.pop("kind", "alert")
        edit = WorkflowEdit(
            name=name,
            trigger_params={"trigger_type": kind, "triggers": triggers, **trigger},
            **more,
        )
        ident = await self.scene.configure.create_workflow(edit, by=SYSTEM, now=self.clock())
        for task, params, *rest in tasks:
            given = TaskEdit(params={"task_type": task, **params}, **(rest[0] if rest else {}))
            await self.scene.configure.create_task(ident, given, by=SYSTEM, now=self.clock())
        return ident

    async def match(self) -> int:
        """Look at everything that happened; return how many runs it started."""
        made = 0
        while True:
            seen, started = await self.matching.match(self.clock())
            made += started
            if not seen:
                return made

    async def carry_out(self) -> int:
        """Carry out every run whose time has come."""
        done = 0
        while hands := await self.running.claim(4):
            await asyncio.gather(*(self.running.go(hand, nobody) for hand in hands))
            done += len(hands)
        return done

    async def settle(self) -> None:
        """Do all there is to do at this instant."""
        while await self.match() + await self.carry_out():
            pass

    async def later(self, minutes: float) -> None:
        """Let time pass, and do what is due by then."""
        await self.scene.go(self.clock() + timedelta(minutes=minutes), strict=False)
        await self.settle()

    async def statuses(self) -> list[str]:
        """Return how the runs stand, the oldest first."""
        return [r["status"] for r in await self.db.fetch("SELECT status FROM workflow_runs ORDER BY id")]

    async def runs_of(self, workflow_id: Any) -> list[Any]:
        """Return the runs of a workflow, the oldest first."""
        sql = "SELECT * FROM workflow_runs WHERE workflow_id = $1 ORDER BY id"
        return list(await self.db.fetch(sql, workflow_id))

    async def steps(self) -> list[tuple[str, str]]:
        """Return kind and status of every step, in order."""
        rows = await self.db.fetch("SELECT kind, status FROM workflow_steps ORDER BY run_id, position")
        return [(r["kind"], r["status"]) for r in rows]


@contextmanager
def task(name: str, run: Callable[..., Any], *, attempts: int = 4) -> Any:
    """Have a task of a test's own for as long as the block lasts."""
    TASKS[name] = contract.Task(
        name=name, label=name.capitalize(), group="flow", params=Anything, run=run, attempts=attempts
    )
    try:
        yield
    finally:
        del TASKS[name]
