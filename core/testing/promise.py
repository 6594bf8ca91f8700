"""How a broken promise is told."""

from core.errors import BombError
from core.task import Episode


class ContractError(BombError, AssertionError):
    """A part breaks a promise of its contract; the message says which."""


class TaskCheckError(ContractError):
    """A task breaks a promise of the contract; the message says which and for which seed."""


def promise(held: bool, who: str, what: str) -> None:
    """Returns if the promise was held.

    Args:
        held: whether it was.
        who: made it, ``"policy Careful"``.
        what: was promised, as a whole clause.

    Raises:
        ContractError: if not.
    """
    if not held:
        raise ContractError(f"{who}: not so: {what}")


def require(held: bool, episode: Episode, promise: str) -> None:
    """Returns if the promise was held.

    Raises:
        TaskCheckError: if not, with the task, the split and the seed.
    """
    if not held:
        raise TaskCheckError(
            f"task {episode.task!r}, split {episode.split!r}, seed {episode.seed}: not so: {promise}"
        )
