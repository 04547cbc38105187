"""Every task there is, by Rootly's name for it, and the one way to check and to carry one out.

Rule 1: what is checked when a workflow is saved is what is used when it runs: both read the same `params`.
"""

from nightbell.engine.tasks import print as say
from nightbell.engine.tasks.contract import Task

#: Every task this program can carry out.
TASKS: dict[str, Task] = {task.name: task for task in (say.TASK,)}
