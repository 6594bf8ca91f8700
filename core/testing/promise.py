"""How a broken promise is told."""

from core.errors import BombError
from core.task import Episode


class TaskCheckError(BombError, AssertionError):
    """A task breaks a promise of the contract; the message says which and for which seed."""


def require(held: bool, episode: Episode, promise: str) -> None:
    """Returns if the promise was held.

    Raises:
        TaskCheckError: if not, with the task, the split and the seed.
    """
    if not held:
        raise TaskCheckError(
            f"task {episode.task!r}, split {episode.split!r}, seed {episode.seed}: not so: {promise}"
        )
