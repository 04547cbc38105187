"""The task that only says something: into the run, for whoever builds a workflow."""

from msgspec import Struct

from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done


class Params(Struct, frozen=True, kw_only=True):
    """What is said."""

    message: str


async def run(hands: Hands, params: Params, step: Step) -> Result:
    """Say it."""
    return done(message=params.message)


TASK = Task(name="print", label="Print", group="flow", params=Params, run=run)
