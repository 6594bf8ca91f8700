"""Which executor plays a run."""

from bomb.evaluation.executors.base import Executor
from bomb.evaluation.executors.local import LocalExecutor
from bomb.evaluation.settings import ExecutionSettings
from bomb.machine.provenance import cores


def make_executor(execution: ExecutionSettings, most: int) -> Executor:
    """The executor that is asked for.

    Args:
        execution: which, and how many workers.
        most: how many could have something to do.

    Raises:
        BombError: if what it needs is not installed or cannot be reached.
    """
    if execution.executor == "ray":
        from bomb.evaluation.executors.on_ray import RayExecutor

        return RayExecutor(execution.workers, most, execution.ray_address)
    return LocalExecutor(min(execution.workers or cores(), most))
